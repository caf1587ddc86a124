"""What was measured: rows of `measurements.csv`, and the units they may have."""

import pydantic

from pbpk.assay.doses import AMOUNTS
from pbpk.errors import InputError, did_you_mean
from pbpk.quantity import inside
from pbpk.reading import Schema

COUNTED = ("copies", "counts", "events", "profiles")  # what an instrument reads; `readouts` says what a cell gives
UNITS = ("cells", "cells_per_g", "percent_dose", "percent_dose_per_g", *COUNTED)  # and others, as `ug/mL`
DROPPED = "none"  # what a published tissue maps to when it is not used


def per_of(unit: str) -> str:
    """What a measured unit is per: "g", "mL", or "" for an amount."""
    if unit in UNITS:
        return "g" if unit.endswith("_per_g") else ""
    below = unit.partition("/")[2]
    return inside(below)[0] if below else ""


class MeasurementRow(Schema):
    """One row of `measurements.csv`: an animal's value, a group's mean, or a range."""

    group: str
    animal: str = ""
    organ: str
    hours: float = pydantic.Field(ge=0)
    value: float | None = pydantic.Field(default=None, ge=0)
    unit: str
    sd: float | None = pydantic.Field(default=None, ge=0)
    n: int | None = pydantic.Field(default=None, ge=1)
    low: float | None = pydantic.Field(default=None, ge=0)
    high: float | None = pydantic.Field(default=None, gt=0)
    lloq: float | None = pydantic.Field(default=None, gt=0)
    below_lloq: bool = False
    readout: str = "label"
    fraction: float = pydantic.Field(default=1.0, gt=0, le=1)  # part of the organ that was read
    acquired: int | None = pydantic.Field(default=None, ge=1)  # events of any kind that the cytometer took
    seconds: float | None = pydantic.Field(default=None, gt=0)  # time of counting
    counted_hours: float | None = pydantic.Field(default=None, ge=0)  # after the first dose
    source: str = ""

    @pydantic.field_validator("unit")
    @classmethod
    def _measures_something(cls, unit: str) -> str:
        if unit in UNITS:
            return unit
        try:
            fits = inside(unit.partition("/")[0])[0] in AMOUNTS and per_of(unit) in ("", "mL", "g")
        except InputError:
            fits = False
        if not fits:
            raise ValueError(f"unknown unit `{unit}`; an amount may be per volume or per mass, as ug, ug/mL or ug/g."
                             + did_you_mean(unit, UNITS))  # fmt: skip
        return unit

    @pydantic.model_validator(mode="after")
    def _one_kind(self) -> "MeasurementRow":
        is_range = self.low is not None and self.high is not None
        if self.below_lloq:
            if self.lloq is None and self.unit != "copies":  # whose limit the readout tells
                raise ValueError("below_lloq is true, so `lloq` must say what the limit was")
        elif (self.value is None) != is_range or (self.low is None) != (self.high is None):
            raise ValueError("give either `value`, or both `low` and `high`")
        if is_range and self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"`low` {self.low:g} is not below `high` {self.high:g}")
        if self.animal and self.sd is not None:
            raise ValueError("`sd` belongs to a group's mean; leave it empty for one animal")
        if self.sd is not None and self.value is None:
            raise ValueError("`sd` belongs to a `value`; leave it empty where there is none")
        if self.sd is not None and (self.n is None or self.n < 2):
            raise ValueError("`sd` needs `n`, the number of animals, of at least 2")
        return self

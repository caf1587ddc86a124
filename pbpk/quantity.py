"""A number with its unit, source and spread; units are checked at the door, inside there are plain floats."""

from dataclasses import dataclass
from functools import cache
from tokenize import TokenError
from typing import TYPE_CHECKING, Any

from pbpk.errors import InputError
from pbpk.reading import Schema

if TYPE_CHECKING:
    import pint

NORMAL_95 = 1.96  # standard deviations of a normal on either side that hold 95 %


@cache
def unit_registry() -> "pint.UnitRegistry[Any]":
    """Return the units known to the package: those of pint, and `cell` as a counted thing."""
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry()
    registry.define("cell = [cells]")
    return registry


class QuantityEntry(Schema):
    """How a quantity is written in a TOML file."""

    value: float
    unit: str
    source: str
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Quantity:
    """A value in its unit, with where it came from and how far other sources differ."""

    value: float
    unit: str
    source: str
    low: float | None = None
    high: float | None = None
    note: str = ""

    @property
    def ends(self) -> tuple[float, float]:
        """Low and high, the value itself where one is not given."""
        return self.value if self.low is None else self.low, self.value if self.high is None else self.high

    def to(self, unit: str) -> float:
        """Value in another unit.

        >>> round(Quantity(678.0, "mL/h", "shah_betts_2012").to("mL/min"), 6)
        11.3
        """
        return convert(self.value, self.unit, unit)


def convert(value: float, unit: str, to: str) -> float:
    """Convert a number from one unit to another.

    Raises
    ------
    InputError
        if a unit is unknown or the two do not measure the same thing
    """
    import pint

    registry = unit_registry()
    try:
        return float(registry.Quantity(value, _parsed(unit)).to(_parsed(to)).magnitude)
    except pint.DimensionalityError:
        raise InputError(f"`{unit}` does not measure what `{to}` measures.") from None


def _parsed(unit: str) -> "pint.Unit":
    """Unit as pint knows it."""
    import pint

    try:
        return unit_registry().parse_units(unit)
    except (pint.PintError, ValueError, TypeError, SyntaxError, AttributeError, TokenError):
        raise InputError(f"the unit `{unit}` is not known.") from None


INSIDE = (
    *("1", "1/h", "h", "um", "mL", "mL/h", "g", "g/mL", "g/h", "mL/g", "mL/h/g", "1/g", "1/mL"),
    *("cell", "cell/h", "cell/mL", "cell/g", "1/cell", "mol", "mol/h", "mol/mL", "mol/g", "g/mol"),
)
ACTIVITY = ("Bq", "Bq/mL")  # one over a time to pint, which knows no decays; so the name tells it


def inside_unit(unit: str) -> str:
    """Unit in which the package computes what this unit measures: hours, mL, g, um, cells, mol, Bq.

    Raises
    ------
    InputError
        if the unit is unknown or measures nothing the package computes with
    """
    registry = unit_registry()
    parsed = _parsed(unit)
    asked = parsed.dimensionality
    for known in ACTIVITY if any(name in str(parsed) for name in ("becquerel", "curie")) else INSIDE:
        if registry.parse_units(known).dimensionality == asked:
            return known
    raise InputError(f"the unit `{unit}` measures nothing a model uses; known are {', '.join(INSIDE)}.")


@cache
def inside(unit: str) -> tuple[str, float]:
    """Unit the package computes with, and how many of it one of this unit is.

    >>> inside("L/min")
    ('mL/h', 60000.0)
    """
    known = inside_unit(unit)
    return known, convert(1.0, unit, known)

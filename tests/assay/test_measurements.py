"""Rows of measurements: units, and what a row may say at once."""

import pytest
from pydantic import ValidationError

from pbpk.assay.measurements import MeasurementRow, per_of


def row(**fields):
    return MeasurementRow(**{"group": "all", "organ": "lung", "hours": 1.0, "value": 2.0, "unit": "cells", **fields})


@pytest.mark.parametrize(
    ("unit", "per"),
    [("cells", ""), ("percent_dose_per_g", "g"), ("ug", ""), ("ug/mL", "mL"), ("mg/L", "mL"), ("kBq/kg", "g")],
)
def test_what_a_unit_is_per(unit, per):
    assert per_of(unit) == per
    assert row(unit=unit).unit == unit


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"unit": "mL"}, "unknown unit `mL`"),
        ({"low": 1.0, "high": 3.0}, "give either `value`, or both `low` and `high`"),
        ({"below_lloq": True, "value": None}, "`lloq` must say what the limit was"),
        ({"sd": 1.0}, "`sd` needs `n`"),
        ({"sd": 1.0, "n": 3, "animal": "a"}, "`sd` belongs to a group's mean"),
        ({"value": None, "low": 3.0, "high": 1.0}, "`low` 3 is not below `high` 1"),
    ],
)
def test_a_row_that_cannot_be_is_refused(fields, said):
    with pytest.raises(ValidationError) as refusal:
        row(**fields)
    assert said in str(refusal.value)

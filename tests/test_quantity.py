import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbpk.errors import InputError
from pbpk.quantity import INSIDE, Quantity, convert, inside_unit, unit_registry


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        (11.3, "mL/min", "mL/h", 678.0),
        (0.336, "m**3/h", "mL/h", 336_000.0),
        (1.0, "1/day", "1/h", 1 / 24),
        (23.0, "um", "mm", 0.023),
        (70.0, "kg", "g", 70_000.0),
        (1050.0, "kg/m**3", "g/mL", 1.05),
        (9.8, "percent", "1", 0.098),
        (30.0, "min", "h", 0.5),
    ],
)
def test_conversions_by_hand(value, unit, to, expected):
    assert convert(value, unit, to) == pytest.approx(expected, rel=1e-12)


@settings(deadline=None, max_examples=50, derandomize=True)
@given(st.floats(1e-6, 1e6), st.sampled_from([("mL/h", "L/day"), ("g", "mg"), ("h", "s"), ("1/h", "1/min")]))
def test_there_and_back_is_nothing(value, units):
    unit, other = units
    assert convert(convert(value, unit, other), other, unit) == pytest.approx(value, rel=1e-12)


def test_a_quantity_keeps_its_source():
    quantity = Quantity(678.0, "mL/h", "shah_betts_2012", low=480.0)
    assert quantity.to("L/h") == pytest.approx(0.678)
    assert (quantity.source, quantity.low, quantity.high) == ("shah_betts_2012", 480.0, None)


@pytest.mark.parametrize(
    ("unit", "inside"),
    [
        *(("L/min", "mL/h"), ("day", "h"), ("1/s", "1/h"), ("mg", "g"), ("mm", "um"), ("kg/L", "g/mL")),
        *(("percent", "1"), ("cell", "cell"), ("m**3", "mL"), ("", "1")),
    ],
)
def test_everything_is_computed_in_one_unit(unit, inside):
    assert inside_unit(unit) == inside


def test_inside_units_measure_different_things():
    assert len({unit_registry().parse_units(unit).dimensionality for unit in INSIDE}) == len(INSIDE)


def test_cells_are_not_a_pure_number():
    with pytest.raises(InputError, match="`cell` does not measure what `1` measures"):
        convert(1.0, "cell", "1")


@pytest.mark.parametrize("unit", ["ours", "mL/ours", "mL/", "(mL", "mL)", "2 mL", "mL mL mL h$", "1/h;import os"])
def test_what_is_no_unit_is_refused_in_words(unit):
    for ask in (lambda: convert(1.0, unit, "mL"), lambda: inside_unit(unit)):
        with pytest.raises(InputError) as refusal:
            ask()
        assert f"`{unit}`" in str(refusal.value)


def test_what_does_not_fit_is_refused_in_words():
    with pytest.raises(InputError, match="`mL` does not measure what `mL/h` measures"):
        convert(1.0, "mL", "mL/h")
    with pytest.raises(InputError, match="`kelvin` measures nothing a model uses"):
        inside_unit("kelvin")


@pytest.mark.parametrize(("unit", "inside"), [("MBq", "Bq"), ("uCi", "Bq"), ("kBq/mL", "Bq/mL"), ("1/day", "1/h")])
def test_activity_is_no_rate(unit, inside):
    assert inside_unit(unit) == inside

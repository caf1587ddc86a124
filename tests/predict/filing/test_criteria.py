"""A criterion is checked as it is written."""

from typing import get_args

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbpk.errors import FilingError
from pbpk.predict.filing.authored import read_authored
from pbpk.predict.filing.criteria import Criterion, Quantity
from pbpk.predict.filing.judging import QUANTITIES

NUMBER = st.floats(-1e9, 1e9)


def criterion(**given_):
    return Criterion.model_validate({"id": "a", "quantity": "rhat_max", "comparison": "<=", "threshold": 1} | given_)


def test_the_list_of_quantities_is_closed_and_whole():
    assert set(QUANTITIES) == set(get_args(Quantity))


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"comparison": "between"}, "`between` needs two numbers"),
        ({"comparison": "between", "threshold": [1, 2, 3]}, "`between` needs two numbers"),
        ({"comparison": "between", "threshold": [2, 1]}, "put the smaller number first"),
        ({"threshold": [1, 2]}, "`<=` needs one number"),
        ({"threshold": float("nan")}, "finite"),
        ({"threshold": [0, float("inf")], "comparison": "between"}, "finite"),
        ({"id": "  "}, "at least 1 character"),
        ({"comparison": "<"}, "'<=', '>=' or 'between'"),
        ({"limit": float("inf")}, "finite"),
    ],
)
def test_a_threshold_fits_its_comparison(given_, said):
    with pytest.raises(pydantic.ValidationError, match=said.replace("[", r"\[")):
        criterion(**given_)


def test_a_misspelt_quantity_is_guessed(tmp_path):
    text = '[[criteria]]\nid = "a"\nquantity = "rhat_mx"\ncomparison = "<="\nthreshold = 1.01\n'
    (tmp_path / "report.toml").write_text(text)
    with pytest.raises(FilingError, match=r"line 3: `criteria.0.quantity` is `rhat_mx`. Did you mean `rhat_max`\?"):
        read_authored(tmp_path)


@given(NUMBER, NUMBER, NUMBER)
def test_it_is_met_as_arithmetic_says(value, a, b):
    low, high = sorted((a, b))
    assert criterion(threshold=a).met(value) == (value <= a)
    assert criterion(comparison=">=", threshold=a).met(value) == (value >= a)
    assert criterion(comparison="between", threshold=[low, high]).met(value) == (low <= value <= high)


@pytest.mark.parametrize("how", [{}, {"comparison": ">="}, {"comparison": "between", "threshold": [0, 1]}])
def test_what_is_no_number_is_never_met(how):
    assert not criterion(**how).met(float("nan"))


def test_it_says_itself():
    assert str(criterion(threshold=1.01)) == "rhat_max <= 1.01"
    asked = criterion(quantity="probability_below", scenario="iv", endpoint="Cmax lung", limit=2e5, comparison=">=")
    assert str(asked) == "probability_below of Cmax lung in iv, limit 200000 >= 1"
    assert criterion(comparison="between", threshold=[0.8, 1.25]).demand == "between 0.8 and 1.25"

"""What rules refuse."""

import pytest

from pbpk.errors import InputError
from pbpk.predict.noncompartmental.rules import Rules


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"method": "lin"}, "`lin` is no rule"),
        ({"start": "carryback"}, "Did you mean `carry_back`"),
        ({"below_mean": "most"}, "mostly"),
        ({"tail": 1}, "take 3 or more"),
        ({"least_points": 1}, "take 3 or more"),
        ({"level": 95.0}, "is 0.95"),
        ({"partial": ((24.0, 0.0),)}, "must rise"),
    ],
)
def test_what_is_no_rule_is_said(given, said):
    with pytest.raises(InputError, match=said):
        Rules(**given)

"""What a page shows, whatever a browser sends."""

import numpy as np
import pytest

from pbpk.errors import InputError
from pbpk.report.explore.shown import Shown, stops


def test_what_cannot_be_is_as_it_is_at_first():
    assert Shown.sent({}) == Shown()
    odd = Shown.sent({"view": "secrets", "last": "never", "hour": -3, "organ": 7})
    assert (odd.view, odd.last, odd.hour, odd.organ) == ("curves", np.inf, 24.0, "7")
    assert Shown.sent({"view": "body", "last": "72", "hour": 6}).last_of(np.array([0.0, 336.0])) == 72.0


@pytest.mark.parametrize(
    ("cells", "probability", "said"),
    [
        ("", "0.95", "say how many living cells the lung may hold"),
        ("a lot", "0.95", "the limit is `a lot`"),
        ("2e5", "1.5", "give at least 0.5 and less than 1"),
        ("2e5", "0.2", "give at least 0.5 and less than 1"),
        ("-1", "0.9", "give a number above 0"),
    ],
)
def test_a_limit_that_cannot_be_is_a_sentence(cells, probability, said):
    with pytest.raises(InputError, match=said):
        _ = Shown(cells=cells, probability=probability).limit


def test_the_body_stops_at_hours_of_the_forecast_but_not_just_before_a_dose():
    hours = np.array([0.0, 0.05, 1.0, 23.999, 24.0, 336.0])
    assert stops(hours, 72.0) == [0.05, 1.0, 24.0]

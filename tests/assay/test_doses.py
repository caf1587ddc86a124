"""Rows of doses: the record each stands for, and how much it is in all."""

import pytest
from pydantic import ValidationError

from pbpk.assay.doses import DoseRow
from pbpk.dosing import Event


def row(**fields):
    return DoseRow(**{"group": "all", "hours": 0.0, "route": "iv", **fields})


@pytest.mark.parametrize(
    ("fields", "event"),
    [
        ({"cells": 5.0}, Event(0.0, 1, 5.0, route="iv")),
        ({"cells": 5.0, "duration_min": 30.0}, Event(0.0, 1, 5.0, duration_h=0.5, route="iv")),
        ({"amount": 6.0, "unit": "mg", "rate_per_h": 2.0}, Event(0.0, 1, 6.0, 2.0, route="iv")),
        ({"cells": 5.0, "addl": 2, "interval_h": 24.0}, Event(0.0, 1, 5.0, route="iv", addl=2, interval_h=24.0)),
        ({"cells": 5.0, "reset": True}, Event(0.0, 4, 5.0, route="iv")),
        ({"reset": True}, Event(0.0, 3)),
        ({"rate_per_h": 2.0, "ss": 1}, Event(0.0, 1, 0.0, 2.0, route="iv", ss=1)),
        ({}, Event(0.0, 1, 1.0, route="iv")),
    ],
)  # fmt: skip
def test_a_row_is_a_record(fields, event):
    assert row(**fields).event == event


def test_what_follows_is_given_too():
    assert row(cells=5.0, addl=2, interval_h=24.0).in_all == (15.0, "cell")
    assert row(amount=5.0, unit="mg", ss=1, interval_h=24.0).in_all == (5.0, "mg")
    assert row(rate_per_h=3.0, unit="mg", ss=1).in_all == (3.0, "mg")  # of one hour
    assert row().in_all is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"cells": 5.0, "addl": 2}, "addl needs interval_h, the interval to the next dose; give it."),
        ({"cells": 5.0, "ss": 1}, "ss needs interval_h, the interval of the doses before; give it."),
        ({"cells": 5.0, "interval_h": 2.0}, "interval_h is 2, but neither addl nor ss repeats the dose"),
        ({"cells": 5.0, "rate_per_h": 2.0, "duration_min": 30.0}, "the amount 5 at rate_per_h 2 does not take"),
        ({"cells": 5.0, "ss": 7, "interval_h": 2.0}, "ss is 7; it must be 0, 1"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused_in_its_own_words(fields, said):
    with pytest.raises(ValidationError) as refusal:
        row(**fields)
    assert said in str(refusal.value)

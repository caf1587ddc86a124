"""The first numbers of a forecast, as the command line prints them and the page shows them."""

import pandas as pd

from pbpk.predict.headline import Told, headline


def table(states=("live", "label", "total"), beyond="", organs=("lung", "liver", "spleen")):
    return pd.DataFrame([
        {"scenario": "iv", "organ": organ, "state": state, "hours": hours, "q2.5": 1e5, "q50": 2.345e5, "q97.5": 3e5,
         "dose_cells": 1e6, "evidence": "extrapolation", "beyond": beyond}
        for hours in (1.0, 23.999, 24.0) for organ in organs for state in states
    ])  # fmt: skip


def test_lung_and_liver_of_cells():
    found = headline(table(beyond="route; hours; not measured"))
    assert found.columns == (("lung", "total"), ("liver", "total"), ("lung", "live"), ("liver", "live"))
    assert found.heads(" ") == ["lung, label + live", "liver, label + live", "lung, live only", "liver, live only"]
    assert found.rows["iv"][0] == Told("23.4", "[10, 30]")
    assert found.beyond == {"iv": ("route",)}
    assert found.evidence == {"iv": "extrapolation"}
    assert found.inferred


def test_first_organs_where_nothing_lives():
    found = headline(table(states=("total",), organs=("gut", "brain", "fat", "skin", "bone")))
    assert found.heads(" ") == ["gut", "brain", "fat", "skin"]
    assert not found.inferred


def test_the_moment_before_a_dose_is_what_is_told():
    late = table()
    late.loc[late["hours"] == 24.0, "q50"] = 9e5
    assert headline(late).rows["iv"][0].middle == "23.4"

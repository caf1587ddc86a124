import pytest

from pbpk.report.shares import HOURS, most_held, shares_at


def test_shares_are_percent_of_the_dose(khot):
    shares = shares_at(khot.forecast)
    assert set(shares["hours"]) == set(HOURS)
    row = shares[(shares["scenario"] == "s0") & (shares["organ"] == "lung") & (shares["state"] == "total")].iloc[0]
    own = khot.forecast[(khot.forecast["scenario"] == "s0") & (khot.forecast["organ"] == "lung")]
    nearest = own[(own["state"] == "total") & (own["hours"] - 1.0).abs().lt(0.15)]["mean"]
    assert 100 * nearest.min() / 1e6 * 0.95 <= row["mean"] <= 100 * nearest.max() / 1e6 * 1.05


def test_hours_after_the_end_are_left_out(khot):
    short = khot.forecast[khot.forecast["hours"] < 30.0]
    assert set(shares_at(short)["hours"]) == {1.0, 24.0}
    assert shares_at(short.iloc[:0]).empty


def test_an_hour_of_the_table_is_taken_as_it_is(khot):
    hour = float(khot.forecast["hours"].iloc[10])
    row = shares_at(khot.forecast, (hour,)).iloc[0]
    assert row["q50"] == pytest.approx(khot.forecast["q50"].iloc[10] / 1e4)


def test_all_organs_together_are_summed_once(khot):
    own = khot.forecast[khot.forecast["scenario"] == "s0"]
    total = own[own["state"] == "total"].groupby("hours")["mean"].sum().max() / 1e4
    assert most_held(own) == pytest.approx(total)
    assert most_held(own.iloc[:0]) == 0.0

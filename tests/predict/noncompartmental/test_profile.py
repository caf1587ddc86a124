"""One subject's curve: WinNonlin's answers by way of NonCompart, closed forms, and the rules for limits."""

import numpy as np
import pytest

from pbpk.errors import InputError
from pbpk.predict.noncompartmental.profile import analyse, curve_of, part, segments
from pbpk.predict.noncompartmental.rules import Rules

NAMES = {
    "AUCLST": "AUClast", "AUCALL": "AUCall", "CMAX": "Cmax", "TMAX": "Tmax", "CLST": "Clast", "CLSTP": "Clast_pred",
    "TLST": "Tlast", "LAMZHL": "half_life", "LAMZ": "lambda_z", "LAMZLL": "lambda_z_first", "LAMZUL": "lambda_z_last",
    "LAMZNPT": "lambda_z_points", "R2": "R2", "R2ADJ": "R2_adjusted", "AUCIFO": "AUCinf_obs", "AUCIFP": "AUCinf_pred",
    "AUCPEO": "AUCextrapolated_obs", "AUCPEP": "AUCextrapolated_pred", "AUMCLST": "AUMClast", "AUMCIFO": "AUMCinf_obs",
    "AUMCIFP": "AUMCinf_pred", "AUMCPEO": "AUMCextrapolated_obs", "AUMCPEP": "AUMCextrapolated_pred", "C0": "C0",
    "AUCPBEO": "AUCback_obs", "AUCPBEP": "AUCback_pred", "MRTIVLST": "MRTlast", "MRTIVIFO": "MRTinf_obs",
    "MRTIVIFP": "MRTinf_pred",
}  # fmt: skip


@pytest.mark.parametrize(("method", "word"), [("linear", "linear"), ("linear_up_log_down", "linear-up/log-down")])
def test_indomethacin_in_six_people_is_as_noncompart_says(read_oracle, method, word):
    data, rules = read_oracle("indometh"), Rules(method=method, start="back_extrapolate")
    compared = 0
    for subject in range(1, 7):
        own = [row for row in data if row["Subject"] == subject]
        hours, values = (np.array([row[name] for row in own]) for name in ("time", "conc"))
        found = analyse(curve_of(hours, values, rules=rules), rules, bolus=True).parameters
        for row in read_oracle("expected"):
            mine = row["dataset"] == "indometh" and str(row["subset"]).startswith(f"Subject={subject};")
            if mine and row["method"] == word and row["parameter"] in NAMES:
                assert found[NAMES[row["parameter"]]] == pytest.approx(row["estimate"], rel=1e-9), row
                compared += 1
    assert compared == 6 * len(NAMES)


def test_gibaldi_and_perrier(read_oracle):
    data, rules = read_oracle("gibaldi_perrier1982_p436"), Rules(tail=3)
    hours, values = (np.array([row[name] for row in data]) for name in ("time", "conc"))
    found = analyse(curve_of(hours, values, rules=rules), rules).parameters
    names = {"AUC to tlast": "AUClast", "AUC to infinity": "AUCinf_obs", "AUMC to infinity": "AUMCinf_obs",
             "Mean residence time": "MRTinf_obs"}  # fmt: skip
    rows = [row for row in read_oracle("expected") if row["dataset"] == "gibaldi_perrier1982_p436"]
    assert sum(row["parameter"] in names for row in rows) == 4
    for row in rows:
        if row["parameter"] in names:
            assert found[names[row["parameter"]]] == pytest.approx(row["estimate"], rel=1e-9)


def test_an_exponential_is_exact_where_curves_fall_by_the_logarithm():
    hours, k = np.array([0.0, 0.7, 3.0, 4.5, 11.0, 30.0]), 0.17
    rules = Rules(method="linear_up_log_down", partial=((0.0, 4.0), (1.0, 20.0)))
    found = analyse(curve_of(hours, 10.0 * np.exp(-k * hours), rules=rules), rules, bolus=True).parameters
    assert found["AUCinf_obs"] == pytest.approx(10.0 / k, rel=1e-12)
    assert found["AUMCinf_obs"] == pytest.approx(10.0 / k**2, rel=1e-12)
    assert found["MRTinf_obs"] == pytest.approx(1.0 / k, rel=1e-12)
    assert found["AUC0-4h"] == pytest.approx(10.0 / k * (1.0 - np.exp(-4.0 * k)), rel=1e-12)
    assert found["AUC1-20h"] == pytest.approx(10.0 / k * (np.exp(-k) - np.exp(-20.0 * k)), rel=1e-12)


def test_an_infusion_is_taken_from_the_time_of_residence():
    hours = np.linspace(0.0, 40.0, 41)
    curve = curve_of(hours, np.exp(-0.3 * hours))
    at_once, infused = (analyse(curve, infused_hours=long).parameters for long in (0.0, 3.0))
    for name in ("MRTlast", "MRTinf_obs", "MRTinf_pred"):
        assert infused[name] == pytest.approx(at_once[name] - 1.5)


@pytest.mark.parametrize(
    ("hours", "values", "total"),
    [
        ([1.0, 2.0, 4.0], [3.0, 3.0, 3.0], 12.0),  # a constant, carried back to 0 h
        ([0.0, 2.0, 4.0], [1e-9, 2.0, 4.0], 8.0),  # a line through zero: half of base times height
        ([2.0], [5.0], 10.0),
    ],
)
def test_shapes_with_known_areas(hours, values, total):
    assert analyse(curve_of(np.array(hours), np.array(values))).parameters["AUClast"] == pytest.approx(total)


def test_areas_in_part_add_up():
    hours = np.array([0.0, 1.0, 3.0, 7.0])
    values = np.array([0.0, 8.0, 4.0, 1.0])
    for method in ("linear", "linear_up_log_down"):
        whole = segments(hours, values, method)[0].sum()
        parts = [part(hours, values, a, b, method) for a, b in ((0.0, 0.4), (0.4, 2.2), (2.2, 2.9), (2.9, 7.0))]
        assert sum(parts) == pytest.approx(whole, rel=1e-12)
    assert np.isnan(part(hours, values, 0.0, 8.0))


HOURS = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 24.0])
VALUES = np.array([0.0, 6.0, 4.0, 0.0, 2.0, 0.0, 0.0])
BELOW = VALUES == 0.0


@pytest.mark.parametrize(
    ("rules", "last", "every"),
    [
        # 0 to 0.5 h zero; 0.5 to 1: 1.5; 1 to 2: 5; 2 to 8 without the 4 h: 18; 8 to 12: 4
        ({}, 24.5, 28.5),
        ({"below_middle": "zero"}, 1.5 + 5.0 + 4.0 + 4.0, 1.5 + 5.0 + 4.0 + 4.0 + 4.0),
        ({"below_last": "drop"}, 24.5, 24.5),
        ({"below_first": "drop"}, 6.0 + 5.0 + 18.0, 6.0 + 5.0 + 18.0 + 4.0),
        ({"below_last": "half"}, 24.5, 24.5 + 5.0 + 6.0),
        ({"below_first": "limit"}, 0.5 + 1.75 + 5.0 + 18.0, 0.5 + 1.75 + 5.0 + 18.0 + 4.0),
    ],
)
def test_values_below_the_limit_by_each_rule(rules, last, every):
    rules = Rules(**rules)
    found = analyse(curve_of(HOURS, VALUES, BELOW, np.ones(7), rules), rules).parameters
    assert found["AUClast"] == pytest.approx(last)
    assert found["AUCall"] == pytest.approx(every)
    assert (found["Cmax"], found["Tmax"], found["Clast"], found["Tlast"]) == (6.0, 1.0, 2.0, 8.0)


def test_the_order_of_samples_is_nothing():
    mixed = np.random.default_rng(1).permutation(7)
    one, other = (analyse(curve_of(HOURS[o], VALUES[o], BELOW[o])).parameters for o in (np.arange(7), mixed))
    assert {k: v for k, v in one.items() if v == v} == {k: v for k, v in other.items() if v == v}


@pytest.mark.parametrize(("start", "first"), [("zero", 0.0), ("carry_back", 8.0), ("back_extrapolate", 16.0)])
def test_what_stands_at_0_h(start, first):
    """Two values an hour apart, of which the second is half the first."""
    curve = curve_of(np.array([1.0, 2.0]), np.array([8.0, 4.0]), rules=Rules(start=start))
    assert (curve.hours[0], curve.values[0]) == (0.0, pytest.approx(first))
    found = analyse(curve, Rules(start=start))
    assert found.parameters["Cmax"] == 8.0
    assert found.flags[-1].endswith(("0 h", "logarithms"))


def test_without_0_h_areas_begin_with_the_first_sample():
    rules = Rules(start="first")
    found = analyse(curve_of(np.array([1.0, 2.0]), np.array([8.0, 4.0]), rules=rules), rules)
    assert found.parameters["AUClast"] == 6.0
    assert "areas begin with the first sample" in found.flags


def test_weak_slopes_are_flagged():
    hours = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    flags = analyse(curve_of(hours, np.array([0.5, 9.0, 8.0, 5.0, 6.0]))).flags
    assert any("adjusted R2" in flag for flag in flags)
    assert any("half-lives" in flag for flag in flags)
    assert any("lies beyond the last value" in flag for flag in flags)
    assert "no terminal slope" in analyse(curve_of(hours, np.array([1.0, 2.0, 3.0, 4.0, 5.0]))).flags[0]


@pytest.mark.parametrize(
    ("hours", "values", "below", "rules", "said"),
    [
        ([1.0, 1.0], [3.0, 4.0], None, {}, "two values at 1 h"),
        ([1.0, 2.0], [0.0, 0.0], None, {}, "nothing to analyse"),
        ([1.0, 2.0], [0.0, 3.0], [True, False], {"below_first": "half"}, "lloq"),
    ],
)
def test_what_cannot_be_analysed_is_said(hours, values, below, rules, said):
    below = None if below is None else np.array(below)
    with pytest.raises(InputError, match=said):
        curve_of(np.array(hours), np.array(values), below, rules=Rules(**rules))

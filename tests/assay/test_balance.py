from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from pbpk.assay.balance import balance_by_hour, mass_balance, recovered_by_hour, recovered_shares


def counts(rows, covariance=None, denominator="dose", split=None, harvested=()):
    """Rows of (animal, organ, percent) at 1 h of the group a; all of them read by an instrument if it has a doubt."""
    table = pd.DataFrame(rows, columns=["animal", "organ", "percent"]).assign(
        group="a", hours=1.0, readout="label", below_lloq=False
    )
    signals = None
    if covariance is not None:
        signals = SimpleNamespace(rows=np.arange(len(covariance)), covariance=lambda: np.asarray(covariance, float))
    study = SimpleNamespace(about=SimpleNamespace(split=split or {}))
    return SimpleNamespace(study=study, table=table, denominator=denominator, harvested=harvested, signals=signals)


TWO = [("1", "lung", 60.0), ("1", "liver", 30.0)]


def test_the_sum_carries_the_doubt_that_organs_share():
    own, shared = np.diag([4.0, 1.0]), 0.05**2 * np.outer([60.0, 30.0], [60.0, 30.0])
    (row,) = mass_balance(counts(TWO, own + shared)).to_dict("records")
    assert row["percent_dose"] == 90.0
    assert row["sd"] == pytest.approx(np.sqrt(5.0 + (0.05 * 90.0) ** 2))
    assert (row["organs"], row["lacks"], row["flag"]) == (2, "", "")


def test_what_all_organs_share_drops_out_of_the_shares():
    only_shared = 0.05**2 * np.outer([60.0, 30.0], [60.0, 30.0])
    found = recovered_shares(counts(TWO, only_shared)).set_index("organ")
    assert dict(found["percent_recovered"]) == pytest.approx({"lung": 100 * 2 / 3, "liver": 100 / 3})
    np.testing.assert_allclose(found["sd"], 0.0, atol=1e-5)


def test_the_doubt_of_shares_is_that_of_draws():
    covariance = np.array([[2.0, 0.6, 0.1], [0.6, 1.0, -0.2], [0.1, -0.2, 0.5]])
    rows = [("1", "lung", 60.0), ("1", "liver", 30.0), ("1", "gut", 5.0)]
    found = recovered_shares(counts(rows, covariance))["sd"]
    draws = np.random.default_rng(1).multivariate_normal([60.0, 30.0, 5.0], covariance, 200_000)
    np.testing.assert_allclose(found, (100 * draws / draws.sum(axis=1, keepdims=True)).std(axis=0), rtol=0.02)


@pytest.mark.parametrize(("lung", "flagged"), [(69.0, False), (74.5, True)])
def test_a_sum_above_the_dose_is_flagged_from_two_sds(lung, flagged):
    found = mass_balance(counts([("1", "lung", lung), ("1", "liver", 30.0)], np.diag([2.0, 2.0])))
    assert bool(found["flag"][0]) == flagged
    assert not flagged or found["flag"][0] == "above 100 % by 2.2 SD"


def test_values_without_their_own_doubt():
    found = mass_balance(counts(TWO))
    assert np.isnan(found["sd"][0])
    assert found["flag"][0] == ""
    assert mass_balance(counts([*TWO, ("1", "gut", 20.0)]))["flag"][0] == "above 100 %, of unknown doubt"
    assert recovered_shares(counts(TWO))["sd"].isna().all()
    assert recovered_by_hour(counts(TWO))["percent_recovered"].sum() == pytest.approx(100.0)


def test_one_value_without_doubt_leaves_the_others_theirs():
    rows = [*TWO, ("2", "lung", 50.0), ("2", "liver", 20.0)]
    found = mass_balance(counts(rows, np.diag([1.0, 1.0])))
    assert found["sd"][0] == pytest.approx(np.sqrt(2.0))
    assert np.isnan(found["sd"][1])
    shares = recovered_shares(counts(rows, np.diag([1.0, 1.0])))
    assert list(shares["sd"].isna()) == [False, False, True, True]


def test_an_organ_without_a_value_is_named_and_not_summed():
    rows = [*TWO, ("2", "lung", 50.0), ("2", "liver", np.nan)]
    found = mass_balance(counts(rows))
    assert list(found["percent_dose"]) == [90.0, 50.0]
    assert list(found["lacks"]) == ["", "liver"]
    limited = counts(rows[:2])
    limited.table.loc[0, "below_lloq"] = True
    assert mass_balance(limited)[["percent_dose", "lacks"]].to_numpy().tolist() == [[30.0, "lung"]]


def test_a_part_is_not_counted_beside_its_whole():
    split = {"kidney": ["kidney_left", "kidney_right"]}
    rows = [("1", "kidney", 4.0), ("1", "kidney_left", 3.0), ("1", "lung", 50.0)]
    found = mass_balance(counts(rows, split=split))
    assert found["percent_dose"][0] == 54.0
    halves = [("2", "kidney_left", 3.0), ("2", "kidney_right", 1.0), ("2", "lung", 50.0)]
    found = mass_balance(counts(rows + halves, split=split))
    assert list(found["percent_dose"]) == [54.0, 54.0]
    assert list(found["lacks"]) == ["", ""]


def test_an_organ_read_twice_counts_once():
    found = mass_balance(counts([("1", "lung", 40.0), ("1", "lung", 60.0)], np.diag([4.0, 4.0])))
    assert (found["percent_dose"][0], found["sd"][0], found["organs"][0]) == (50.0, pytest.approx(np.sqrt(2.0)), 1)


def test_the_mean_of_animals_keeps_what_they_share():
    values = np.array([60.0, 30.0, 50.0, 20.0])
    shared = 0.05**2 * np.outer(values, values)
    rows = [("1", "lung", 60.0), ("1", "liver", 30.0), ("2", "lung", 50.0), ("2", "liver", 20.0)]
    (row,) = balance_by_hour(counts(rows, shared)).to_dict("records")
    assert (row["animals"], row["organs"], row["lowest"], row["highest"]) == (2, 2, 70.0, 90.0)
    assert row["percent_dose"] == 80.0
    assert row["sd"] == pytest.approx(0.05 * 80.0)
    assert row["between"] == pytest.approx(np.sqrt(200.0))
    mean = recovered_by_hour(counts(rows, shared)).set_index("organ")
    assert mean["percent_recovered"]["lung"] == pytest.approx((100 * 60 / 90 + 100 * 50 / 70) / 2)


def test_another_denominator_has_no_mass_balance():
    for name in ("recovered", "unknown"):
        given = counts(TWO, denominator=name, harvested=("lung", "liver"))
        assert mass_balance(given).empty
        assert balance_by_hour(given).empty
        assert recovered_shares(given).empty
        assert recovered_by_hour(given).empty


def test_what_was_recovered_is_the_sum_of_the_harvested():
    rows = [*TWO, ("1", "rest", 10.0)]
    assert mass_balance(counts(rows, harvested=("lung", "liver")))["percent_dose"][0] == 100.0
    assert set(recovered_shares(counts(rows, harvested=("lung", "liver")))["organ"]) == {"lung", "liver"}


def test_a_sum_of_nothing_has_no_shares():
    rows = [("1", "lung", 0.5), ("1", "liver", -0.2)]
    assert recovered_shares(counts(rows, np.diag([1.0, 1.0])))["percent_recovered"].isna().all()
    assert recovered_by_hour(counts(rows, np.diag([1.0, 1.0]))).empty

"""Animals killed at their hour: the authors' own answers, coverage by simulation, batches, limits."""

import numpy as np
import pytest

from pbpk.errors import InputError
from pbpk.predict.noncompartmental.destructive import (
    Sampled,
    area_weights,
    bootstrap_t,
    combined,
    covariance,
    moment_weights,
    of_animals,
    to_infinity,
    weights,
)
from pbpk.predict.noncompartmental.rules import Rules

AS_PK = Rules(start="first", below_mean="zero")


def sampled_of(rows, rule="zero"):
    animals = [row.get("animal", str(i)) for i, row in enumerate(rows)]
    return of_animals([row["time"] for row in rows], animals, [row["conc"] for row in rows], rule=rule)


@pytest.mark.parametrize("group", [1, 2, 3])
def test_areas_of_bailer_1988(read_oracle, group):
    sampled = sampled_of([row for row in read_oracle("bailer1988") if row["group"] == group])
    found = combined(sampled, area_weights(sampled.hours, sampled.hours[-1], AS_PK))
    (row,) = [row for row in read_oracle("expected") if row["subset"] == f"group={group}" and row["method"] == "t"]
    assert (found.value, found.se, found.df) == pytest.approx((row["estimate"], row["se"], row["df"]), rel=1e-9)
    assert found.interval() == pytest.approx((row["lower"], row["upper"]), rel=1e-9)


def test_areas_and_tail_of_wolfsegger_and_jaki_2009(read_oracle):
    sampled = sampled_of(read_oracle("wolfsegger_jaki2009"))
    area = combined(sampled, area_weights(sampled.hours, 24.0, AS_PK))
    tail = to_infinity(sampled, Rules(start="first", tail=4)).estimates
    found = {"AUC to tlast": area, "AUC to infinity": tail["AUCinf_obs"], "AUMC to infinity": tail["AUMCinf_obs"],
             "Mean residence time": tail["MRTinf_obs"]}  # fmt: skip
    rows = [row for row in read_oracle("expected") if row["dataset"] == "wolfsegger_jaki2009"]
    compared = [row for row in rows if row["parameter"] in found]
    assert len(compared) == 6
    for row in compared:
        mine = found[row["parameter"]]
        assert (mine.value, mine.se) == pytest.approx((row["estimate"], row["se"]), rel=1e-9)
        if row["method"] == "t":
            assert mine.df == pytest.approx(row["df"], rel=1e-9)


def test_weights_are_trapezoids():
    hours = np.array([1.0, 2.0, 5.0, 9.0])
    np.testing.assert_allclose(weights(hours, 1.0, 9.0), [0.5, 2.0, 3.5, 2.0])
    np.testing.assert_allclose(weights(hours, 0.0, 9.0, carried=True), [1.5, 2.0, 3.5, 2.0])
    assert np.isnan(weights(hours, 0.0, 9.0)).all()
    assert np.isnan(weights(hours, 1.0, 10.0)).all()
    np.testing.assert_allclose(area_weights(hours, 9.0, Rules(start="zero")), [1.0, 2.0, 3.5, 2.0])
    np.testing.assert_allclose(moment_weights(hours, 9.0, AS_PK), np.array([0.5, 2.0, 3.5, 2.0]) * hours)


def test_areas_in_part_are_those_of_the_line_between():
    hours, rng = np.array([0.0, 2.0, 3.0, 7.0]), np.random.default_rng(1)
    values = rng.uniform(1.0, 5.0, 4)
    fine = np.linspace(0.5, 6.5, 600001)
    by_numbers = np.trapezoid(np.interp(fine, hours, values), fine)
    assert weights(hours, 0.5, 6.5) @ values == pytest.approx(by_numbers, rel=1e-9)


def curves(rng, animals, hours, between, within):
    """Log-normal animals, each with a factor of its own and noise at each hour."""
    mean = 10.0 * np.exp(-0.15 * hours)
    own = np.exp(between * rng.standard_normal((animals, 1)) - between**2 / 2)
    return mean * own * np.exp(within * rng.standard_normal((animals, hours.size)) - within**2 / 2)


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("one hour each", np.kron(np.eye(4), np.ones((6, 1)))),
        ("two batches", np.kron([[1, 0, 1, 0], [0, 1, 0, 1]], np.ones((8, 1)))),
        ("batches that share an hour", np.kron([[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1]], np.ones((6, 1)))),
        ("every hour", np.ones((8, 4))),
    ],
)
def test_intervals_cover_the_true_area(name, pattern):
    hours, rng = np.array([1.0, 3.0, 8.0, 16.0]), np.random.default_rng(7)
    weight, seen = weights(hours, 1.0, 16.0), np.asarray(pattern, bool)
    truth, held, errors, values_of = weight @ (10.0 * np.exp(-0.15 * hours)), 0, [], []
    for _ in range(1500):
        values = curves(rng, len(seen), hours, 0.25, 0.15)
        at = np.argwhere(seen)
        found = combined(of_animals(hours[at[:, 1]], [str(i) for i in at[:, 0]], values[seen]), weight)
        low, high = found.interval()
        held += low < truth < high
        errors.append(found.se)
        values_of.append(found.value)
    print(f"{name}: {held / 1500:.3f} of 95 % intervals hold the area")
    assert 0.925 < held / 1500 < 0.97
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(values_of), rel=0.07)


def test_disjoint_batches_are_a_sum_of_animals():
    """Where no two batches share an hour, each animal adds one number, whose variance needs no covariance."""
    hours, rng = np.array([1.0, 3.0, 8.0, 16.0]), np.random.default_rng(3)
    seen = np.kron([[1, 0, 1, 0], [0, 1, 0, 1]], np.ones((5, 1))).astype(bool)
    values, weight = curves(rng, 10, hours, 0.5, 0.2), weights(hours, 1.0, 16.0)
    at = np.argwhere(seen)
    sampled = of_animals(hours[at[:, 1]], [f"{i:02d}" for i in at[:, 0]], values[seen])
    share = np.where(seen, values, 0.0) @ weight / 5.0
    parts = [5.0 * share[:5].var(ddof=1), 5.0 * share[5:].var(ddof=1)]
    found = combined(sampled, weight)
    assert found.se == pytest.approx(np.sqrt(sum(parts)), rel=1e-12)
    assert found.df == pytest.approx(sum(parts) ** 2 / sum(p**2 / 4.0 for p in parts), rel=1e-12)


def test_a_covariance_is_no_larger_than_its_variances_allow():
    rng = np.random.default_rng(5)
    seen = rng.random((12, 5)) < 0.6
    seen[:2] = True
    values = curves(rng, 12, np.arange(1.0, 6.0), 1.0, 0.05)
    at = np.argwhere(seen)
    matrix = covariance(of_animals(1.0 + at[:, 1], [f"{i:02d}" for i in at[:, 0]], values[seen]))
    np.testing.assert_allclose(matrix, matrix.T)
    n = seen.sum(axis=0)
    both = seen.T.astype(float) @ seen
    sd = np.sqrt(np.diag(matrix) * n)
    assert (np.abs(matrix) <= np.outer(sd, sd) * both / np.outer(n, n) * (1.0 + 1e-9)).all()


def test_printed_means_are_animals_without_their_names():
    hours, rng = np.array([1.0, 4.0, 9.0]), np.random.default_rng(2)
    values = rng.lognormal(0.0, 0.4, (3, 5))
    animals = of_animals(np.repeat(hours, 5), [str(i) for i in range(15)], values.ravel())
    printed = Sampled(hours, values.mean(axis=1), values.std(axis=1, ddof=1), np.full(3, 5.0))
    weight = weights(hours, 1.0, 9.0)
    assert vars(combined(printed, weight)) == pytest.approx(vars(combined(animals, weight)))
    with pytest.raises(InputError, match="printed means"):
        bootstrap_t(printed, weight)


def test_one_animal_an_hour_has_an_area_without_error():
    sampled = of_animals([1.0, 2.0, 4.0], ["a", "b", "c"], [3.0, 2.0, 1.0])
    found = combined(sampled, weights(sampled.hours, 1.0, 4.0))
    assert found.value == pytest.approx(2.5 + 3.0)
    assert np.isnan(found.se)
    assert np.isnan(found.interval()[0])


def test_the_bootstrap_is_near_the_t_interval_and_repeats():
    rng, hours = np.random.default_rng(1), np.array([1.0, 4.0, 9.0, 24.0])
    values = rng.normal(10.0, 1.0, (4, 12))
    sampled = of_animals(np.repeat(hours, 12), [str(i) for i in range(48)], values.ravel())
    weight = weights(hours, 1.0, 24.0)
    found = bootstrap_t(sampled, weight, seed=3, resamples=800)
    assert found == pytest.approx(combined(sampled, weight).interval(), rel=0.02)
    assert found == bootstrap_t(sampled, weight, seed=3, resamples=800)
    assert found != bootstrap_t(sampled, weight, seed=4, resamples=800)


def test_a_mean_of_which_most_are_below_the_limit_is_zero():
    hours, below = [1.0] * 3 + [2.0] * 3, np.array([False, False, True, True, True, False])
    values, animals = [4.0, 5.0, 0.0, 0.0, 0.0, 3.0], list("abcdef")
    mostly = of_animals(hours, animals, values, np.full(6, 0.5), below)
    np.testing.assert_allclose(mostly.mean, [3.0, 0.0])
    np.testing.assert_allclose(mostly.sd[1], 0.0)
    assert "means of 2 h taken as zero" in mostly.flags[0]
    others = {"zero": [3.0, 1.0], "half": [9.25 / 3, 3.5 / 3], "limit": [9.5 / 3, 4.0 / 3], "drop": [4.5, 3.0]}
    for rule, means in others.items():
        np.testing.assert_allclose(of_animals(hours, animals, values, np.full(6, 0.5), below, rule).mean, means)


@pytest.mark.parametrize(
    ("animals", "limits", "rule", "said"),
    [(["a", "a"], None, "mostly", "two values at 1 h"), (["a", "b"], None, "half", "lloq")],
)
def test_what_cannot_be_averaged_is_said(animals, limits, rule, said):
    with pytest.raises(InputError, match=said):
        of_animals([1.0, 1.0], animals, [2.0, 0.0], limits, np.array([False, True]), rule)


def test_the_tail_of_exponential_means_is_exact():
    hours = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    mean = 6.0 * np.exp(-0.2 * hours)
    tail = to_infinity(Sampled(hours, mean, 0.1 * mean, np.full(5, 4.0)), Rules(start="first"))
    assert tail.estimates["lambda_z"].value == pytest.approx(0.2, rel=1e-12)
    last = weights(hours, 1.0, 16.0) @ mean
    assert tail.estimates["AUCinf_obs"].value == pytest.approx(last + mean[-1] / 0.2, rel=1e-12)
    assert not tail.flags


def test_the_delta_method_is_what_repetition_shows():
    hours, rng = np.array([1.0, 3.0, 8.0, 16.0, 24.0]), np.random.default_rng(4)
    rules, numbers, errors = Rules(start="first", tail=3), {}, {}
    for _ in range(600):
        values = 10.0 * np.exp(-0.15 * hours) * np.exp(0.1 * rng.standard_normal((6, 5)))
        sampled = of_animals(np.tile(hours, 6), [str(i) for i in range(30)], values.ravel())
        for name, found in to_infinity(sampled, rules).estimates.items():
            numbers.setdefault(name, []).append(found.value)
            errors.setdefault(name, []).append(found.se)
    for name in ("lambda_z", "half_life", "AUCinf_obs", "AUMCinf_obs", "MRTinf_obs"):
        assert np.sqrt(np.mean(np.square(errors[name]))) == pytest.approx(np.std(numbers[name]), rel=0.08), name

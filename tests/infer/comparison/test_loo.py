"""Animals left out: conditional densities against multivariate normals, PSIS against exact refits and ArviZ."""

from types import SimpleNamespace

import arviz as az
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from nothing import NOTHING
from readings import signals as made
from scipy.special import log_ndtr, logsumexp
from scipy.stats import multivariate_normal, norm

from pbpk.assay.holdout import units_of
from pbpk.assay.signals import Signals
from pbpk.infer.comparison.held_out import log_given
from pbpk.infer.comparison.loo import described, influence, leave_one_out
from pbpk.infer.density.signal_terms import log_readings

SPREAD, MISFIT = 0.3, 0.4


def joined(rows, readings=("dose",), signals=None):
    """As much of a joint as is asked: rows of group, animal, organ, hours and what was found, and two parameters."""
    table = pd.DataFrame([NOTHING | {"readout": "label"} | row for row in rows])
    cells = table.groupby(["group", "organ", "readout", "hours"], sort=False).ngroup().to_numpy()
    counts = SimpleNamespace(table=table, signals=signals)
    return SimpleNamespace(
        counts=counts, cells=cells, names=("spread", "misfit"), readings=readings, nu=np.inf, between=None
    )


def row(animal, organ, hours=24.0, group="iv", **found):
    return {"group": group, "animal": animal, "organ": organ, "hours": hours} | found


def noise(draws, spread=SPREAD, misfit=MISFIT):
    return np.tile([spread, misfit], (draws, 1))


def covariance(joint, misfit=MISFIT):
    """Of the logarithms of single animals, prediction given."""
    return SPREAD**2 * np.eye(joint.cells.size) + misfit**2 * (joint.cells[:, None] == joint.cells)


def conditional(y, mean, cov, mine):
    """Log-density of some entries of a multivariate normal given the others."""
    gain = cov[np.ix_(mine, ~mine)] @ np.linalg.inv(cov[np.ix_(~mine, ~mine)])
    centre = mean[mine] + gain @ (y - mean)[~mine]
    return multivariate_normal.logpdf(y[mine], centre, cov[np.ix_(mine, mine)] - gain @ cov[np.ix_(~mine, mine)])


def animals(count, seed=0, organs=("lung", "liver")):
    """Animals seen in two organs and drawn from the model, at 24 h and at 72 h by turns."""
    rng = np.random.default_rng(seed)
    miss = {(organ, hours): MISFIT * rng.standard_normal() for organ in organs for hours in (24.0, 72.0)}
    seen = [(f"m{i}", organ, (24.0, 72.0)[i % 2]) for i in range(count) for organ in organs]
    return [row(a, o, h, percent=float(np.exp(2.0 + miss[o, h] + SPREAD * rng.standard_normal()))) for a, o, h in seen]


def test_an_animal_is_left_out_whole_and_means_of_one_harvest_together():
    rows = [row("a", "lung", 1.0), row("a", "liver", 24.0), row("b", "lung", 1.0), row("a", "lung", group="ia")]
    rows += [row("", "lung"), row("", "liver"), row("", "lung", 72.0)]
    rows.append(row("a, occasion 2", "lung", 72.0))
    units = described(joined(rows).counts)
    assert list(units["unit"]) == ["iv: a", "iv: b", "ia: a", "iv at 24 h", "iv at 72 h"]
    assert list(units["animal"]) == ["a", "b", "a", "", ""]
    assert list(units["values"]) == [3, 1, 1, 2, 1]
    assert units["hours"].iloc[0] == "1, 24, 72"


def test_the_density_of_an_animal_given_the_others_is_that_of_the_normal():
    joint = joined(animals(6))
    y = np.log(joint.counts.table["percent"].to_numpy())
    m = 2.0 + 0.3 * np.random.default_rng(1).standard_normal((3, y.size))
    found = log_given(joint, noise(3), {"dose": np.exp(m)})
    own = units_of(joint.counts)
    for draw in range(3):
        exact = [conditional(y, m[draw], covariance(joint), own == unit) for unit in dict.fromkeys(own)]
        np.testing.assert_allclose(found[draw], exact, atol=1e-9)


def test_an_animal_below_the_limit_is_foretold_by_its_fellows():
    """Given a fellow's value the misfit is normal, so the limit has a closed form, and by Bayes so has the value."""
    y, limit, m = np.log(5.0), np.log(4.0), np.log(4.5)
    joint = joined([row("a", "lung", percent=5.0), row("b", "lung", below_lloq=True, lloq=4.0)])
    found = log_given(joint, noise(1), {"dose": np.full((1, 2), np.exp(m))})[0]
    share = MISFIT**2 / (MISFIT**2 + SPREAD**2)
    below = log_ndtr((limit - m - share * (y - m)) / np.sqrt(SPREAD**2 + share * SPREAD**2))
    assert found[1] == pytest.approx(below, abs=1e-9)
    first = norm.logpdf(y, m, np.hypot(SPREAD, MISFIT)) - log_ndtr((limit - m) / np.hypot(SPREAD, MISFIT))
    assert found[0] == pytest.approx(first + below, abs=1e-9)


def test_an_unknown_denominator_is_mixed_before_and_after():
    rows = [
        row("", "lung", low=2.0, high=9.0),
        row("", "liver", low=0.0, high=30.0),
        row("", "lung", 72.0, percent=4.0),
    ]
    joint = joined(rows, readings=("dose", "recovered"))
    both = np.hypot(SPREAD, MISFIT)
    logs = {}
    percent = {"dose": np.array([[4.0, 20.0, 5.0]]), "recovered": np.array([[8.0, 35.0, 9.0]])}
    for reading, predicted in percent.items():
        z = lambda end, m: (np.log(end) - np.log(m)) / both  # noqa: E731
        lung, liver, late = predicted[0]
        early = np.log(norm.cdf(z(9.0, lung)) - norm.cdf(z(2.0, lung))) + norm.logcdf(z(30.0, liver))
        logs[reading] = early, norm.logpdf(np.log(4.0), np.log(late), both)
    whole = logsumexp([sum(each) for each in logs.values()])
    exact = [whole - logsumexp([late for _, late in logs.values()]), whole - logsumexp([e for e, _ in logs.values()])]
    np.testing.assert_allclose(log_given(joint, noise(1), percent)[0], exact, atol=1e-9)


def test_readings_of_an_instrument_are_left_out_with_their_animal():
    """What is left is the likelihood of a plate on which the animal's organs were never read."""
    signals, draws = made(), 4
    organs = [("a", "lung"), ("a", "liver"), ("b", "liver"), ("b", "lung"), ("c", "gut")]
    rows = [row(animal, organ, percent=np.nan) for animal, organ in organs]
    joint = joined([*rows, row("d", "lung", below_lloq=True, lloq=2.0)], signals=signals)
    rng = np.random.default_rng(0)
    m = np.log([2.0, 40.0, 140.0, 0.3, 55.0, 1.0]) + 0.1 * rng.standard_normal((draws, 6))
    u = signals.shared.mean + 0.1 * rng.standard_normal((draws, 4))
    found = log_given(joint, noise(draws), {"dose": np.exp(m)}, u)
    limits = np.array([np.nan] * 5 + [2.0])

    def likelihood(keep):
        """Of the rows that stand in a table of their own."""
        read = np.isin(signals.rows, keep)
        place = {old: new for new, old in enumerate(keep)}
        less = Signals(signals.shared, signals.response.part(read), np.array([place[r] for r in signals.rows[read]]))
        scales = noise(draws).T
        return log_readings(less, joint.cells[keep], limits[keep], np.arange(len(keep)), m[:, keep], *scales, u)

    for unit, animal in enumerate("abcd"):
        keep = np.flatnonzero(joint.counts.table["animal"] != animal)
        np.testing.assert_allclose(found[:, unit], likelihood(np.arange(6)) - likelihood(keep), atol=1e-9)
    hours = joint.counts.table["hours"]
    together = log_given(joint, noise(draws), {"dose": np.exp(m)}, u, by="hour")
    for unit, hour in enumerate(dict.fromkeys(hours)):
        keep = np.flatnonzero(hours != hour)
        rest = likelihood(keep) if keep.size else 0.0
        np.testing.assert_allclose(together[:, unit], likelihood(np.arange(6)) - rest, atol=1e-9)
    with pytest.raises(ValueError, match="unknowns"):
        log_given(joint, noise(draws), {"dose": np.exp(m)})


def normal_posterior(joint, draws=4000, misfit=MISFIT, prior=1.0):
    """Draws of the mean of all logarithms, N(2, prior) before, and each unit's exact log-density given the others."""
    y, cov = np.log(joint.counts.table["percent"].to_numpy()), covariance(joint, misfit)
    weights = np.linalg.solve(cov, np.ones_like(y))
    precision = weights.sum() + 1 / prior**2
    mean = (weights @ y + 2.0 / prior**2) / precision
    mu = mean + np.random.default_rng(3).standard_normal(draws) / np.sqrt(precision)
    own = units_of(joint.counts)
    whole = cov + prior**2  # the mean integrated out
    exact = [conditional(y, np.full(y.size, 2.0), whole, own == unit) for unit in dict.fromkeys(own)]
    return {"dose": np.exp(np.repeat(mu[:, None], y.size, axis=1))}, np.array(exact)


def test_what_is_left_out_is_foretold_as_by_exact_refits():
    joint, told = joined(animals(10)), []
    percent, exact = normal_posterior(joint)
    found = leave_one_out(joint, noise(4000), percent, progress=lambda *state: told.append(state))
    assert told[-1] == (10, 10)
    np.testing.assert_allclose(found.elpd, exact, atol=0.03)
    assert found.total == pytest.approx(exact.sum(), abs=0.05)
    assert found.se == pytest.approx(np.sqrt(10 * exact.var(ddof=1)), rel=0.02)
    assert found.doubtful == ()
    assert found.sentences == ()
    assert 0.0 < found.effective < 2.0  # one parameter is learned


def test_where_rows_are_independent_it_is_arviz_loo():
    joint = joined([row(f"m{i}", "lung", percent=p) for i, p in enumerate((4.0, 6.0, 8.0, 9.0, 7.0, 10.0))])
    percent, _ = normal_posterior(joint, misfit=0.0)
    found = leave_one_out(joint, noise(4000, misfit=0.0), percent, chains=4)
    y, mu = np.log(joint.counts.table["percent"].to_numpy()), np.log(percent["dose"])
    dims = ("chain", "draw", "row")
    groups = {"log_likelihood": xr.Dataset({"y": (dims, norm.logpdf(y, mu, SPREAD).reshape(4, 1000, -1))}),
              "posterior": xr.Dataset({"mu": (dims[:2], mu[:, 0].reshape(4, 1000))})}  # fmt: skip
    theirs = az.loo(xr.DataTree.from_dict(groups), pointwise=True, reff=1.0)
    free = leave_one_out(joint, noise(4000, misfit=0.0), percent)
    np.testing.assert_allclose(free.elpd, theirs.elpd_i, rtol=1e-9)
    np.testing.assert_allclose(free.pareto_k, theirs.pareto_k, rtol=1e-7)
    assert free.effective == pytest.approx(theirs.p, rel=1e-9)
    np.testing.assert_allclose(found.elpd, free.elpd, atol=0.02)  # the tail is a little longer or shorter


def test_an_animal_that_moves_the_fit_stands_first_and_is_named():
    rows = animals(5)
    rows[0]["percent"] *= 400.0
    joint = joined(rows)
    percent, exact = normal_posterior(joint, prior=30.0)
    found = leave_one_out(joint, noise(4000), percent)
    table = influence(found)
    assert list(table.columns) == ["unit", "group", "animal", "hours", "values", "elpd", "k"]
    assert table["unit"].iloc[0] == "iv: m0"
    assert found.elpd.argmin() == exact.argmin() == 0
    assert (table["k"].diff().dropna() <= 0).all()
    assert "iv: m0" in found.doubtful
    assert "`iv: m0`" in found.sentences[0]


def test_predictions_are_made_where_none_are_given(shipped):
    joint = shipped("zhuang")
    z = 0.2 * np.random.default_rng(0).standard_normal((40, len(joint.free)))
    found = leave_one_out(joint, joint.theta(z))
    assert list(found.units["unit"]) == ["iv at 1 h", "portal_injured at 120 h"]
    assert np.isfinite(found.elpd).all()
    assert any("only 2 units" in sentence for sentence in found.sentences)

"""From raw light to the truth: the shipped synthetic study, and what happens when shared doubt is thrown away."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from pbpk.assay.counts import count_cells
from pbpk.assay.readouts.settings import Doubtful
from pbpk.assay.study import Plates, read_study
from pbpk.infer.draws.fit import fit
from pbpk.infer.draws.summary import predictions
from pbpk.infer.matched.joint import predict_percent
from pbpk.predict.record import model_of
from pbpk.predict.virtual import as_study, imagine, read_virtual

STUDY = Path(__file__).parents[2] / "data" / "synthetic_fnd_mouse"


@pytest.fixture(scope="module")
def truth():
    return json.loads((STUDY / "truth.json").read_text())


@pytest.fixture(scope="module")
def counts():
    return count_cells(read_study(STUDY))


def test_cells_of_every_organ_lie_inside_their_intervals(counts, truth):
    held = dict(zip(zip(truth["cells"]["animal"], truth["cells"]["organ"], strict=True), truth["cells"]["percent"],
                    strict=True))  # fmt: skip
    table = counts.table
    off = table["percent"] - [held[key] for key in zip(table["animal"], table["organ"], strict=True)]
    inside = (off.abs() < 1.96 * table["error"]).mean()
    assert inside >= binom.ppf(0.001, len(table), 0.95) / len(table)
    # all at once: the squares, freed of what they share, sum to their number if the covariance is right
    whitened = np.linalg.solve(np.linalg.cholesky(counts.signals.covariance()), off[counts.signals.rows])
    assert np.mean(whitened**2) == pytest.approx(1.0, abs=4 * np.sqrt(2 / len(table)))


def test_recoveries_and_the_load_of_a_cell_are_found(counts, truth):
    shared = counts.signals.shared
    found = {n: (m, s) for n, m, s in zip(shared.names, shared.mean, np.sqrt(np.diag(shared.covariance)), strict=True)}
    for organ, recovery in truth["recovery"].items():
        mean, sd = found[f"log_recovery: {organ}"]
        assert abs(mean - np.log(recovery)) < 3.5 * sd, organ


@pytest.mark.proof
def test_the_fit_finds_the_parameters(counts, truth):
    posterior = fit(model_of(counts.study), counts, seed=1, draws=500, tune=700)
    assert posterior.diagnostics.max_rhat < 1.03
    assert posterior.diagnostics.divergences == 0
    free = [p.name for p in posterior.joint.free]
    theta, names = posterior.theta(), posterior.joint.names
    ranks = np.array([(theta[:, names.index(name)] < truth["parameters"][name]).mean() for name in free])
    inside = (ranks > 0.025) & (ranks < 0.975)
    print({name: round(float(r), 3) for name, r in zip(free, ranks, strict=True) if not 0.025 < r < 0.975})
    assert inside.sum() >= binom.ppf(0.001, len(free), 0.95)
    table = predictions(posterior)
    assert table["inside"].mean() >= 0.93
    sizes = dict(zip(names, theta.T, strict=True))
    assert np.quantile(sizes["spread"], 0.025) < truth["parameters"]["spread"] < np.quantile(sizes["spread"], 0.975)


@pytest.fixture(scope="module")
def small():
    """A small study without spikes: one doubt of 20 % on the recovery from all wells of an organ."""
    asked = read_virtual("fnd_mouse")
    plate = asked.plate.model_copy(update={"spike_wells": 0})
    made = imagine(asked.model_copy(update={"hours": [1.0, 24.0], "animals": 4, "plate": plate}), 4)
    study = as_study(made)
    doubt = Plates(recovery=Doubtful(median=0.85, sigma=0.2, source="a test"))
    return count_cells(replace(study, about=study.about.model_copy(update={"plates": doubt})))


@pytest.mark.proof
def test_two_stages_agree_with_one_only_if_the_covariance_is_handed_over(small):
    """The spleen a day after IV: its absolute number rests on one recovery, whatever the number of animals."""
    row = small.table.query("group == 'iv' and organ == 'spleen' and hours == 24").index[0]
    mean, sd = {}, {}
    for how in ("joint", "covariance", "independent"):
        posterior = fit(model_of(small.study), small, seed=1, chains=2, draws=500, tune=600, calibration=how)
        logs = np.log(predict_percent(posterior.joint, posterior.theta())["dose"][:, row])
        mean[how], sd[how] = float(logs.mean()), float(logs.std())
    print(mean, sd)
    assert sd["covariance"] == pytest.approx(sd["joint"], rel=0.15)
    assert mean["covariance"] == pytest.approx(mean["joint"], abs=0.25 * sd["joint"])
    assert sd["joint"] > 0.15
    assert sd["independent"] < 0.75 * sd["joint"]

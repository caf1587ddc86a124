"""Deviates of an animal that is left out, summed over: against the integral."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from pbpk.infer.comparison.anew import NODES, anew
from pbpk.infer.comparison.held_out import log_given
from pbpk.infer.comparison.loo import described
from pbpk.infer.matched.joint import predict_percent

KHOT = "khot_2019_t_cells_mouse"
VARIED = '[between.{}]\nprior = "half_normal(sd=0.5)"\nsource = "test"\n\n[[groups]]'


def mice(write_joint, name):
    """Three animals, two organs each, a little off the medians of the prior."""
    blank = {"group": "iv", "unit": "percent_dose", "readout": "label", "value": 10.0}
    rows = [
        blank | {"animal": animal, "organ": organ, "hours": hours}
        for animal, hours in (("a", 1), ("b", 1), ("c", 24)) for organ in ("liver", "lung")
    ]  # fmt: skip
    joint = write_joint(KHOT, rows, edits=[("[[groups]]", VARIED.format(name))])
    median = predict_percent(joint, joint.theta(np.zeros((1, len(joint.free)))))["dose"][0]
    off = dict(zip("abc", (1.3, 0.8, 1.1), strict=True))
    table = joint.counts.table
    value = median * table["animal"].map(off).to_numpy(float)
    counts = replace(joint.counts, table=table.assign(percent=value))
    return replace(joint, counts=counts)


@pytest.mark.parametrize("name", ["dose", "E_lung"])
def test_the_density_of_an_animal_is_the_integral_over_its_deviate(write_joint, name, monkeypatch):
    """With many points; the draws are no posterior, about which the few of a real one lie close."""
    monkeypatch.setattr("pbpk.infer.comparison.anew.NODES", 512)
    joint = mice(write_joint, name)
    rng = np.random.default_rng(2)
    z = 0.2 * rng.standard_normal((8, len(joint.free)))
    z[:, [p.name.startswith("animal:") for p in joint.free]] *= 4.0  # about as wide as what so few values teach
    theta = joint.theta(z)
    found = log_given(joint, theta, predict_percent(joint, theta))
    units, number = described(joint.counts), joint.between.of_row
    table = joint.counts.table
    for unit in range(len(units)):
        mine = np.flatnonzero(number == unit)
        column = joint.names.index(f"animal:{name}:iv:{units['animal'].iloc[unit]}")
        for draw in (0, 5):
            others = np.flatnonzero((number != unit) & np.isin(joint.cells, joint.cells[mine]))
            at = theta[[draw]].copy()
            spread, misfit = (at[0, joint.names.index(n)] for n in ("spread", "misfit"))

            def density(eta, rows, at=at, spread=spread, misfit=misfit, column=column):
                moved = at.copy()
                moved[:, column] = eta
                m = np.log(predict_percent(joint, moved)["dose"][0])[rows]
                same = joint.cells[rows][:, None] == joint.cells[rows]
                covariance = misfit**2 * same + spread**2 * np.eye(len(rows))
                return multivariate_normal.pdf(np.log(table["percent"].to_numpy(float)[rows]), m, covariance)

            both = np.concatenate([mine, others])
            whole = quad(
                lambda eta, both=both, density=density: norm.pdf(eta) * density(eta, both), -8, 8, epsabs=0, epsrel=1e-7
            )[0]
            alone = density(0.0, others) if others.size else 1.0
            assert found[draw, unit] == pytest.approx(np.log(whole / alone), abs=0.05)


def test_without_deviates_nothing_moves(shipped):
    joint = shipped("khot")
    logs = {"dose": np.zeros((2, len(joint.counts.table)))}
    ((weight, same),) = anew(joint, joint.theta(np.zeros((2, len(joint.free)))), logs, np.arange(3))
    assert weight == 0.0
    assert same["dose"] is logs["dose"]


def test_only_the_animal_moves(write_joint):
    joint = mice(write_joint, "E_lung")
    theta = joint.theta(0.2 * np.random.default_rng(1).standard_normal((5, len(joint.free))))
    logs = {"dose": np.log(predict_percent(joint, theta)["dose"])}
    rows = np.flatnonzero(joint.counts.table["animal"] == "b")
    moved = [m["dose"] for _, m in anew(joint, theta, logs, rows)]
    assert len(moved) == NODES
    others = np.setdiff1d(np.arange(len(joint.counts.table)), rows)
    for m in moved:
        np.testing.assert_array_equal(m[:, others], logs["dose"][:, others])
        assert (m[:, rows] != logs["dose"][:, rows]).any()

"""Which rivals a design can tell apart: by arithmetic first, then by fits that must agree with it, in both directions.

Curves of a truth, and the curve of a rival that comes nearest to them under its prior, are straight enough about that
point for the values to be normal: their mean, and a covariance of what the prior leaves open, of the misfit of each
cell and of the spread of animals. Then the density of what is left out, given the rest, is a formula, and its
difference between rivals is computed for hundreds of sets of values in a second, with no chain.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.optimize import least_squares

from pbpk.assay.holdout import units_of
from pbpk.body.expansion import read_model
from pbpk.infer.comparison.compare import AGAINST, AS_WELL, BEST, LEANING, Judged, _verdict, compare
from pbpk.infer.matched.joint import Joint, join, predict_percent

T_CELLS = "khot_2019_t_cells_mouse"
HOURS, ORGANS = (1.0, 24.0, 72.0, 168.0), ("lung", "liver", "spleen", "kidney", "heart")
CARRIED = {"E_lung": 0.95} | {f"alive_{organ}": 0.6 for organ in (*ORGANS, "gut", "rest")}
# cells that the lung holds at first and that mostly leave it alive: all that is seen elsewhere came so
DEAD: dict[str, float] = {}  # prior medians


@dataclass(frozen=True)
class Design:
    """A truth as a design sees it: logarithms of its curves, with the scatter of the likelihood."""

    joint: Joint
    curves: np.ndarray
    spread: float
    misfit: float

    def drawn(self, sets, seed=11):
        """Sets of values, (set, row), logarithms."""
        rng, cells = np.random.default_rng(seed), self.joint.cells
        off = self.misfit * rng.standard_normal((sets, cells.max() + 1))[:, cells]
        return self.curves + off + self.spread * rng.standard_normal((sets, len(cells)))


@pytest.fixture
def design(write_joint):
    made = iter(range(100))

    def make(truth, numbers, animals, readouts=("label",)):
        rows = [
            {"group": "iv", "animal": f"m{i}", "organ": organ, "hours": h, "value": 1.0, "unit": "percent_dose",
             "readout": readout}
            for i, h in enumerate(np.repeat(HOURS, animals)) for readout in readouts for organ in ORGANS
        ]  # fmt: skip
        doses = [{"group": "iv", "hours": 0, "cells": 1e6, "route": "iv"}]
        counts = write_joint(T_CELLS, rows, doses, folder=f"study{next(made)}").counts
        joint = join(read_model(f"msc:{truth}", label="51Cr"), counts)
        theta = joint.theta(np.zeros((1, len(joint.free))))
        for name, value in numbers.items():
            theta[:, joint.names.index(name)] = value
        spread, misfit = (theta[0, joint.names.index(name)] for name in ("spread", "misfit"))
        return Design(joint, np.log(predict_percent(joint, theta)["dose"][0]), spread, misfit)

    return make


def curves(joint, z):
    return np.log(predict_percent(joint, joint.theta(np.atleast_2d(z)))["dose"])


def slopes(joint, z, step=1e-4):
    moved = curves(joint, np.concatenate([z + step * np.eye(len(z)), z - step * np.eye(len(z))]))
    return (moved[: len(z)] - moved[len(z) :]).T / (2.0 * step)


def nearest(design, joint):
    """Place of a rival whose curves are nearest to the truth's, the prior weighed against misfit and spread."""
    _, first = np.unique(joint.cells, return_index=True)
    scale = np.sqrt(design.misfit**2 + design.spread**2 / np.bincount(joint.cells))

    def off(z):
        return np.concatenate([(curves(joint, z)[0] - design.curves)[first] / scale, z])

    def slope(z):
        return np.concatenate([slopes(joint, z)[first] / scale[:, np.newaxis], np.eye(len(z))])

    rng = np.random.default_rng(0)
    starts = [np.zeros(len(joint.free)), *rng.standard_normal((2, len(joint.free)))]
    return min((least_squares(off, start, jac=slope, max_nfev=200) for start in starts), key=lambda each: each.cost).x


def foretold(design, rival, values, by):
    """Log-density of each unit given all others, (set, unit)."""
    joint = join(read_model(f"msc:{rival}", label="51Cr"), design.joint.counts)
    z = nearest(design, joint)
    slope = slopes(joint, z)
    same = joint.cells[:, np.newaxis] == joint.cells
    covariance = slope @ slope.T + design.misfit**2 * same + design.spread**2 * np.eye(len(same))
    precision = np.linalg.inv(covariance)
    own = units_of(joint.counts, by)
    found = []
    for unit in dict.fromkeys(own.tolist()):
        at = np.flatnonzero(own == unit)
        given = np.linalg.inv(precision[np.ix_(at, at)])
        off = (values - curves(joint, z)[0] + slope @ z) @ precision[:, at] @ given
        size = np.linalg.slogdet(2.0 * np.pi * given)[1]
        found.append(-0.5 * (size + np.einsum("si,ij,sj->s", off, np.linalg.inv(given), off)))
    return np.stack(found, axis=-1)


@dataclass(frozen=True)
class Told:
    """What arithmetic says of a wrong rival: difference to the right one, its SD, and how often what is said."""

    difference: float
    sd: float
    rejected: float
    chosen: float


def arithmetic(design, right, wrong, by, sets=300):
    values = design.drawn(sets)
    of = {name: foretold(design, name, values, by) for name in (right, wrong)}
    units = np.array(list(dict.fromkeys(units_of(design.joint.counts, by).tolist())))
    none, against = np.full(len(units), np.nan), {right: 0, wrong: 0}
    for i in range(sets):
        judged = [Judged(name, "", design.joint.counts, units, elpd[i], none, 0.0, (), (), True, by=by)
                  for name, elpd in of.items()]  # fmt: skip
        best, other = sorted(judged, key=lambda one: -one.elpd.sum())
        against[other.name] += _verdict(other, best, 1)[1] == AGAINST
    off = (of[right] - of[wrong]).sum(axis=1)
    return Told(off.mean(), off.std(), against[wrong] / sets, against[right] / sets)


def test_animals_that_share_an_hour_foretell_each_other_whatever_the_model(design):
    """Curves three times off, 50 of log evidence: animals left out alone do not say so, and less the more there are."""
    alone, together = [], []
    for animals in (2, 4, 12):
        seen = design("no_release", DEAD, animals)
        alone.append(arithmetic(seen, "no_release", "no_label_transfer", "animal"))
        together.append(arithmetic(seen, "no_release", "no_label_transfer", "hour"))
    assert alone[0].difference > 2.0 * alone[1].difference > 4.0 * alone[2].difference
    assert alone[1].rejected < 0.1
    assert all(told.difference > 35.0 and told.rejected > 0.98 for told in together)
    assert all(told.chosen == 0.0 for told in (*alone, *together))


# truth and its numbers, wrong rival, readouts; how often arithmetic says that the wrong one is rejected: least, most
ALL = [
    ("no_label_transfer", CARRIED, "loss_in_liver_only", ("label",), 0.0, 0.1),
    ("no_label_transfer", CARRIED, "loss_in_liver_only", ("label", "live"), 0.95, 1.0),
    ("no_release", DEAD, "no_label_transfer", ("label",), 0.95, 1.0),
    ("no_label_transfer", {f"alive_{organ}": 0.4 for organ in ORGANS}, "no_release", ("label",), 0.0, 0.25),
]


@pytest.mark.parametrize(("truth", "numbers", "wrong", "readouts", "least", "most"), ALL)
def test_arithmetic_says_what_a_design_can_tell(design, truth, numbers, wrong, readouts, least, most):
    told = arithmetic(design(truth, numbers, 4, readouts), truth, wrong, "hour")
    print(told)
    assert least <= told.rejected <= most
    assert told.chosen < 0.02


@pytest.mark.proof
@pytest.mark.timeout(3600)  # two fits, and one more of each for every hour that weights cannot tell of
@pytest.mark.parametrize(("truth", "numbers", "wrong", "readouts", "least", "most"), ALL)
def test_fits_reject_the_wrong_rival_where_the_design_can_tell_and_no_other(
    design, truth, numbers, wrong, readouts, least, most
):
    """One set of values of sixteen mice, as the likelihood scatters them; expected figures are those of arithmetic.

    The truth is never spoken against. What was expected at first, that `no_release` is rejected by the label of sixteen
    mice, asked for what the values do not hold: it costs 1.8 of log-likelihood to bend its curves to the truth's, and
    the 6 of its prior are no evidence of these animals. Its posterior has two hills then, that foretell alike (what is
    lost is excreted, or held by the rest of the body, which is not seen), so that its chains may disagree, and say so.
    """
    seen = design(truth, numbers, 4, readouts)
    told = arithmetic(seen, truth, wrong, "hour")
    table = seen.joint.counts.table.assign(percent=np.exp(seen.drawn(1)[0]))
    counts = replace(seen.joint.counts, table=table)
    found = compare([read_model(f"msc:{name}", label="51Cr") for name in (truth, wrong)], counts, seed=1)
    row = found.table.set_index("model")
    print(told, found.table.drop(columns="about").to_string(), *found.sentences, sep="\n")
    difference = float(row.loc[f"msc:{truth}", "elpd"] - row.loc[f"msc:{wrong}", "elpd"])
    assert difference == pytest.approx(told.difference, abs=3.0 * told.sd)
    assert row.loc[f"msc:{truth}", "verdict"] != AGAINST
    assert row["converged"].all() or (least < 0.5 and "do not agree" in " ".join(found.sentences))
    if least > 0.5:
        assert row["verdict"].to_dict() == {f"msc:{truth}": BEST, f"msc:{wrong}": AGAINST}
        assert any("the data speak against it" in each for each in found.sentences)
    else:
        assert set(row["verdict"]) <= {BEST, AS_WELL, LEANING}
        assert any("the data do not choose" in each for each in found.sentences)
        assert any(each.startswith("More animals at these hours would not tell") for each in found.sentences)

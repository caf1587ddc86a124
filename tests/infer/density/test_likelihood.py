"""What the sampler gets against densities written with scipy and the model's own solver."""

import mpmath
import numpy as np
import pytest
from mousestudy import organ_rows, read_joint, write_rows, write_small
from pytensor.compile.mode import Mode
from scipy.special import log_ndtr, logsumexp
from scipy.stats import norm

from pbpk.dosing import Dose
from pbpk.infer.density.likelihood import build, packed
from pbpk.infer.density.packing import REALS, WHOLES

T_CELLS = "khot_2019_t_cells_mouse"
PATIENTS = "gholamrezanezhad_2011_msc_human"
LUNG = {"group": "iv", "organ": "lung", "hours": "24", "unit": "percent_dose"}


# the sampler's graph without waiting for a compiler
PLAIN = Mode(linker="py", optimizer="fast_run").excluding("fusion")


def log_likelihood(joint):
    """Log-likelihood of the counts as a function of z, from the model that the sampler gets."""
    logp = build(joint).compile_logp(mode=PLAIN)
    return lambda z: float(logp({"z": z})) - norm.logpdf(z).sum()


def points(joint, count=4, scale=0.7):
    return scale * np.random.default_rng(11).standard_normal((count, len(joint.free)))


class Truth:
    """What the parameters at z say, by the names of the parameters and the model's own solver."""

    def __init__(self, joint, z):
        self.joint = joint
        self.values = dict(zip(joint.names, joint.theta(z), strict=True))
        self.spread, self.misfit = self.values["spread"], self.values["misfit"]
        self.s = np.hypot(self.spread, self.misfit)

    def states(self, hours, route="iv", modifiers=None):
        theta = np.array([self.values[name] for name in self.joint.model.parameter_names])
        return self.joint.model.solve(theta, [Dose(route, 100.0)], np.array([hours]), modifiers)[0]

    def percent(self, organ, hours, readout="label", **more):
        return self.states(hours, **more) @ self.joint.model.observer(organ, readout)

    def m(self, organ="lung", hours=24.0, **more):
        return np.log(self.percent(organ, hours, **more))


def shared(truth, *densities):
    """Log of the densities' product given the misfit of the cell, integrated over that misfit numerically."""
    grid = np.linspace(-9.0, 9.0, 4001) * truth.misfit  # fine enough for the narrowest of the normals used here
    logs = sum(density(truth, grid) for density in densities) + norm.logpdf(grid, 0.0, truth.misfit)
    return logsumexp(logs) + np.log(grid[1] - grid[0])


def single(value=5.0):
    return lambda truth, d: norm.logpdf(np.log(value), truth.m() + d, truth.spread)


def group_mean(truth, d, n=5):
    v = np.log(1 + (np.exp(truth.spread**2) - 1) / n)
    return norm.logpdf(np.log(5.0), truth.m() + d + truth.spread**2 / 2 - v / 2, np.sqrt(v))


def log_between(low, high, m, s):
    """log(Phi(...) - Phi(...)) with sixty digits, so that no tail is lost."""
    with mpmath.workdps(60):
        top, bottom = (mpmath.ncdf((mpmath.log(float(x)) - float(m)) / float(s)) if x else 0 for x in (high, low))
        return float(mpmath.log(top - bottom))


def interval(low, high):
    def density(truth, d):
        if not low:
            return log_ndtr((np.log(high) - truth.m() - d) / truth.spread)
        a, b = ((np.log(end) - truth.m() - d) / truth.spread for end in (low, high))
        near, far = np.where(a > 0, -a, b), np.where(a > 0, -b, a)  # in the nearer tail
        return log_ndtr(near) + np.log1p(-np.exp(log_ndtr(far) - log_ndtr(near)))

    return density


def smallest_and_largest(low, high, n):
    def density(truth, d):
        kind = norm(truth.m() + d, truth.spread)
        ends = kind.logpdf(np.log(low)) + kind.logpdf(np.log(high))
        return np.log(n * (n - 1)) + ends + (n - 2) * np.log(kind.cdf(np.log(high)) - kind.cdf(np.log(low)) + 1e-300)

    return density


def below(limit):
    return lambda truth, d: log_ndtr((np.log(limit) - truth.m() - d) / truth.spread)


def test_rows_of_every_kind_add_up(write_joint):
    rows = [
        LUNG | {"animal": "a", "value": 5},
        LUNG | {"animal": "c", "value": 8},
        LUNG | {"animal": "b", "below_lloq": "true", "lloq": 3},
        LUNG | {"low": 2, "high": 9},
        LUNG | {"low": 2, "high": 9, "n": 4},
        LUNG | {"value": 5, "n": 5},
    ]
    densities = [single(), single(8.0), below(3), interval(2, 9), smallest_and_largest(2, 9, 4), group_mean]
    joint = write_joint(T_CELLS, rows)
    found = log_likelihood(joint)
    for z in points(joint):
        assert found(z) == pytest.approx(shared(Truth(joint, z), *densities), rel=1e-8)


def test_a_misfit_is_of_one_organ_at_one_hour(write_joint):
    """Two animals share it where they were seen at the same place and time, and nowhere else."""
    here = [LUNG | {"animal": name, "value": value} for name, value in (("a", 5), ("b", 8))]
    there = [here[0], here[1] | {"hours": "24.0001"}]
    together, apart = (write_joint(T_CELLS, rows, folder=name) for rows, name in ((here, "one"), (there, "two")))
    assert (list(together.cells), list(apart.cells)) == ([0, 0], [0, 1])
    for z in points(together):
        truth = Truth(together, z)
        assert log_likelihood(together)(z) == pytest.approx(shared(truth, single(), single(8.0)), abs=1e-6)
        by_hand = shared(truth, single()) + shared(truth, single(8.0))
        assert log_likelihood(apart)(z) == pytest.approx(by_hand, abs=1e-3)


def test_animals_dosed_apart_share_the_misfit_of_their_group(write_joint):
    doses = [{"group": "iv", "animal": name, "hours": 0, "cells": 2e6, "route": "iv"} for name in "ab"]
    rows = [LUNG | {"animal": name, "value": value} for name, value in (("a", 5), ("b", 8))]
    joint = write_joint(T_CELLS, rows, doses=doses)
    assert len(joint.experiments) == 2
    for z in points(joint):
        found = log_likelihood(joint)(z)
        assert found == pytest.approx(shared(Truth(joint, z), single(), single(8.0)), abs=1e-6)


def test_percent_of_what_was_recovered(write_joint):
    edits = [('denominator = "dose"', 'denominator = "recovered"\nharvested = ["lung", "liver", "blood"]')]
    joint = write_joint(T_CELLS, [LUNG | {"animal": "a", "value": 5}], edits=edits)
    found = log_likelihood(joint)
    for z in points(joint):
        truth = Truth(joint, z)
        recovered = sum(truth.percent(organ, 24.0) for organ in ("lung", "liver", "blood"))
        m = np.log(100.0 * truth.percent("lung", 24.0) / recovered)
        assert found(z) == pytest.approx(norm.logpdf(np.log(5.0), m, truth.s), rel=1e-9)


def test_an_unknown_denominator_is_a_mixture_of_two_readings(shipped):
    joint = shipped("zhuang")
    harvested = ["lung", "heart", "kidney", "liver", "spleen"]
    assert list(joint.counts.harvested) == harvested
    model = build(joint)
    found = log_likelihood(joint)
    weights = model.compile_fn(model["reading"], inputs=model.free_RVs, mode=PLAIN, point_fn=False)
    for z in points(joint, scale=0.4):
        truth = Truth(joint, z)
        injured = {"route": "portal_vein", "modifiers": {"injury_kidney_left": truth.values["injury_kidney_left"]}}
        rows = [
            ("lung", 1.0, {}, 0.0, 70.0),
            ("kidney_left", 120.0, injured, 2.5, 3.5),
            ("kidney_right", 120.0, injured, 0.2, 0.3),
            ("kidney", 120.0, injured, 0.0, 4.0),
        ]
        readings = []
        for of_recovered in (False, True):
            total = 0.0
            for organ, hours, how, low, high in rows:
                m = truth.m(organ, hours, **how)
                if of_recovered:
                    m += np.log(100.0 / sum(truth.percent(o, hours, **how) for o in harvested))
                total += log_between(low, high, m, truth.s)
            readings.append(total)
        assert found(z) == pytest.approx(logsumexp(readings) - np.log(2.0), rel=1e-9)
        np.testing.assert_allclose(weights(z), np.exp(readings - logsumexp(readings)), rtol=1e-6)


def test_a_scan_that_counts_a_part_is_scaled_by_it(write_joint):
    rows = [LUNG | {"animal": "a", "value": 5}, LUNG | {"animal": "a", "organ": "liver", "value": 20}]
    joint = write_joint(PATIENTS, rows)
    found = log_likelihood(joint)
    for z in points(joint):
        truth = Truth(joint, z)
        shift = np.log(truth.values["recovery"])
        by_hand = norm.logpdf(np.log([5.0, 20.0]), [truth.m() + shift, truth.m("liver") + shift], truth.s).sum()
        assert found(z) == pytest.approx(by_hand, rel=1e-9)


def test_an_assumed_weight_is_doubted_once_for_all_values_of_its_organ(write_joint):
    rows = [
        LUNG | {"animal": "a", "value": 5, "unit": "percent_dose_per_g"},
        LUNG | {"animal": "a", "hours": "72", "value": 2, "unit": "percent_dose_per_g"},
        LUNG | {"animal": "a", "organ": "liver", "value": 20},
    ]
    joint = write_joint(T_CELLS, rows)
    assert joint.doubtful == ("lung",)  # the liver came as percent: its weight was not used
    found = log_likelihood(joint)
    for z in points(joint):
        truth = Truth(joint, z)
        grams = 0.204 * truth.values["grams_lung"]
        y = np.log([5.0 * grams, 2.0 * grams, 20.0])
        by_hand = norm.logpdf(y, [truth.m(), truth.m(hours=72.0), truth.m("liver")], truth.s).sum()
        assert found(z) == pytest.approx(by_hand, rel=1e-9)


def test_the_prior_is_standard_normal(shipped):
    joint = shipped("gholamrezanezhad")
    model = build(joint)
    (z,) = model.free_RVs
    logp = model.compile_logp(vars=[z], mode=PLAIN)
    for at in points(joint):
        assert float(logp({"z": at})) == pytest.approx(norm.logpdf(at).sum(), rel=1e-12)


def test_what_the_operation_takes_is_flat_and_named(shipped):
    joint = shipped("zhuang")
    pack = packed(joint, joint.experiments)
    place = len(REALS) + WHOLES.index("switches")
    begins = pack.where[:, place, 0]
    healthy, injured = (pack.wholes[begin : begin + len(joint.switched)] for begin in begins)
    assert joint.switched == ("injury_kidney_left",)  # the injured group has one parameter more
    assert healthy.tolist() == [-1]
    assert [joint.model.symbol_names[i] for i in injured] == ["injury_kidney_left"]


@pytest.mark.parametrize("rate", [0.1, 1.0, 5.0])
def test_what_has_left_to_the_last_digit_is_surely_below_a_limit(tmp_path, rate):
    """At 1 per hour the lung holds exp(-168), of which the sums of the solver leave exactly nothing."""
    model = write_small(tmp_path / "m.toml", ["lung.live -> liver.live : k", "liver.live -> gone : d"],
                        {"lung": ["lung.live"], "liver": ["liver.live"]},
                        {"k": ("1/h", f"lognormal(median={rate}, sigma=0.8)"),
                         "d": ("1/h", "lognormal(median=0.03, sigma=0.5)")})  # fmt: skip
    seen = organ_rows((1, 24), ("liver",), n=1)
    faint = organ_rows((168,), ("lung",), n=1, value="")[0] | {"lloq": 0.1, "below_lloq": "true"}
    z = np.array([0.3, -0.2, 0.1, 0.4])
    found = []
    for i, rows in enumerate(([*seen, faint], seen)):
        built = build(read_joint(write_rows(tmp_path / str(i), rows, model=model)))
        found.append((float(built.compile_logp(mode=PLAIN)({"z": z})), built.compile_dlogp(mode=PLAIN)({"z": z})))
    (value, slope), (without, plain) = found
    assert value == pytest.approx(without, rel=1e-12)  # it tells nothing
    np.testing.assert_allclose(slope, plain, rtol=1e-9, atol=1e-12)

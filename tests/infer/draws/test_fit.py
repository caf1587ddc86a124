"""The sampler: the same seed twice, progress, what the data leave alone, and a truth that is found again."""

from dataclasses import replace

import numpy as np
import nutpie
import pytest
import xarray as xr
from pytensor.configdefaults import config
from scipy.stats import kstest

from pbpk.body.expansion import read_model
from pbpk.dosing import Dose
from pbpk.infer.calibration.replicate import replicate
from pbpk.infer.density.likelihood import build, measured
from pbpk.infer.draws.fit import CAREFUL, DRAWS, Compiled, design, digest, fit
from pbpk.infer.matched.joint import join, predict_percent
from pbpk.infer.matched.sharing import Together

TRUTH = {"E_lung": 0.7, "loss_lung": 0.02, "E_liver": 0.5, "transfer_lung": 0.02}
NOISE = 0.05


def test_the_same_seed_gives_the_same_draws(fitted, compiled, monkeypatch):
    monkeypatch.setattr(nutpie, "compile_pymc_model", lambda model: compiled[0])
    joint = fitted.joint
    again = fit(joint.model, joint.counts, seed=5, chains=2, draws=200, tune=300)
    np.testing.assert_array_equal(again.theta(), fitted.theta())
    np.testing.assert_array_equal(again.theta(group="prior"), fitted.theta(group="prior"))
    assert again.readings == fitted.readings


def test_sums_keep_their_order_in_the_compiled_model(shipped, monkeypatch):
    """With fast-math a filled and an empty cache of the compiler gave different draws from the same seed."""
    flags = []

    def look(_):
        flags.append(config.numba__fastmath)
        raise StopIteration

    monkeypatch.setattr(nutpie, "compile_pymc_model", look)
    joint = shipped("zhuang")
    with pytest.raises(StopIteration):
        fit(joint.model, joint.counts)
    assert flags == [False]


def test_progress_is_told_to_the_end(fitted, told):
    assert [step[0] for step in told[:2]] == ["compiling", "compiling"]
    assert told[2][0] == "sampling"
    what, done, total, _ = told[-1]
    assert (what, done, total) == ("sampling", 1000, 1000)
    assert min(step[1] for step in told) >= 0
    assert all(step[1] <= step[2] for step in told)


@pytest.fixture
def attempts(shipped, monkeypatch):
    """Sampler that gives made-up chains: what it was asked, and how each chain should be, by attempt."""
    joint, asked, give = shipped("zhuang"), [], {"diverging": [False] * 3, "apart": [0.0] * 3}

    def sample(compiled, settings, follow, kept):
        turn, size = len(asked), (2, settings.draws)
        asked.append(settings)
        bad = np.full(size, give["diverging"][turn])
        z = np.random.default_rng(turn + 1).standard_normal((*size, len(joint.free)))
        z[0] += give["apart"][turn]
        draws = xr.Dataset({"z": (("chain", "draw", "at"), z), "reading": (("chain", "draw", "of"), z[..., :2] ** 2)})
        follow(bad.size, bad.size, int(bad.sum()))
        stats = xr.Dataset({"diverging": (("chain", "draw"), bad)})
        return xr.DataTree.from_dict({"posterior": draws, "sample_stats": stats})

    monkeypatch.setattr(nutpie, "compile_pymc_model", lambda model: None)
    monkeypatch.setattr("pbpk.infer.draws.fit.sample_chains", sample)
    return joint, asked, give


@pytest.mark.parametrize(
    ("accept", "diverging", "asked"),
    [(0.8, [True, False], [0.8, CAREFUL]), (0.8, [False], [0.8]), (CAREFUL, [True], [CAREFUL])],
)
def test_a_fit_that_diverged_is_sampled_once_more_with_smaller_steps(attempts, accept, diverging, asked):
    joint, seen, give = attempts
    give["diverging"], told = diverging, []
    found = fit(joint.model, joint.counts, draws=40, target_accept=accept, progress=lambda *step: told.append(step[0]))
    assert [settings.target_accept for settings in seen] == asked
    assert found.diagnostics.divergences == 80 * diverging[-1]
    assert any("smaller steps" in what for what in told) == (len(asked) == 2)
    last = np.random.default_rng(len(asked)).standard_normal((2, 40, len(joint.free)))
    np.testing.assert_array_equal(found.theta(), joint.theta(last).reshape(80, -1))  # the last attempt is what counts


@pytest.mark.parametrize(
    ("asked", "apart", "lengths"),
    [
        (None, [0.0], [DRAWS]),
        (None, [0.5, 0.0], [DRAWS, 2 * DRAWS]),
        (None, [0.5, 0.5], [DRAWS, 2 * DRAWS]),
        (DRAWS, [0.5], [DRAWS]),
    ],
)
def test_chains_that_disagree_are_drawn_twice_as_long_unless_their_length_was_asked_for(
    attempts, asked, apart, lengths
):
    joint, seen, give = attempts
    give["apart"] = apart
    found = fit(joint.model, joint.counts, draws=asked)
    assert [settings.draws for settings in seen] == lengths
    assert found.diagnostics.too_few == (apart[-1] > 0.0)
    assert found.diagnostics.draws == lengths[-1]


def test_longer_chains_are_as_careful_as_those_before(attempts):
    joint, seen, give = attempts
    give |= {"diverging": [True, False, False], "apart": [0.0, 0.5, 0.0]}
    assert not fit(joint.model, joint.counts).diagnostics.too_few
    assert [(s.target_accept, s.draws) for s in seen] == [(0.95, DRAWS), (CAREFUL, DRAWS), (CAREFUL, 2 * DRAWS)]


def test_longer_chains_that_diverge_are_sampled_with_smaller_steps_too(attempts):
    joint, seen, give = attempts
    give |= {"diverging": [False, True, False], "apart": [0.5, 0.0, 0.0]}
    assert fit(joint.model, joint.counts).diagnostics.divergences == 0
    assert [(s.target_accept, s.draws) for s in seen] == [(0.95, DRAWS), (0.95, 2 * DRAWS), (CAREFUL, 2 * DRAWS)]


def test_a_fit_is_draws_by_the_names_of_the_parameters(fitted):
    posterior = fitted.tree["posterior"].to_dataset()
    assert list(posterior) == list(fitted.joint.names)
    assert dict(posterior.sizes) == {"chain": 2, "draw": 200}
    assert posterior["loss_lung"].attrs["unit"] == "1/h"
    assert sum(fitted.readings.values()) == pytest.approx(1.0)
    assert set(fitted.readings) == {"dose", "recovered"}
    assert fitted.seconds["sample"] > 0 < fitted.seconds["compile"]


def test_what_no_data_touch_stays_at_its_prior(fitted):
    joint = fitted.joint
    rng = np.random.default_rng(0)
    z = rng.standard_normal((20, len(joint.free)))
    base = predict_percent(joint, joint.theta(z))
    alone = []
    for i, parameter in enumerate(joint.free):
        moved = z.copy()
        moved[:, i] += 1.0
        changed = predict_percent(joint, joint.theta(moved))
        if all(abs(np.log(changed[name] / base[name])).max() < 0.005 for name in base):
            alone.append(parameter)
    alone = [parameter for parameter in alone if parameter.name not in {"spread", "misfit"}]
    assert len(alone) >= 3
    for parameter in alone:
        draws = fitted.tree["posterior"][parameter.name].to_numpy().ravel()
        scores = parameter.prior.standardised(draws)
        assert kstest(scores, "norm").pvalue > 1e-4, parameter.name
        np.testing.assert_allclose(np.quantile(scores, [0.1, 0.5, 0.9]), [-1.2816, 0.0, 1.2816], atol=0.35)


def test_the_prior_group_is_the_prior(fitted):
    for parameter in fitted.joint.free:
        draws = fitted.tree["prior"][parameter.name].to_numpy().ravel()
        assert kstest(parameter.prior.standardised(draws), "norm").pvalue > 1e-5, parameter.name


def replicate_of(joint):
    """Other numbers of the same study."""
    theta = joint.theta(0.3 * np.random.default_rng(1).standard_normal((1, len(joint.free))))
    return replicate(joint, theta[0], 7)


@pytest.mark.proof  # compiles a second posterior
def test_what_was_compiled_fits_other_numbers_with_the_draws_of_a_fit_by_itself(fitted, compiled, monkeypatch):
    """The study and a replicate of it, one after the other, the second one with a compiler of its own too."""
    joint, how = fitted.joint, {"seed": 5, "chains": 1, "draws": 50, "tune": 60}
    other = replicate_of(joint)
    by_itself = fit(joint.model, other, **how)
    asked = []
    monkeypatch.setattr(nutpie, "compile_pymc_model", lambda model: asked.append(model) or compiled[0])
    kept = Compiled()
    first = kept.fit(joint.model, joint.counts, **how)
    again = kept.fit(joint.model, other, **how)
    assert len(asked) == 1
    np.testing.assert_array_equal(again.theta(), by_itself.theta())
    assert again.readings == by_itself.readings
    assert not np.array_equal(first.theta(), again.theta())
    np.testing.assert_array_equal(kept.fit(joint.model, joint.counts, **how).theta(), first.theta())


def test_another_design_is_compiled_anew(write_joint, monkeypatch):
    asked = []
    monkeypatch.setattr(nutpie, "compile_pymc_model", lambda model: asked.append(model) or model)
    row = {"group": "iv", "organ": "lung", "hours": 24, "value": 9.0, "unit": "percent_dose", "readout": "label"}
    rows = [row | {"animal": "a"}, row | {"animal": "b", "value": 12.0}]
    joints = [
        write_joint("khot_2019_t_cells_mouse", table, folder=f"study_{i}")
        for i, table in enumerate((rows, [rows[0], rows[1] | {"hours": 25}], [rows[0], rows[1] | {"organ": "liver"}]))
    ]
    kept = Compiled()
    for joint in joints:
        kept.posterior(Together.alone(joint))
    assert len({design(Together.alone(joint)) for joint in joints}) == len(asked) == 3
    free = next(i for i, p in enumerate(joints[0].model.parameters) if not p.prior.is_fixed)
    parameters = list(joints[0].model.parameters)
    prior = parameters[free].prior
    parameters[free] = replace(parameters[free], prior=replace(prior, sigma=1.5 * prior.sigma))
    moved = join(replace(joints[0].model, parameters=tuple(parameters)), joints[0].counts)
    assert design(Together.alone(moved)) != design(Together.alone(joints[0]))


def test_a_value_that_falls_below_its_limit_is_the_same_design_and_another_posterior(write_joint):
    """The kind of a row is no part of what is compiled: the density with the new arrays is that built from them."""
    row = {"group": "iv", "organ": "lung", "hours": 24, "value": 9.0, "lloq": 5.0, "unit": "percent_dose",
           "readout": "label"}  # fmt: skip
    rows = [row | {"animal": "a"}, row | {"animal": "b", "value": 12.0}]
    joint = write_joint("khot_2019_t_cells_mouse", rows)
    table = joint.counts.table
    below = table.assign(percent=[np.nan, table["percent"][1]], below_lloq=[True, False])
    other = join(joint.model, replace(joint.counts, table=below))
    one, two = Together.alone(joint), Together.alone(other)
    assert design(one) == design(two)
    assert digest(one) != digest(two)
    z = 0.3 * np.random.default_rng(0).standard_normal(len(joint.free))
    model = build(joint)
    density = model.compile_fn(model.logp(), inputs=model.value_vars, mode="FAST_COMPILE")
    held = {variable.name: variable for variable in density.f.get_shared()}
    for name, array in measured(two).items():
        held[name].set_value(array)
    assert density({"z": z}) == pytest.approx(build(other).compile_logp(mode="FAST_COMPILE")({"z": z}), rel=1e-12)


def synthetic_rows():
    """Animals drawn about a known truth: seven organs, four times, three animals each."""
    model = read_model("msc", "mouse", "FND")
    truth = {p.name: p.prior.centre for p in model.parameters} | TRUTH
    theta = np.array([truth[name] for name in model.parameter_names])
    rng = np.random.default_rng(8)
    rows = []
    for hours in (0.5, 6.0, 48.0, 168.0):
        states = model.solve(theta, [Dose("iv", 100.0)], np.array([hours]))[0]
        for organ in model.organs:
            percent = states @ model.observer(organ, "label")
            rows += [
                {"group": "iv", "animal": f"{hours:g}h-{i}", "organ": organ, "hours": hours, "unit": "percent_dose",
                 "value": percent * np.exp(NOISE * rng.standard_normal())}
                for i in range(3)
            ]  # fmt: skip
    return rows


def test_a_known_truth_is_found_again(write_joint):
    edits = [
        ('kind = "real"', 'kind = "synthetic"'),
        ('model = "t_cell"', 'model = "msc"'),
        ('label = "51Cr"', 'label = "FND"'),
        ('small_intestine = "gut"', 'gut = "gut"'),
        ('bone = "rest"', 'rest = "rest"'),
    ]
    joint = write_joint("khot_2019_t_cells_mouse", synthetic_rows(), edits=edits)
    assert joint.study.about.kind == "synthetic"
    assert len(joint.counts.table) == 84
    posterior = fit(joint.model, joint.counts, seed=3, chains=2, draws=200, tune=300)
    for name in ("E_lung", "loss_lung"):
        draws = posterior.tree["posterior"][name].to_numpy().ravel()
        low, high = np.quantile(draws, [0.005, 0.995])
        assert low < TRUTH[name] < high, name
        prior = next(p.prior for p in joint.free if p.name == name)
        assert prior.standardised(draws).std() < 0.5, f"nothing was learned about {name}"
    # animals of one organ and hour scatter by NOISE; the model itself is right, which its prior doubts
    spread, misfit = (posterior.tree["posterior"][name].to_numpy() for name in ("spread", "misfit"))
    assert np.median(spread) == pytest.approx(NOISE, rel=0.3)
    assert np.median(misfit) < 0.11  # the lowest fortieth of the prior: lognormal(0.29, 0.5)

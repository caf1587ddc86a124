"""Subjects against the slow honest way, a model built for each; conservation, doses, endpoints."""

from dataclasses import replace

import numpy as np
import pytest

from pbpk.body.physiology import in_animal
from pbpk.body.scaling import scaled
from pbpk.body.species import read_species
from pbpk.errors import InputError, ScenarioError
from pbpk.predict.endpoint import hours_for, parse_endpoints
from pbpk.predict.forecast import in_organs, states_at
from pbpk.predict.origin import read_prior
from pbpk.predict.population.blocks import SEEN, follow_block, plan_of
from pbpk.predict.population.people import parse_weight, people_of
from pbpk.predict.scenario import ScenarioDose

HOURS = np.array([0.05, 1.0, 24.0, 336.0])
WEIGHT = parse_weight("25,0.3")


def followed(origin, scenario, size=300, endpoints="", **how):
    given = {name: how.pop(name) for name in ("cells", "curves") if name in how}
    people = people_of(origin, weight=WEIGHT, **how)
    ends = parse_endpoints(endpoints)
    plan = plan_of(origin, people, scenario, size, HOURS, ends, **{"curves": True} | given)
    tally = plan.tally()
    return plan, follow_block(plan, 0, tally), tally


@pytest.mark.parametrize("model", ["msc", "t_cell"])
def test_every_subject_is_what_a_model_of_its_own_says(model, iv, fitted):
    origin = fitted if model == "msc" else read_prior(model, read_species("mouse"), draws=50)
    plan, _, _ = followed(origin, iv, 12, cells=1e6)
    people, names = plan.people, plan.people.names
    subjects = people.block(0)
    held = in_organs(people.model, states_at(people.model, subjects.theta[:12], names, iv, HOURS, 1e6), plan.organs)
    closed = people.sorts[0].model
    for i in range(12):
        own = in_animal(closed, scaled(closed.species, float(subjects.weight[i])))
        theta = np.array([[subjects.theta[i, names.index(name)] for name in closed.parameter_names]])
        honest = in_organs(own, states_at(own, theta, closed.parameter_names, iv, HOURS, 1e6), plan.organs)[0]
        np.testing.assert_allclose(held[i], honest, rtol=1e-12, atol=1e-15 * 1e6)


def test_no_cell_is_lost_of_any_subject_at_any_hour(fitted, iv):
    _, block, _ = followed(fitted, iv, cells=1e6)
    total = block.curves.astype(float).sum(axis=(2, 3))
    np.testing.assert_allclose(total, block.subjects["dose_got"][:, np.newaxis] * np.ones(HOURS.size), rtol=1e-6)
    assert (block.curves >= 0.0).all()


def test_a_dose_per_kg_is_that_of_the_subjects_own_weight(fitted, iv):
    _, block, _ = followed(fitted, replace(iv, cells_per_kg=4e7))
    np.testing.assert_allclose(block.subjects["dose"], 4e4 * block.subjects["body_weight_g"], rtol=1e-14)
    assert np.ptp(block.subjects["dose"]) > 0.0
    _, plain, _ = followed(fitted, replace(iv, cells=1e6))
    assert set(plain.subjects["dose"]) == {1e6}
    np.testing.assert_allclose(block.curves / block.subjects["dose"][:, None, None, None],
                               plain.curves / 1e6, rtol=1e-5, atol=1e-12)  # fmt: skip


def test_subjects_do_not_hang_on_how_many_there_are(fitted, iv):
    ends = "AUC lung, Tmax liver"
    (_, few, _), (_, many, _) = (followed(fitted, iv, size, ends) for size in (130, 300))
    np.testing.assert_array_equal(few.curves, many.curves[:130])
    np.testing.assert_array_equal(few.endpoints, many.endpoints[:130])


def test_sums_are_those_of_the_curves(fitted, iv):
    _, block, tally = followed(fitted, iv, endpoints="AUC lung live, residence liver")
    whole = np.concatenate([block.curves, block.curves.sum(axis=-1, keepdims=True)], axis=-1).astype(float)
    flat = whole.reshape(len(whole), -1)
    cells = flat.shape[1]
    np.testing.assert_allclose(block.moments.mean[:cells], flat.mean(axis=0), rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(block.moments.mean[cells:], block.endpoints.mean(axis=0), rtol=1e-12)
    assert tally.counts.shape[0] == cells + 2
    assert set(tally.counts.sum(axis=1)) == {300}


def test_endpoints_are_those_of_the_curves(prior, iv):
    plan, block, _ = followed(prior, iv, 40, "24h liver live, Cmax lung, residence lung live", cells=1e6)
    liver = plan.organs.index("liver")
    np.testing.assert_allclose(block.endpoints[:, 0], block.curves[:, 2, liver, 0], rtol=1e-6)
    assert (block.endpoints[:, 1] >= block.curves[:, 0, plan.organs.index("lung")].sum(axis=-1) * (1 - 1e-6)).all()
    assert (block.endpoints[:, 2] < 336.0).all()


def test_only_a_few_curves_are_kept_unless_all_are_asked(prior, iv):
    _, block, _ = followed(prior, iv, curves=False)
    assert len(block.curves) == SEEN


def test_rates_that_move_take_each_dose_as_it_is(prior, iv):
    full = replace(iv, cells=1e6, modifiers={"capacity_lung": 1e5})
    _, block, _ = followed(prior, full, 6)
    plan, plain, _ = followed(prior, replace(iv, cells=1e6), 6)
    lung = plan.organs.index("lung")
    assert (block.curves[:, 0, lung].sum(axis=-1) < plain.curves[:, 0, lung].sum(axis=-1)).all()
    with pytest.raises(ScenarioError, match="say `cells`"):
        followed(prior, replace(full, cells=None), 6)


def test_an_organ_that_there_is_not_is_one_sentence(prior, iv):
    with pytest.raises(InputError, match=r"`livr` is no organ.*Did you mean `liver`\?"):
        followed(prior, iv, 6, "AUC livr")


def test_endpoints_of_infusions_in_parts_are_those_that_a_question_has(fitted, iv):
    """Hours about each dose are the same ones: no peak at the end of one is missed."""
    part = ScenarioDose(route="iv", share=0.5, addl=1, interval_h=24.0, duration_min=90.0)
    halves = replace(iv, name="halves", doses=(part,))
    plan, block, _ = followed(fitted, halves, endpoints="Cmax lung live", cells=1e6)
    np.testing.assert_array_equal(plan.hours, hours_for(halves, plan.endpoints, HOURS))
    model, names = plan.people.model, plan.people.names
    fine = np.linspace(0.0, 30.0, 601)[1:]  # 25.5 h, where the second ends, is one of them
    theta = plan.people.block(0).theta[: len(block.endpoints)]
    held = in_organs(model, states_at(model, theta, names, halves, fine, 1e6), plan.organs)
    peak = plan.endpoints[0].curve(held, plan.organs, plan.states).max(axis=1)
    np.testing.assert_allclose(block.endpoints[:, 0], peak * block.subjects["dose_got"] / 1e6, rtol=1e-3)

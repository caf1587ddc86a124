"""What a model must do whatever its numbers are: order, merging, label, viability, readouts."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbpk.body.expansion import read_model
from pbpk.body.library import LIBRARY
from pbpk.dosing import Dose
from pbpk.errors import ModelFileError, PbpkError

quick = settings(max_examples=15, deadline=None, derandomize=True)
MODEL = read_model("msc", "mouse")
HALVES = read_model("msc", "mouse", split={"kidney": ["kidney_left", "kidney_right"]})
HOURS = np.array([0.05, 1.0, 24.0, 168.0])
ROUTES = [route for route in sorted(MODEL.routes) if route in HALVES.routes]
route = st.sampled_from(ROUTES)
ABSORPTION = {need: 0.02 for route in MODEL.routes.values() for need in route.needs}  # 1/h, that a user must say
fidelity = pytest.mark.parametrize("fidelity", ["reduced", "full"])


def draw(seed):
    """One draw of the priors by name, so that models with other orders can take it."""
    z = np.random.default_rng(seed).normal(size=len(MODEL.parameters))
    return {p.name: p.prior.value(step) for p, step in zip(MODEL.parameters, z, strict=True)}


def organs(model, values, doses, readout="label", hours=HOURS, **more):
    """Cells that a readout sees in each organ, organ -> (time,)."""
    theta = np.array([values[name] for name in model.parameter_names])
    y = model.solve(theta, doses, hours, ABSORPTION | more.pop("modifiers", {}), **more)
    return {organ: y @ model.observer(organ, readout) for organ in model.observed}


@settings(max_examples=5, deadline=None, derandomize=True)
@given(st.permutations(["lung", "liver", "spleen", "kidney", "heart", "gut", "rest"]), route, st.integers(0, 999))
def test_the_order_of_organs_in_the_file_is_nothing(tmp_path_factory, order, route, seed):
    text = (LIBRARY / "msc.toml").read_text()
    path = tmp_path_factory.mktemp("model") / "shuffled.toml"
    path.write_text(re.sub(r"organs = \[.*\]", f"organs = {order}".replace("'", '"'), text))
    shuffled = read_model(path, "mouse")
    assert shuffled.organs == tuple(order)
    doses = [Dose(route, 1.0, 0.0, 0.5)]
    ours, theirs = organs(shuffled, draw(seed), doses), organs(MODEL, draw(seed), doses)
    for organ in MODEL.observed:
        np.testing.assert_allclose(ours[organ], theirs[organ], rtol=1e-9, atol=1e-14)


@quick
@given(route, st.integers(0, 999), st.sampled_from(["label", "live"]))
def test_two_halves_of_an_organ_are_the_organ(route, seed, readout):
    whole, halves = (organs(m, draw(seed), [Dose(route, 1.0)], readout) for m in (MODEL, HALVES))
    for organ in MODEL.observed:
        np.testing.assert_allclose(halves[organ], whole[organ], rtol=1e-9)
    np.testing.assert_allclose(halves["kidney_left"], whole["kidney"] / 2, rtol=1e-9)


@fidelity
@pytest.mark.parametrize("route", ROUTES)
def test_everything_is_label_or_lost(route, fidelity):
    theta = np.array([p.prior.centre for p in MODEL.parameters])
    y = MODEL.solve(theta, [Dose(route, 5.0, viability=0.7)], HOURS, ABSORPTION, fidelity=fidelity)
    seen = sum(y @ MODEL.observer(place, "label") for place in MODEL.places if place != "excreted")
    lost = y[:, MODEL.states.index("excreted")]
    passing = y[:, MODEL.n_lasting :].sum(1) if fidelity == "reduced" else 0.0  # beside the balance, not in it
    np.testing.assert_allclose(seen + lost - passing, 5.0, rtol=0, atol=5e-8)


@pytest.mark.parametrize("route", ROUTES)
def test_a_dead_product_is_label_from_the_start(route):
    y = organs(MODEL, draw(1), [Dose(route, 3.0, viability=0.0)], "live")
    assert all((cells == 0).all() for cells in y.values())
    label = organs(MODEL, draw(1), [Dose(route, 3.0, viability=0.0)], hours=np.array([0.0]))
    assert label["blood"] == 3.0


@quick
@given(route, st.floats(0, 1), st.integers(0, 999))
def test_viability_mixes_the_living_and_the_dead(route, viability, seed):
    mixed, living, dead = (organs(MODEL, draw(seed), [Dose(route, 1.0, viability=v)]) for v in (viability, 1, 0))
    for organ in MODEL.observed:
        np.testing.assert_allclose(mixed[organ], viability * living[organ] + (1 - viability) * dead[organ], rtol=1e-8)


def test_live_cells_are_part_of_the_label():
    label, dna = organs(MODEL, draw(2), [Dose("iv", 1.0)]), organs(MODEL, draw(2), [Dose("iv", 1.0)], "dna")
    assert all((dna[organ] <= label[organ]).all() for organ in MODEL.observed)
    assert dna["lung"][-1] < 0.9 * label["lung"][-1]


def test_without_release_no_live_cell_returns():
    """Cells that arrest and never leave alive: live cells of an organ only fall, at its rate of loss."""
    values = draw(3) | {f"alive_{organ}": 0.0 for organ in MODEL.organs}
    y = organs(MODEL, values, [Dose("iv", 1.0)], "live")
    for organ in MODEL.organs:
        np.testing.assert_allclose(
            y[organ] / y[organ][0], np.exp(-values[f"loss_{organ}"] * (HOURS - 0.05)), rtol=1e-9, atol=1e-20
        )


def test_the_first_pass_is_the_extraction():
    """Just after an injection into a vein the lung holds E, and of the rest what the round trips bring back."""
    values = draw(4) | {f"E_{organ}": 0.0 for organ in MODEL.organs if organ != "lung"} | {"E_lung": 0.3}
    assert organs(MODEL, values, [Dose("iv", 1.0)], hours=[0.0])["lung"] == pytest.approx(1.0, rel=1e-6)
    values |= {f"E_{organ}": 1 - 1e-12 for organ in MODEL.organs if organ != "lung"}
    y = organs(MODEL, values, [Dose("iv", 1.0)], hours=[0.0])
    assert y["lung"] == pytest.approx(0.3, rel=1e-6)
    flow = MODEL.species.numbers()
    for organ in MODEL.organs[1:]:
        share = 0.7 * flow[f"artery_{organ}"] / flow["cardiac_output"]
        assert y[organ] == pytest.approx(share, rel=1e-6)


def test_injury_multiplies_arrest():
    plain = MODEL.rates(np.array(list(draw(5).values())))
    injured = MODEL.rates(np.array(list(draw(5).values())), {"injury_kidney": 4.0})
    changed = np.flatnonzero(plain != injured)
    arrests = [(MODEL.states[MODEL.source_states[a]], MODEL.states[MODEL.target_states[a]]) for a in changed]
    assert arrests == [("kidney.blood", "kidney.arrested")]
    assert injured[changed] / plain[changed] == pytest.approx(4.0)


def test_one_injured_half_leaves_the_other_alone():
    theta = np.array([draw(5)[name] for name in HALVES.parameter_names])
    y = HALVES.solve(theta, [Dose("iv", 1.0)], HOURS, {"injury_kidney_left": 10.0})
    left, right = (y @ HALVES.observer(f"kidney_{side}", "label") for side in ("left", "right"))
    assert (left > right).all()


def test_modifiers_may_differ_between_draws():
    theta = np.tile([draw(6)[name] for name in MODEL.parameter_names], (2, 1))
    y = MODEL.solve(theta, [Dose("iv", 1.0)], HOURS, {"injury_lung": np.array([1.0, 3.0])})
    alone = MODEL.solve(theta[0], [Dose("iv", 1.0)], HOURS, {"injury_lung": 3.0})
    np.testing.assert_array_equal(y[1], alone)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda m: m.observer("lungs", "label"), "the organ `lungs` is not one of msc's. Did you mean `lung`?"),
        (lambda m: m.observer("lung", "lable"), "the readout `lable` is not one of msc's. Did you mean `label`?"),
        (lambda m: m.schedule([Dose("vein", 1.0)]), "the route `vein` is not one of msc's."),
        (lambda m: m.schedule([Dose("portal", 1.0)]), "Did you mean `portal_vein`?"),
        (lambda m: m.rates(np.ones(len(m.parameters)), {"injury_lungs": 2.0}), "Did you mean `injury_lung`?"),
    ],
)
def test_unknown_names_are_refused_in_words(ask, said):
    with pytest.raises(ModelFileError) as refusal:
        ask(MODEL)
    assert said in str(refusal.value)


@pytest.mark.parametrize("wrong", [{"viability": 1.2}, {"viability": -0.1}, {"cells": -1.0}, {"duration_h": -1.0},
                                   {"cells": np.nan}, {"hours": np.nan}])  # fmt: skip
def test_an_impossible_dose_is_refused(wrong):
    with pytest.raises(PbpkError):
        MODEL.schedule([Dose(**({"route": "iv", "cells": 1.0} | wrong))])


def changed(tmp_path, old, new):
    text = (LIBRARY / "msc.toml").read_text()
    assert old in text
    (tmp_path / "changed.toml").write_text(text.replace(old, new))
    return read_model(tmp_path / "changed.toml", "mouse")


def test_a_rate_that_counts_cells_is_not_linear(tmp_path):
    crowded = changed(tmp_path, ": transfer_{organ}", ": transfer_{organ} * lung.arrested / 1000")
    assert MODEL.is_linear
    assert not crowded.is_linear
    assert crowded.moving == ("lung.arrested",)
    with pytest.raises(ModelFileError, match=r"the rates of msc move with lung.arrested; ask `solve`\."):
        crowded.rates(np.array([p.prior.centre for p in crowded.parameters]))


def test_a_rate_may_not_count_what_is_passing(tmp_path):
    crowded = changed(tmp_path, ": transfer_{organ}", ": transfer_{organ} * vein / 1000")
    theta = np.array([p.prior.centre for p in crowded.parameters])
    with pytest.raises(ModelFileError, match=r"depends on `vein`, which is taken as passing; take it off `passing`\."):
        crowded.solve(theta, [Dose("iv", 1.0)], [1.0])
    assert np.isfinite(crowded.solve(theta, [Dose("iv", 1.0)], [1.0], fidelity="full")).all()


def filled(cells, hours=(1.0,), doses=None, **modifiers):
    theta = np.array([p.prior.centre for p in MODEL.parameters])
    y = MODEL.solve(theta, doses or [Dose("iv", cells)], hours, modifiers)
    return y @ MODEL.observer("lung", "label") / cells


def test_a_full_lung_lets_the_rest_pass():
    """The more cells the smaller the share that stays; far below its capacity a lung does not know of it."""
    free = filled(1e5)
    shares = [filled(cells, capacity_lung=3e4)[0] for cells in (1e2, 1e4, 1e5, 1e6)]
    assert shares[0] == pytest.approx(free[0], rel=0.01)
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] * 1e6 == pytest.approx(3e4, rel=0.02)


def test_a_dose_over_days_finds_the_lung_emptied_again():
    """Fischer 2009 split a dose; slow infusion and parts apart leave more in the lung in all than one bolus."""
    hours = np.arange(0.0, 97.0)
    once = filled(1e5, hours, [Dose("iv", 1e5)], capacity_lung=3e4)
    thrice = filled(1e5, hours, [Dose("iv", 1e5 / 3, at) for at in (0.0, 24.0, 48.0)], capacity_lung=3e4)
    slow = filled(1e5, hours, [Dose("iv", 1e5, 0.0, 72.0)], capacity_lung=3e4)
    assert once.sum() < thrice.sum()
    assert once.sum() < slow.sum()


def test_an_injury_that_fades_lies_between_one_that_stays_and_none():
    theta, at = np.array([p.prior.centre for p in MODEL.parameters]), MODEL.states.index("kidney.arrested")
    doses = [Dose("iv", 1.0, 24.0), Dose("iv", 1.0, 72.0)]
    none, stays, fades, gone = (
        MODEL.solve(theta, doses, [72.5], set_to)[0, at]
        for set_to in ({}, {"injury_kidney": 5.0}, {"injury_kidney": 5.0, "fade_kidney": 0.02},
                       {"injury_kidney": 5.0, "fade_kidney": 1e3})
    )  # fmt: skip
    assert none < fades < stays
    assert gone == pytest.approx(none, rel=1e-3)


def test_two_modifiers_of_one_rate_exclude_each_other():
    with pytest.raises(ModelFileError, match=r"`capacity_lung` and `fade_kidney` both change the rate"):
        MODEL.switched(["capacity_lung", "fade_kidney"])
    assert MODEL.switched(["injury_kidney"]) is MODEL


def test_a_route_whose_speed_nobody_knows_asks_for_it():
    with pytest.raises(ModelFileError, match=r"`intraperitoneal` needs `absorption_peritoneum` \[1/h\]"):
        MODEL.solve(np.array([p.prior.centre for p in MODEL.parameters]), [Dose("intraperitoneal", 1.0)], [1.0])


def test_a_depot_empties_as_it_is_said():
    theta = np.array([p.prior.centre for p in MODEL.parameters])
    hours = np.array([1.0, 24.0, 168.0])
    values = dict(zip(MODEL.parameter_names, theta, strict=True))
    rate = 0.05 + values["loss_rest"] * (1 - values["alive_rest"])
    for fidelity in ("reduced", "full"):
        y = MODEL.solve(theta, [Dose("subcutaneous", 1.0)], hours, {"absorption_skin": 0.05}, fidelity=fidelity)
        np.testing.assert_allclose(y[:, MODEL.states.index("skin.depot")], np.exp(-rate * hours), rtol=1e-9)

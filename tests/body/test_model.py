"""What a model must do whatever its numbers are: order, merging, label, viability, readouts."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbpk.body.expansion import read_model
from pbpk.body.library import LIBRARY
from pbpk.body.model import Dose
from pbpk.errors import ModelFileError, PbpkError

quick = settings(max_examples=15, deadline=None, derandomize=True)
MODEL = read_model("msc", "mouse")
HALVES = read_model("msc", "mouse", split={"kidney": ["kidney_left", "kidney_right"]})
HOURS = np.array([0.05, 1.0, 24.0, 168.0])
route = st.sampled_from(sorted(MODEL.routes))
fidelity = pytest.mark.parametrize("fidelity", ["reduced", "full"])


def draw(seed):
    """One draw of the priors by name, so that models with other orders can take it."""
    z = np.random.default_rng(seed).normal(size=len(MODEL.parameters))
    return {p.name: p.prior.value(step) for p, step in zip(MODEL.parameters, z, strict=True)}


def organs(model, values, doses, readout="label", hours=HOURS, **more):
    """Cells that a readout sees in each organ, organ -> (time,)."""
    theta = np.array([values[name] for name in model.parameter_names])
    y = model.solve(theta, doses, hours, **more)
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
@pytest.mark.parametrize("route", sorted(MODEL.routes))
def test_everything_is_label_or_lost(route, fidelity):
    theta = np.array([p.prior.centre for p in MODEL.parameters])
    y = MODEL.solve(theta, [Dose(route, 5.0, viability=0.7)], HOURS, fidelity=fidelity)
    seen = sum(y @ MODEL.observer(organ, "label") for organ in (*MODEL.organs, "blood"))
    lost = y[:, MODEL.states.index("excreted")]
    passing = y[:, MODEL.n_lasting :].sum(1) if fidelity == "reduced" else 0.0  # beside the balance, not in it
    np.testing.assert_allclose(seen + lost - passing, 5.0, rtol=0, atol=5e-8)


@pytest.mark.parametrize("route", sorted(MODEL.routes))
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


@pytest.mark.parametrize("state", ["lung.arrested", "vein"])
def test_a_rate_that_counts_cells_is_not_linear_and_not_solved(tmp_path, state):
    crowded = changed(tmp_path, ": transfer_{organ}", f": transfer_{{organ}} * {state} / 1000")
    assert MODEL.is_linear
    assert not crowded.is_linear
    with pytest.raises(ModelFileError, match=r"depends on the number of cells; only linear models are solved\."):
        crowded.tape  # noqa: B018

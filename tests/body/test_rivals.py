"""Rivals of a model: what is fixed is fixed, empty arrows are gone, cells are conserved, mistakes are said."""

import numpy as np
import pytest

from pbpk.body.equations import conservation, diagram, latex, refuse_rates, unsourced
from pbpk.body.expansion import read_model
from pbpk.body.library import LIBRARY
from pbpk.body.prior import Prior
from pbpk.body.rivals import chosen_rival, draw_believed, rival
from pbpk.dosing import Dose
from pbpk.errors import ModelFileError

MSC = (LIBRARY / "msc.toml").read_text()
NAMES = ("loss_in_lung_only", "loss_in_liver_only", "no_release", "no_label_transfer", "lung_capacity")
HOURS = np.array([0.5, 24.0, 168.0])
DOSES = [Dose(cells=100.0, route="iv", viability=0.8)]


def taken(model):
    return {p.name: p.prior.centre for p in model.parameters if p.prior.is_fixed}


def kind(model, states, name):
    return states[..., [i for i, s in enumerate(model.states) if s in model.kinds[name]]].sum(axis=-1)


@pytest.mark.parametrize("base", ["msc", "t_cell"])
@pytest.mark.parametrize("name", NAMES)
def test_a_rival_is_a_whole_model(base, name):
    model = read_model(f"{base}:{name}")
    refuse_rates(model)
    assert model.name == f"{base}:{name}"
    assert unsourced(model) == []
    assert conservation(model).startswith("d/dt (everything) = 0; d/dt (inside the body) = -excretion*label.blood")
    assert latex(model).startswith("\\begin{align*}")
    theta = model.draw_prior(3, 1)
    believed = {n: p.prior.value(0.0) for n, p in model.believed.items()}
    for fidelity in ("reduced", "full"):
        states = model.solve(theta, DOSES, HOURS, believed, fidelity)
        assert np.isfinite(states).all()
        assert (states >= 0.0).all()
        lasting = states[..., : model.n_lasting] if fidelity == "reduced" else states  # else what passes counts twice
        assert lasting.sum(axis=-1) == pytest.approx(100.0, rel=1e-7)


def test_what_is_fixed_is_fixed_and_the_rest_as_it_was():
    whole, other = read_model("msc"), read_model("msc:loss_in_lung_only")
    fixed = {f"alive_{organ}": 1.0 for organ in whole.organs if organ != "lung"}
    assert taken(other) == {"weight_liver": 1.0} | fixed
    free = [p.name for p in whole.parameters if p.name not in fixed]
    assert [p for p in other.parameters if p.name in free] == [p for p in whole.parameters if p.name in free]
    assert whole.believed == {}
    assert whole.chosen == ""


@pytest.mark.parametrize("name", NAMES)
def test_the_arrows_taken_out_carried_nothing(name):
    """The same numbers put into the whole model give the same cells: what was taken out was empty."""
    whole, other = read_model("msc"), read_model(f"msc:{name}")
    theta = other.draw_prior(4, 2)
    believed = {n: p.prior.value(0.0) for n, p in other.believed.items()}
    expected = whole.solve(theta, DOSES, HOURS, believed)
    assert other.solve(theta, DOSES, HOURS, believed) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_cells_die_in_the_lung_only():
    model = read_model("msc:loss_in_lung_only")
    assert "lung.arrested ──▶ lung.label" in diagram(model)
    assert diagram(model).count(".label ") == 3  # into the lung's, out of every organ's, back into every organ's
    held = model.solve(model.draw_prior(2, 1), [Dose(cells=100.0, route="portal_vein")], np.array([1e-3]))
    assert kind(model, held, "label") == pytest.approx(0.0, abs=0.01)  # given past the lung, none dies at once


def test_no_cell_leaves_alive():
    """Live cells in an organ then fall with its loss alone, from what arrested on the first pass."""
    model = read_model("msc:no_release")
    theta = model.draw_prior(5, 3)
    live = model.observer("lung", "live")
    at = model.solve(theta, [Dose(cells=100.0, route="iv")], np.array([1.0, 49.0])) @ live
    loss = theta[:, model.parameter_names.index("loss_lung")]
    assert at[:, 1] == pytest.approx(at[:, 0] * np.exp(-48.0 * loss), rel=1e-9)


def test_label_of_the_dead_stays_but_what_arrives_dead_ends_somewhere():
    model = read_model("msc:no_label_transfer")
    theta = model.draw_prior(5, 3)
    dead = model.solve(theta, [Dose(cells=100.0, route="iv", viability=0.0)], np.array([0.1, 1e4]))
    blood = model.states.index("label.blood")
    held = sum(dead[..., model.states.index(f"{organ}.label")] for organ in model.organs)
    assert (dead[:, 0, blood] > 10.0).all()
    assert held[:, 1] + dead[:, 1, model.states.index("excreted")] == pytest.approx(100.0, rel=1e-9)


def test_a_full_lung_lets_the_rest_pass():
    model = read_model("msc:lung_capacity")
    assert "lung.arrested" in model.moving
    assert model.believed["capacity_lung"].prior == Prior("lognormal", 1.5e5, 2.0)
    theta, hours = model.draw_prior(1, 1), np.array([0.1])
    (few,), (many,) = (model.solve(theta, [Dose(cells=n, route="iv")], hours, {"capacity_lung": 1e5})[0] / n
                       for n in (1e3, 1e6))  # fmt: skip
    lung = model.states.index("lung.arrested")
    assert many[lung] <= 0.1 + 1e-6 < few[lung]


def test_what_a_rival_believes_is_drawn_beside_the_parameters():
    model = read_model("msc:lung_capacity")
    theta, names = draw_believed(model, 4000, 1)
    assert names == (*model.parameter_names, "capacity_lung")
    assert theta[:, :-1] == pytest.approx(model.draw_prior(4000, 1), rel=1e-15)
    log = np.log(theta[:, -1])
    assert (log.mean(), log.std()) == pytest.approx((np.log(1.5e5), 2.0), rel=0.02)
    whole = read_model("msc")
    assert draw_believed(whole, 3, 2)[0] == pytest.approx(whole.draw_prior(3, 2), rel=1e-15)


def test_parts_of_a_split_organ_share_what_is_fixed():
    halves = {"kidney": ["kidney_left", "kidney_right"]}
    model = read_model("msc:no_release", split=halves)
    assert taken(model)["alive_kidney"] == 0.0
    states = model.solve(model.draw_prior(2, 1), [Dose(cells=100.0, route="iv")], HOURS)
    assert states[..., : model.n_lasting].sum(axis=-1) == pytest.approx(100.0, rel=1e-9)


def test_a_model_may_be_chosen_by_its_file(tmp_path):
    (tmp_path / "mine.toml").write_text(MSC)
    assert read_model(tmp_path / "mine.toml:no_release").chosen == "no_release"
    assert chosen_rival("mine.toml") == ("mine.toml", "")
    with pytest.raises(ModelFileError, match=r"msc has no rival `no_relese`\. Did you mean `no_release`\?"):
        rival(read_model("msc"), "no_relese")
    with pytest.raises(ModelFileError, match=r"has no rival `x`\. It names none"):
        read_model("small_molecule:x")


def test_a_number_is_in_the_unit_in_which_the_parameter_is_written(tmp_path):
    old = 'unit   = "1/h"\nprior  = "lognormal(median=1.3'
    assert old in MSC
    text = MSC.replace(old, old.replace("1/h", "1/min"))
    path = tmp_path / "mine.toml"
    path.write_text(text.replace("[rivals.no_release]", '[rivals.slow]\nabout = "x"\nsource = "reference"\n'
                                 "fix = { uptake = 0.5 }\n[rivals.no_release]"))  # fmt: skip
    assert taken(read_model(f"{path}:slow"))["uptake"] == pytest.approx(30.0)


def test_an_organ_that_the_model_leaves_out_is_passed_over(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MSC.replace(', "heart"', ""))
    model = read_model(f"{path}:loss_in_liver_only")
    assert "heart" not in model.organs
    assert taken(model)["alive_kidney"] == 1.0


MISTAKES = {
    "an unknown key": ('fix    = { "alive_{fed}"', 'fixes  = { "alive_{fed}"',
                       "unknown key `rivals.loss_in_lung_only.fixes`. Did you mean `fix`?"),
    "no parameter": ('"alive_{organ}" = 0.0', '"alve_{organ}" = 0.0', "no parameter `alve_lung`. Did you mean"),
    "no organ": ("alive_heart = 1.0", "alive_hart = 1.0", "no parameter `alive_hart`. Did you mean `alive_heart`?"),
    "no group": ('"alive_{portal}"', '"alive_{portl}"', "no group `portl`. Did you mean `portal`?"),
    "a share above one": ('"alive_{fed}" = 1.0', '"alive_{fed}" = 1.5', "is 1.5; it must be between 0 and 1."),
    "a rate below zero": ('"transfer_{organ}" = 0.0', '"transfer_{organ}" = -1.0', "is -1; it must be at least 0."),
    "no number": ('"alive_{organ}" = 0.0', '"alive_{organ}" = "none"', "input should be a valid number"),
    "no modifier": ("{ capacity_lung =", "{ capacity_lng =", "it is not a modifier. Did you mean `capacity_lung`?"),
    "a prior that is none": ('"lognormal(median=1.5e5', '"lognormal(median=-1.5e5', "the median must be above zero."),
    "no prior": ('prior = "lognormal(median=1.5e5, sigma=2.0)", ', "", "nobody knows its size; give it a prior."),
    "no difference": ('fix    = { "alive_{organ}" = 0.0 }', "", "it changes nothing; give `fix`, `modifiers` or both."),
    "no source": ('source = "eggenhofer_2012"\nfix', "fix", "`rivals.no_release.source` is missing; add it."),
    "no name": ("[rivals.no_release]", '[rivals."no release"]', "`no release` is no name"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_with_its_line(tmp_path, mistake):
    old, new, words = MISTAKES[mistake]
    assert MSC.count(old) == 1
    text = MSC.replace(old, new)
    path = tmp_path / "mine.toml"
    path.write_text(text)
    line = next(i for i, (a, b) in enumerate(zip(MSC.split("\n"), text.split("\n"), strict=False), 1) if a != b)
    with pytest.raises(ModelFileError) as refusal:
        read_model(path)
    said = str(refusal.value)
    table = {"no difference", "no source"}  # these are said of the table
    start = text[: text.index("[rivals.no_release]")].count("\n") + 1 if mistake in table else line
    assert said.startswith(f"{path}: line {start}: "), said
    assert words in said

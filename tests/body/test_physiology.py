"""A model in another animal, and numbers of an animal as parameters: the body closes, and what follows follows."""

from dataclasses import replace

import numpy as np
import pytest

from pbpk.body.expansion import read_model
from pbpk.body.physiology import chosen, constants_at, freed, in_animal, opened
from pbpk.body.scaling import scaled
from pbpk.body.species import read_species
from pbpk.dosing import Dose
from pbpk.errors import ModelFileError, SpeciesError

DOSES = {"msc": [Dose("iv", 1e6)], "small_molecule": [Dose("iv", 10.0, duration_h=0.5), Dose("oral", 5.0, 1.0)]}
HOURS = np.array([0.05, 1.0, 24.0])


def solved(model, theta, fidelity="full"):
    return model.solve(theta, DOSES[model.name], HOURS, fidelity=fidelity)


@pytest.mark.parametrize("to", ["rat", "human"])
@pytest.mark.parametrize("name", DOSES)
def test_another_animal_is_the_model_read_for_it(name, to):
    split = {"kidney": ["kidney_left", "kidney_right"]}
    here, there = (read_model(name, animal, split=split if name == "msc" else None) for animal in ("mouse", to))
    moved = in_animal(here, read_species(to))
    assert moved.constants == there.constants
    assert moved.species == there.species
    assert moved.sources == there.sources
    theta = here.draw_prior(3, seed=1)
    np.testing.assert_array_equal(solved(moved, theta), solved(there, theta))


def test_a_heavier_animal_has_slower_blood():
    model = read_model("small_molecule", "human")
    heavy = in_animal(model, scaled(model.species, 140000.0))
    ratio = {name: heavy.constants[name] / model.constants[name] for name in model.constants}
    assert ratio["volume_blood"] == pytest.approx(2.0)
    assert ratio["flow_liver"] == pytest.approx(2.0**0.75)
    assert ratio["size"] == pytest.approx(2.0)
    assert ratio["exponent_clearance"] == 1.0


def test_an_animal_without_an_organ_is_refused():
    model, mouse = read_model("msc"), read_species("mouse")
    quantities = {name: q for name, q in mouse.quantities.items() if name != "volume_heart"}
    with pytest.raises(SpeciesError, match=r"mouse has no `volume_heart`, which msc needs; add it"):
        in_animal(model, replace(mouse, quantities=quantities))


def test_a_model_that_brings_its_own_body_cannot_be_moved():
    with pytest.raises(SpeciesError, match="lin_2016 takes no number of the animal"):
        in_animal(read_model("lin_2016"), read_species("rat"))


@pytest.mark.parametrize("animal", ["mouse", "human"])
@pytest.mark.parametrize("name", DOSES)
def test_free_numbers_at_their_medians_change_nothing(name, animal):
    model = read_model(name, animal)
    wide = freed(model, "spread")
    added = wide.parameters[len(model.parameters) :]
    assert len(added) > 10
    assert not {p.name for p in added} & set(wide.constants)
    assert all(p.source == model.quantities[p.name].source and not p.prior.is_fixed for p in added)
    theta = model.draw_prior(3, seed=1)
    both = np.hstack([theta, np.tile([p.prior.centre for p in added], (3, 1))])
    for here, there in ((model, wide), (heavier(model), heavier(wide))):
        np.testing.assert_allclose(solved(there, both), solved(here, theta), rtol=1e-3, atol=1e-9)


def heavier(model):
    return in_animal(model, scaled(model.species, 1.7 * model.species.numbers()["body_weight"]))


def by_hand(model, wide, raw):
    """Model in an animal with these numbers, closed here, by code of its own."""
    numbers = {name: q.value for name, q in model.species.quantities.items()}
    whole = sum(numbers[name] for name in numbers if name.startswith("volume_"))
    drawn = numbers | raw
    for start, total in (("artery_", drawn["cardiac_output"]), ("volume_", whole)):
        parts = [
            name for name in numbers if name.startswith(start) or (start == "volume_" and name in ("volume_vein",))
        ]
        parts = [name for name in parts if name != "volume_artery" or start == "volume_"]
        factor = total / sum(drawn[name] for name in parts)
        drawn |= {name: drawn[name] * factor for name in parts}
    quantities = {name: replace(q, value=drawn[name]) for name, q in model.species.quantities.items()}
    return in_animal(model, replace(model.species, quantities=quantities))


@pytest.mark.parametrize("name", DOSES)
def test_a_drawn_body_closes_and_everything_follows(name):
    model = read_model(name, "human")
    assert all(q.unit in ("g", "mL", "mL/h", "1", "g/mL") for q in model.species.quantities.values())
    wide = freed(model, "spread")
    for theta in wide.draw_prior(4, seed=2):
        n = len(model.parameters)
        raw = {p.name: x for p, x in zip(wide.parameters[n:], theta[n:], strict=True) if p.name not in model.own}
        closed = by_hand(model, wide, raw)
        kinetic = theta[np.newaxis, :n]
        if "exponent_clearance" in wide.parameter_names:  # at 70 kg it counts for nothing
            assert closed.constants["size"] == 1.0
        np.testing.assert_allclose(wide.rates(theta[np.newaxis]), closed.rates(kinetic), rtol=1e-12)
        for organ, register in wide.volume_registers.items():
            there = closed.volume_in(kinetic, np.array([closed.volume_registers[organ]]))
            assert wide.volume_in(theta[np.newaxis], np.array([register])) == pytest.approx(there)
        numbers = closed.species.numbers()
        arteries = sum(numbers[f"artery_{o}"] for o in closed.species.organs if f"artery_{o}" in numbers)
        assert arteries == pytest.approx(numbers["cardiac_output"])


def test_only_what_was_asked_is_free():
    model = read_model("msc", "human")
    names = [p.name for p in freed(model, ["cardiac_output", "volume_l*"]).parameters[len(model.parameters) :]]
    assert names == ["cardiac_output", "volume_lung", "volume_liver"]
    assert freed(model, "fixed") is model
    assert [p.name for p in freed(model, "artery_kidney").parameters[len(model.parameters) :]] == ["artery_kidney"]


def test_a_number_that_a_model_brings_may_be_free():
    model = read_model("small_molecule", "human")
    wide = freed(model, ["exponent_clearance"])
    (added,) = wide.parameters[len(model.parameters) :]
    assert added.prior.form == "lognormal"
    theta = np.append(model.draw_prior(1, seed=1)[0], 0.5)[np.newaxis]
    light = in_animal(wide, scaled(model.species, 10000.0))
    fixed = in_animal(model, scaled(model.species, 10000.0))
    ratio = light.rates(theta)[0] / fixed.rates(theta[:, :-1])[0]
    (eliminated,) = (i for i, target in enumerate(model.target_states) if model.states[target] == "eliminated")
    assert ratio[eliminated] == pytest.approx((1 / 7) ** (0.5 - 0.75))
    np.testing.assert_allclose(np.delete(ratio, eliminated), 1.0)


def test_published_models_without_spread_stay_as_they_are():
    model = read_model("lin_2016")
    assert freed(model, "spread") is model
    with pytest.raises(ModelFileError, match="`cardiac` has no low and high, or no rate needs it"):
        freed(model, ["cardiac"])


def test_modifiers_bring_rates_of_free_numbers(tmp_path):
    model = read_model("msc", "human")
    wide = freed(model, "spread")
    theta = model.draw_prior(2, seed=1)
    both = np.hstack([theta, np.tile([p.prior.centre for p in wide.parameters[len(model.parameters) :]], (2, 1))])
    doses, hours = [Dose("iv", 1e5)], np.array([1.0])
    for setting in ({"capacity_lung": 2e4}, {"injury_kidney": 3.0, "fade_kidney": 0.1}):
        here, there = (m.solve(t, doses, hours, setting) for m, t in ((model, theta), (wide, both)))
        np.testing.assert_allclose(there, here, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("spreed", r"`spreed` is no number of mouse, so msc cannot estimate it\. Did you mean `spread`"),
        (["volume_lungs"], r"`volume_lungs` is no number of mouse.*Did you mean `volume_lung`"),
        (["body_weight"], "`body_weight` has no low and high, or no rate needs it"),
        (["density_*"], r"`density_\*` has no low and high, or no rate needs it"),
    ],
)
def test_what_cannot_be_free_is_refused(asked, sentence):
    with pytest.raises(ModelFileError, match=sentence):
        freed(read_model("msc"), asked)


def test_a_body_that_does_not_close_cannot_be_free(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('like = "msc"\nname = "mine"\nabout = "a heart of its own"\n[constants]\n'
                    'artery_heart = { value = 900, unit = "mL/h", source = "reference" }\n')  # fmt: skip
    with pytest.raises(ModelFileError, match=r"artery_liver.* sum to .* and cardiac_output is .* in mine"):
        freed(read_model(path), "spread")


def test_a_command_says_what_is_free():
    assert chosen("fixed") == "fixed"
    assert chosen("spread") == "spread"
    assert chosen("artery_*, volume_lung") == ["artery_*", "volume_lung"]


@pytest.mark.parametrize("free", ["fixed", "spread"])
@pytest.mark.parametrize("name", DOSES)
def test_bodies_side_by_side_are_each_by_itself(name, free):
    model = freed(read_model(name, "mouse"), free)
    theta, weights = model.draw_prior(4, seed=2), np.array([15.0, 25.0, 28.0, 60.0])
    together = opened(model)
    assert together.symbol_names == model.symbol_names
    found = solved(together, np.concatenate([theta, constants_at(model, weights)], axis=1))
    for i, weight in enumerate(weights):
        own = in_animal(model, scaled(model.species, float(weight)))
        np.testing.assert_allclose(found[i], solved(own, theta[i]), rtol=1e-12, atol=1e-15)

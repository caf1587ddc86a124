import numpy as np
import pytest

from pbpk.body.expansion import read_model
from pbpk.body.library import LIBRARY
from pbpk.dosing import Dose
from pbpk.errors import InputError, ModelFileError

MSC = (LIBRARY / "msc.toml").read_text()
ORGANS = ["lung", "liver", "spleen", "kidney", "heart", "gut", "rest"]


def written(tmp_path, old, new):
    assert old in MSC
    path = tmp_path / "mine.toml"
    path.write_text(MSC.replace(old, new, 1))
    return path


def test_states_stand_lasting_first():
    model = read_model("msc", "mouse")
    passing = model.states[model.n_lasting :]
    assert set(passing) == {"vein", "artery", *(f"{organ}.blood" for organ in ORGANS)}
    assert {"label.blood", "excreted", "peritoneum.depot", *(f"{organ}.arrested" for organ in ORGANS)} <= set(
        model.states[: model.n_lasting]
    )


def test_every_arrow_is_written_for_its_organs():
    model = read_model("msc", "mouse")
    ends = [(model.states[s], model.states[t]) for s, t in zip(model.source_states, model.target_states, strict=True)]
    assert len(ends) == len(set(ends)) == 69
    assert [e for e in ends if e[1] == "liver.blood"] == [
        *(("artery", "liver.blood"), ("spleen.blood", "liver.blood"), ("gut.blood", "liver.blood")),
        ("liver.arrested", "liver.blood"),
    ]
    assert sorted(s for s, t in ends if t == "vein") == [
        *("heart.blood", "kidney.blood", "liver.blood"),
        *("muscle.depot", "peritoneum.depot", "rest.blood", "skin.depot"),
    ]


def test_rates_are_the_numbers_by_hand():
    model = read_model("msc", "mouse")
    theta = np.array([p.prior.centre for p in model.parameters])
    states = model.states
    rates = {
        (states[s], states[t]): rate
        for s, t, rate in zip(model.source_states, model.target_states, model.rates(theta), strict=True)
    }
    assert rates["vein", "lung.blood"] == pytest.approx(678 / 0.8585)
    assert rates["lung.blood", "artery"] == pytest.approx(678 / 0.0536, rel=1e-5)
    assert rates["liver.blood", "vein"] == pytest.approx((18.7 + 14.88 + 137) / 0.298, rel=1e-4)
    assert rates["spleen.blood", "spleen.arrested"] == pytest.approx(0.7 / 0.3 * 14.88 / 0.028, rel=1e-4)
    assert rates["lung.arrested", "lung.blood"] == pytest.approx(0.029 * 0.1)
    assert rates["lung.arrested", "lung.label"] == pytest.approx(0.029 * 0.9)
    assert rates["label.blood", "spleen.label"] == pytest.approx(1.3 * 0.04)
    assert rates["label.blood", "excreted"] == pytest.approx(0.00003)


def test_a_name_beats_its_template():
    prior = {p.name: p.prior.centre for p in read_model("msc", "mouse").parameters}
    assert (prior["E_lung"], prior["E_heart"], prior["E_rest"]) == (0.85, 0.92, 0.92)
    assert (prior["transfer_liver"], prior["transfer_gut"]) == (0.003, 0.01)
    assert (prior["loss_lung"], prior["loss_liver"]) == (0.029, 0.027)


def test_a_label_changes_only_its_own_priors():
    plain, chromium = (read_model("msc", "mouse", label=label).parameters for label in ("FND", "51Cr"))
    assert {a.name for a, b in zip(plain, chromium, strict=True) if a != b} == {"excretion", "weight_kidney"}


def test_an_unknown_label_is_refused():
    with pytest.raises(ModelFileError, match=r"no priors for the label `51cr`\. Did you mean `51Cr`\?"):
        read_model("msc", "mouse", label="51cr")


def test_another_unit_in_the_file_is_the_same_model(tmp_path):
    old = 'unit   = "1/h"\nprior  = "lognormal(median=1.3, sigma=0.7)"'
    path = written(tmp_path, old, 'unit = "1/day"\nprior = "lognormal(median=31.2, sigma=0.7)"')
    ours, theirs = read_model(path, "mouse"), read_model("msc", "mouse")
    found = next(p for p in ours.parameters if p.name == "uptake")
    assert found.unit == "1/h"
    assert found.prior.centre == pytest.approx(1.3)
    assert [p.name for p in ours.parameters] == [p.name for p in theirs.parameters]


def test_a_split_organ_keeps_one_parameter_and_gets_two_modifiers():
    model = read_model("msc", "mouse", split={"kidney": ["kidney_left", "kidney_right"]})
    assert model.parameter_names == read_model("msc", "mouse").parameter_names
    modifiers = {modifier.name for modifier in model.modifiers}
    assert {"injury_kidney_left", "injury_kidney_right"} <= modifiers
    assert "injury_kidney" not in modifiers
    assert set(model.observed["kidney"]) == {*model.observed["kidney_left"], *model.observed["kidney_right"]}


def test_a_parameter_no_rate_uses_is_dropped(tmp_path):
    extra = '[parameters.idle]\nunit = "1/h"\nprior = "fixed(value=1.0)"\nsource = "reference"\n\n[parameters.uptake]'
    model = read_model(written(tmp_path, "[parameters.uptake]", extra), "mouse")
    assert "idle" not in model.parameter_names
    y = model.solve(np.array([p.prior.centre for p in model.parameters]), [Dose("iv", 1.0)], [24.0])
    theirs = read_model("msc", "mouse")
    assert (y == theirs.solve(np.array([p.prior.centre for p in theirs.parameters]), [Dose("iv", 1.0)], [24.0])).all()


def test_every_animal_has_the_same_parameters():
    names = [read_model("t_cell", species).parameter_names for species in ("mouse", "rat", "human")]
    assert names[0] == names[1] == names[2]


WRONG = {
    "unknown symbol": (
        ": flow_lung / volume_vein",
        ": flow_lungs / volume_vein",
        ["flow_lungs", "Did you mean `flow_lung`?"],
    ),
    "symbol of one organ": (
        ": transfer_{organ}",
        ": transfers_{organ}",
        ["transfers_lung", "Did you mean `transfer_lung`?"],
    ),
    "arrow without a head": (
        "label.blood        -> excreted ",
        "label.blood        => excreted ",
        ["=> excreted", "from -> to : rate"],
    ),
    "arrow without a rate": (" : excretion", "", ["from -> to : rate"]),
    "arrow without an end": ("-> excreted ", "->", ["from -> to : rate"]),
    "unknown group": (
        "{portal}.blood     -> liver.blood        : flow_{portal} / blood_{portal}",
        "{portl}.blood -> liver.blood : flow_{portl} / blood_{portl}",
        ["no group `portl`", "Did you mean `portal`?"],
    ),
    "two groups": (
        ": flow_{portal} / blood_{portal}",
        ": flow_{portal} / blood_{fed}",
        ["more than one placeholder", "use one"],
    ),
    "code in a rate": (": transfer_{organ}", ": __import__('os').getpid()", ["is not allowed in the rate"]),
    "open bracket": (": transfer_{organ}", ": (transfer_{organ}", ["cannot be read", "check its brackets"]),
    "wrong prior": (
        "lognormal(median=0.029, sigma=1.0)",
        "lognorm(median=0.029, sigma=1.0)",
        ["parameters.loss_lung", "Did you mean `lognormal`?"],
    ),
    "wrong spread": (
        "lognormal(median=0.029, sigma=1.0)",
        "lognormal(median=0.029, sigma=-1)",
        ["parameters.loss_lung", "sigma must be above zero"],
    ),
    "wrong noise": (
        "lognormal(median=0.23, sigma=0.5)",
        "lognormal(median=0.23)",
        ["noise.spread", "`sigma` is missing"],
    ),
    "wrong modifier": ("lognormal(median=1.0, sigma=1.5)", "lognormal(median=1.0)", ["injury", "`sigma` is missing"]),
    "wrong label prior": (
        "lognormal(median=0.03, sigma=2.0)",
        "lognormal(median=0.03)",
        ["weight_kidney", "`sigma` is missing"],
    ),
    "unknown unit": (
        'unit   = "1/h"\nprior  = "lognormal(median=0.029',
        'unit   = "1/our"\nprior  = "lognormal(median=0.029',
        ["parameters.loss_lung", "`1/our` is not known"],
    ),
    "useless unit": (
        'unit   = "1/h"\nprior  = "lognormal(median=0.029',
        'unit   = "kelvin"\nprior  = "lognormal(median=0.029',
        ["parameters.loss_lung", "measures nothing a model uses"],
    ),
    "broken unit": (
        'unit   = "1/h"\nprior  = "lognormal(median=0.029',
        'unit   = "(1/h"\nprior  = "lognormal(median=0.029',
        ["parameters.loss_lung", "(1/h"],
    ),
    "held twice": (
        'label = ["{organ}.label", "label.blood", "{site}.debris"]',
        'label = ["{organ}.label", "label.blood", "{site}.debris", "vein"]',
        ["`vein`", "live and label"],
    ),
    "held by none": ('live  = ["vein", ', "live = [", ["`vein`", "under none"]),
    "held but absent": (
        'live  = ["vein", ',
        'live = ["veins", "vein", ',
        ["live: no arrow touches `veins`", "Did you mean `vein`?"],
    ),
    "passing but absent": (
        'passing    = ["vein"',
        'passing = ["veins"',
        ["passing: no arrow touches `veins`", "Did you mean `vein`?"],
    ),
    "group of no organs": (
        'portal    = ["spleen", "gut"]',
        'portal = ["spleen", "guts"]',
        ["groups.portal: `guts` is not an organ", "Did you mean `gut`?"],
    ),
    "route to nowhere": (
        'artery            = "artery"',
        'artery = "aorta"',
        ["routes.artery: no arrow touches `aorta`"],
    ),
    "dead to nowhere": ('dead_enter = "label.blood"', 'dead_enter = "label"', ["dead_enter: no arrow touches `label`"]),
    "observe nowhere": (
        'blood    = ["vein", "artery", "label.blood"]',
        'blood = ["veins"]',
        ["observe.blood: no arrow touches `veins`"],
    ),
    "readout of nothing": (
        'dna   = { sees = ["live"]',
        'dna = { sees = ["alive"]',
        ["readouts.dna", "alive", "Did you mean `live`?"],
    ),
    "number the animal lacks": (
        '"flow_lung"     = "cardiac_output"',
        '"flow_lung" = "cardiac_outpt"',
        ["where.flow_lung", "Did you mean `cardiac_output`?"],
    ),
    "where with unlike things": (
        '"flow_lung"     = "cardiac_output"',
        '"flow_lung" = "cardiac_output + volume_vein"',
        ["where.flow_lung", "units do not fit"],
    ),
    "where in a useless unit": (
        '"flow_lung"     = "cardiac_output"',
        '"flow_lung" = "cardiac_output ** 2"',
        ["where.flow_lung"],
    ),
    "where with a function": (
        '"flow_lung"     = "cardiac_output"',
        '"flow_lung" = "exp(cardiac_output)"',
        ["where.flow_lung"],
    ),
    "where divides by zero": (
        '"flow_lung"     = "cardiac_output"',
        '"flow_lung" = "cardiac_output / 0"',
        ["where.flow_lung"],
    ),
    "organ twice": ('organs = ["lung", "liver"', 'organs = ["lung", "lung", "liver"', ["lung", "twice"]),
    "organ twice in a group": ('portal    = ["spleen", "gut"]', 'portal = ["spleen", "gut", "gut"]', ["gut", "twice"]),
}


@pytest.mark.parametrize(("old", "new", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_refused_in_words(tmp_path, old, new, words):
    path = written(tmp_path, old, new)
    with pytest.raises(InputError) as refusal:
        read_model(path, "mouse", label="51Cr")
    said = str(refusal.value)
    assert said.startswith(f"{path}: ")
    assert said.endswith((".", "?"))
    assert "\n" not in said
    assert all(word in said for word in words), said


def test_an_unknown_split_is_refused():
    with pytest.raises(ModelFileError, match=r"split: there is no organ `kidny`\. Did you mean `kidney`\?"):
        read_model("msc", "mouse", split={"kidny": ["a", "b"]})

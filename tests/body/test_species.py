import tomllib

import pytest

from pbpk.body.expansion import read_model
from pbpk.body.library import LIBRARY
from pbpk.body.species import read_species, write_species
from pbpk.errors import ModelFileError, SpeciesError

SHIPPED = ["mouse", "rat", "minipig", "human"]
SEXES = ["female", "male"]
MOUSE = (LIBRARY / "species" / "mouse.toml").read_text()


def raw(name):
    return tomllib.loads((LIBRARY / "species" / f"{name}.toml").read_text())


@pytest.mark.parametrize("name", SHIPPED)
def test_the_circulation_closes(name):
    """By the plain numbers of the file: what the organs take is what the heart gives."""
    given = raw(name)
    flows = [organ["artery"] for organ in given["organs"].values() if "artery" in organ]
    assert {flow["unit"] for flow in flows} == {given["cardiac_output"]["unit"]}
    total = sum(flow["value"] for flow in flows)
    assert total == pytest.approx(given["cardiac_output"]["value"], rel=1e-9)


@pytest.mark.parametrize("name", SHIPPED)
def test_volumes_fit_into_the_body(name):
    species = read_species(name)
    numbers = species.numbers()
    volume = (
        sum(numbers[f"volume_{organ}"] for organ in species.organs) + numbers["volume_vein"] + numbers["volume_artery"]
    )
    assert 0.85 < volume / numbers["body_weight"] < 1.05  # g/mL of a whole animal
    assert all(0 < numbers[f"vascular_{organ}"] < 1 for organ in species.organs)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_value_lies_within_its_own_spread(name):
    for quantity in read_species(name).quantities.values():
        assert quantity.low is None or quantity.low <= quantity.value
        assert quantity.high is None or quantity.value <= quantity.high


@pytest.mark.parametrize("name", SHIPPED)
def test_every_number_names_a_listed_source(name):
    species = read_species(name)
    assert all(key in species.sources for q in species.quantities.values() for key in q.source.split())


def test_larger_animals_have_slower_turnover():
    """Cardiac output over body weight falls with size, about as its fourth root."""
    turnover = [read_species(name).numbers() for name in SHIPPED]
    turnover = [numbers["cardiac_output"] / numbers["body_weight"] for numbers in turnover]
    assert turnover[0] > turnover[1] > turnover[2] > turnover[3]
    assert turnover[0] / turnover[3] == pytest.approx((70000 / 28) ** 0.25, rel=0.5)


def test_weight_is_volume_times_density():
    assert read_species("mouse").weight("liver") == pytest.approx(1.9226 * 1.05)


def test_units_are_brought_to_hours_and_millilitres(tmp_path):
    path = tmp_path / "mine.toml"
    written = 'value = 678.0, unit = "mL/h", source = "shah_betts_2012", low = 480.0, high = 876.0'
    litres = 'value = 0.0113, unit = "L/min", source = "shah_betts_2012", low = 0.008, high = 0.0146'
    assert written in MOUSE
    path.write_text(MOUSE.replace(written, litres))
    assert read_species(path).numbers()["cardiac_output"] == pytest.approx(678.0)


def test_halves_share_flow_and_volume():
    mouse = read_species("mouse")
    halves = mouse.split("kidney", ("left", "right"))
    assert halves.organs == ("lung", "liver", "spleen", "left", "right", "heart", "gut", "rest")
    whole, part = mouse.numbers(), halves.numbers()
    for kind, share in {"artery": 0.5, "volume": 0.5, "vascular": 1.0, "density": 1.0}.items():
        assert part[f"{kind}_left"] == part[f"{kind}_right"] == pytest.approx(share * whole[f"{kind}_kidney"])
        assert halves.quantities[f"{kind}_left"].low == (
            None if (low := mouse.quantities[f"{kind}_kidney"].low) is None else pytest.approx(share * low)
        )
    assert part["part_left"] == 0.5
    assert part["part_liver"] == 1.0
    assert mouse.organs == read_species("mouse").organs  # the animal itself is not changed


def test_an_absent_organ_cannot_be_split():
    with pytest.raises(
        SpeciesError, match=r"`kidny` cannot be split: mouse has no such organ\. Did you mean `kidney`\?"
    ):
        read_species("mouse").split("kidny", ("left", "right"))


WRONG = [
    ("artery = { value = 124.6,", "artery = { value = 224.6,", ["778", "678", "correct a flow"]),
    ('value = 678.0, unit = "mL/h"', 'value = 678.0, unit = "mL/ours"', ["cardiac_output", "`mL/ours` is not known"]),
    ('value = 678.0, unit = "mL/h"', 'value = 678.0, unit = "mL"', ["cardiac_output", "`mL` does not measure"]),
    ('value = 678.0, unit = "mL/h"', 'value = 678.0, unit = "(mL/h"', ["cardiac_output", "`(mL/h`"]),
    ('value = 678.0, unit = "mL/h"', 'value = 678.0, unit = "mL/"', ["cardiac_output", "`mL/`"]),
    ('value = 678.0, unit = "mL/h"', 'value = 678.0, unit = "2 mL/h"', ["cardiac_output", "`2 mL/h`"]),
    ('value = 0.204, unit = "mL"', 'value = -0.204, unit = "mL"', ["volume_lung", "must be above zero"]),
    ('value = 0.204, unit = "mL"', 'value = nan, unit = "mL"', ["organs.lung.volume.value", "finite"]),
    ('value = 0.204, unit = "mL"', 'value = inf, unit = "mL"', ["organs.lung.volume.value", "finite"]),
    ('value = 0.204, unit = "mL"', 'value = "0.2 mL", unit = "mL"', ["organs.lung.volume.value", "number"]),
    (
        'value = 0.204, unit = "mL", source = "shah_betts_2012"',
        'value = 0.204, unit = "mL"',
        ["organs.lung.volume.source", "add it"],
    ),
    ("body_weight = {", "weight = {", ["unknown key `weight`. Did you mean `body_weight`?"]),
    (
        "vascular = { value = 0.262745",
        "vasculr = { value = 0.262745",
        ["unknown key `organs.lung.vasculr`. Did you mean `vascular`?"],
    ),
    ("volume_vein = {", "notes = 1\nvolume_vein = {", ["unknown key `notes`"]),
    ('name = "mouse"', 'name = "mouse', ["not readable as TOML", "line"]),
    ("value = 0.262745", "value = 1.262745", ["vascular_lung"]),
    (
        "low = 480.0",
        "low = 680.0",
        ["cardiac_output is 678 mL/h between low = 680 and high = 876", "put low at or below"],
    ),
    ("high = 876.0", "high = 676.0", ["cardiac_output is 678 mL/h between low = 480 and high = 676"]),
    ("low = 480.0", "low = 0.0", ["low = 0 and", "above zero"]),
    ("high = 0.5,", "high = 1.0,", ["vascular_lung has high = 1", "below 1"]),
    ("[organs.lung]", "[sex.female]\nbodyweight = 1\n[organs.lung]", ["`sex.female.bodyweight`", "`body_weight`"]),
    (
        "[organs.lung]",
        '[sex.female]\nbody_weight = { value = 25.0, unit = "mL", source = "s" }\n[organs.lung]',
        ["sex.female: body_weight", "`mL` does not measure"],
    ),
    (
        "[organs.lung]",
        '[sex.female]\ncardiac_output = { value = 600.0, unit = "mL/h", source = "s" }\n[organs.lung]',
        ["sex.female: the organ flows do not close", "678", "600"],
    ),
    (
        "[organs.lung]",
        '[sex.female.organs.hart]\nvolume = { value = 0.1, unit = "mL", source = "s" }\n[organs.lung]',
        ["sex.female: the animal has no organ `hart`. Did you mean `heart`?"],
    ),
]


@pytest.mark.parametrize(("old", "new", "words"), WRONG, ids=[new[:40] for _, new, _ in WRONG])
def test_a_wrong_file_is_refused_in_words(tmp_path, old, new, words):
    assert old in MOUSE
    path = tmp_path / "mine.toml"
    path.write_text(MOUSE.replace(old, new, 1))
    with pytest.raises(SpeciesError) as refusal:
        read_species(path)
    said = str(refusal.value)
    assert said.startswith(f"{path}: ")
    assert said.endswith((".", "?"))
    assert "\n" not in said
    assert all(word in said for word in words), said


def test_an_organ_the_model_needs_is_missed_in_words(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MOUSE.replace("[organs.heart]", "[organs.hart]"))
    with pytest.raises(ModelFileError) as refusal:
        read_model("msc", path)
    assert "msc.toml: line 6: organs: mouse has no organ `heart`; add it to" in str(refusal.value)
    assert str(path) in str(refusal.value)


def test_a_file_that_changed_is_read_again(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MOUSE)
    assert read_species(path).numbers()["body_weight"] == 28.0
    path.write_text(MOUSE.replace("value = 28.0", "value = 30.0"))
    assert read_species(path).numbers()["body_weight"] == 30.0


# ---- sexes


def test_a_sex_has_its_own_numbers_and_keeps_the_rest():
    human = read_species("human")
    woman, man = (human.of_sex(sex) for sex in SEXES)
    assert woman.name == "human, female"
    assert woman.file is None
    assert woman.numbers()["body_weight"] == 60000.0 < man.numbers()["body_weight"] == 73000.0
    assert woman.quantities["vascular_lung"] == man.quantities["vascular_lung"] == human.quantities["vascular_lung"]
    assert woman.quantities["volume_liver"].source == "mcnally_2014"
    assert human.numbers()["body_weight"] == 70000.0  # the animal itself is not changed


@pytest.mark.parametrize("sex", SEXES)
def test_the_circulation_of_a_sex_closes(sex):
    human = read_species("human").of_sex(sex)
    numbers = human.numbers()
    total = sum(numbers[f"artery_{organ}"] for organ in human.organs if organ != "lung")
    assert total == pytest.approx(numbers["cardiac_output"], rel=1e-9)
    weight = sum(human.weight(organ) for organ in human.organs) + numbers["volume_vein"] + numbers["volume_artery"]
    assert weight == pytest.approx(numbers["body_weight"], rel=1e-4)
    assert all(key in human.sources for q in human.quantities.values() for key in q.source.split())


def test_a_sex_without_numbers_is_refused():
    mouse, human = read_species("mouse"), read_species("human")
    with pytest.raises(SpeciesError) as refusal:
        mouse.of_sex("female")
    assert str(refusal.value) == (
        f"{mouse.file}: mouse has no numbers of its own for `female`; leave the sex out, or write [sex.female] with "
        "sourced numbers."
    )
    with pytest.raises(SpeciesError, match=r"human has no sex `femal`\. Did you mean `female`\?"):
        human.of_sex("femal")


def test_an_organ_may_be_split_before_the_sex_is_chosen():
    human, parts = read_species("human"), ("left", "right")
    before, after = human.split("kidney", parts).of_sex("female"), human.of_sex("female").split("kidney", parts)
    assert before.numbers() == after.numbers()
    assert before.organs == after.organs


# ---- written


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_written_is_read_again(name, tmp_path):
    animal = read_species(name)
    again = read_species(write_species(animal, tmp_path / "mine.toml"))
    assert again.quantities == animal.quantities
    assert (again.name, again.about, again.organs) == (animal.name, animal.about, animal.organs)
    assert again.sources == animal.sources
    assert again.sexes == {}


def test_a_sex_can_be_written(tmp_path):
    woman = read_species("human").of_sex("female")
    assert read_species(write_species(woman, tmp_path / "woman.toml")).numbers() == woman.numbers()


def test_what_cannot_be_written_is_said(tmp_path):
    mouse = read_species("mouse")
    with pytest.raises(SpeciesError, match=r"mine\.txt: a species file must end in \.toml\."):
        write_species(mouse, tmp_path / "mine.txt")
    write_species(mouse, tmp_path / "mine.toml")
    with pytest.raises(SpeciesError, match=r"mine\.toml: there is such a file already; choose another name\."):
        write_species(mouse, tmp_path / "mine.toml")
    with pytest.raises(SpeciesError, match="left, right are parts of an organ"):
        write_species(mouse.split("kidney", ("left", "right")), tmp_path / "halves.toml")


# ---- the minipig, whose numbers come with their own sums


def test_the_minipig_closes_without_help():
    """Its source gives every organ its flow, and they sum to 4500 mL/min; every tissue its weight, to 39999.8 g."""
    pig = read_species("minipig")
    numbers = pig.numbers()
    assert numbers["cardiac_output"] == pytest.approx(4500.0 * 60.0)
    weight = sum(pig.weight(organ) for organ in pig.organs) + numbers["volume_vein"] + numbers["volume_artery"]
    assert weight == pytest.approx(numbers["body_weight"], rel=1e-6)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_model_can_be_read_for_every_animal(name):
    for model in ("msc", "t_cell"):
        assert read_model(model, name, label="FND" if model == "msc" else "51Cr").species.name == name

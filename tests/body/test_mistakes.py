# ruff: noqa: E501  (one mistake a line reads as a table)
"""What a person gets wrong in a model or an animal, and the one sentence that says so, with its line."""

import re
import tomllib

import pytest
from saying import say

from pbpk.body.expansion import read_model
from pbpk.body.library import LIBRARY
from pbpk.body.species import read_species
from pbpk.errors import ModelFileError, SpeciesError

MSC = (LIBRARY / "msc.toml").read_text()
MOUSE = (LIBRARY / "species" / "mouse.toml").read_text()
UPTAKE = 'unit   = "1/h"\nprior  = "lognormal(median=1.3, sigma=0.7)"'
RATE = ': excretion"'

# what stands in msc.toml, what is written instead, what is said; the line said is the first that changed unless {+n}
MISTAKES = {
    "a typo in an organ": ('"heart", "gut", "rest"]\n\nsites', '"hart", "gut", "rest"]\n\nsites',
                           "organs: mouse has no organ `hart`; add it to .* Did you mean `heart`?"),
    "a typo in a group": ('portal    = ["spleen"', 'portal    = ["splen"', "`splen` is not an organ. Did you mean `spleen`?"),
    "an organ twice": ('"lung", "liver", "spleen"', '"lung", "lung", "spleen"', "organs: `lung` stands there twice; name it once."),
    "a group of everything": ("site      = [", 'organ = []\nsite = [', "`{organ}` is every organ already; choose another name."),
    "no source of an arrow": ('"vein               -> lung', '"                   -> lung', "is not of the form `from -> to : rate`."),
    "no rate": (RATE, ': "', "is not of the form `from -> to : rate`."),
    "no colon": (RATE, ' excretion"', "is not of the form `from -> to : rate`."),
    "two arrows in one": ("-> excreted           :", "-> x -> excreted :", "is not of the form `from -> to : rate`."),
    "an arrow onto itself": ("-> excreted           :", "-> label.blood :", "leads from a state to itself; correct one end"),
    "an arrow twice": ('"label.blood        -> excreted           : excretion",',
                       '"label.blood -> excreted : excretion", "label.blood -> excreted : excretion",', "stands there twice; remove one."),
    "an unknown group": ("-> {fed}.blood ", "-> {fedd}.blood ", "no group `fedd`. Did you mean `fed`?"),
    "two groups": (": artery_{fed}", ": artery_{site}", "more than one placeholder; use one."),
    "an open placeholder": (": artery_{fed} /", ": artery_{fed /", "cannot be read; check its brackets and operators."),
    "an unknown function": (RATE, ': sqr(excretion)"', "`sqr(excretion)` is not allowed .* Did you mean `sqrt`?"),
    "a caret": (RATE, ': excretion ^ 2"', "`excretion ^ 2` is not allowed .* Did you mean `**`?"),
    "no operator": (RATE, ': 2 excretion"', "the rate `2 excretion` cannot be read"),
    "a number called": (RATE, ': 2(excretion)"', "`2(excretion)` is not allowed in the rate"),
    "an infinite number": (RATE, ': excretion * 1e999"', "is not allowed in the rate"),
    "brackets without end": (RATE, f': {"(" * 300}excretion{")" * 300}"', "cannot be read; check its brackets"),
    "signs without end": (RATE, f': {"-" * 5000}excretion"', "is nested too deeply; write it in parts."),
    "an unknown name": (RATE, ': excreton"', "`excreton` is neither a parameter, .* Did you mean `excret"),
    "a rate in mL": (RATE, ': excretion * volume_vein"', "the rate is in ml / h, it must be in 1/h; correct it."),
    "unlike things in a sum": (RATE, ': excretion + volume_vein"', "Cannot convert from"),
    "a division by zero": (RATE, ': excretion / 0"', "the rate cannot be computed: float division by zero; correct it."),
    "a hidden division by zero": (RATE, ': excretion / (uptake - uptake)"', "the rate cannot be computed: "),
    "a root of less than nothing": (RATE, ': excretion * sqrt(0 - 1)"', "the rate is nan 1/h"),
    "a negative rate": (RATE, ': -excretion"', "must be a number of at least 0; correct it."),
    "wrong units in a change": ('"(1 + (injury', '"volume_vein * (1 + (injury', "it must be in 1/h"),
    "no kinds": ("[kinds]  ", "[kindz]  ", "unknown key `kindz`. Did you mean `kinds`?"),
    "a state of two kinds": ('live  = ["vein"', 'live  = ["label.blood", "vein"', "`label.blood` must be listed once, .* under live and label.", 1),
    "a state of no kind": ("label.blood        -> excreted", "label.blod -> excreted", "`label.blod` must be listed once, .* under none."),
    "a negative prior": ("median=0.85", "median=-0.85", "the median must lie between 0 and 1."),
    "a prior without spread": (", sigma=0.7", "", "`sigma` is missing."),
    "an unknown prior": ('"lognormal(median=1.3', '"lognorml(median=1.3', "unknown form. Did you mean `lognormal`?"),
    "a prior without names": ("(median=1.3, sigma=0.7)", "(1.3, 0.7)", "write it like lognormal(median=1, sigma=1)."),
    "a prior with a name twice": ("sigma=0.7", "sigma=0.7, sigma=0.8", "give each of median, sigma once, by its name."),
    "a prior without quotes": ('"lognormal(median=1.3, sigma=0.7)"', "lognormal(median=1.3)", "put text in quotes"),
    "a prior that is a number": ('"lognormal(median=1.3, sigma=0.7)"', "1.3", "`parameters.uptake.prior` is `1.3`: input should be a valid string."),
    "a table twice": ("[parameters.weight_liver]", "[parameters.uptake]", "`parameters.uptake` stands in line "),
    "a key twice": ('amount = "cells"', 'amount = "cells"\nname = "y"', "`name` stands in line 3 already; keep one."),
    "a comma left out": (': excretion",', ': excretion"', "a comma or a bracket is missing before it.", 1),
    "an unknown unit": (UPTAKE, UPTAKE.replace("1/h", "1/hr2"), "the unit `1/hr2` is not known."),
    "a unit of something else": (UPTAKE, UPTAKE.replace("1/h", "kelvin"), "measures nothing a model uses"),
    "an unknown amount": ('amount = "cells"', 'amount = "celz"', "amount: the unit `celz` is not known."),
    "an amount that cannot move": ('amount = "cells"', 'amount = "h"', "nothing moves in `h`"),
    "a parameter named as a state": ("# ---- first", '[parameters.vein]\nunit = "1"\nprior = "fixed(value=1)"\n# ---- first', "`vein` is a state already"),
    "a parameter named as the hour": ("# ---- first", '[parameters.hours]\nunit = "h"\nprior = "fixed(value=1)"\n# ---- first', "`hours` is the time already"),
    "a parameter named as a number": ("# ---- first", '[parameters.volume_vein]\nunit = "mL"\nprior = "fixed(value=1)"\n# ---- first',
                                      "is a number of the animal or of the model already"),
    "a route to nowhere": ('iv                = "vein"', 'iv = "vien"', "routes.iv: no arrow touches `vien`. Did you mean `vein`?"),
    "a route of another kind": ('iv                = "vein"', "iv = 3", "`routes.iv` is `3`"),
    "a need that is none": ('["absorption_skin"]', '["absorption_skn"]', "no modifier `absorption_skn`. Did you mean `absorption_skin`?"),
    "an unknown key of a route": ('{ enters = "skin', '{ enter = "skin', "unknown key `routes.subcutaneous.enter`. Did you mean `enters`?"),
    "an unknown key of what is seen": ('blood    = ["vein", "artery", "label.blood"]', 'blood = { state = ["vein"] }',
                                       "unknown key `observe.blood.state`. Did you mean `states`?"),
    "a readout of nothing": ('dna   = { sees = ["live"]', 'dna   = { sees = ["lve"]', "`lve` is not one of [kinds]. Did you mean `live`?"),
    "dead cells that enter nowhere": ('dead_enter = "label.blood"', 'dead_enter = "label.blod"', "Did you mean `label.blood`?"),
    "a passing state that is none": ('["vein", "artery", "{organ}.blood"]     #', '["artry", "vein", "{organ}.blood"]     #',
                                     "passing: no arrow touches `artry`. Did you mean `artery`?"),
    "a change of no arrow": ('"{organ}.blood -> {organ}.arrested" = "(1', '"{organ}.blod -> {organ}.arrested" = "(1', "Did you mean `{organ}.blood -> {organ}.arrested`?"),
    "a number that the animal lacks": ('"artery_{fed}"\n', '"artry_{fed}"\n', "mouse has no `artry_liver`. Did you mean `artery_liver`?"),
    "another placeholder": ('"artery_{fed}"\n', '"artery_{portal}"\n', "has the placeholder `{portal}`, which its name does not have."),
    "unlike things of the animal": ('"artery_liver + artery_spleen', '"artery_liver + volume_spleen', "the units do not fit"),
    "a number divided by zero": ('"cardiac_output"', '"cardiac_output / (volume_vein - volume_vein)"', "cannot be computed"),
    "a number that is none": ('"cardiac_output"', '"cardiac_output * log(0 - 1)"', "is not a finite number."),
    "noise of an unknown name": ("[noise.spread]", "[noise.spred]", "`noise.spred` is `spred`. Did you mean `spread`?"),
    "evidence of an unknown kind": ('evidence = "hypothesis"', 'evidence = "guess"', "Choose from `data`, `hypothesis`."),
}  # fmt: skip


def one_sentence(said, path, line, words):
    assert said.code == 2, said.out + said.err
    assert said.err.startswith(f"pbpk: {path}: line {line}: "), said.err
    assert said.err.count("\n") == 1
    assert said.err.endswith((".\n", "?\n"))
    assert re.search(".*".join(map(re.escape, words.split(".* "))), said.err), said.err


def first_change(old, new):
    return next(i for i, (a, b) in enumerate(zip(old.split("\n"), new.split("\n"), strict=False), 1) if a != b)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_model_is_one_sentence_with_its_line(tmp_path, mistake):
    old, new, words, *after = MISTAKES[mistake]
    assert old in MSC
    text = MSC.replace(old, new, 1)
    path = tmp_path / "mine.toml"
    path.write_text(text)
    one_sentence(say("check", path), path, first_change(MSC, text) + sum(after), words)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", None, "`name` is missing; add it."),
        ('like = "mcs"', 1, "like: there is no model named `mcs`. Did you mean `msc`?"),
        ('about = "x"\nlike = "mine.toml"', 2, "models are `like` each other in a circle."),
        (MSC.replace("stromal", "str\udcf6mal", 1), 1, "it is not UTF-8; save the file as UTF-8."),
        (re.sub(r"arrows = \[.*?\n\]", "arrows = []", MSC, flags=re.DOTALL), 11, "`arrows` is `[]`: list should have"),
    ],
)
def test_a_file_that_is_none_is_one_sentence(tmp_path, text, line, words):
    path = tmp_path / "mine.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    said = say("check", path)
    assert said.code == 2
    assert said.err.startswith(f"pbpk: {path}: " + (f"line {line}: " if line else ""))
    assert words in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("change", ["\ufeff{}", "{}\n\n", "# tab\there\n{}"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_how_an_editor_saves_changes_nothing(tmp_path, change, end):
    path = tmp_path / "mine.toml"
    path.write_bytes(change.replace("{}", MSC.replace("passing    =", "passing\t=")).replace("\n", end).encode())
    assert read_model(path).states == read_model("msc").states


def test_a_mistake_of_the_parent_is_said_of_the_parent(tmp_path):
    (tmp_path / "old.toml").write_text(MSC)
    child = tmp_path / "mine.toml"
    child.write_text('name = "mine"\nabout = "x"\nlike = "old.toml"\n[where]\n"flow_liver" = "cardiac_output"\n')
    assert read_model(child).name == "mine"  # the parent lies beside the child, wherever the command runs
    line = MSC[: MSC.index("[parameters.uptake]")].count("\n") + 4
    (tmp_path / "old.toml").write_text(MSC.replace("median=1.3", "median=-1.3"))
    one_sentence(say("check", child), f"{child}: like: {tmp_path / 'old.toml'}", line, "the median must be above zero.")
    child.write_text(child.read_text() + '[parameters.uptake]\nunit = "1/h"\nprior = "lognormal(median=-2, sigma=1)"\n')
    one_sentence(say("check", child), child, 8, "the median must be above zero.")


SPECIES_MISTAKES = {
    "an unknown key": ("cardiac_output =", "cardiac_ouput =", "unknown key `cardiac_ouput`. Did you mean `cardiac_output`?"),
    "another unit": ('value = 28.0, unit = "g"', 'value = 28.0, unit = "mL"', "`mL` does not measure what `g` measures."),
    "an unknown unit": ('value = 28.0, unit = "g"', 'value = 28.0, unit = "gramm"', "the unit `gramm` is not known."),
    "less than nothing": ("value = 0.204,", "value = -0.204,", "volume_lung is -0.204 mL; it must be above zero."),
    "more blood than organ": ("value = 0.262745,", "value = 1.262745,", "blood cannot be more than the whole organ."),
    "a spread beside its value": ("low = 0.1867", "low = 0.5", "put low at or below it"),
    "a number in quotes": ("value = 0.204,", 'value = "lots",', "`organs.lung.volume.value` is `lots`"),
    "a comma as in Europe": ("value = 0.204,", "value = 0,204,", "not readable as TOML"),
    "an organ twice": ("[organs.heart]", "[organs.gut]", "`organs.gut` stands in line"),
    "no source": ('value = 0.204, unit = "mL", source = "shah_betts_2012"', 'value = 0.204, unit = "mL"',
                  "`organs.lung.volume.source` is missing; add it."),
}  # fmt: skip


@pytest.mark.parametrize("mistake", SPECIES_MISTAKES)
def test_a_mistake_in_an_animal_is_one_sentence_with_its_line(tmp_path, mistake):
    old, new, words = SPECIES_MISTAKES[mistake]
    assert old in MOUSE
    text = MOUSE.replace(old, new, 1)
    path = tmp_path / "mine.toml"
    path.write_text(text)
    line = first_change(MOUSE, text)
    if mistake == "an organ twice":  # it is seen where the second one stands, a little below
        line = next(i for i, row in enumerate(text.split("\n"), 1) if row == "[organs.gut]" and i > line)
    one_sentence(say("check", "msc", "--species", path), path, line, words)


# ---- every number and every arrow of a shipped file in turn ----------------------------------------------------------
ANIMAL = read_species("mouse")
MODELS = sorted(path for folder in ("", "examples", "published") for path in (LIBRARY / folder).glob("*.toml"))
ANIMALS = sorted((LIBRARY / "species").glob("*.toml"))
OFTEN = ("msc", "lin_2016", "mouse")  # a minute in all; the others are proofs


def each(paths):
    marks = {path: () if path.stem in OFTEN else pytest.mark.proof for path in paths}
    return [pytest.param(path, id=path.stem, marks=mark) for path, mark in marks.items()]


SPOILT = [
    (re.compile(r'^(\s*"[^"]*->[^"]*:)([^"]*)(",?.*)$'), r"\1 nobody_knows_this *\2\3"),  # an arrow
    (re.compile(r'^(prior\s*=\s*")(.*)$'), r"\1un\2"),
    (re.compile(r'^(unit\s*=\s*")(.*)$'), r"\1furlongz/\2"),
    (re.compile(r'^(.*= \{ value = [^,]*, unit = ")(.*)$'), r"\1furlongz/\2"),  # a constant
    (re.compile(r'^(changes\s*=.*" = ")(.*)$'), r"\1nobody_knows_this * \2"),
    (re.compile(r'^(fix\s*=\s*\{ "?)(.*)$'), r"\1un\2"),  # of a rival
    (re.compile(r'^(modifiers\s*=.* prior = ")(.*)$'), r"\1un\2"),
]


def spoilt(text):
    """The text with one line spoilt, for each line that can be, and the number of that line."""
    rows = text.split("\n")
    for i, row in enumerate(rows):
        for pattern, instead in SPOILT:
            if pattern.match(row):
                yield i + 1, "\n".join([*rows[:i], pattern.sub(instead, row), *rows[i + 1 :]])
                break


def refused(path, label):
    try:
        read_model(path, ANIMAL, label)
    except ModelFileError as refusal:
        return str(refusal)
    return ""


def rest_is_empty(text, line):
    """Whether a line belongs to a template that other entries leave no organ."""
    table = next(row for row in reversed(text.split("\n")[:line]) if row.startswith("["))
    return "{organ}" in table


@pytest.mark.parametrize("file", each(MODELS))
def test_the_line_said_is_the_line_spoilt(file, tmp_path):
    text, path = file.read_text(), tmp_path / "mine.toml"
    labels = [None, *tomllib.loads(text).get("labels", {})]
    found = tried = 0
    for line, wrong in spoilt(text):
        tried += 1
        path.write_text(wrong)
        said = next(
            (refusal for label in labels if (refusal := refused(path, label))), ""
        )  # one label at a time is read
        # a number of its own may stand beside a template for every organ that is left, which then nothing reads
        assert said.startswith(f"{path}: line {line}: ") or (not said and rest_is_empty(text, line)), (line, said)
        found += bool(said)
    assert found > 0.7 * tried > 1.0


@pytest.mark.parametrize("file", each(ANIMALS))
def test_the_line_said_is_the_line_of_the_animal_spoilt(file, tmp_path):
    text, path = file.read_text(), tmp_path / "mine.toml"
    found = 0
    for line, wrong in spoilt(text):
        path.write_text(wrong)
        with pytest.raises(SpeciesError) as refusal:
            read_species(path)
        assert str(refusal.value).startswith(f"{path}: line {line}: "), str(refusal.value)
        found += 1
    assert found > 20

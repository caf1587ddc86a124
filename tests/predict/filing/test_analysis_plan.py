"""A plan is one number: whatever matters changes it, and nothing else does."""

import json
import random
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from madeup import NOW, SETTINGS

from pbpk.assay.study import read_study
from pbpk.errors import FilingError
from pbpk.predict.filing.analysis_plan import (
    PARTS,
    SEAL,
    canonical,
    data_files,
    freeze,
    sealed,
    told,
)
from pbpk.predict.filing.authored import read_authored
from pbpk.predict.provenance import equations_digest, registry_digest
from pbpk.predict.record import model_of
from pbpk.predict.scenario import read_scenarios

FINITE = st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.text(st.characters(blacklist_categories=("Cs",)), max_size=20)
LEAF = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), FINITE, WORDS)
TREE = st.recursive(
    LEAF,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=4)),
    max_leaves=20,
)


def shuffled(tree, rng):
    if isinstance(tree, dict):
        names = list(tree)
        rng.shuffle(names)
        return {name: shuffled(tree[name], rng) for name in names}
    return [shuffled(each, rng) for each in tree] if isinstance(tree, list) else tree


@given(TREE, st.integers(0, 1000))
def test_one_content_is_one_text(tree, seed):
    text = canonical(tree)
    assert canonical(shuffled(tree, random.Random(seed))) == text
    assert json.loads(text) == tree
    assert canonical(json.loads(text)) == text


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_refused(number):
    with pytest.raises(FilingError, match="finite numbers"):
        canonical({"settings": [number]})


def test_a_text_that_is_no_utf8_is_refused():
    with pytest.raises(FilingError, match="no UTF-8"):
        canonical({"reason": "\udcff"})


@given(st.dictionaries(st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=8), TREE, max_size=4))
def test_a_seal_seals_all_but_itself(bare):
    once = sealed(bare)
    assert sealed(once) == once
    changed = once | {"more": 1}
    assert sealed(changed)[SEAL] != once[SEAL] or bare.get("more") == 1


@pytest.fixture
def frozen(folder):
    study = read_study(folder)
    authored, model = read_authored(folder), model_of(study)
    scenarios = read_scenarios(None, model)

    def again(
        study=study, model=model, settings=SETTINGS, authored=authored, when=NOW, scenarios=scenarios, cells=None
    ):
        return freeze(study, model, settings, authored, when, scenarios, cells)

    return again, study, model, authored, scenarios


def test_it_has_all_its_parts(frozen):
    again, study, model, _, scenarios = frozen
    plan = again()
    assert {*PARTS, "seals", SEAL, "frozen", "study", "schema_version"} <= set(plan)
    assert plan["data"]["at_hand"]
    assert {"doses.csv", "measurements.csv", "organ_weights.csv", "published_auc.csv"} <= set(plan["data"]["files"])
    assert not {"study.toml", "README.md", "SHA256SUMS", "report.toml"} & set(plan["data"]["files"])
    assert plan["data"]["files"]["doses.csv"] == study.hashes["doses.csv"]
    assert set(plan["scenarios"]) == {each.name for each in scenarios}
    assert set(plan["criteria"]) == {"rhat", "coverage"}
    assert plan["model"]["name"] == "t_cell"
    for parameter in (*model.parameters, *model.noise):
        entry = plan["priors"][parameter.name]
        assert (entry["prior"], entry["unit"], entry["source"]) == (
            str(parameter.prior),
            parameter.unit,
            parameter.source,
        )
    assert plan["question"]["question_of_interest"] == "said"
    assert plan["ratings"]["model_influence"] == "medium"


def test_it_is_the_same_wherever_it_is_frozen(frozen, tmp_path):
    again, *_ = frozen
    assert again() == again()
    assert str(tmp_path) not in json.dumps(again())
    assert again(when="2027-01-01T00:00:00+00:00")[SEAL] != again()[SEAL]


@pytest.mark.parametrize("name", ["seed", "draws", "tune", "target_accept"])
def test_every_setting_has_a_say(frozen, name):
    again, *_ = frozen
    changed = again(settings=SETTINGS | {name: 0.5})
    assert changed["seals"]["settings"] != again()["seals"]["settings"]
    assert changed["seals"]["model"] == again()["seals"]["model"]


def test_a_prior_has_a_say_to_its_last_digit(frozen):
    again, _, model, *_ = frozen
    first, *rest = model.parameters
    moved = replace(first.prior, centre=np.nextafter(first.prior.centre, 1.0))
    assert str(moved) == str(first.prior)
    other = replace(model, parameters=(replace(first, prior=moved), *rest))
    assert registry_digest(other) != registry_digest(model)
    assert equations_digest(other) == equations_digest(model)
    assert again(model=other)["seals"]["model"] != again()["seals"]["model"]


def test_a_number_of_the_animal_has_a_say(frozen):
    _, _, model, *_ = frozen
    name = next(iter(model.constants))
    other = replace(model, constants=MappingProxyType(dict(model.constants) | {name: model.constants[name] * 1.001}))
    assert registry_digest(other) != registry_digest(model)


def test_an_arrow_has_a_say(frozen):
    _, _, model, *_ = frozen
    family, *rest = model.families
    other = replace(model, families=(replace(family, line=family.line + " * 1"), *rest))
    assert equations_digest(other) != equations_digest(model)
    assert registry_digest(other) == registry_digest(model)


def test_scenarios_are_told_in_full(frozen):
    *_, scenarios = frozen
    found = told(scenarios, 1e6)
    assert all(each["cells"] == 1e6 for each in found.values())
    assert all(each["doses"] for each in found.values())
    assert not any({"file", "about"} & set(each) for each in found.values())
    json.dumps(found, allow_nan=False)
    assert told(scenarios, 2e6) != found


def test_data_are_what_was_given_and_measured():
    names = (
        "study.toml",
        "README.md",
        "SHA256SUMS",
        "LICENCE.txt",
        "doses.csv",
        "traces/lung.parquet",
        "instrument.toml",
    )
    assert set(data_files(dict.fromkeys(names, ""))) == {"doses.csv", "traces/lung.parquet", "instrument.toml"}


def test_a_plan_before_the_data_says_so(folder):
    (folder / "measurements.csv").unlink()
    study = read_study(folder, unmeasured=True)
    plan = freeze(study, model_of(study), SETTINGS, read_authored(folder), NOW)
    assert not plan["data"]["at_hand"]
    assert "measurements.csv" not in plan["data"]["files"]


def test_hostile_words_are_frozen_as_they_are(frozen):
    again, _, _, authored, _ = frozen
    text = "| \\ \u202e \U0001f9ec \n" * 1000
    own = authored.assessment.model_copy(update={"question_of_interest": text})
    plan = again(authored=authored.model_copy(update={"assessment": own}))
    assert json.loads(json.dumps(plan))["question"]["question_of_interest"] == text

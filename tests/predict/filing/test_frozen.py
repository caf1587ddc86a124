"""A frozen plan is never replaced unseen, and a changed byte is told."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from madeup import NOW, SETTINGS

from pbpk.assay.study import read_study
from pbpk.errors import FilingError
from pbpk.predict.filing.analysis_plan import SEAL, freeze
from pbpk.predict.filing.authored import read_authored
from pbpk.predict.filing.frozen import read_frozen, read_plan, seal_of, write_plan
from pbpk.predict.record import model_of


@pytest.fixture
def plan(folder):
    study = read_study(folder)
    return freeze(study, model_of(study), SETTINGS, read_authored(folder), NOW)


def test_it_is_read_as_it_was_written(folder, plan):
    assert read_frozen(folder) is None
    assert write_plan(plan, folder) == plan
    assert read_plan(folder) == read_plan(folder / "plan.json") == read_frozen(folder) == plan
    assert seal_of(plan) == plan[SEAL]
    text = (folder / "plan.json").read_text(encoding="utf-8")
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_it_is_no_input_of_a_fit(folder, plan):
    before = read_study(folder).hashes
    write_plan(plan, folder)
    write_plan(plan, folder, "once more")
    (folder / "report.toml").write_text("")
    assert read_study(folder).hashes == before
    assert not {"plan.json", "plan-1.json", "report.toml"} & set(before)


def test_it_is_kept_unless_superseded_with_a_reason(folder, plan):
    write_plan(plan, folder)
    before = (folder / "plan.json").read_bytes()
    with pytest.raises(FilingError, match=f"a plan was frozen {NOW[:10]}.*is kept.*--supersede"):
        write_plan(plan, folder)
    with pytest.raises(FilingError, match="--supersede needs a reason"):
        write_plan(plan, folder, "  ")
    for reason, said in (("\x1b[2J", r"control character U\+001B"), ("\udcff", "no UTF-8")):
        with pytest.raises(FilingError, match=said):
            write_plan(plan, folder, reason)
    assert (folder / "plan.json").read_bytes() == before
    assert not (folder / "plan-1.json").exists()
    new = write_plan(plan | {"frozen": "later"}, folder, "more animals")
    assert (folder / "plan-1.json").read_bytes() == before
    assert new["supersedes"] == {"kept_as": "plan-1.json", "reason": "more animals", SEAL: seal_of(plan),
                                 "frozen": NOW, "intact": True}  # fmt: skip
    assert read_plan(folder) == new
    third = write_plan(plan, folder, "again")
    assert third["supersedes"]["kept_as"] == "plan-2.json"
    assert third["supersedes"][SEAL] == seal_of(new)
    assert sorted(path.name for path in folder.glob("*plan*")) == ["plan-1.json", "plan-2.json", "plan.json"]


def test_there_must_be_one_to_supersede(folder, plan):
    with pytest.raises(FilingError, match="there is no plan to supersede"):
        write_plan(plan, folder, "why")
    assert read_frozen(folder) is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"threshold": 1.01', '"threshold": 1.02', "`criteria` is not what was frozen"),
        ('"seed": 1', '"seed": 2', "`settings` is not what was frozen"),
        ('"at_hand": true', '"at_hand": false', "`data` is not what was frozen"),
        ("lognormal(median", "lognormal( median", "`priors` is not what was frozen"),
        ('"study": "khot"', '"study": "khos"', "`study` is not what was frozen"),
        ('  "study": "khot"', '   "study": "khot"', "is not written as it was frozen"),
        ('"frozen": "2026-01-31', '"frozen": "2025-01-31', "`frozen` is not what was frozen"),
    ],
)
def test_a_changed_byte_is_placed(folder, plan, old, new, said):
    write_plan(plan, folder)
    path = folder / "plan.json"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FilingError) as problem:
        read_plan(folder)
    assert said in str(problem.value)
    assert str(problem.value).startswith(f"{path}: ")
    again = write_plan(plan, folder, "it was changed by hand")
    assert again["supersedes"]["intact"] is False
    assert (folder / "plan-1.json").read_text(encoding="utf-8") == text.replace(old, new, 1)
    assert read_plan(folder) == again


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_byte_can_be_changed(folder, plan, data):
    path = folder / "plan.json"
    path.unlink(missing_ok=True)
    write_plan(plan, folder)
    whole = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda each: each != whole[at]))
    whole[at] = byte
    path.write_bytes(bytes(whole))
    with pytest.raises(FilingError):
        read_plan(folder)


@pytest.mark.parametrize("text", ["", "{half", "[]", "{}", "null", "NaN", '{"seals": 1}', "[" * 100000, "\ufeff{}"])
def test_something_else_is_no_plan(folder, text):
    (folder / "plan.json").write_text(text, encoding="utf-8")
    with pytest.raises(FilingError, match=r"plan\.json: is no frozen plan"):
        read_plan(folder)


def test_bytes_that_are_no_text(folder):
    (folder / "plan.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(FilingError, match=r"plan\.json: is no frozen plan"):
        read_plan(folder)
    with pytest.raises(FilingError, match="there is no plan; freeze one with `pbpk plan`"):
        read_plan(folder / "plan-7.json")

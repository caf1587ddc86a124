"""A run that supersedes another: both say so, nothing is written over, and no run is superseded twice."""

import json

import pytest

from pbpk.errors import InputError, RunError
from pbpk.predict.amendment import read_amendment, write_amendment
from pbpk.predict.audit import read_audit, read_verified, write_audit


@pytest.fixture
def old(tmp_path):
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "table.csv").write_text("a\n1\n")
    (folder / "manifest.json").write_text(json.dumps({"occasion": {"run_id": "the-old-one"}}))
    write_audit(folder, "run")
    return folder


def test_both_records_say_so(old, tmp_path):
    before = {path: path.read_bytes() for path in old.iterdir() if path.name not in ("audit.jsonl", "audit.seal")}
    seal, first = read_verified(old).seal, read_audit(old)[0]
    found = read_amendment(old, " a dose was wrong ", tmp_path / "new")
    assert found.told == {
        "supersedes": {"run_id": "the-old-one", "reason": "a dose was wrong", "folder": "old"},
        "prev_audit_hash": seal,
    }
    write_amendment(found, "the-new-one")
    assert {path: path.read_bytes() for path in before} == before
    assert read_audit(old)[0] == first
    after = read_verified(old)
    assert after.passed
    assert after.notes[-1].startswith("was superseded ")
    assert after.notes[-1].endswith("by the-new-one: a dose was wrong")


def test_a_run_is_superseded_once(old, tmp_path):
    write_amendment(read_amendment(old, "a dose was wrong", tmp_path / "new"), "the-new-one")
    with pytest.raises(RunError, match=r"was superseded .* by the-new-one"):
        read_amendment(old, "another reason", tmp_path / "third")


def test_a_final_run_may_be_superseded(old, tmp_path):
    write_audit(old, "sealed", [], final=True, reason="sent")
    assert read_amendment(old, "a dose was wrong", tmp_path / "new").run_id == "the-old-one"


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_a_reason_is_asked_for(old, tmp_path, reason):
    with pytest.raises(InputError, match="say why with --reason"):
        read_amendment(old, reason, tmp_path / "new")


def test_what_has_no_meaning_is_refused(old, tmp_path):
    assert read_amendment(None, None, tmp_path / "new") is None
    with pytest.raises(InputError, match="name that run with --supersedes"):
        read_amendment(None, "a dose was wrong", tmp_path / "new")
    with pytest.raises(InputError, match="a run does not supersede itself"):
        read_amendment(old, "a dose was wrong", old)
    with pytest.raises(RunError, match=r"has no audit\.jsonl"):
        read_amendment(tmp_path / "nowhere", "a dose was wrong", tmp_path / "new")


def test_what_was_changed_is_not_superseded(old, tmp_path):
    (old / "table.csv").write_text("a\n2\n")
    with pytest.raises(RunError, match=r"table\.csv: is not the file .* go back to a copy"):
        read_amendment(old, "a dose was wrong", tmp_path / "new")

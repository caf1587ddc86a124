"""A run cannot be changed unseen: every file, every line of the record, its end; and what is closed stays so."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbpk.canonical import canonical, digest_of
from pbpk.errors import RunError
from pbpk.predict.audit import (
    FILE,
    FIRST,
    SEAL,
    operator,
    read_audit,
    read_open,
    read_replaced,
    read_verified,
    write_audit,
)

NAMES = ("manifest.json", "table.csv", "study/mine/doses.csv")


def write_run(folder, texts=("{}", "a,b\n1,2\n", "cells\n1\n")):
    (folder / "study" / "mine").mkdir(parents=True)
    for name, text in zip(NAMES, texts, strict=True):
        (folder / name).write_text(text)
    write_audit(folder, "run")
    return folder


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "run")


def test_what_was_written_passes(run):
    found = read_verified(run)
    assert found.passed
    assert found.files == 3
    write_audit(run, "report", [run / "table.csv"])
    assert read_verified(run).passed
    assert read_verified(run).seal != found.seal
    assert found.seal in read_verified(run).seals


@pytest.mark.parametrize("name", NAMES)
def test_one_digit_is_named(run, name):
    path = run / name
    path.write_text(path.read_text().replace("1", "7").replace("{}", "{} "))
    found = read_verified(run)
    (problem,) = found.problems
    assert f"{name}: is not the file that was written" in problem
    assert found.changed == (name,)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_byte_of_any_file_is_named(tmp_path_factory, data):
    run = write_run(tmp_path_factory.mktemp("runs") / "run")
    write_audit(run, "report", [run / "table.csv"])
    path = run / data.draw(st.sampled_from([*NAMES, FILE, SEAL]))
    before = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(before) - 1))
    before[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(before))
    try:
        problems = read_verified(run).problems
    except RunError as broken:
        problems = (str(broken),)
    assert any(str(path) in problem for problem in problems)


def test_what_is_gone_or_added_is_named(run):
    (run / "table.csv").unlink()
    (run / "more.csv").write_text("x")
    gone, added = read_verified(run).problems
    assert "table.csv: is gone" in gone
    assert "more.csv: was added by hand" in added


def test_a_second_record_in_a_folder_hides_nothing(run):
    (run / "study" / "mine" / "doses.csv").write_text("cells\n9\n")
    write_audit(run / "study", "run")
    problems = read_verified(run).problems
    assert any("doses.csv: is not the file" in problem for problem in problems)
    assert any(f"study/{FILE}: was added by hand" in problem for problem in problems)


def test_a_file_written_again_is_known_by_its_last_line(run):
    (run / "table.csv").write_text("a,b\n1,3\n")
    assert not read_verified(run).passed
    write_audit(run, "report", [run / "table.csv"])
    assert read_verified(run).passed
    lines = [json.loads(line) for line in (run / FILE).read_text().splitlines()]
    assert [line["action"] for line in lines] == ["run", "report"]
    assert lines[0]["before"] == FIRST
    assert lines[0]["files"]["table.csv"] != lines[1]["files"]["table.csv"]
    assert all(line == canonical(json.loads(line)) for line in (run / FILE).read_text().splitlines())


@pytest.mark.parametrize("break_it", ["change", "drop", "garble"])
def test_a_broken_line_is_told(run, break_it):
    for _ in range(2):
        write_audit(run, "report", [run / "table.csv"])
    lines = (run / FILE).read_text().splitlines()
    broken = {
        "change": [lines[0].replace('"run"', '"ran"'), *lines[1:]],
        "drop": [lines[0], lines[2]],
        "garble": [lines[0], lines[1][:-1], lines[2]],
    }[break_it]
    (run / FILE).write_text("\n".join(broken) + "\n")
    for ask in (read_verified, read_open, read_replaced, lambda folder: write_audit(folder, "report")):
        with pytest.raises(RunError, match="was changed, so the record of this run is broken"):
            ask(run)


def test_the_last_line_cannot_be_taken_off(run):
    before = (run / FILE).read_text()
    write_audit(run, "report", [run / "table.csv"])  # the same bytes again: only the record tells
    (run / FILE).write_text(before)
    (problem,) = read_verified(run).problems
    assert "ends with line 1, but 2 were sealed" in problem
    for ask in (read_replaced, lambda folder: write_audit(folder, "report")):
        with pytest.raises(RunError, match="ends with line 1"):
            ask(run)
    (run / FILE).write_text("")
    with pytest.raises(RunError, match="ends with line 0, but 2 were sealed"):
        write_audit(run, "report")


@pytest.mark.parametrize(
    ("seal", "said"),
    [
        (None, "is gone, so nothing tells where the record ends"),
        ("{", "is not what was written"),
        ('{"lines":"one"}', "is not what was written"),
        ('{"lines":1}', "its last line is not the one that was sealed"),
        ('{"lines":1,"seal":"' + FIRST + '"}', "its last line is not the one that was sealed"),
        ('{"lines":0,"seal":"' + FIRST + '"}', "has 1 lines, but 0 were sealed"),
    ],
)
def test_a_seal_that_is_not_that_of_the_record_is_told(run, seal, said):
    (run / SEAL).unlink() if seal is None else (run / SEAL).write_text(seal)
    (problem,) = read_verified(run).problems
    assert said in problem


def test_a_record_made_anew_contradicts_the_manifest(tmp_path):
    """Whoever changes a table and writes the record again has to change the manifest too, and then the kept seal."""
    run = tmp_path / "run"
    (run / "study" / "mine").mkdir(parents=True)
    (run / "table.csv").write_text("a\n1\n")
    outputs = [{"path": "table.csv", "sha256": digest_of("a\n1\n")}]
    (run / "manifest.json").write_text(json.dumps({"outputs": outputs}))
    write_audit(run, "run")
    kept = read_verified(run)
    assert kept.passed
    (run / "table.csv").write_text("a\n2\n")
    for name in (FILE, SEAL):
        (run / name).unlink()
    write_audit(run, "run")
    (problem,) = read_verified(run).problems
    assert "table.csv: manifest.json and audit.jsonl do not agree" in problem
    outputs[0]["sha256"] = digest_of("a\n2\n")
    (run / "manifest.json").write_text(json.dumps({"outputs": outputs}))
    for name in (FILE, SEAL):
        (run / name).unlink()
    write_audit(run, "run")
    forged = read_verified(run)
    assert forged.passed  # in the folder nothing tells any more
    assert not forged.has(kept.seal)
    assert kept.has(kept.seal)
    assert kept.has(kept.seal[:12].upper())
    assert not kept.has(kept.seal[:11])  # too short to tell


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
@settings(max_examples=40, deadline=None)
def test_a_reason_may_hold_any_letter(tmp_path_factory, reason):
    run = write_run(tmp_path_factory.mktemp("runs") / "run")
    write_audit(run, "sealed", [], final=True, reason=f"sent\u2028\x85{reason}")
    assert read_verified(run).passed
    assert read_audit(run)[-1]["reason"].endswith(reason)


def test_a_last_line_without_its_end_is_told(run):
    (run / FILE).write_bytes((run / FILE).read_bytes()[:-1])
    (problem,) = read_verified(run).problems
    assert "its last line is not the one that was sealed" in problem


def test_a_run_without_a_record_says_so(tmp_path):
    with pytest.raises(RunError, match=r"has no audit\.jsonl"):
        read_verified(tmp_path)
    assert read_audit(tmp_path) == []
    assert read_replaced(tmp_path / "nothing") == ()


def test_a_final_run_stays_as_it_is(run):
    write_audit(run, "sealed", [], final=True, reason="report 1.0, sent")
    assert read_verified(run).passed
    (note,) = read_verified(run).notes
    assert note.startswith("was sealed as final")
    assert note.endswith(f"by {operator()}: report 1.0, sent")
    with pytest.raises(RunError, match="was sealed as final"):
        read_replaced(run)
    with pytest.raises(RunError, match=r"was sealed as final .* make another run with --supersedes"):
        read_open(run)
    with pytest.raises(RunError, match=r"table\.csv: was sealed as final .* may not be written again"):
        write_audit(run, "report", [run / "table.csv"])
    (run / "crate.json").write_text("{}")
    write_audit(run, "ro-crate", [run / "crate.json"])  # what is new changes nothing
    write_audit(run, "superseded", [], superseded_by="another", reason="a dose was wrong")
    assert read_verified(run).passed
    with pytest.raises(RunError, match=r"was superseded .* by another"):
        read_open(run)


def test_a_run_that_takes_the_place_of_another_goes_on_with_its_record(run, tmp_path):
    earlier = read_replaced(run)
    new = tmp_path / "new"
    new.mkdir()
    (new / "table.csv").write_text("a,b\n5,6\n")
    write_audit(new, "run", earlier=earlier)
    found = read_verified(new)
    assert found.passed
    assert found.files == 1  # of the old one nothing is missed
    assert found.seals[0] == read_verified(run).seal
    assert (new / FILE).read_text().splitlines()[0] == earlier[0]
    assert "took the place of another run" in found.notes[0]
    (new / FILE).write_text("\n".join((new / FILE).read_text().splitlines()[1:]) + "\n")
    with pytest.raises(RunError, match="line 1 or the one before it was changed"):
        read_verified(new)


def test_runs_in_a_run_are_verified_with_it(run, tmp_path):
    top = tmp_path / "top"
    top.mkdir()
    run.rename(top / "one")
    (top / "sharing.csv").write_text("a\n")
    write_audit(top, "together", members={"one": read_verified(top / "one").seal})
    assert read_verified(top).passed
    assert read_verified(top).files == 4
    write_audit(top / "one", "report", [top / "one" / "table.csv"])  # goes on by itself
    assert read_verified(top).passed
    (top / "one" / "table.csv").write_text("changed")
    found = read_verified(top)
    assert found.changed == ("one/table.csv",)
    for name in (FILE, SEAL):
        (top / "one" / name).unlink()
    write_audit(top / "one", "run")
    (problem,) = read_verified(top).problems
    assert "is another record than" in problem
    write_audit(top / "one", "sealed", [], final=True, reason="sent")
    with pytest.raises(RunError, match="one: was sealed as final"):
        read_replaced(top)


def test_who_was_at_work_is_told(run, monkeypatch):
    monkeypatch.setenv("PBPK_OPERATOR", " A. Person ")
    write_audit(run, "report", [run / "table.csv"])
    assert read_audit(run)[-1]["who"] == "A. Person"

    def nobody():
        raise KeyError("uid not found")

    monkeypatch.delenv("PBPK_OPERATOR")
    monkeypatch.setattr("getpass.getuser", nobody)
    assert operator() == "unknown"

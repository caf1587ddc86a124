"""A run cannot be changed unseen: every file, every line of the record."""

import json

import pytest

from pbpk.errors import RunError
from pbpk.predict.audit import FILE, FIRST, read_verified, write_audit


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    (folder / "study" / "mine").mkdir(parents=True)
    for name, text in (("manifest.json", "{}"), ("table.csv", "a,b\n1,2\n"), ("study/mine/doses.csv", "cells\n1\n")):
        (folder / name).write_text(text)
    write_audit(folder, "run")
    return folder


def test_what_was_written_passes(run):
    found = read_verified(run)
    assert found.passed
    assert found.files == 3
    write_audit(run, "report", [run / "table.csv"])
    assert read_verified(run).passed
    assert read_verified(run).seal != found.seal


@pytest.mark.parametrize("name", ["manifest.json", "table.csv", "study/mine/doses.csv"])
def test_one_digit_is_named(run, name):
    path = run / name
    path.write_text(path.read_text().replace("1", "7").replace("{}", "{} "))
    (problem,) = read_verified(run).problems
    assert f"{name}: is not the file that was written" in problem


def test_what_is_gone_or_added_is_named(run):
    (run / "table.csv").unlink()
    (run / "more.csv").write_text("x")
    gone, added = read_verified(run).problems
    assert "table.csv: is gone" in gone
    assert "more.csv: was added by hand" in added


def test_a_file_written_again_supersedes(run):
    (run / "table.csv").write_text("a,b\n1,3\n")
    assert not read_verified(run).passed
    write_audit(run, "report", [run / "table.csv"])
    assert read_verified(run).passed
    lines = [json.loads(line) for line in (run / FILE).read_text().splitlines()]
    assert [line["action"] for line in lines] == ["run", "report"]
    assert lines[0]["before"] == FIRST
    assert lines[0]["files"]["table.csv"] != lines[1]["files"]["table.csv"]


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
    with pytest.raises(RunError, match="was changed, so the record of this run is broken"):
        read_verified(run)
    with pytest.raises(RunError, match="broken"):
        write_audit(run, "report")


def test_a_run_without_a_record_says_so(tmp_path):
    with pytest.raises(RunError, match=r"has no audit\.jsonl"):
        read_verified(tmp_path)

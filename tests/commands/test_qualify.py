"""Qualification from the command line: what is said, what is written, how it ends."""

import shutil

import pytest
from saying import say

from pbpk.predict.audit import read_verified, write_audit
from pbpk.predict.qualification import oracles
from pbpk.predict.qualification import qualify as door
from pbpk.predict.qualification.checks import at_most
from pbpk.predict.qualification.storing import read_qualification

GOOD = at_most("solver", "lung", "one against another", 1e-9, 1e-6, "1", "scipy")
BAD = [at_most("oracles", f"area {i}", "an area", 1.0, 1e-9, "cells", "Bailer 1988") for i in range(5)]


def test_the_installation_is_checked_and_written(tmp_path):
    out = tmp_path / "q.json"
    said = say("qualify", "--out", out)
    assert said.code == 0, said.err
    found = read_qualification(out)
    assert found.passed
    assert f"{len(found.checks)} of {len(found.checks)} checks passed in " in said.out
    assert found.sha256 in said.out
    for words in ("The package on this machine", "Solver tolerance study", "Bailer 1988, group 1: AUClast", "pass"):
        assert words in said.out
    assert "FAIL" not in said.out
    said = say("qualify", "--out", out)
    assert said.code == 2
    assert "exists already" in said.err


def test_a_wrong_answer_fails_with_a_sentence_and_is_written(tmp_path, monkeypatch):
    shutil.copytree(oracles.FOLDER, tmp_path / "oracles")
    path = tmp_path / "oracles" / "bailer_1988.toml"
    path.write_text(path.read_text().replace("value = 0.0490625", "value = 0.049"))
    monkeypatch.setattr(door.oracles.of_oracles, "__defaults__", (tmp_path / "oracles",))
    said = say("qualify", "--out", tmp_path / "q.json")
    assert said.code == 4
    assert said.err.count("\n") == 1
    assert "checks did not pass: Bailer 1988, group 1: AUClast" in said.err
    assert "FAIL" in said.out
    assert [check.name for check in read_qualification(tmp_path / "q.json").failed] == ["Bailer 1988, group 1: AUClast"]


@pytest.fixture
def quick(monkeypatch):
    """Checks that are made at once."""

    def answer(*checks):
        monkeypatch.setattr("pbpk.commands.qualify.examine", lambda run: iter([("Of [bold] light", tuple(checks))]))

    return answer


def test_a_run_gets_its_file_and_its_line(tmp_path, quick):
    (tmp_path / "table.csv").write_text("a\n1\n")
    write_audit(tmp_path, "run")
    quick(GOOD)
    said = say("qualify", tmp_path)
    assert said.code == 0, said.err
    assert "Of [bold] light: 1 of 1 passed" in said.out
    assert read_qualification(tmp_path / "qualification.json").checks == (GOOD,)
    assert read_verified(tmp_path).passed
    assert say("qualify", tmp_path).code == 0  # again, in place of the first
    assert say("verify", tmp_path).code == 0


def test_many_failures_are_counted_and_some_named(tmp_path, quick):
    quick(GOOD, *BAD)
    said = say("qualify", "--out", tmp_path / "q.json")
    assert said.code == 4
    assert said.err.startswith("pbpk: 5 of 6 checks did not pass: area 0: 1 cell, above the limit of 1e-09 cells.")
    assert said.err.rstrip().endswith("And 2 others.")
    assert say("qualify", "--out", tmp_path / "q.json", "--force").code == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "is not a run folder"),
        (["--out", "checks.txt"], "ends in .json"),
        (["--out", "nowhere/q.json"], "there is no folder nowhere"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path, monkeypatch, quick, words, said):
    monkeypatch.chdir(tmp_path)
    if "nowhere" not in words:
        quick(GOOD)
    told = say("qualify", *words)
    assert told.code == 2
    assert told.err.count("\n") == 1
    assert said in told.err

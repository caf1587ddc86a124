"""Whether a run is what was written, from the command line: every changed digit is named."""

import json
import re
import shutil

import pytest
from saying import say

from pbpk.commands.verify import different_cells
from pbpk.predict.audit import FILE, read_verified, write_audit


def flip(path, digit=None):
    """Change one digit of a file, or one bit of a byte in its middle where it holds no text."""
    data = bytearray(path.read_bytes())
    if digit is None:
        at = len(data) // 2
        data[at] ^= 1
    else:
        at = data.index(digit.encode())
        data[at : at + 1] = b"8" if data[at : at + 1] != b"8" else b"7"
    path.write_bytes(bytes(data))


def test_an_untouched_run_passes(run):
    said = say("verify", run)
    assert said.code == 0, said.err
    assert "files are what was written" in said.out
    seal = read_verified(run).seal
    assert seal in said.out
    assert say("verify", run, "--seal", seal[:12]).code == 0


@pytest.mark.parametrize(
    ("name", "digit"),
    [
        ("study/study/doses.csv", "1000000"),
        ("study/study/measurements.csv", "20.0"),
        ("study/study/study.toml", "label"),
        ("model/small.toml", "0.05"),
        ("scenarios/iv_bolus.toml", "0"),
        ("posterior.nc", None),
        ("forecast.nc", None),
        ("counts.csv", "200000"),
        ("parameters.csv", "0."),
        ("predictions.csv", "20"),
        ("exposure.csv", "20"),
        ("forecast.csv", "0.05"),
        ("contrasts.csv", "1."),
        ("report.html", "95"),
        ("diagnostics.html", "95"),
        ("manifest.json", "0.95"),
    ],
)
def test_one_digit_is_named(run, name, digit):
    flip(run / name, digit)
    said = say("verify", run)
    assert said.code == 2
    assert f"{name}: is not the file that was written" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("name", "digit"),
    [("counts.csv", "200000"), ("parameters.csv", "0.0"), ("forecast.csv", "9"), ("forecast.csv", "0.05")],
)
def test_the_cell_of_a_table_is_named(run, name, digit):
    before = (run / name).read_text()
    flip(run / name, digit)
    cells = re.findall(
        rf"{name}: row (\d+), column `([^`]+)`: `([^`]*)`, written was `([^`]*)`", say("verify", run).err
    )
    ((row, column, now, then),) = cells
    head, line = before.splitlines()[0].split(","), before.splitlines()[int(row) - 1]
    assert then in line
    assert now in (run / name).read_text().splitlines()[int(row) - 1]
    assert column in head


def test_where_the_draws_were_changed_too_no_cell_is_guessed(run):
    flip(run / "parameters.csv", "0.0")
    flip(run / "posterior.nc")
    said = say("verify", run)
    assert "parameters.csv: is not the file" in said.err
    assert "posterior.nc: is not the file" in said.err
    assert "column `" not in said.err


def test_the_last_line_of_the_record_cannot_be_taken_off(run):
    before = (run / FILE).read_bytes()
    assert say("report", run).code == 0
    assert say("verify", run).code == 0
    (run / FILE).write_bytes(before)
    said = say("verify", run)
    assert said.code == 2
    assert "audit.jsonl: ends with line 1, but 2 were sealed" in said.err


def test_a_record_that_was_made_anew_does_not_have_the_seal_that_was_kept(run):
    kept = read_verified(run).seal
    for name in (FILE, "audit.seal"):
        (run / name).unlink()
    write_audit(run, "run")
    assert say("verify", run).code == 0  # nothing in the folder tells
    said = say("verify", run, "--seal", kept)
    assert said.code == 2
    assert "no line of its record has the seal" in said.err
    short = say("verify", run, "--seal", kept[:5])
    assert short.code == 2
    assert "give at least the first 12" in short.err


def test_a_model_that_changed_outside_of_the_run_is_named(no_pages, small_study, tmp_path):
    model = shutil.copy(small_study.parent / "small.toml", tmp_path / "mine.toml")
    said = say("fit", small_study, "--model", model, "--quick", "--out", tmp_path / "run")
    assert said.code == 0, said.err
    flip(tmp_path / "mine.toml", "0.05")
    said = say("verify", tmp_path / "run")
    assert said.code == 2
    assert "mine.toml: has changed since the run was made; as it was it stands in" in said.err
    (tmp_path / "mine.toml").unlink()
    said = say("verify", tmp_path / "run")
    assert said.code == 2
    assert "what it was made of cannot be read" in said.err


def test_a_report_written_again_has_the_same_bytes(run):
    before = {name: (run / name).read_bytes() for name in ("report.html", "diagnostics.html")}
    assert say("report", run).code == 0
    assert {name: (run / name).read_bytes() for name in before} == before


def test_a_folder_without_a_fit_is_verified_too(tmp_path):
    (tmp_path / "table.csv").write_text("a\n1\n")
    write_audit(tmp_path, "run")
    said = say("verify", tmp_path)
    assert said.code == 0, said.err
    assert "all 1 files are what was written" in said.out
    (tmp_path / "table.csv").write_text("a\n2\n")
    said = say("verify", tmp_path)
    assert said.code == 2
    assert "table.csv: is not the file that was written" in said.err


def test_a_final_run_is_written_no_more(run, small_study):
    said = say("seal", run, "--reason", "report 1.0, sent")
    assert said.code == 0, said.err
    assert read_verified(run).seal in said.out
    said = say("verify", run)
    assert said.code == 0
    assert "was sealed as final" in said.out
    assert "report 1.0, sent" in said.out
    before = (run / "report.html").read_bytes()
    for words in (["report", run], ["run", small_study, "--quick", "--out", run, "--force"],
                  ["seal", run, "--reason", "again"]):  # fmt: skip
        said = say(*words)
        assert said.code == 2
        assert "was sealed as final" in said.err
    assert (run / "report.html").read_bytes() == before
    assert say("verify", run).code == 0


def test_a_superseded_run_says_so_and_why(no_pages, run, small_study, tmp_path):
    words = ["run", small_study, "--quick", "--out", tmp_path / "new", "--supersedes", run]
    said = say(*words)
    assert said.code == 2
    assert "say why with --reason" in said.err
    assert not (tmp_path / "new").exists()
    said = say(*words, "--reason", "a dose was wrong")
    assert said.code == 0, said.err
    new = json.loads((tmp_path / "new" / "manifest.json").read_text())["occasion"]
    old = say("verify", run)
    assert old.code == 0
    assert f"by {new['run_id']}: a dose was wrong" in old.out
    assert f"supersedes {new['supersedes']['run_id']}: a dose was wrong" in say("verify", tmp_path / "new").out
    assert say("report", run).code == 2


def test_what_was_changed_is_not_sealed(run):
    flip(run / "counts.csv", "200000")
    said = say("seal", run, "--reason", "sent")
    assert said.code == 2
    assert "counts.csv: is not the file" in said.err
    assert say("seal", run, "--reason", " ").code == 2


def test_cells_are_named_by_row_and_column(tmp_path):
    then, now = tmp_path / "then.csv", tmp_path / "now.csv"
    then.write_text("a,b\n" + "1,x\n" * 9)
    now.write_text("a,b\n" + "1,x\n" * 8 + "1,\n")
    assert different_cells(then, now) == [f"{now}: row 10, column `b`: ``, written was `x`."]
    now.write_text("a,b\n" + "2,x\n" * 9)
    told = different_cells(then, now)
    assert len(told) == 6
    assert told[-1] == f"{now}: 4 more cells differ."
    now.write_text("a,b\n1,x\n")
    assert different_cells(then, now) == [f"{now}: had 9 rows of 2 columns, has 1 rows of 2 columns."]
    now.write_text("")
    assert different_cells(then, now) == [f"{now}: is no table any more."]

import json
import zipfile

import pytest
from killed import write_killed
from madeup import write_made_up
from saying import say

from pbpk.predict.audit import write_audit


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packaged")
    made, _ = write_made_up(write_killed(folder / "mice"), folder / "run", draws=20)
    write_audit(made, "fit")
    return made


def test_a_run_is_packed_and_what_is_in_it_is_said(run, tmp_path):
    out = tmp_path / "p.zip"
    said = say("package", run, "--out", out)
    assert said.code == 0, said.err
    assert "PC 24" in said.out
    assert "0 findings of 14 rules" in said.out
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        assert json.loads(archive.read("manifest.json"))["study"] == "mice"
        assert {"audit.jsonl", "audit.seal"} <= set(archive.namelist())
    again = say("package", run, "--out", out)
    assert again.code == 2
    assert "--force" in again.err
    assert say("package", run, "--out", out, "--force").code == 0


@pytest.mark.parametrize("name", ["khot_2019_t_cells_mouse", "gholamrezanezhad_2011_msc_human"])
def test_a_study_of_printed_means_has_no_animals(tmp_path, name):
    run, _ = write_made_up(f"data/{name}", tmp_path / "run", draws=20)
    said = say("package", run, "--out", tmp_path / "p.zip")
    assert said.code == 0, said.err
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        held = {each.removeprefix("datasets/xpt/") for each in archive.namelist() if each.startswith("datasets/xpt/")}
        guide = archive.read("reviewers-guide.html").decode()
    assert {"grpval.xpt", "ts.xpt", "tx.xpt"} <= held
    assert {"dm.xpt", "pc.xpt", "pp.xpt", "pooldef.xpt"}.isdisjoint(held)
    assert "Without records, and so not there: DM, EX, PC, PP, POOLDEF." in guide


def test_mistakes_are_one_sentence(run, tmp_path):
    for words, expected in [
        ((run, "--out", tmp_path / "p.tar"), "must end in .zip"),
        ((run, "--out", run / "p.zip"), "lies in the run"),
        ((tmp_path / "none", "--out", tmp_path / "p.zip"), "is not a run folder"),
        ((run, "--out", tmp_path / "no" / "p.zip"), "cannot be written"),
    ]:
        said = say("package", *words)
        assert said.code == 2
        assert expected in said.err.replace("\n", "")
        assert "Traceback" not in said.err


def test_a_run_that_is_not_what_was_written_is_not_packed(tmp_path):
    made, _ = write_made_up(write_killed(tmp_path / "mice"), tmp_path / "run", draws=20)
    (made / "report.html").write_text("first")
    write_audit(made, "fit")
    (made / "report.html").write_text("second")
    said = say("package", made, "--out", tmp_path / "p.zip")
    assert said.code == 2
    assert "is not the file that was written" in said.err.replace("\n", " ")
    assert not (tmp_path / "p.zip").exists()

"""The run folder: whole or not at all, never over something else, and tied to what made it."""

import json
import shutil

import numpy as np
import pytest
from madeup import NOW, SETTINGS, write_made_up

from pbpk.assay.study import read_study
from pbpk.errors import RunError
from pbpk.predict.forecast import answer
from pbpk.predict.record import model_of, write_folder
from pbpk.predict.run import assemble, describe, read_fit
from pbpk.predict.scenario import read_scenarios
from pbpk.predict.studied import studied_by


def everything(folder):
    return sorted(path.name for path in folder.iterdir())


class Interrupted(Exception):
    pass


def write_half(folder, problem):
    (folder / "manifest.json").write_text("new")
    raise problem


@pytest.mark.parametrize("problem", [Interrupted, KeyboardInterrupt])
def test_an_interrupted_run_leaves_nothing(tmp_path, problem):
    with pytest.raises(problem), write_folder(tmp_path / "run") as folder:
        write_half(folder, problem)
    assert everything(tmp_path) == []


def test_an_interrupted_replacement_leaves_the_old_run(tmp_path):
    out = tmp_path / "run"
    with write_folder(out) as folder:
        (folder / "manifest.json").write_text("old")
    with pytest.raises(Interrupted), write_folder(out, force=True) as folder:
        write_half(folder, Interrupted)
    assert everything(tmp_path) == ["run"]
    assert (out / "manifest.json").read_text() == "old"


def test_a_finished_run_takes_its_place_at_the_end(tmp_path):
    out = tmp_path / "deep" / "run"
    with write_folder(out) as folder:
        (folder / "manifest.json").write_text("{}")
        assert not out.exists()
    assert everything(out) == ["manifest.json"]
    assert everything(out.parent) == ["run"]


def test_what_an_earlier_crash_left_is_not_mixed_in(tmp_path):
    leftover = tmp_path / ".run.partial"
    leftover.mkdir()
    (leftover / "stale.csv").write_text("stale")
    with write_folder(tmp_path / "run") as folder:
        (folder / "manifest.json").write_text("{}")
    assert everything(tmp_path / "run") == ["manifest.json"]


def test_an_existing_folder_is_kept_unless_forced(tmp_path):
    out = tmp_path / "run"
    out.mkdir()
    (out / "manifest.json").write_text("old")
    with pytest.raises(RunError, match="exists already; choose another --out, or replace it with --force"):  # noqa: SIM117
        with write_folder(out):
            pytest.fail("the body must not run")
    with write_folder(out, force=True) as folder:
        (folder / "manifest.json").write_text("new")
    assert (out / "manifest.json").read_text() == "new"


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_something_that_is_no_run_is_never_replaced(tmp_path, kind):
    out = tmp_path / "thesis"
    if kind == "folder":
        out.mkdir()
        (out / "chapter.txt").write_text("precious")
    else:
        out.write_text("precious")
    with pytest.raises(RunError, match="is not a run folder, so --force will not replace it"):  # noqa: SIM117
        with write_folder(out, force=True):
            pytest.fail("the body must not run")
    assert (out / "chapter.txt" if kind == "folder" else out).read_text() == "precious"


def test_an_empty_folder_may_be_taken(tmp_path):
    out = tmp_path / "run"
    out.mkdir()
    with write_folder(out, force=True) as folder:
        (folder / "manifest.json").write_text("{}")
    assert everything(out) == ["manifest.json"]


def test_a_folder_inside_a_file_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("text")
    with pytest.raises(RunError, match="cannot be made"):  # noqa: SIM117
        with write_folder(tmp_path / "file" / "run"):
            pytest.fail("the body must not run")


@pytest.fixture
def study(khot_folder, tmp_path):
    folder = tmp_path / "inputs" / "khot"
    shutil.copytree(khot_folder, folder)
    return folder


def fingerprint(folder, settings=SETTINGS, created=NOW, model=None):
    read = read_study(folder)
    return describe(read, model or model_of(read), settings, created)["fingerprint"]


def test_the_fingerprint_is_that_of_the_inputs(study, tmp_path):
    first = fingerprint(study)
    assert fingerprint(study, created="2027-12-31T00:00:00+00:00") == first  # the clock has no say
    elsewhere = tmp_path / "elsewhere" / "khot"
    shutil.copytree(study, elsewhere)
    assert fingerprint(elsewhere) == first  # nor has the place
    assert fingerprint(study, SETTINGS | {"seed": 2}) != first
    assert fingerprint(study, SETTINGS | {"draws": 251}) != first


@pytest.mark.parametrize("name", ["measurements.csv", "doses.csv", "organ_weights.csv", "study.toml", "README.md"])
def test_every_input_has_a_say_in_the_fingerprint(study, name):
    first = fingerprint(study)
    with (study / name).open("a") as file:
        file.write("\n")
    assert fingerprint(study) != first


def test_the_model_file_has_a_say_in_the_fingerprint(study, tmp_path):
    read = read_study(study)
    shipped = model_of(read)
    (mine,) = [path for path in shipped.files if path.name == "t_cell.toml"]
    copy = tmp_path / "t_cell.toml"
    copy.write_bytes(mine.read_bytes())
    same = fingerprint(study, model=model_of(read, str(copy)))
    assert same == fingerprint(study)
    copy.write_text(copy.read_text().replace("median=0.2,", "median=0.21,"))
    assert fingerprint(study, model=model_of(read, str(copy))) != same


def test_the_manifest_names_all_that_had_a_say(study):
    read = read_study(study)
    manifest = describe(read, model_of(read), SETTINGS, NOW)
    names = set(manifest["inputs"])
    assert {"study/measurements.csv", "study/doses.csv", "study/study.toml", "model/t_cell.toml"} <= names
    assert {"model/msc.toml", "species/mouse.toml"} <= names  # t_cell takes its arrows from there
    assert all(len(digest) == 64 for digest in manifest["inputs"].values())
    assert manifest["versions"]["pymc"] != "not installed"
    assert manifest["model"] == "t_cell"
    json.dumps(manifest)


@pytest.fixture
def write_run(study, tmp_path):
    """A run as the command line writes it, of made-up draws."""

    def write(model=None):
        return write_made_up(study, tmp_path / "run", model, draws=50)

    return write


def test_a_run_outlives_its_study(write_run, study):
    run, posterior = write_run()
    shutil.rmtree(study)
    found, again, manifest = read_fit(run)
    assert found.name == "khot"
    np.testing.assert_array_equal(again.theta(), posterior.theta())
    assert manifest["created"] == NOW
    assert found.hashes == posterior.joint.study.hashes


def test_a_changed_model_asks_for_a_new_fit(write_run, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text('name = "mine"\nlike = "t_cell"\nabout = "mine"\n')
    run, _ = write_run(str(mine))
    read_fit(run)
    mine.write_text(mine.read_text() + "# changed\n")
    with pytest.raises(RunError, match=r"mine\.toml: has changed since the run was made; fit again"):
        read_fit(run)


def test_a_changed_copy_of_the_study_asks_for_a_new_fit(write_run):
    run, _ = write_run()
    path = run / "study" / "khot" / "measurements.csv"
    path.write_text(path.read_text().replace("89.547", "8.9547"))
    with pytest.raises(RunError, match=r"measurements\.csv: has changed since the run was made"):
        read_fit(run)


def test_a_folder_without_a_manifest_is_no_run(tmp_path):
    with pytest.raises(RunError, match=r"is not a run folder; it has no manifest\.json"):
        read_fit(tmp_path)


@pytest.mark.parametrize("text", ['{"origin": "the prior of msc", "seed": 1}', "{half", "[]"])
def test_a_manifest_of_something_else_is_no_run(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(RunError, match=r"manifest\.json"):
        read_fit(tmp_path)


def test_a_run_is_all_its_tables(khot):
    study = khot.joint.study
    manifest = describe(study, khot.joint.model, SETTINGS, NOW)
    asked = read_scenarios()[:2]
    answers = answer(khot.joint.model, khot.theta(30), khot.joint.names, asked, studied=studied_by(khot.joint))
    run = assemble(study, khot, answers, manifest)
    assert (run.name, run.joint, run.diagnostics) == (study.name, khot.joint, khot.diagnostics)
    assert set(run.forecast["scenario"]) == {scenario.name for scenario in asked}
    assert len(run.predictions) == len(khot.joint.counts.table)
    assert len(assemble(study, khot, None, manifest).forecast) == 0


def test_headlines_count_what_the_tables_hold(khot):
    study = khot.joint.study
    run = assemble(study, khot, None, describe(study, khot.joint.model, SETTINGS, NOW))
    lines = run.headlines()
    inside = run.predictions["inside"]
    assert lines[0].startswith(f"{int(inside.sum())} of {len(inside)} values")
    ratio = run.predictions["q50"] / run.predictions["value"]
    assert f"factor of two of {((ratio > 0.5) & (ratio < 2)).mean():.0%}" in lines[1]
    printed = [line for line in lines if line.startswith("AUC ")]
    assert {line.split()[1].rstrip(":") for line in printed} == {"blood", "lung", "heart", "spleen", "liver", "kidney"}
    assert "1727 +/- 110.5 printed" in next(line for line in printed if "lung" in line)
    assert lines[-1].startswith(f"Of {len(khot.joint.free)} parameters: ")

"""The whole line with a made-up posterior: what is written where, and what an interruption leaves."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr
from saying import say

from pbpk.commands import line
from pbpk.commands.line import Asked, run_line
from pbpk.commands.plan import tell_plan
from pbpk.errors import FilingError, Interrupted, NotConverged, RunError, StudyError
from pbpk.predict.audit import read_audit, read_verified
from pbpk.predict.filing.authored import read_authored
from pbpk.predict.filing.deviations import deviations
from pbpk.predict.filing.frozen import read_plan, seal_of
from pbpk.predict.record import read_json
from pbpk.predict.run import assemble, read_fit

DATA = Path(__file__).parents[2] / "data"
KHOT = DATA / "khot_2019_t_cells_mouse"
SETTINGS = {"model": None, "seed": 1, "draws": 250, "tune": 100, "target_accept": 0.9}


@pytest.fixture
def both(tmp_path):
    shutil.copytree(KHOT, tmp_path / "more")
    path = tmp_path / "both.toml"
    path.write_text(
        f'title = "Two"\n[[studies]]\nfolder = "{KHOT}"\nname = "one"\n[[studies]]\nfolder = "more"\n'
        '[sharing]\n"loss_*" = { more = "own" }\n"transfer_*" = "scaled"\n'
    )
    return path


def test_studies_together_are_a_run_each(made_up, no_pages, both, tmp_path):
    run_line(both, tmp_path / "out", Asked(SETTINGS, answer=False))
    for name in ("one", "more"):
        study, posterior, manifest = read_fit(tmp_path / "out" / name)
        assert study.about.species == "mouse"
        assert posterior.theta().shape == (1000, len(posterior.joint.names))
        assert manifest["settings"]["together_with"] == [{"one": "more", "more": "one"}[name]]
        assert read_verified(tmp_path / "out" / name).passed
    shared = pd.read_csv(tmp_path / "out" / "sharing.csv").set_index(["parameter", "study"])["how"]
    assert shared["loss_lung", "more"] == "own"
    assert shared["transfer_lung", "one"] == "scaled"
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["studies"] == ["one", "more"]


def test_what_is_asked_reaches_the_fit(made_up, no_pages, tmp_path):
    run_line(KHOT, tmp_path / "out", Asked(SETTINGS | {"quick": True}, answer=False))
    (how,) = made_up
    assert how["quick"] is True
    assert (how["seed"], how["draws"], how["tune"], how["target_accept"]) == (1, 250, 100, 0.9)
    assert how["checkpoint"] == tmp_path / ".out.chains"


def test_an_interruption_leaves_the_finished_chains_and_no_run(monkeypatch, tmp_path):
    def interrupted(whole, checkpoint, **how):
        checkpoint.mkdir()
        (checkpoint / "chain_1.nc").write_text("drawn")
        raise KeyboardInterrupt

    monkeypatch.setattr(line, "fit_together", interrupted)
    with pytest.raises(Interrupted, match="the same command goes on with the chains that are finished"):
        run_line(KHOT, tmp_path / "out", Asked(SETTINGS, answer=False))
    assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.iterdir()] == [".out.chains"]


def test_finished_chains_go_when_the_run_is_whole(made_up, no_pages, tmp_path, capsys):
    (tmp_path / ".out.chains").mkdir()
    run_line(KHOT, tmp_path / "out", Asked(SETTINGS, answer=False))
    assert "Finished chains of this fit" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_chains_that_disagree_are_written_and_refused(make_posterior, monkeypatch, tmp_path):
    def torn(whole, **how):
        found = make_posterior(whole.joints[""])
        object.__setattr__(found.diagnostics, "sentences", ("they disagree",))
        return {"": found}

    monkeypatch.setattr(line, "fit_together", torn)
    with pytest.raises(NotConverged, match=r"they disagree\. The report at .*report\.html says so"):
        run_line(KHOT, tmp_path / "out", Asked(SETTINGS, answer=False))
    assert (tmp_path / "out" / "report.html").is_file()


def test_a_file_that_is_no_collection_is_one_sentence(tmp_path):
    with pytest.raises(StudyError, match=r"nowhere\.toml: there is no such file"):
        run_line(tmp_path / "nowhere.toml", tmp_path / "out", Asked(SETTINGS))


def test_a_quick_look_leaves_the_chains_of_an_interrupted_fit(made_up, no_pages, tmp_path):
    (tmp_path / ".out.chains").mkdir()
    (tmp_path / ".out.chains" / "chain_1.nc").write_text("drawn")
    run_line(KHOT, tmp_path / "out", Asked(SETTINGS | {"quick": True}, answer=False))
    assert (tmp_path / ".out.chains" / "chain_1.nc").is_file()


CRITERIA = '[[criteria]]\nid = "rhat"\nquantity = "rhat_max"\ncomparison = "<="\nthreshold = 1.01\n'


@pytest.fixture
def planned(tmp_path):
    """A study with a plan, frozen with the settings of the runs here."""
    folder = tmp_path / "khot"
    shutil.copytree(KHOT, folder)
    (folder / "report.toml").write_text(CRITERIA)
    tell_plan(folder, SETTINGS, "iv_bolus", 1e6)
    return folder


def test_a_run_follows_the_plan_that_lies_in_its_study(made_up, no_pages, planned, tmp_path):
    run_line(planned, tmp_path / "out", Asked(SETTINGS, True, "iv_bolus", 1e6, allow_unconverged=True))
    study, posterior, manifest = read_fit(tmp_path / "out")
    plan = read_plan(study.folder)
    assert manifest["plan"]["sha256"] == seal_of(plan)
    assert list(manifest["scenarios"]) == ["iv_bolus"]
    draws = xr.open_dataset(tmp_path / "out" / "forecast.nc", engine="h5netcdf").load()
    run = assemble(study, posterior, draws, manifest)
    assert deviations(plan, run, read_authored(study.folder)) == ()
    run_line(
        planned, tmp_path / "more", Asked(SETTINGS | {"seed": 2}, True, "portal_vein", 1e6, allow_unconverged=True)
    )
    study, posterior, manifest = read_fit(tmp_path / "more")
    draws = xr.open_dataset(tmp_path / "more" / "forecast.nc", engine="h5netcdf").load()
    rows = deviations(plan, assemble(study, posterior, draws, manifest), read_authored(study.folder))
    assert {row.what for row in rows} == {"settings.seed", "scenarios.iv_bolus", "scenarios.portal_vein"}


def test_a_plan_that_was_changed_stops_the_run_before_the_chains(made_up, planned, tmp_path):
    path = planned / "plan.json"
    path.write_text(path.read_text().replace('"threshold": 1.01', '"threshold": 1.05'))
    with pytest.raises(FilingError, match="`criteria` is not what was frozen"):
        run_line(planned, tmp_path / "out", Asked(SETTINGS, answer=False))
    assert not made_up
    assert not (tmp_path / "out").exists()


def test_words_that_cannot_be_read_stop_the_run_before_the_chains(made_up, planned, tmp_path):
    (planned / "report.toml").write_text("[sumary]")
    with pytest.raises(FilingError, match="Did you mean `summary`"):
        run_line(planned, tmp_path / "out", Asked(SETTINGS, answer=False))
    assert not made_up


def test_a_plan_that_is_frozen_during_the_fit_is_not_the_one_that_is_followed(
    make_posterior, monkeypatch, no_pages, planned, tmp_path
):
    before = seal_of(read_plan(planned))

    def learn(whole, **how):
        tell_plan(planned, SETTINGS | {"seed": 9}, "iv_bolus", 1e6, "seen the chains")
        return {study: make_posterior(joint) for study, joint in whole.joints.items()}

    monkeypatch.setattr(line, "fit_together", learn)
    run_line(planned, tmp_path / "out", Asked(SETTINGS, answer=False, allow_unconverged=True))
    study, _, manifest = read_fit(tmp_path / "out")
    assert manifest["plan"]["sha256"] == before
    assert seal_of(read_plan(study.folder)) != before


def test_a_run_supersedes_another(made_up, no_pages, tmp_path):
    old, new, third = (tmp_path / name for name in ("old", "new", "third"))
    run_line(KHOT, old, Asked(SETTINGS, answer=False))
    seal = read_verified(old).seal
    again = Asked(SETTINGS, answer=False, supersedes=old, reason="a weight was wrong")
    run_line(KHOT, new, again)
    told = read_json(new / "manifest.json")["occasion"]
    assert told["supersedes"]["reason"] == "a weight was wrong"
    assert told["supersedes"]["run_id"] == read_json(old / "manifest.json")["occasion"]["run_id"]
    assert told["prev_audit_hash"] == seal
    assert read_audit(old)[-1]["superseded_by"] == told["run_id"]
    assert read_audit(new)[0]["supersedes"] == told["supersedes"]["run_id"]
    for folder, words in ((old, f"was superseded .* by {told['run_id']}: a weight"), (new, "supersedes .*: a weight")):
        assert read_verified(folder).passed
        assert any(re.search(words, note) for note in read_verified(folder).notes)
    fitted = len(made_up)
    with pytest.raises(RunError, match="was superseded"):
        run_line(KHOT, third, again)
    with pytest.raises(RunError, match="--force will not replace it"):
        run_line(KHOT, old, Asked(SETTINGS, answer=False, force=True))
    assert len(made_up) == fitted  # told before anything is computed
    run_line(KHOT, new, Asked(SETTINGS, answer=False, force=True))
    lines = read_audit(new)
    assert [line["action"] for line in lines] == ["fit", "fit"]
    assert lines[1]["afresh"] is True
    assert read_json(new / "manifest.json")["occasion"]["prev_audit_hash"] == lines[1]["before"]
    assert read_verified(new).passed


def test_the_record_of_a_run_is_not_lost_to_something_else(made_up, no_pages, tmp_path):
    run_line(KHOT, tmp_path / "out", Asked(SETTINGS, answer=False))
    said = say("count", KHOT, "--out", tmp_path / "out", "--force")  # a run holds counts.csv too
    assert said.code == 2
    assert "is a run whose record would be lost" in said.err
    assert read_verified(tmp_path / "out").passed

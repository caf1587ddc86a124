"""What goes with a run: the author's words may change, the plan may not, and neither is an input of the fit."""

import json
import shutil

import pytest
from madeup import NOW, SETTINGS, write_made_up

from pbpk.assay.study import read_study
from pbpk.errors import FilingError, RunError
from pbpk.predict.audit import read_verified, write_audit
from pbpk.predict.filing.analysis_plan import freeze
from pbpk.predict.filing.authored import read_authored
from pbpk.predict.filing.carried import read_followed, write_authored
from pbpk.predict.filing.frozen import read_frozen, seal_of, write_plan
from pbpk.predict.origin import read_run
from pbpk.predict.record import model_of
from pbpk.predict.run import read_fit


@pytest.fixture
def planned(folder):
    study = read_study(folder)
    write_plan(freeze(study, model_of(study), SETTINGS, read_authored(folder), NOW), folder)
    return folder


@pytest.fixture
def run(planned, tmp_path):
    out, _ = write_made_up(planned, tmp_path / "run", draws=50)
    write_audit(out, "run")
    return out


def test_a_run_carries_plan_and_words(run, planned):
    inside = run / "study" / "khot"
    for name in ("report.toml", "plan.json"):
        assert (inside / name).read_bytes() == (planned / name).read_bytes()
    manifest = json.loads((run / "manifest.json").read_text())
    plan = read_frozen(inside)
    assert manifest["plan"] == {"sha256": seal_of(plan), "frozen": NOW, "data_at_hand": True}
    assert not [name for name in manifest["inputs"] if name.endswith(("report.toml", "plan.json"))]


def test_a_study_without_a_plan_says_nothing(folder):
    assert read_followed(read_study(folder)) == {}


def test_the_fingerprint_is_that_of_the_inputs(folder, tmp_path):
    first, _ = write_made_up(folder, tmp_path / "first", draws=50)
    (folder / "report.toml").unlink()
    second, _ = write_made_up(folder, tmp_path / "second", draws=50)
    same = [json.loads((each / "manifest.json").read_text())["fingerprint"] for each in (first, second)]
    assert same[0] == same[1]


def test_changed_words_leave_the_run_what_it_is(run):
    path = run / "study" / "khot" / "report.toml"
    before = read_fit(run)[2]["fingerprint"]
    path.write_text(path.read_text().replace('rationale = "said"', 'rationale = "said better"'))
    assert read_fit(run)[2]["fingerprint"] == before
    read_run(run)
    (problem,) = read_verified(run).problems
    assert "report.toml: is not the file that was written" in problem
    assert write_authored(run) == path
    assert read_verified(run).passed
    lines = (run / "audit.jsonl").read_text().splitlines()
    write_authored(run)  # nothing new to say
    assert (run / "audit.jsonl").read_text().splitlines() == lines
    assert [json.loads(line)["action"] for line in lines] == ["run", "authored"]
    path.unlink()
    read_fit(run)


def test_words_are_taken_in_from_the_study(run, planned):
    path = planned / "report.toml"
    path.write_text(path.read_text().replace('rationale = "said"', 'rationale = "said better"'))
    for source in (planned, path):
        kept = write_authored(run, source)
        assert kept.read_bytes() == path.read_bytes()
        assert read_verified(run).passed
    assert read_authored(kept).summary.rationale == "said better"


def test_words_that_cannot_be_read_are_not_taken_in(run, planned):
    before = (run / "study" / "khot" / "report.toml").read_bytes()
    (planned / "report.toml").write_text("[sumary]")
    with pytest.raises(FilingError, match="Did you mean `summary`"):
        write_authored(run, planned)
    (planned / "report.toml").unlink()
    with pytest.raises(FilingError, match="there is no such file"):
        write_authored(run, planned)
    assert (run / "study" / "khot" / "report.toml").read_bytes() == before


def test_a_broken_record_takes_nothing_in(run):
    path = run / "audit.jsonl"
    path.write_text(path.read_text().replace("run", "ran", 1) + "{}\n")
    with pytest.raises(RunError, match="the record of this run is broken"):
        write_authored(run)


def test_a_changed_plan_in_the_run_is_told(run):
    path = run / "study" / "khot" / "plan.json"
    path.write_text(path.read_text().replace('"threshold": 1.01', '"threshold": 1.02'))
    read_fit(run)  # the fit is what it was
    with pytest.raises(FilingError, match="`criteria` is not what was frozen"):
        read_frozen(path.parent)
    assert [each for each in read_verified(run).problems if "plan.json" in each]


def test_superseded_plans_go_along(planned, tmp_path):
    study = read_study(planned)
    write_plan(freeze(study, model_of(study), SETTINGS, read_authored(planned), "later"), planned, "why")
    run, _ = write_made_up(planned, tmp_path / "run", draws=50)
    inside = run / "study" / "khot"
    assert {"plan.json", "plan-1.json"} <= {path.name for path in inside.iterdir()}
    shutil.rmtree(planned)
    assert read_frozen(inside)["supersedes"]["reason"] == "why"

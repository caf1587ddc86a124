"""All checks together: every group is there, names are their own, and a folder that is no run is refused first."""

from pathlib import Path

import pytest
from madeup import write_made_up

import pbpk
from pbpk.errors import RunError
from pbpk.predict.audit import write_audit
from pbpk.predict.qualification import oracles
from pbpk.predict.qualification.qualify import examine, qualify

FND = Path(__file__).parents[3] / "data" / "synthetic_fnd_mouse"
SEED = 1  # of made-up draws whose chains agree


def alone(checks):
    names = [(check.group, check.name) for check in checks]
    assert len(set(names)) == len(names), [name for name in names if names.count(name) > 1]


def test_this_installation_is_qualified():
    checks = pbpk.qualify()
    alone(checks)
    assert {check.group for check in checks} == {"installation", "balance", "solver", "oracles"}
    assert all(check.passed for check in checks), [check.sentence for check in checks if not check.passed]
    assert all(check.about and check.source and check.sentence for check in checks)


def test_a_run_of_raw_light_has_every_group(tmp_path, verdicts):
    run, _ = write_made_up(FND, tmp_path / "run", seed=SEED)
    write_audit(run, "run")
    parts = dict(examine(run))
    checks = [check for part in parts.values() for check in part]
    alone(checks)
    assert {check.group for check in checks} == {
        "installation", "balance", "solver", "oracles", "record", "convergence", "assay"
    }  # fmt: skip
    assert not verdicts(checks)
    assert "Solver tolerance study of the run (2 of its 2 courses)" in parts


def test_a_run_that_cannot_be_opened_fails_without_more(khot_run, verdicts):
    (doses,) = (khot_run / "study").glob("*/doses.csv")
    doses.write_text(doses.read_text() + "\n")
    checks = qualify(khot_run)
    assert set(verdicts(checks)) == {"files that are not what was written", "study and model"}
    assert "convergence" not in {check.group for check in checks}


def test_a_folder_that_is_no_run_is_refused_before_anything(tmp_path):
    with pytest.raises(RunError, match="is not a run folder"):
        next(examine(tmp_path))


def test_a_failure_anywhere_is_among_the_checks(monkeypatch, verdicts):
    monkeypatch.setattr(oracles, "convert", lambda value, unit, to: value)
    assert "1 1/min in 1/h" in verdicts(qualify())

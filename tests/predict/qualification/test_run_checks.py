"""A run that is what was written passes; a changed file, other draws, chains that disagree and bad plates do not."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from madeup import made_up

from pbpk.errors import StudyError
from pbpk.predict.audit import FILE, write_audit
from pbpk.predict.forecast import forecast_table
from pbpk.predict.origin import origin_of, simulate
from pbpk.predict.qualification import run_checks
from pbpk.predict.qualification.run_checks import (
    RULES,
    assay_table,
    of_fit,
    of_panels,
    of_record,
    read_checked,
    read_compared,
)
from pbpk.predict.record import read_manifest, write_manifest
from pbpk.predict.scenario import read_scenarios
from pbpk.share.tables import write_table

ROOT = Path(__file__).parents[3]
CHANGED = "files that are not what was written"


def compared(run):
    (_, posterior, manifest), opened = read_checked(run)
    assert opened.passed
    return list(read_compared(run, posterior, manifest))


def test_a_run_that_is_what_was_written_passes(khot_run):
    checks = [*of_record(khot_run, read_manifest(khot_run)), *compared(khot_run)]
    assert all(check.passed for check in checks), [check.sentence for check in checks if not check.passed]
    assert {"parameters from the draws", "predictions from the draws", "draws", CHANGED} <= {c.name for c in checks}


@pytest.mark.parametrize(("table", "column"), [("parameters", "q50"), ("predictions", "p97.5")])
def test_a_digit_of_a_table_fails(khot_run, verdicts, table, column):
    path = khot_run / f"{table}.csv"
    held = pd.read_csv(path)
    held.loc[3, column] *= 1.0001
    write_table(held, path)
    assert verdicts(compared(khot_run)) == [f"{table} from the draws"]
    assert verdicts(of_record(khot_run, read_manifest(khot_run))) == [CHANGED]


def test_a_table_of_another_shape_fails(khot_run, verdicts):
    path = khot_run / "parameters.csv"
    write_table(pd.read_csv(path).iloc[:-1], path)
    assert verdicts(compared(khot_run)) == ["parameters from the draws"]
    held = pd.read_csv(khot_run / "predictions.csv")
    held.loc[0, "q50"] = np.nan
    write_table(held, khot_run / "predictions.csv")
    assert len(verdicts(compared(khot_run))) == 2


def test_a_forecast_is_computed_anew_from_its_draws(khot_run, posterior, verdicts):
    answer = simulate(origin_of(posterior, draws=40), read_scenarios("iv_bolus"), hours=np.array([1.0, 24.0]))
    write_table(forecast_table(answer), khot_run / "forecast.csv")
    assert verdicts(compared(khot_run)) == ["forecast from the draws"]  # the draws are not there
    answer.to_netcdf(khot_run / "forecast.nc", engine="h5netcdf")
    assert not verdicts(compared(khot_run))
    (answer.assign(cells=answer["cells"] * 1.001)).to_netcdf(khot_run / "forecast.nc", engine="h5netcdf")
    assert verdicts(compared(khot_run)) == ["forecast from the draws"]


def test_draws_that_are_no_numbers_or_too_few_fail(khot_run, verdicts):
    path = khot_run / "posterior.nc"
    tree = xr.open_datatree(path, engine="h5netcdf").load()
    tree.close()
    held = tree["posterior"].to_dataset()
    held["E_lung"][0, 0] = np.nan
    tree["posterior"] = xr.DataTree(held)
    tree.to_netcdf(path, engine="h5netcdf")
    (_, posterior, manifest), _ = read_checked(khot_run)
    manifest["settings"]["draws"] = 1000
    for name in ("parameters", "predictions"):
        (khot_run / f"{name}.csv").unlink()
    wrong = verdicts(read_compared(khot_run, posterior, manifest))
    assert wrong == ["parameters with draws that are no numbers", "draws"]


def test_a_run_without_a_record_or_with_a_broken_one_fails(khot_run, verdicts):
    line = (khot_run / FILE).read_text()
    (khot_run / FILE).write_text(line.replace('"run"', '"fit"') + line)
    assert verdicts(of_record(khot_run, read_manifest(khot_run))) == [CHANGED]
    (khot_run / FILE).unlink()
    assert verdicts(of_record(khot_run, read_manifest(khot_run))) == [CHANGED]


def test_another_version_of_a_package_fails(khot_run, verdicts):
    manifest = read_manifest(khot_run)
    manifest["versions"]["numpy"] = "1.0"
    (check,) = [check for check in of_record(khot_run, manifest) if not check.passed]
    assert check.name == "packages of another version"
    assert "numpy 1.0 then" in check.sentence


def test_a_changed_study_is_not_opened(khot_run):
    (doses,) = (khot_run / "study").glob("*/doses.csv")
    doses.write_text(doses.read_text().replace("iv,0,iv", "iv,1,iv") + "\n")
    fit, check = read_checked(khot_run)
    assert fit is None
    assert not check.passed


def test_a_changed_manifest_is_seen_by_the_record(khot_run, verdicts):
    manifest = json.loads((khot_run / "manifest.json").read_text())
    write_manifest(manifest | {"seed": 2}, khot_run)
    assert verdicts(of_record(khot_run, read_manifest(khot_run))) == [CHANGED]
    write_audit(khot_run, "again", [khot_run / "manifest.json"])
    assert not verdicts(of_record(khot_run, read_manifest(khot_run)))


def test_chains_that_agree_pass(posterior):
    checks = list(of_fit(posterior))
    assert all(check.passed for check in checks), [check.sentence for check in checks]
    assert {check.group for check in checks} == {"convergence"}
    assert "46 learned" in checks[-2].sentence
    assert "44 of 44 identifiable by exact arithmetic" in checks[-1].sentence


def test_what_no_curve_depends_on_cannot_be_learned(verdicts):
    """Fast tissues are in balance with the blood, so how much they hold moves no curve of a fit."""
    name = "parameters learned though no curve depends on them"
    drug = ROOT / "data" / "boeckmann_1994_theophylline_human"
    assert verdicts(of_fit(made_up(drug, scale=0.3, seed=3))) == [name]
    assert not verdicts(of_fit(made_up(drug, scale=1.0, seed=3)))


def test_a_design_that_cannot_be_judged_fails(posterior, monkeypatch, verdicts):
    def refuse(joint):
        raise StudyError("no curve.")

    monkeypatch.setattr(run_checks, "structure", refuse)
    assert len(verdicts(of_fit(posterior))) == 1


@pytest.mark.parametrize(
    ("how", "name"),
    [
        ({"max_rhat": 1.02}, "largest R-hat"),
        ({"max_rhat": np.nan}, "largest R-hat"),
        ({"min_ess_bulk": 399.0}, "effective draws in the bulk"),
        ({"min_ess_tail": 10.0}, "effective draws in the tail"),
        ({"divergences": 1}, "divergent transitions"),
    ],
)
def test_chains_that_do_not_agree_fail(posterior, verdicts, how, name):
    assert verdicts(of_fit(replace(posterior, diagnostics=replace(posterior.diagnostics, **how)))) == [name]


def test_an_approximation_fails(posterior, verdicts):
    assert verdicts(of_fit(replace(posterior, method="variational"))) == ["method"]


def test_a_posterior_wider_than_its_prior_fails(posterior, monkeypatch, verdicts):
    right = run_checks.parameters
    monkeypatch.setattr(run_checks, "parameters", lambda of: right(of).assign(contraction=2.0))
    assert verdicts(of_fit(posterior)) == ["largest posterior SD over prior SD"]


def test_plates_that_keep_their_rules_pass(lit):
    panels = lit.joint.counts.panels
    checks = list(of_panels(panels))
    assert len(checks) == 7
    assert all(check.passed for check in checks)
    table = assay_table(panels)
    assert list(table.columns) == RULES
    assert table["passed"].all()
    assert table["panel"].nunique() == 7


def test_a_plate_that_breaks_a_rule_or_has_none_fails(lit, verdicts):
    first, second, *others = lit.joint.counts.panels
    rules = first.acceptance.rules.copy()
    rules.loc[0, "passed"] = False
    bad = replace(first, acceptance=replace(first.acceptance, rules=rules))
    none = replace(second, acceptance=None)
    found = list(of_panels([bad, none, *others]))
    assert verdicts(found) == [first.name, second.name]
    assert "breaks" in found[0].sentence
    assert len(assay_table([bad, none])) == len(rules)
    assert assay_table([none]).empty

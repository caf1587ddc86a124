"""What a manifest tells of model, likelihood, sampler and occasion: all that 6.3 lists, and nothing that is not so."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from madeup import NOW, SETTINGS, made_up

from pbpk.assay.study import read_study
from pbpk.body.expansion import read_model
from pbpk.canonical import canonical
from pbpk.infer.draws.sampling import Settings
from pbpk.predict import provenance
from pbpk.predict.record import model_of, read_digest
from pbpk.predict.run import describe

ROOT = Path(__file__).parents[2]
KHOT = ROOT / "data" / "khot_2019_t_cells_mouse"
SHIPPED = [*sorted((ROOT / "models").glob("*.toml")), *sorted((ROOT / "models" / "published").glob("*.toml"))]


@given(st.integers(0, 2**48 - 1))
def test_an_id_is_that_of_rfc_9562_and_in_the_order_of_time(milliseconds):
    found = UUID(provenance.run_id(milliseconds))
    assert found.version == 7
    assert found.variant == "specified in RFC 4122"
    assert found.int >> 80 == milliseconds


def test_no_two_runs_have_one_id():
    assert len({provenance.run_id(1) for _ in range(1000)}) == 1000


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_model_has_its_hashes(path):
    model = read_model(str(path), "mouse")
    found = provenance.model_details(model)
    canonical(found)
    assert found["name"] == model.name
    assert found == provenance.model_details(read_model(str(path), "mouse"))
    elsewhere = provenance.model_details(read_model(str(path), "rat"))
    assert elsewhere["parameter_registry_sha256"] != found["parameter_registry_sha256"]


def changed(tmp_path, old, new):
    path = tmp_path / "msc.toml"
    text = (ROOT / "models" / "msc.toml").read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return provenance.model_details(read_model(str(path), "mouse"))


def test_hashes_tell_equations_from_numbers(tmp_path):
    before = provenance.model_details(read_model("msc", "mouse"))
    comment = changed(tmp_path, "\n[", "\n# a remark\n[")
    assert comment["version"] != before["version"]  # other bytes
    assert comment["equations_sha256"] == before["equations_sha256"]
    assert comment["parameter_registry_sha256"] == before["parameter_registry_sha256"]
    prior = changed(tmp_path, "lognormal(median=", "lognormal(median=1")
    assert prior["equations_sha256"] == before["equations_sha256"]
    assert prior["parameter_registry_sha256"] != before["parameter_registry_sha256"]
    rate = changed(tmp_path, ": leak", ": 2 * leak")
    assert rate["equations_sha256"] != before["equations_sha256"]


def test_how_a_fit_was_made(khot):
    told = provenance.how_fitted(khot, SETTINGS)
    canonical(told)
    assert set(told["priors"]) == {parameter.name for parameter in khot.joint.free}
    assert told["priors"]["spread"]["form"] == "lognormal"
    assert told["likelihood"]["rows"] == len(khot.joint.counts.table)
    assert told["likelihood"]["denominators"] == ["dose"]
    assert "method M3" in told["blq_rule"]
    chains = khot.diagnostics.chains
    asked = Settings(1, chains, khot.diagnostics.draws, 100, 0.9)
    assert told["seeds"] == {"master": 1, "per_chain": [asked.seed_of(chain) for chain in range(chains)]}
    assert told["sampler"]["name"] == "NUTS"
    assert told["sampler"]["target_accept"] == 0.9
    assert told["diagnostics"]["rhat_max"] == pytest.approx(khot.diagnostics.max_rhat)
    assert told["diagnostics"]["ess_min"] <= khot.diagnostics.min_ess_bulk
    assert told["solver"]["name"].startswith("uniformisation")
    assert len(told["exclusions"]) == len(khot.joint.counts.left_out) > 0
    assert "left out" in told["exclusions"][0]["reason"]


def test_what_the_sampler_did_not_do_is_not_said(khot):
    quick = provenance.how_fitted(replace(khot, method="variational"), SETTINGS)
    assert quick["seeds"]["per_chain"] == []
    assert quick["sampler"] == {"name": "variational", "chains": 4, "draws": khot.diagnostics.draws}


def test_chains_that_stand_still_have_a_manifest_too(khot):
    stuck = replace(khot, diagnostics=replace(khot.diagnostics, max_rhat=np.inf, min_ess_bulk=0.0))
    told = provenance.how_fitted(stuck, SETTINGS)
    assert told["diagnostics"]["rhat_max"] is None
    canonical(told)


def test_robust_errors_and_moving_rates_are_said(tmp_path):
    folder = tmp_path / "khot"
    shutil.copytree(KHOT, folder)
    text = (folder / "study.toml").read_text()
    (folder / "study.toml").write_text('errors = "student"\n' + text)
    told = provenance.how_fitted(made_up(folder, draws=50), SETTINGS)
    assert told["likelihood"]["single_values"].startswith("Student t with 4")


def test_inputs_have_their_sizes():
    study = read_study(KHOT)
    manifest = describe(study, model_of(study), SETTINGS, NOW)
    assert set(manifest["input_sizes"]) == set(manifest["inputs"])
    lines = (KHOT / "measurements.csv").read_text().strip().splitlines()
    size = manifest["input_sizes"]["study/measurements.csv"]
    assert size == {"bytes": (KHOT / "measurements.csv").stat().st_size, "rows": len(lines) - 1}
    assert manifest["input_sizes"]["study/study.toml"]["rows"] is None


def test_outputs_are_all_but_the_record(tmp_path):
    for name in ("manifest.json", "audit.jsonl", "audit.seal", "table.csv", "study/a/audit.jsonl", "one/b.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    found = provenance.read_outputs(tmp_path, ["one"])
    assert [each["path"] for each in found] == ["study/a/audit.jsonl", "table.csv"]
    assert found[1]["sha256"] == read_digest(tmp_path / "table.csv")


def test_the_occasion_holds_what_runs_do_not_share(monkeypatch):
    monkeypatch.setenv("PBPK_OPERATOR", "A. Person")
    found = provenance.occasion("pbpk run a", {"sample": 1.0}, prev_audit_hash="0")
    assert found["operator"] == "A. Person"
    assert found["supersedes"] is None
    assert found["prev_audit_hash"] == "0"
    assert json.loads(canonical(found)) == found

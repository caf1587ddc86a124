"""The whole story through the public names, on the smallest real study with ranges."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pbpk

ROOT = Path(__file__).parents[1]


def test_the_public_names():
    assert sorted(pbpk.__all__) == [
        "Calibration", "Dose", "Limit", "Model", "OrganCounts", "Origin", "Parameter", "Posterior", "Run",
        "Scenario", "Species", "Study", "Trace", "accept_plate", "calibrate", "check_prior", "choose_dose",
        "compare", "compare_exposure", "contrast_scenarios", "count_cells", "demodulate", "detection_limits",
        "expected", "exposure", "fit", "fit_calibration", "fit_together", "forecast_table", "join_together",
        "left_out", "origin_of", "parse_endpoint", "profile", "qualify", "read_collection", "read_model", "read_prior",
        "read_run", "read_scenarios", "read_species", "read_study", "read_traces", "simulate", "structure",
        "ways_of", "what_to_measure", "write_report",
    ]  # fmt: skip
    for name in pbpk.__all__:
        value = getattr(pbpk, name)
        assert value.__name__ == name
        assert value.__doc__
        assert value.__module__ == f"pbpk.{pbpk._HOMES[name]}"
    assert set(dir(pbpk)) >= set(pbpk.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module `pbpk` has no `fitt`"):
        _ = pbpk.fitt


def test_a_name_loads_only_its_room():
    code = (
        "import sys, pbpk\n"
        "assert not [m for m in sys.modules if m.startswith('pbpk.')]\n"
        "pbpk.read_species\n"
        "assert 'pbpk.body.species' in sys.modules\n"
        "assert not {'pymc', 'pandas', 'matplotlib', 'pbpk.infer.draws.fit'} & set(sys.modules)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert said.returncode == 0, said.stderr


def test_from_four_patients_to_an_answer(tmp_path):
    study = pbpk.read_study(ROOT / "data" / "gholamrezanezhad_2011_msc_human")
    counts = pbpk.count_cells(study)
    assert len(counts.table) == 6
    model = pbpk.read_model("msc", species="human", label="111In")
    posterior = pbpk.fit(model, counts, seed=1, chains=2, draws=200, tune=300)
    assert isinstance(posterior, pbpk.Posterior)

    scenarios = pbpk.read_scenarios(ROOT / "models" / "scenarios")
    hours = np.array([1.0, 240.0])
    forecast = pbpk.simulate(posterior, scenarios, cells=study.doses[0].cells, hours=hours)
    assert forecast.sel(scenario="portal_vein")["evidence"].item() == "extrapolation"
    contrasts = pbpk.contrast_scenarios(forecast, "iv_bolus")
    assert {"difference", "ratio", "probability_above"} <= set(contrasts)
    share = forecast["cells"].astype(float).sum("state") / forecast["dose_cells"]
    # what the abstract says of these patients, as the fit retells it: label moves from lung to liver and spleen
    iv = share.sel(scenario="iv_bolus").median("draw")
    assert float(iv.sel(organ="lung", hours=1.0)) > 2 * float(iv.sel(organ="lung", hours=240.0))
    assert float(iv.sel(organ="spleen", hours=240.0)) > float(iv.sel(organ="spleen", hours=1.0))
    recovery = np.median(posterior.tree["posterior"]["recovery"])
    lung = float(iv.sel(organ="lung", hours=1.0)) * recovery * 100
    assert 10 < lung < 60  # 27.0 to 33.5 % were seen
    # nothing passes the lungs when the portal vein is taken first
    assert float(share.sel(scenario="portal_vein", hours=1.0, organ="liver").median()) > float(
        share.sel(scenario="iv_bolus", hours=1.0, organ="liver").median()
    )
    np.testing.assert_allclose(share.sel(scenario="iv_bolus").sum("organ"), 1.0, rtol=1e-3)
    assert pbpk.exposure(counts, posterior).empty  # two times make no area

    from pbpk.predict.run import assemble, describe

    settings = {"model": None, "seed": 1, "draws": 200, "tune": 300}
    run = assemble(study, posterior, forecast, describe(study, model, settings, "2026-01-31T00:00:00+00:00"))
    assert isinstance(run, pbpk.Run)
    path = pbpk.write_report(run, tmp_path / "report.html")
    page = path.read_text()
    assert study.about.title[:40] in page
    assert "http" not in page.split("<body")[0].replace("http://www.w3.org", "")  # the page needs nothing else

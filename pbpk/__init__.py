"""Pharmacokinetics of infused cells: what was measured in organs -> posterior -> scenarios -> report.

study     = pbpk.read_study("data/khot_2019_t_cells_mouse")
counts    = pbpk.count_cells(study)
model     = pbpk.read_model("t_cell", species="mouse", label="51Cr")
posterior = pbpk.fit(model, counts, seed=1)
scenarios = pbpk.read_scenarios("models/scenarios")
forecast  = pbpk.simulate(posterior, scenarios)
exposure  = pbpk.exposure(counts, posterior)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pbpk.assay.collection import read_collection
    from pbpk.assay.counts import OrganCounts, count_cells
    from pbpk.assay.light.amplitude import demodulate
    from pbpk.assay.light.trace import Trace
    from pbpk.assay.light.wells import read_traces
    from pbpk.assay.plates.acceptance import accept_plate
    from pbpk.assay.plates.calibration import Calibration, fit_calibration
    from pbpk.assay.plates.detection import detection_limits
    from pbpk.assay.study import Study, read_study
    from pbpk.body.expansion import read_model
    from pbpk.body.model import Model, Parameter
    from pbpk.body.species import Species, read_species
    from pbpk.dosing import Dose
    from pbpk.infer.calibration.calibrate import calibrate
    from pbpk.infer.comparison.compare import compare
    from pbpk.infer.comparison.loo import left_out
    from pbpk.infer.design.additions import what_to_measure
    from pbpk.infer.design.prior_check import check_prior
    from pbpk.infer.design.profile import profile
    from pbpk.infer.design.sensitivity import expected
    from pbpk.infer.design.structure import structure
    from pbpk.infer.draws.fit import fit, fit_together
    from pbpk.infer.draws.posterior import Posterior
    from pbpk.infer.matched.sharing import join_together
    from pbpk.predict.contrast import contrast_scenarios
    from pbpk.predict.dose_choice import Limit, choose_dose, ways_of
    from pbpk.predict.endpoint import parse_endpoint
    from pbpk.predict.exposure import compare_exposure, exposure
    from pbpk.predict.forecast import forecast_table
    from pbpk.predict.origin import Origin, origin_of, read_prior, read_run, simulate
    from pbpk.predict.qualification.qualify import qualify
    from pbpk.predict.run import Run
    from pbpk.predict.scenario import Scenario, read_scenarios
    from pbpk.report.model_report import write_report

__version__ = "0.1.0"

_HOMES = {
    "Trace": "assay.light.trace",
    "read_traces": "assay.light.wells",
    "demodulate": "assay.light.amplitude",
    "Calibration": "assay.plates.calibration",
    "fit_calibration": "assay.plates.calibration",
    "detection_limits": "assay.plates.detection",
    "accept_plate": "assay.plates.acceptance",
    "OrganCounts": "assay.counts",
    "count_cells": "assay.counts",
    "Study": "assay.study",
    "read_study": "assay.study",
    "read_collection": "assay.collection",
    "read_model": "body.expansion",
    "Dose": "dosing",
    "Model": "body.model",
    "Parameter": "body.model",
    "Species": "body.species",
    "read_species": "body.species",
    "check_prior": "infer.design.prior_check",
    "structure": "infer.design.structure",
    "expected": "infer.design.sensitivity",
    "what_to_measure": "infer.design.additions",
    "profile": "infer.design.profile",
    "fit": "infer.draws.fit",
    "fit_together": "infer.draws.fit",
    "join_together": "infer.matched.sharing",
    "left_out": "infer.comparison.loo",
    "compare": "infer.comparison.compare",
    "calibrate": "infer.calibration.calibrate",
    "Posterior": "infer.draws.posterior",
    "exposure": "predict.exposure",
    "compare_exposure": "predict.exposure",
    "Origin": "predict.origin",
    "origin_of": "predict.origin",
    "read_run": "predict.origin",
    "read_prior": "predict.origin",
    "simulate": "predict.origin",
    "forecast_table": "predict.forecast",
    "contrast_scenarios": "predict.contrast",
    "parse_endpoint": "predict.endpoint",
    "Limit": "predict.dose_choice",
    "choose_dose": "predict.dose_choice",
    "ways_of": "predict.dose_choice",
    "qualify": "predict.qualification.qualify",
    "Run": "predict.run",
    "Scenario": "predict.scenario",
    "read_scenarios": "predict.scenario",
    "write_report": "report.model_report",
}

__all__ = [
    "Calibration",
    "Dose",
    "Limit",
    "Model",
    "OrganCounts",
    "Origin",
    "Parameter",
    "Posterior",
    "Run",
    "Scenario",
    "Species",
    "Study",
    "Trace",
    "accept_plate",
    "calibrate",
    "check_prior",
    "choose_dose",
    "compare",
    "compare_exposure",
    "contrast_scenarios",
    "count_cells",
    "demodulate",
    "detection_limits",
    "expected",
    "exposure",
    "fit",
    "fit_calibration",
    "fit_together",
    "forecast_table",
    "join_together",
    "left_out",
    "origin_of",
    "parse_endpoint",
    "profile",
    "qualify",
    "read_collection",
    "read_model",
    "read_prior",
    "read_run",
    "read_scenarios",
    "read_species",
    "read_study",
    "read_traces",
    "simulate",
    "structure",
    "ways_of",
    "what_to_measure",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its room the first time it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module `pbpk` has no `{name}`")
    value = getattr(import_module(f"pbpk.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Public names, for completion."""
    return [*__all__, "__version__"]

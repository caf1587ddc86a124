"""A model with its doses as SBML Level 3 Version 2, which other simulators read."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import libsbml
import numpy as np

from pbpk.body.model import Model
from pbpk.body.sizing import resized
from pbpk.body.solve import Array
from pbpk.errors import InputError, ModelFileError, RunError, ScenarioError, SolveError
from pbpk.predict.scenario import Scenario
from pbpk.share.sbml_doses import at_start, planned, write_doses
from pbpk.share.sbml_network import (
    Network,
    unseen,
    write_arrows,
    write_numbers,
    write_readouts,
    write_states,
    write_units,
)
from pbpk.share.sbml_notes import annotate, of_model, plain

LEVEL, VERSION = 3, 2


def write_sbml(
    model: Model,
    path: str | Path,
    theta: Array | None = None,
    scenario: Scenario | None = None,
    cells: float | None = None,
    modifiers: Mapping[str, float] | None = None,
    origin: str = "",
) -> Path:
    """Write `sbml_text` into a file.

    Raises
    ------
    RunError
        if the file cannot be written; and what `sbml_text` raises
    """
    text = sbml_text(model, theta, scenario, cells, modifiers, origin)
    try:
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    except OSError as problem:
        raise RunError(f"{path}: cannot be written ({problem.strerror}); choose another --out.") from None
    return Path(path)


def sbml_text(
    model: Model,
    theta: Array | None = None,
    scenario: Scenario | None = None,
    cells: float | None = None,
    modifiers: Mapping[str, float] | None = None,
    origin: str = "",
) -> str:
    """A model as SBML: states as species, arrows as reactions, readouts as rules, doses as initial amounts and events.

    Everything is in hours, mL and the amount of the model. libSBML has found it consistent, units included.

    Parameters
    ----------
    theta : (parameter,) in the order of `parameter_names`; medians of the priors where None
    scenario : doses, modifiers and sizes; no dose where None
    cells : given in a scenario that does not say how many, in the amount of the model
    modifiers : name -> number, beside those of the scenario, which they override; what a rival believes holds already
    origin : where theta is from, in words

    Raises
    ------
    ModelFileError
        if a modifier is unknown, or libSBML finds a fault
    ScenarioError
        if a scenario does not fit the model, does not say how many cells, or has a dose at steady state
    InputError
        if theta is not of the model
    SolveError
        if a rate is negative or not finite
    """
    origin = origin or ("medians of the priors" if theta is None else "values given at the export")
    numbers = _numbers(model, theta)
    held = {name: p.prior.value(0.0) for name, p in model.believed.items()} | dict(modifiers or {})
    doses = []
    if scenario is not None:
        scenario = replace(scenario, modifiers={**held, **(scenario.modifiers or {}), **(modifiers or {})})
        numbers, held = _resized(model, numbers, scenario), scenario.switches
        doses = _doses(model, scenario, cells)
    schedule = planned(model, doses)
    switched = model.switched(held)
    values = _values(switched, numbers, held)
    document = libsbml.SBMLDocument(LEVEL, VERSION)
    sbml = document.createModel()
    network = Network(switched, sbml, values, held)
    sbml.setId(network.ids.new(model.name))
    sbml.setName(plain(model.name))
    write_units(network)
    write_states(network, at_start(model, schedule))
    write_numbers(network)
    write_arrows(network)
    write_readouts(network)
    write_doses(network, schedule)
    asked = "" if scenario is None else f"Scenario {scenario.name}: {scenario.title}. {scenario.about}"
    annotate(sbml, *of_model(switched, origin, asked, doses, held, unseen(network)))
    _refuse_faults(model, document)
    return str(libsbml.writeSBMLToString(document))


def _numbers(model: Model, theta: Array | None) -> Array:
    """Parameter vector (parameter,), medians of the priors where none is given."""
    if theta is None:
        return np.array([parameter.prior.value(0.0) for parameter in model.parameters], dtype=float)
    numbers = np.asarray(theta, dtype=float)
    if numbers.shape != (len(model.parameters),) or not np.all(np.isfinite(numbers)):
        raise InputError(f"theta must be {len(model.parameters)} finite numbers, one for each parameter of "
                         f"{model.name}; it has the shape {numbers.shape}.")  # fmt: skip
    return numbers


def _doses(model: Model, scenario: Scenario, cells: float | None) -> list:
    """Doses of a scenario, which must fit the model and say how many cells are given."""
    scenario.check(model)
    given = scenario.amount(model, cells)
    if given is None:
        raise ScenarioError(f"scenario `{scenario.name}` does not say how many {model.amount} are given; say `cells`.")
    return scenario.given(given)


def _resized(model: Model, numbers: Array, scenario: Scenario) -> Array:
    """Parameters with first-pass extraction moved by the size law, at the median of its slope."""
    if not scenario.resizes or model.size_law is None:
        return numbers
    changed, slope = numbers.copy(), np.asarray(model.size_law.prior.value(0.0))
    for at, name in enumerate(model.parameter_names):
        ratio = scenario.log_ratio(name.removeprefix("E_")) if name.startswith("E_") else 0.0
        if ratio != 0.0:
            changed[at] = resized(numbers[at], ratio, slope)
    return changed


def _values(model: Model, numbers: Array, modifiers: Mapping[str, float]) -> dict[str, float]:
    """Symbol -> number; rates that never move must be what a solver can follow."""
    if model.is_linear:
        rates = model.rates(numbers, modifiers)
        if not np.all(np.isfinite(rates)) or (rates < 0.0).any():
            raise SolveError("a rate is negative or not finite; check the parameter values.")
    return dict(zip(model.symbol_names, model.symbols(numbers, modifiers).tolist(), strict=True))


def _refuse_faults(model: Model, document: libsbml.SBMLDocument) -> None:
    """Refuse what libSBML finds inconsistent: nobody should find that out in another tool."""
    document.checkConsistency()
    log = document.getErrorLog()
    faults = [log.getError(i) for i in range(log.getNumErrors())]
    for fault in faults:
        if fault.getSeverity() >= libsbml.LIBSBML_SEV_ERROR:
            said = " ".join(fault.getMessage().split())
            raise ModelFileError(f"{model.name} cannot be written as SBML: {said}")

"""The joint likelihood of `joint` as a PyMC model: one standard-normal vector, one term for the counts."""

from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt

from pbpk.body.solve import reached
from pbpk.infer.gradient import FORMS, Seen, SeenMoving, SeenSteady
from pbpk.infer.joint import Experiment, Joint
from pbpk.infer.row_terms import rows_term
from pbpk.infer.signal_terms import controls_term, readings_term
from pbpk.infer.signals import limits_beside, unknowns


def build(joint: Joint) -> pm.Model:
    """PyMC model of standard-normal variables: `z`, one entry for each free parameter, and `assay`, if there is light.

    `assay` holds one entry for each unknown that the readings of an instrument share.
    """
    signals = joint.counts.signals
    coords = {"parameter": [p.name for p in joint.free]}
    if signals is not None:
        coords["unknown"] = list(signals.shared.names)
    with pm.Model(coords=coords) as model:
        z = pm.Normal("z", dims="parameter")
        u = None
        if signals is not None and signals.shared.names:
            assay = pm.Normal("assay", dims="unknown")
            u = unknowns(signals, assay, pt)
            if joint.calibration == "joint":
                pm.Potential("controls", controls_term(signals, assay))
        seen = [operation(joint, each)(z, *fixed_inputs(joint, each))[0] for each in joint.experiments]
        terms = [
            _log_likelihood(joint, z, seen, reading, u) - np.log(len(joint.readings)) for reading in joint.readings
        ]
        if len(terms) == 1:
            pm.Potential("counts", terms[0])
        else:
            each = pt.stack(terms)
            pm.Potential("counts", pm.math.logsumexp(each))
            pm.Deterministic("reading", pt.special.softmax(each))
    return model


def operation(joint: Joint, experiment: Experiment) -> Any:
    """Operation that fits the rates and the doses: less is compiled where no dose is at steady state."""
    if not experiment.model.is_linear:
        return SeenMoving()
    return SeenSteady() if experiment.schedule.is_steady else Seen()


def fixed_inputs(joint: Joint, experiment: Experiment) -> list[Any]:
    """Arrays that `Seen` takes after z: priors, rates, network, doses and observers of one experiment."""
    model = experiment.model
    switched = [parameter for parameter in joint.estimated if parameter.name in experiment.modifiers]
    estimated = [*model.parameters, *switched]
    place = {p.name: i for i, p in enumerate(joint.free)}
    switches = [model.symbol_names.index(parameter.name) for parameter in switched]
    rows = list(experiment.rows)
    entry = experiment.schedule.entry
    # rates that count what is where find it by its place among all states
    part = reached(model.source_states, model.target_states, entry if model.is_linear else np.ones_like(entry))
    return [
        np.array([FORMS[p.prior.form] for p in estimated]),
        np.array([p.prior.centre for p in estimated]),
        np.array([p.prior.sigma for p in estimated]),
        np.array([place.get(p.name, 0) for p in estimated]),
        model.settled,
        np.array(switches, dtype=np.int64),
        model.tape.steps,
        model.tape.literals,
        model.tape.outputs[part.arrows],
        part.source,
        part.target,
        np.array(int(part.states[: model.n_lasting].sum())),
        entry[:, part.states],
        experiment.schedule.starts,
        experiment.schedule.durations,
        experiment.schedule.every,
        experiment.schedule.since,
        experiment.hours,
        np.array(experiment.at),
        joint.observers[rows][:, part.states] * experiment.percent,
        joint.recovery[rows][:, part.states] * experiment.percent,
        joint.volumes[rows],
    ]


def _free(joint: Joint, z: Any, name: str) -> Any:
    """One parameter from the sampler's vector."""
    place = [p.name for p in joint.free].index(name)
    return joint.free[place].prior.value(z[place], pt)


def _log_likelihood(joint: Joint, z: Any, seen: list[Any], reading: str, u: Any) -> Any:
    """Log-likelihood of all rows under one reading of the denominator."""
    table = joint.counts.table
    order = np.argsort([row for experiment in joint.experiments for row in experiment.rows])
    of_dose = pt.concatenate([given[0] for given in seen])[order]
    percent = of_dose
    if reading == "recovered":
        percent = 100.0 * of_dose / pt.concatenate([given[1] for given in seen])[order]
    if "recovery" in joint.names:
        percent = percent * _free(joint, z, "recovery")
    m = pt.log(percent)
    if joint.doubtful:
        m = m - _log_grams(joint, z, table)
    spread, misfit = _free(joint, z, "spread"), _free(joint, z, "misfit")
    signals, cells = joint.counts.signals, joint.cells
    if signals is None:
        return rows_term(table, cells, m, spread, misfit)
    limits = table["lloq"].where(table["below_lloq"]).to_numpy(float)
    total = readings_term(signals, cells, limits, m, spread, misfit, pt.zeros(0) if u is None else u)
    taken = np.concatenate([signals.rows, limits_beside(signals, cells, limits)])
    others = np.setdiff1d(np.arange(len(table)), taken)
    if others.size:
        total = total + rows_term(table.iloc[others], cells[others], m[others], spread, misfit)
    return total


def _log_grams(joint: Joint, z: Any, table: pd.DataFrame) -> Any:
    """Logarithm of true over assumed weight for each row."""
    place = {p.name: i for i, p in enumerate(joint.free)}
    spread = {p.name: p.prior.sigma for p in joint.free}
    names = [f"grams_{organ}" if organ in joint.doubtful else "" for organ in table["organ"]]
    return np.array([spread.get(n, 0.0) for n in names]) * z[[place.get(n, 0) for n in names]]

"""The joint likelihood of `joint` as a PyMC model: one standard-normal vector, one term for the counts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt

from pbpk.infer.between import DOSE
from pbpk.infer.custom import Custom
from pbpk.infer.experiments import Experiment, arrays_of
from pbpk.infer.gradient import Seen, SeenMoving, SeenSteady
from pbpk.infer.joint import Joint
from pbpk.infer.packing import Pack, pack
from pbpk.infer.row_terms import rows_term
from pbpk.infer.sharing import Together
from pbpk.infer.signal_terms import controls_term, readings_term
from pbpk.infer.signals import limits_beside, unknowns

AS_WRITTEN = Custom()


def build(given: Joint | Together, custom: Custom = AS_WRITTEN) -> pm.Model:
    """PyMC model of standard-normal variables: `z`, one entry for each free parameter, and `assay`, if there is light.

    `assay` holds one entry for each unknown that the readings of an instrument share; of several studies, each has its
    own, `assay_NAME`. custom : priors and a likelihood of the user's own.
    """
    whole = given if isinstance(given, Together) else Together.alone(given)
    coords: dict[str, Any] = {"parameter": list(whole.names)}
    for study, joint in whole.joints.items():
        if joint.counts.signals is not None:
            coords[f"unknown{whole.suffix(study)}"] = list(joint.counts.signals.shared.names)
    with pm.Model(coords=coords) as model:
        z = pm.Normal("z", dims="parameter")
        for study, joint in whole.joints.items():
            _add(joint, z[whole.places[study]] if study else z, whole.suffix(study), custom)
    return model


def _add(joint: Joint, z: Any, suffix: str, custom: Custom) -> None:
    """Add the terms of one study to the model that is being built, from its vector z."""
    signals, u = joint.counts.signals, None
    theta = joint.theta(z, pt)
    for name, make in custom.priors.items():
        theta = pt.set_subtensor(theta[joint.names.index(name)], make(custom.variable(name)))
    if signals is not None and signals.shared.names:
        assay = pm.Normal(f"assay{suffix}", dims=f"unknown{suffix}")
        u = unknowns(signals, assay, pt)
        if joint.calibration == "joint":
            pm.Potential(f"controls{suffix}", controls_term(signals, assay))
    seen = seen_rows(joint, theta)
    terms = [
        _log_likelihood(joint, theta, seen, reading, u, custom) - np.log(len(joint.readings))
        for reading in joint.readings
    ]
    if len(terms) == 1:
        pm.Potential(f"counts{suffix}", terms[0])
    else:
        each = pt.stack(terms)
        pm.Potential(f"counts{suffix}", pm.math.logsumexp(each))
        pm.Deterministic(f"reading{suffix}", pt.special.softmax(each))


def seen_rows(joint: Joint, theta: Any) -> Any:
    """Percent of the dose that each row sees, and of what was recovered then, (2, row), from (estimated,)."""
    together: dict[Any, list[Experiment]] = {}
    for i, experiment in enumerate(joint.experiments):
        kind = operation(experiment)
        together.setdefault((kind, i if kind is SeenMoving else 0), []).append(experiment)
    parts = [
        kind()(values(joint, theta, some), *packed(joint, some).arrays())[0] for (kind, _), some in together.items()
    ]
    order = np.argsort([row for some in together.values() for experiment in some for row in experiment.rows])
    return pt.concatenate(parts, axis=1)[:, order]


def operation(experiment: Experiment) -> type[Seen]:
    """Operation that fits the rates and the doses: less is compiled where no dose is at steady state."""
    if not experiment.model.is_linear:
        return SeenMoving
    return SeenSteady if experiment.schedule.is_steady else Seen


def values(joint: Joint, theta: Any, experiments: Sequence[Experiment]) -> Any:
    """Parameters of the model in each experiment, then modifiers, (experiment, value), from (estimated,)."""
    found = np.ones((len(experiments), 1)) * theta[: len(joint.model.parameters) + joint.n_switched]
    if joint.between is None:
        return found
    shifts = joint.between.shifts(theta, joint.names, pt)
    subjects = np.array([experiment.subject for experiment in experiments])
    for name in joint.between.kinetic:
        i = joint.model.parameter_names.index(name)
        moved = joint.model.parameters[i].prior.moved(found[:, i], shifts[name][subjects], pt)
        found = pt.set_subtensor(found[:, i], moved)
    return found


def packed(joint: Joint, experiments: Sequence[Experiment]) -> Pack:
    """All that `Seen` takes after the values: rates, network, doses and observers of each experiment."""
    arrays = []
    for experiment in experiments:
        rows = list(experiment.rows)
        arrays.append(
            arrays_of(experiment, joint.switched, (joint.observers[rows], joint.recovery[rows], joint.volumes[rows]))
        )
    return pack(arrays)


def _log_likelihood(joint: Joint, theta: Any, seen: Any, reading: str, u: Any, custom: Custom) -> Any:
    """Log-likelihood of all rows under one reading of the denominator."""
    table = joint.counts.table
    percent = 100.0 * seen[0] / seen[1] if reading == "recovered" else seen[0]
    m = pt.log(percent)
    if "recovery" in joint.names:
        m = m + pt.log(_number(joint, theta, "recovery"))
    if joint.doubtful:
        m = m - _log_grams(joint, theta, table)
    if joint.between is not None and DOSE in joint.between.varied:
        m = m + joint.between.shifts(theta, joint.names, pt)[DOSE][joint.between.of_row]
    spread, misfit = (_number(joint, theta, name) for name in ("spread", "misfit"))
    signals, cells = joint.counts.signals, joint.cells
    if custom.likelihood is not None:
        return custom.likelihood(m, spread, misfit, table)
    if signals is None:
        return rows_term(table, cells, m, spread, misfit, joint.nu)
    limits = table["lloq"].where(table["below_lloq"]).to_numpy(float)
    total = readings_term(signals, cells, limits, m, spread, misfit, pt.zeros(0) if u is None else u)
    taken = np.concatenate([signals.rows, limits_beside(signals, cells, limits)])
    others = np.setdiff1d(np.arange(len(table)), taken)
    if others.size:
        total = total + rows_term(table.iloc[others], cells[others], m[others], spread, misfit, joint.nu)
    return total


def _number(joint: Joint, theta: Any, name: str) -> Any:
    """One parameter from all of them."""
    return theta[joint.names.index(name)]


def _log_grams(joint: Joint, theta: Any, table: pd.DataFrame) -> Any:
    """Logarithm of true over assumed weight for each row."""
    place = {name: i for i, name in enumerate(joint.names)}
    of_row = [place.get(f"grams_{organ}", -1) for organ in table["organ"]]
    doubtful = np.array([i >= 0 for i in of_row])
    return pt.log(pt.switch(doubtful, theta[np.where(doubtful, of_row, 0)], 1.0))

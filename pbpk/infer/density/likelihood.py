"""The joint likelihood of `joint` as a PyMC model: one standard-normal vector, one term for the counts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.compile.sharedvalue import shared

from pbpk.infer.density import row_terms, signal_terms
from pbpk.infer.density.custom import Custom
from pbpk.infer.density.gradient import Seen, SeenMoving, SeenSteady
from pbpk.infer.density.packing import Pack, pack
from pbpk.infer.density.straight import straightened
from pbpk.infer.matched.between import DOSE
from pbpk.infer.matched.experiments import Experiment, arrays_of
from pbpk.infer.matched.joint import Joint
from pbpk.infer.matched.sharing import Together

AS_WRITTEN = Custom()
LEAST = 1e-200  # percent, what has been lost to the last digit: a limit is then sure, and its slope no 0 / 0


def build(given: Joint | Together, custom: Custom = AS_WRITTEN, straight: bool = False) -> pm.Model:
    """PyMC model of standard-normal variables: `z`, one entry for each free parameter, and `assay`, if there is light.

    `assay` holds one entry for each unknown that the readings of an instrument share; of several studies, each has its
    own, `assay_NAME`. All that `measured` gives is a shared variable of that name. custom : priors and a likelihood of
    the user's own. straight : let a sampler walk in the coordinates of `straight`; the posterior is the same.
    """
    whole = given if isinstance(given, Together) else Together.alone(given)
    coords: dict[str, Any] = {"parameter": list(whole.names)}
    for study, joint in whole.joints.items():
        if joint.counts.signals is not None:
            coords[f"unknown{whole.suffix(study)}"] = list(joint.counts.signals.shared.names)
    with pm.Model(coords=coords) as model:
        z = pm.Normal(
            "z", dims="parameter", default_transform=straightened(whole, tuple(custom.priors)) if straight else None
        )
        for study, joint in whole.joints.items():
            data = {name: shared(array, f"{name}{whole.suffix(study)}")
                    for name, array in measured_in(joint).items()}  # fmt: skip
            _add(joint, z[whole.places[study]] if study else z, whole.suffix(study), data, custom)
    return model


def measured(whole: Together) -> dict[str, NDArray[Any]]:
    """Arrays that depend on the numbers measured, by name; all else that `build` compiles is of the design."""
    return {f"{name}{whole.suffix(study)}": array for study, joint in whole.joints.items()
            for name, array in measured_in(joint).items()}  # fmt: skip


def measured_in(joint: Joint) -> dict[str, NDArray[Any]]:
    """The same of one study."""
    table, signals, cells = joint.counts.table, joint.counts.signals, joint.cells
    others, found = np.arange(len(table)), dict[str, NDArray[Any]]()
    if signals is not None:
        limits = table["lloq"].where(table["below_lloq"]).to_numpy(float)
        rows, terms = signal_terms.terms_of(signals, cells, limits)
        found["read"] = rows
        found |= _named("read", signal_terms.FIELDS, terms)
        others = np.setdiff1d(others, rows)
        if signals.shared.names:
            found["assay_mean"] = signals.shared.mean
            found["assay_factor"] = np.linalg.cholesky(signals.shared.covariance)
            if joint.calibration == "joint":
                found |= _named("controls", signal_terms.CONTROLS, signal_terms.controls_of(signals))
    if others.size:
        row, *terms_of_others = row_terms.terms_of(table.iloc[others], cells[others], joint.nu)
        found |= _named("rows", row_terms.FIELDS, (others[row], *terms_of_others))
    return found


def _named(what: str, fields: Sequence[str], arrays: Sequence[NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {f"{what}_{field}": array for field, array in zip(fields, arrays, strict=True)}


def _all(data: Mapping[str, Any], what: str, fields: Sequence[str]) -> list[Any]:
    """Shared variables of one term, in its order."""
    return [data[f"{what}_{field}"] for field in fields]


def _add(joint: Joint, z: Any, suffix: str, data: Mapping[str, Any], custom: Custom) -> None:
    """Add the terms of one study to the model that is being built, from its vector z and what was measured."""
    u, theta = pt.zeros(0), joint.theta(z, pt)
    for name, make in custom.priors.items():
        theta = pt.set_subtensor(theta[joint.names.index(name)], make(custom.variable(name)))
    if "assay_mean" in data:
        assay = pm.Normal(f"assay{suffix}", dims=f"unknown{suffix}")
        u = data["assay_mean"] + pt.dot(data["assay_factor"], assay)
        if joint.calibration == "joint":
            known = _all(data, "controls", signal_terms.CONTROLS)
            pm.Potential(f"controls{suffix}", signal_terms.controls_term(known, u, assay))
    seen = seen_rows(joint, theta)
    terms = [
        _log_likelihood(joint, theta, seen, reading, u, data, custom) - np.log(len(joint.readings))
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
    found = np.ones((len(experiments), 1)) * theta[: len(joint.model.parameters) + len(joint.switched)]
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


def _log_likelihood(
    joint: Joint, theta: Any, seen: Any, reading: str, u: Any, data: Mapping[str, Any], custom: Custom = AS_WRITTEN
) -> Any:
    """Log-likelihood of all rows under one reading of the denominator."""
    table = joint.counts.table
    percent = 100.0 * seen[0] / seen[1] if reading == "recovered" else seen[0]
    m = pt.log(pt.maximum(percent, LEAST))
    if "recovery" in joint.names:
        m = m + pt.log(_number(joint, theta, "recovery"))
    if joint.doubtful:
        m = m - _log_grams(joint, theta, table)
    if joint.between is not None and DOSE in joint.between.varied:
        m = m + joint.between.shifts(theta, joint.names, pt)[DOSE][joint.between.of_row]
    spread, misfit = (_number(joint, theta, name) for name in ("spread", "misfit"))
    if custom.likelihood is not None:
        return custom.likelihood(m, spread, misfit, table)
    parts = []
    if "read" in data:
        given = _all(data, "read", signal_terms.FIELDS)
        parts.append(signal_terms.readings_term(data["read"], given, m, spread, misfit, u))
    if "rows_row" in data:
        parts.append(row_terms.rows_term(_all(data, "rows", row_terms.FIELDS), m, spread, misfit))
    return sum(parts[1:], parts[0])


def _number(joint: Joint, theta: Any, name: str) -> Any:
    """One parameter from all of them."""
    return theta[joint.names.index(name)]


def _log_grams(joint: Joint, theta: Any, table: pd.DataFrame) -> Any:
    """Logarithm of true over assumed weight for each row."""
    place = {name: i for i, name in enumerate(joint.names)}
    of_row = [place.get(f"grams_{organ}", -1) for organ in table["organ"]]
    doubtful = np.array([i >= 0 for i in of_row])
    return pt.log(pt.switch(doubtful, theta[np.where(doubtful, of_row, 0)], 1.0))

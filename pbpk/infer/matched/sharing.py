"""Several studies in one fit: which of their parameters are one number, which are each study's own, which go by size.

A collection says for each parameter and study: `shared`, one number for all that share it; `own`, a number of its own
with the same prior; `scaled`, the shared number of the first study's animal times body weight to a known power (a rate
per hour goes with the clock of the body, a volume with its size: `models/scaling/allometry.toml`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pbpk.assay.collection import Collection
from pbpk.assay.counts import OrganCounts
from pbpk.body.model import Model, Parameter
from pbpk.body.physiology import weighed
from pbpk.body.scaling import carried_over
from pbpk.errors import InputError, StudyError, did_you_mean
from pbpk.infer.matched.between import DEVIATE
from pbpk.infer.matched.joint import Calibration, Joint, join

ALONE = ""  # name of the only study
OWN = ("grams_", "recovery", DEVIATE)  # what belongs to one study unless it is said otherwise


@dataclass(frozen=True)
class Together:
    """Studies and their models, matched, with one vector of standard-normal numbers behind them all.

    joints : study -> model and counts; names : (free,) name of each number, `name@study` where it is one study's own
    places : study -> (free of the study,) where its numbers stand in the vector
    table : one row for each parameter of each study: parameter, study, how, factor
    """

    joints: Mapping[str, Joint]
    names: tuple[str, ...]
    places: Mapping[str, NDArray[np.int64]]
    table: pd.DataFrame

    @staticmethod
    def alone(joint: Joint) -> "Together":
        """One study by itself."""
        names = tuple(parameter.name for parameter in joint.free)
        return Together({ALONE: joint}, names, {ALONE: np.arange(len(names))}, pd.DataFrame())

    def settings(self, study: str) -> dict[str, Any]:
        """What the manifest of a study's run must say of the fit with others, so that it can be opened alone."""
        if not study:
            return {}
        mine = self.table[self.table["study"] == study]
        factors = mine[mine["how"] == "scaled"].set_index("parameter")["factor"]
        return {"together_with": [name for name in self.joints if name != study], "scaled": factors.to_dict()}

    def suffix(self, study: str) -> str:
        """What the names of a study's variables end with."""
        return f"_{study}" if study else ""


def join_together(
    given: Mapping[str, tuple[Model, OrganCounts]], collection: Collection, calibration: Calibration = "joint"
) -> Together:
    """Match several studies with their models, and say which parameters they have in common.

    given : study -> its model and counts, the first one's animal being that of scaled parameters

    Raises
    ------
    StudyError
        if the table of sharing names nothing known, or studies share what they believe differently
    """
    joints = {study: join(model, counts, calibration) for study, (model, counts) in given.items()}
    how = _resolve(joints, collection)
    first = next(iter(joints.values())).model
    rows, names, places, scaled = [], dict[str, int](), dict[str, NDArray[np.int64]](), dict[str, Joint]()
    beliefs: dict[str, tuple[str, Parameter]] = {}
    for study, joint in joints.items():
        factors = _factors(first, joint.model, [n for n in joint.names if how[n, study] == "scaled"], collection)
        place = []
        for parameter in joint.estimated:
            said = how[parameter.name, study]
            rows.append({"parameter": parameter.name, "study": study, "how": said,
                         "factor": factors.get(parameter.name, 1.0)})  # fmt: skip
            if said != "own":
                _check_belief(parameter, study, beliefs.setdefault(parameter.name, (study, parameter)), collection)
            if not parameter.prior.is_fixed:
                name = f"{parameter.name}@{study}" if said == "own" else parameter.name
                place.append(names.setdefault(name, len(names)))
        places[study] = np.array(place, dtype=np.int64)
        scaled[study] = joint if not factors else _scaled(joint, factors, calibration)
    return Together(scaled, tuple(names), places, pd.DataFrame(rows))


def scaled_model(model: Model, factors: Mapping[str, float]) -> Model:
    """Model whose priors of some parameters are those of another body."""
    moved = [
        replace(parameter, prior=parameter.prior.scaled(factors.get(parameter.name, 1.0)))
        for parameter in model.parameters
    ]
    return replace(model, parameters=tuple(moved))


def _scaled(joint: Joint, factors: Mapping[str, float], calibration: Calibration) -> Joint:
    return join(scaled_model(joint.model, factors), joint.counts, calibration)


def _resolve(joints: Mapping[str, Joint], collection: Collection) -> dict[tuple[str, str], str]:
    """How each parameter of each study is shared; later lines of the table hold over earlier ones."""
    place = f"{collection.file}: sharing"
    how = {
        (name, study): "own" if name.startswith(OWN) else "shared" for study, joint in joints.items()
        for name in joint.names
    }  # fmt: skip
    known = sorted({name for name, _ in how if not name.startswith(DEVIATE)})
    for pattern, said in collection.sharing.items():
        if not any(fnmatchcase(name, pattern) for name in known):
            raise StudyError(f"{place}: no study has a parameter `{pattern}`.{did_you_mean(pattern, known)}")
        for name, study in how:
            if fnmatchcase(name, pattern) and not name.startswith(DEVIATE):
                how[name, study] = said if isinstance(said, str) else said.get(study, how[name, study])
    return how


def _check_belief(parameter: Parameter, study: str, other: tuple[str, Parameter], collection: Collection) -> None:
    """Refuse one number of which two priors are believed."""
    if parameter.prior != other[1].prior:
        raise StudyError(f"{collection.file}: sharing: `{parameter.name}` is {other[1].prior} in `{other[0]}` and "
                         f"{parameter.prior} in `{study}`, so it cannot be one number; say `own`.")  # fmt: skip


def _factors(first: Model, model: Model, names: Sequence[str], collection: Collection) -> dict[str, float]:
    """What the numbers of the first animal are multiplied by in this one."""
    known = {parameter.name: parameter for parameter in model.parameters}
    for name in names:
        if name not in known:
            raise StudyError(f"{collection.file}: sharing: `{name}` does not go with body weight; say shared or own.")
    chosen: list[Any] = [known[name] for name in names]
    try:
        rows = carried_over(first.species, model.species, chosen, "allometric", weighed=weighed(model))
    except InputError as problem:
        raise StudyError(f"{collection.file}: sharing: {problem}") from None
    return {row.name: row.factor for row in rows if row.name in names}

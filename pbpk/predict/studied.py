"""What the data behind a posterior had, so that a forecast says where it leaves them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pbpk.body.model import MINUTE, Model
from pbpk.infer.matched.histories import amounts_given, known_amount
from pbpk.infer.matched.joint import Joint
from pbpk.predict.scenario import Scenario

NEAR = 1.02  # a factor on a dose or a time that nobody would call another dose
TOTAL = "total"


@dataclass(frozen=True)
class Studied:
    """Routes, doses, hours and organs that a study had.

    amounts : least and most that one animal was given in all [amount of the model], None where the source does not say
    doses : most that one animal was given; minutes : over which the longest of them ran
    hours : of the last value
    measured : pairs of organ and state that the readouts tell, as (lung, total) where label is all that was seen
    """

    species: str
    routes: tuple[str, ...]
    amounts: tuple[float, float] | None
    doses: int
    minutes: float
    hours: float
    measured: tuple[tuple[str, str], ...]

    def beyond(self, scenario: Scenario, cells: float | None) -> tuple[str, ...]:
        """Words for what a scenario asks that the study did not have: route, dose, schedule, infusion.

        cells : given in all, None where the forecast is a percentage of the dose
        """
        given = scenario.given(1.0)
        found = {
            "route": any(dose.route not in self.routes for dose in scenario.doses),
            "dose": cells is not None and not self._has_amount(cells),
            "schedule": len(given) > self.doses or scenario.is_steady,
            "infusion": max(dose.duration_h for dose in given) / MINUTE > self.minutes * NEAR,
        }
        return tuple(word for word, is_so in found.items() if is_so)

    def _has_amount(self, cells: float) -> bool:
        if self.amounts is None:
            return False
        least, most = self.amounts
        return least / NEAR <= cells <= most * NEAR

    @property
    def told(self) -> dict[str, Any]:
        """As a manifest holds it."""
        return asdict(self)

    @staticmethod
    def from_manifest(told: Mapping[str, Any]) -> "Studied":
        """Read back from `told`."""
        pairs = tuple((str(organ), str(state)) for organ, state in told["measured"])
        amounts = None if told["amounts"] is None else (float(told["amounts"][0]), float(told["amounts"][1]))
        return Studied(told["species"], tuple(told["routes"]), amounts, int(told["doses"]), float(told["minutes"]),
                       float(told["hours"]), pairs)  # fmt: skip


def studied_by(joint: Joint) -> Studied:
    """What the study of a fit had."""
    study, table = joint.study, joint.counts.table
    amounts = amounts_given(study, joint.model)
    measured = [(str(organ), state) for organ, part in table.groupby("organ", sort=False)
                for state in told_by(joint.model, sorted(set(part["readout"])))]  # fmt: skip
    given = [experiment.schedule for experiment in joint.experiments]
    return Studied(
        species=study.about.species,
        routes=tuple(dict.fromkeys(route for group in study.about.groups for route in group.routes)),
        amounts=(min(amounts), max(amounts)) if amounts else None,
        doses=max(schedule.starts.size for schedule in given),
        minutes=max(float(schedule.durations.max()) for schedule in given) / MINUTE,
        hours=float(table["hours"].max()),
        measured=tuple(measured),
    )


def recorded(joint: Joint) -> dict[str, Any]:
    """What a manifest keeps of a study, so that scenarios need not read it again."""
    amount = known_amount(joint.study, joint.model)
    return {"studied": studied_by(joint).told, "standing": list(joint.standing), "amount": amount}


def told_by(model: Model, readouts: list[str]) -> list[str]:
    """States of an organ, and their total, that follow from some of its readouts by sums and differences."""
    kinds = list(model.kinds)
    seen = np.array([[float(kind in model.readouts[name]) for kind in kinds] for name in readouts])
    rank = np.linalg.matrix_rank(seen)
    wanted = {kind: np.eye(len(kinds))[i] for i, kind in enumerate(kinds)} | {TOTAL: np.ones(len(kinds))}
    return [name for name, row in wanted.items() if np.linalg.matrix_rank(np.vstack([seen, row])) == rank]

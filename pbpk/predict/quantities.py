"""What a study shall teach, by name: parameters, and endpoints by the slope of their logarithm (the delta method)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pbpk.body.model import MINUTE
from pbpk.body.solve import Array
from pbpk.errors import InputError, StudyError, did_you_mean
from pbpk.infer.design.kills import groups_of
from pbpk.infer.design.sensitivity import STEP
from pbpk.infer.matched.histories import histories, known_amount
from pbpk.infer.matched.joint import Joint
from pbpk.predict.endpoint import Endpoint, parse_endpoint, question
from pbpk.predict.forecast import hours_of
from pbpk.predict.origin import Origin
from pbpk.predict.scenario import Scenario, ScenarioDose

LIVE = "live"
NOT_HELD = ("blood",)  # an organ by the name alone: nobody asks how long cells stay in it
TINY = 1e-12  # of an endpoint's largest value at any point, below which it counts as nothing


@dataclass(frozen=True)
class Quantities:
    """What is asked, in the order in which it was written.

    names : of all, (quantity,); endpoints : those that are no parameters, by their place
    """

    names: tuple[str, ...]
    endpoints: dict[int, Endpoint]

    def kind(self, place: int) -> str:
        """Parameter or endpoint."""
        return "endpoint" if place in self.endpoints else "parameter"


def parse_quantities(text: str, joint: Joint) -> Quantities:
    """Parameters and endpoints apart by commas.

    Raises
    ------
    InputError
        if a name is no parameter that is estimated and no endpoint, or stands there twice
    """
    free = [p.name for p in joint.free]
    names: list[str] = []
    endpoints: dict[int, Endpoint] = {}
    for part in (each.strip() for each in text.split(",")):
        if not part:
            continue
        if " " in part:
            endpoint = parse_endpoint(part)
            endpoints[len(names)] = endpoint
            part = str(endpoint)
        elif part not in free:
            raise InputError(f"quantity `{part}`: it is no parameter that is estimated; an endpoint is written as "
                             f"`residence liver live`.{did_you_mean(part, free)}")  # fmt: skip
        if part in names:
            raise InputError(f"quantity `{part}` stands there twice; keep one.")
        names.append(part)
    if not names:
        raise InputError("no quantity is named; write parameters and endpoints apart by commas, as "
                         "`residence liver live,alive_lung`.")  # fmt: skip
    return Quantities(tuple(names), endpoints)


def usual_quantities(joint: Joint, scenario: Scenario) -> Quantities:
    """What is asked where nobody says: how long living cells stay in each organ that the study measures.

    Where the model knows no living cells, how long what it moves stays there; in a model without such organs, the area
    of what is measured.
    """
    there = _origin(joint, joint.theta(np.zeros((1, len(joint.free))))).organs(scenario)
    seen = [organ for organ in dict.fromkeys(joint.counts.table["organ"]) if organ in there]
    kind = f" {LIVE}" if LIVE in joint.model.kinds else ""
    asked = [f"residence {organ}{kind}" for organ in seen if organ not in NOT_HELD]
    asked = asked or [f"AUC {organ}{kind}" for organ in seen]
    if not asked:
        asked = [p.name for p in joint.free if p.name not in {noise.name for noise in joint.model.noise}]
    return parse_quantities(",".join(asked), joint)


def scenario_of(joint: Joint, group: str | None = None) -> Scenario:
    """Doses of a group as a scenario, of the first one where None.

    Raises
    ------
    StudyError
        if the group has been dosed for ever before, which no scenario of one study says
    """
    experiment = groups_of(joint)[group] if group else next(iter(groups_of(joint).values()))
    given = histories(joint.model, joint.study)
    history = given.get((experiment.group, experiment.animal)) or given[experiment.group, ""]
    doses = [dose for dose in history.doses if dose.until == experiment.until]
    if any(dose.every_h for dose in doses):
        raise StudyError(f"{joint.study.doses_file}: `{experiment.group}` is at steady state, where areas have no "
                         "begin; name parameters instead of endpoints.")  # fmt: skip
    total = sum(dose.cells for dose in doses)
    begin = min(dose.hours for dose in doses)
    return Scenario(
        name=experiment.group,
        title=f"the group {experiment.group}",
        about="",
        doses=tuple(ScenarioDose(route=dose.route, share=dose.cells / total, hours=dose.hours - begin,
                                 duration_min=dose.duration_h / MINUTE) for dose in doses),
        viability=doses[0].viability,
    )  # fmt: skip


def directions(joint: Joint, z: Array, asked: Quantities, scenario: Scenario) -> Array:
    """Gradient of each quantity by z at each point, (point, free, quantity): of z itself, or of ln endpoint.

    z : (point, free)

    Raises
    ------
    InputError, ScenarioError
        if an endpoint is none of the model's answers, or is nothing at every point
    """
    free = [p.name for p in joint.free]
    out = np.zeros((len(z), len(free), len(asked.names)))
    for q, name in enumerate(asked.names):
        if q not in asked.endpoints:
            out[:, free.index(name), q] = 1.0
    if not asked.endpoints:
        return out
    ends = np.concatenate([sign * STEP * np.eye(len(free)) for sign in (1.0, -1.0)])
    moved = (z[:, np.newaxis] + ends).reshape(-1, len(free))
    values = endpoint_values(joint, moved, list(asked.endpoints.values()), scenario)
    floor = TINY * values.max(axis=0)
    if not (floor > 0.0).all():
        named = list(asked.endpoints.values())[int(np.argmin(floor))]
        raise InputError(f"endpoint `{named}` is nothing in {scenario.title}; ask for another.")
    logs = np.log(np.maximum(values, floor)).reshape(len(z), 2, len(free), -1)
    out[:, :, list(asked.endpoints)] = (logs[:, 0] - logs[:, 1]) / (2.0 * STEP)
    return out


def endpoint_values(joint: Joint, z: Array, endpoints: Sequence[Endpoint], scenario: Scenario) -> Array:
    """Value of each endpoint at some z, (point, endpoint); z : (point, free)."""
    theta = joint.theta(z)
    asked = question(_origin(joint, theta), scenario, endpoints, hours_of([scenario]))
    return asked.of(theta)


def _origin(joint: Joint, theta: Array) -> Origin:
    amount = known_amount(joint.study, joint.model)
    return Origin(joint.model, theta, joint.names, "the points of a plan", joint.model, joint.standing, amount=amount)

"""What is followed in a check: a model with one set of parameters, its doses and its hours."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pbpk.body.expansion import read_model
from pbpk.body.model import Model
from pbpk.body.solve import Array, Schedule
from pbpk.dosing import Dose
from pbpk.infer.draws.posterior import Posterior
from pbpk.infer.matched.experiments import Experiment

EARLY = 0.05  # 3 min after the first dose, when a lung is still filling [h]
SHIPPED = {"msc": ("mouse", "FND"), "t_cell": ("mouse", "51Cr")}
HOURS = np.array([EARLY, 1.0, 24.0, 168.0])
MEASURED = 1.0  # hour from which on studies of cells measure, all shipped ones among them [h]
MOST = 6  # courses of one run that are followed


@dataclass(frozen=True)
class Course:
    """One animal's course as the solver takes it.

    theta : (parameter,) of the model; hours : (time,) [h]
    measured : of these, those at which something was measured after the first 3 min; seen : organs it was measured in
    schedule : doses in the package's own unit where rates depend on amounts
    """

    name: str
    model: Model
    theta: Array
    schedule: Schedule
    hours: Array
    measured: Array
    seen: tuple[str, ...]
    modifiers: Mapping[str, float]

    @property
    def given(self) -> float:
        """All that is given in the end."""
        return float(self.schedule.entry.sum())

    def entered(self) -> Array:
        """Amount that has been given by each hour, (time,), where every dose is given once."""
        ran = self.hours[:, np.newaxis] - self.schedule.starts
        long = np.where(self.schedule.durations > 0.0, self.schedule.durations, 1.0)
        share = np.where(self.schedule.durations > 0.0, np.clip(ran / long, 0.0, 1.0), ran >= 0.0)
        return np.asarray(share @ self.schedule.entry.sum(axis=1))

    def states(self, fidelity: str) -> Array:
        """Amount in every state at each hour, (time, state), as the package computes it.

        fidelity : "full" as forecasts have it, "reduced" as the sampler has it
        """
        return self.model.follow(self.theta, self.schedule, self.hours, self.modifiers, fidelity)

    def organs(self, states: Array) -> dict[str, Array]:
        """Amount in each observed place, (time,), from (time, state)."""
        seen = {place: [state in held for state in self.model.states] for place, held in self.model.observed.items()}
        return {place: np.asarray(states @ np.array(weights, dtype=float)) for place, weights in seen.items()}


def shipped_course(name: str) -> Course:
    """Course of a shipped model at the medians of its prior: a bolus into a vein, and an infusion into the artery."""
    species, label = SHIPPED[name]
    model = read_model(name, species, label)
    theta = np.array([float(parameter.prior.value(0.0)) for parameter in model.parameters])
    doses = [Dose("iv", 60.0), Dose("artery", 40.0, hours=2.0, duration_h=0.5)]
    words = f"{name} in {model.species.name}"
    return Course(words, model, theta, model.schedule(doses), HOURS, HOURS[HOURS >= MEASURED],
                  tuple(model.observed), {})  # fmt: skip


def courses_of(posterior: Posterior) -> list[Course]:
    """Courses of a study at the medians of its posterior: its own doses and hours, each group and body once."""
    joint = posterior.joint
    middle = np.median(posterior.theta(), axis=0, keepdims=True)
    found: dict[tuple[object, ...], Course] = {}
    for experiment in joint.experiments:
        schedule = experiment.schedule
        key = (*(array.tobytes() for array in vars(schedule).values()), experiment.modifiers, id(experiment.model))
        theta = joint.kinetic(middle, experiment.subject)[0]
        switched = {name: float(middle[0, joint.names.index(name)]) for name in experiment.modifiers}
        seen = tuple(dict.fromkeys(str(organ) for organ in joint.counts.table["organ"].iloc[list(experiment.rows)]))
        whole = Course(f"run, {_named(experiment)}", experiment.model, theta, schedule, *_hours(experiment), seen,
                       switched)  # fmt: skip
        if key in found:
            known = found[key]
            found[key] = replace(known, hours=np.union1d(known.hours, whole.hours),
                                 measured=np.union1d(known.measured, whole.measured),
                                 seen=tuple(dict.fromkeys((*known.seen, *whole.seen))))  # fmt: skip
        else:
            found[key] = whole
    return _told_apart(list(found.values()))


def some_of(courses: list[Course], most: int = MOST) -> list[Course]:
    """At most so many courses, evenly chosen."""
    if len(courses) <= most:
        return courses
    return [courses[i] for i in np.linspace(0, len(courses) - 1, most).astype(int)]


def _told_apart(courses: list[Course]) -> list[Course]:
    """Courses with names of their own, as a group that is followed with and without a loss has two."""
    names = [course.name for course in courses]
    return [replace(course, name=f"{course.name} ({names[:i].count(course.name) + 1})")
            if names.count(course.name) > 1 else course for i, course in enumerate(courses)]  # fmt: skip


def _named(experiment: Experiment) -> str:
    return f"{experiment.group} {experiment.animal}".strip()


def _hours(experiment: Experiment) -> tuple[Array, Array]:
    """Hours of the study with one soon after the first dose, and of these those measured then or later."""
    soon = float(experiment.schedule.since.min()) + EARLY
    return np.union1d(experiment.hours, [soon]), experiment.hours[experiment.hours >= soon]

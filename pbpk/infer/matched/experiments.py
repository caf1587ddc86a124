"""Animals that are followed together: the rows they gave, their doses, their hours, and the model in their body."""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pbpk.assay.animals import of_subject
from pbpk.assay.study import Study
from pbpk.body.model import Model, Parameter
from pbpk.body.solve import Array, Schedule, reached
from pbpk.errors import StudyError
from pbpk.infer.matched.between import Between
from pbpk.infer.matched.bodies import bodies_of
from pbpk.infer.matched.histories import History, Occasion, histories, occasions_of
from pbpk.infer.matched.switches import switches_of
from pbpk.quantity import inside

ALL = -1  # of no animal in particular: the median one


@dataclass(frozen=True)
class Experiment:
    """Animals dosed alike: the rows of the table they gave, their doses, their hours, and the model in their body.

    percent : of the dose that one unit of `schedule` is: 1 where a linear model takes the dose as 100 percent
    until : hour of the reset that ends it [h]
    subject : place among the subjects of `Between` where animals differ in a parameter, ALL where they do not
    """

    group: str
    animal: str
    rows: tuple[int, ...]
    schedule: Schedule
    hours: Array
    at: tuple[int, ...]
    modifiers: tuple[str, ...]
    model: Model
    percent: float = 1.0
    until: float = np.inf
    subject: int = ALL


def experiments_of(
    model: Model, study: Study, table: pd.DataFrame, switched: dict[str, Parameter], between: Between | None
) -> list[Experiment]:
    """One for each group, each animal with doses, a body or parameters of its own, and each stretch between its resets.

    switched : modifiers that a group switches on are added here

    Raises
    ------
    StudyError
        if something was measured before any dose, or its mean is of animals with doses of their own
    """
    bodies, given, experiments = bodies_of(model, study), histories(model, study), []
    given |= {key: given[key[0], ""] for key in bodies if key not in given and (key[0], "") in given}
    apart = between is not None and bool(between.kinetic)
    subjects = pd.Series(between.of_row if between is not None and apart else ALL, index=table.index)
    known: dict[tuple[int, tuple[str, ...]], Model] = {}  # each tape is written once
    for (group, animal), history in given.items():
        own = [a for g, a in given if g == group and a]
        mine = (table["group"] == group) & (table["animal"] == animal if animal else ~table["animal"].isin(own))
        switched |= (on := switches_of(model, study, group))
        for dose in history.doses:
            model.check_route(dose.route, on)
        body = bodies.get((group, of_subject(animal))) or bodies.get((group, "")) or model
        for occasion in occasions_of(history):
            held = mine & (table["hours"] >= occasion.begin) & (table["hours"] < occasion.until)
            # cells are counted whatever label the living lost: they are followed as if they lost none
            losses = table["readout"].map(model.lost).where(table["readout"].map(model.lost).isin(list(on)), "")
            kinds = held[held].groupby([losses[held], subjects[held]], sort=True).groups
            for key, rows in kinds.items():
                loss, subject = cast("tuple[str, int]", key)
                there = tuple(name for name in on if name != loss)
                if (id(body), there) not in known:
                    known[id(body), there] = body.switched(there)
                who = (group, str(table["animal"][rows[0]]) if subject != ALL else animal)
                experiments.append(_experiment(study, table, history, occasion, who, list(rows), there,
                                               known[id(body), there], int(subject)))  # fmt: skip
    _check_dosed(study, table, experiments)
    return experiments


def _experiment(
    study: Study,
    table: pd.DataFrame,
    history: History,
    occasion: Occasion,
    who: tuple[str, str],
    rows: list[int],
    on: tuple[str, ...],
    model: Model,
    subject: int,
) -> Experiment:
    """What some rows of a group or an animal saw on one occasion, in its body and with its modifiers."""
    _check_given(study, table.iloc[rows], occasion, model)
    hours, at = np.unique(table["hours"].to_numpy()[rows], return_inverse=True)
    whole = 100.0 if model.is_linear else history.total * inside(model.amount)[1]
    percent = [replace(dose, cells=100.0 * dose.cells / history.total) for dose in occasion.doses]
    schedule = model.schedule(percent).scaled(whole / 100.0)
    if schedule.is_steady and not model.is_linear:
        raise StudyError(f"{study.doses_file}: the rates of {model.name} move, so its steady state is no series; write "
                         "the doses before it as `addl`.")  # fmt: skip
    return Experiment(*who, tuple(rows), schedule, hours, tuple(int(i) for i in at), on, model, 100.0 / whole,
                      occasion.until, subject)  # fmt: skip


def _check_given(study: Study, rows: pd.DataFrame, occasion: Occasion, model: Model) -> None:
    """Refuse what was measured while nothing was in the animal, or what has no end at steady state."""
    first = min((dose.seen_from for dose in occasion.doses), default=np.inf)
    for organ, group, hour in zip(rows["organ"], rows["group"], rows["hours"].to_numpy(float), strict=True):
        if hour < first:
            raise StudyError(f"{study.measurements_file}: `{organ}` of `{group}` was measured at {hour:g} h, before "
                             "the first dose acts, or after a reset without one; leave the row out.")  # fmt: skip
        if any(dose.every_h for dose in occasion.doses) and model.outside.intersection(model.observed[organ]):
            raise StudyError(f"{study.measurements_file}: `{organ}` has left the body, and at steady state that is "
                             "without end; it cannot be fitted.")  # fmt: skip


def _check_dosed(study: Study, table: pd.DataFrame, experiments: list[Experiment]) -> None:
    """Refuse the mean of a group whose animals have doses of their own: no dose explains it."""
    explained = {row for experiment in experiments for row in experiment.rows}
    for i, group in enumerate(table["group"]):
        if i not in explained:
            raise StudyError(
                f"{study.doses_file}: a mean of the group `{group}` was measured, but only single animals "
                "of it were dosed; add a dose of the whole group, with `animal` left empty."
            )


def arrays_of(
    experiment: Experiment, switched: tuple[str, ...], seen: tuple[Array, Array, NDArray[np.int64]]
) -> dict[str, NDArray[np.generic]]:
    """Arrays that `packing` puts end to end: rates, network, doses and observers of one experiment.

    switched : modifiers that some group switches on, in the order in which they follow the parameters of the model
    seen : observers and recovery (row, state), and volumes (row,), of the experiment's rows
    """
    model, schedule = experiment.model, experiment.schedule
    # rates that count what is where find it by its place among all states
    part = reached(
        model.source_states, model.target_states, schedule.entry if model.is_linear else np.ones_like(schedule.entry)
    )
    observers, recovery, volumes = seen
    on = [model.symbol_names.index(name) if name in experiment.modifiers else -1 for name in switched]
    return {
        "settled": model.settled,
        "literals": model.tape.literals,
        "entry": schedule.entry[:, part.states],
        "starts": schedule.starts,
        "durations": schedule.durations,
        "every": schedule.every,
        "since": schedule.since,
        "hours": experiment.hours,
        "observers": observers[:, part.states] * experiment.percent,
        "recovery": recovery[:, part.states] * experiment.percent,
        "switches": np.array(on, dtype=np.int64),
        "steps": model.tape.steps,
        "outputs": model.tape.outputs[part.arrows],
        "source": part.source,
        "target": part.target,
        "at": np.array(experiment.at, dtype=np.int64),
        "per": volumes,
        "lasting": np.array([int(part.states[: model.n_lasting].sum())]),
    }

"""Counts of an instrument as readings affine in what an organ holds, with the unknowns they share called by name."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from pbpk.assay.light.trace import Array
from pbpk.assay.measurements import MeasurementRow
from pbpk.assay.readouts.settings import Doubtful
from pbpk.assay.signals import Response, Signals, learn
from pbpk.errors import StudyError


@dataclass(frozen=True)
class Written:
    """A count as it is written, and where.

    number : of its row in the table; place : file and row, for a sentence
    cells_given : cells of the dose of the row's animal
    """

    number: int
    row: MeasurementRow
    place: str
    cells_given: Callable[[MeasurementRow], float]

    @property
    def value(self) -> float:
        """The count.

        Raises
        ------
        StudyError
            if the row has none
        """
        if self.row.value is None:
            raise StudyError(f"{self.place}: there is no count; fill `value`, with 0 where nothing was seen.")
        return self.row.value

    @property
    def log_cells(self) -> float:
        """Logarithm of the cells in the part that was read, for one percent of the dose in the organ."""
        return math.log(self.cells_given(self.row) / 100.0 * self.row.fraction)


class OfOrgan(Protocol):
    """A control that belongs to an organ, or to all if that is empty."""

    organ: str


@dataclass(frozen=True)
class Unknown:
    """Mean and SD of a normal prior; an infinite SD leaves the controls to tell, and the mean is where they start."""

    mean: float
    sd: float


@dataclass(frozen=True)
class Count:
    """One count: what an amount of 1 makes, as a logarithm, and how the unknowns named change it.

    blank : counts that one unit of each unknown adds; gain : what it adds to the logarithm of the slope
    cv : unknown that is the logarithm of the relative scatter beyond Poisson; none if empty
    amount : what a control holds, in the unit of the amount
    """

    value: float
    log_scale: float
    gain: Mapping[str, float] = field(default_factory=dict)
    blank: Mapping[str, float] = field(default_factory=dict)
    cv: str = ""
    amount: float = 0.0


def of_organ[Entry: OfOrgan](
    entries: Sequence[Entry], each: Written, missing: str, block: str
) -> tuple[str, Sequence[Entry]]:
    """Controls that tell the false counts of a row's organ, its own before those of none, and where they were taken.

    missing : what to say if there is none; block : of study.toml, where to add one

    Raises
    ------
    StudyError
        if there is none
    """
    own = [entry for entry in entries if entry.organ == each.row.organ]
    of_all = [entry for entry in entries if not entry.organ]
    if not (own or of_all):
        raise StudyError(f"{each.place}: {missing}; add `{each.row.organ}` to {block} in study.toml.")
    return f"in {each.row.organ}" if own else "elsewhere", own or of_all


def log_normal(number: Doubtful) -> Unknown:
    """Prior of the logarithm of a number."""
    return Unknown(math.log(number.median), number.sigma)


def affine_signals(
    rows: Sequence[Written], counts: Sequence[Count], unknowns: Mapping[str, Unknown], controls: Sequence[Count] = ()
) -> Signals:
    """The counts of one instrument, (reading), with all that is known of it."""
    names = list(unknowns)
    start, sd = (np.array([getattr(each, name) for each in unknowns.values()]) for name in ("mean", "sd"))
    amounts = np.array([each.amount for each in controls])
    shared = learn(names, start, sd, _response(controls, names, as_controls=True), amounts)
    return Signals(shared, _response(counts, names), np.array([each.number for each in rows], dtype=int))


def _response(counts: Sequence[Count], names: Sequence[str], as_controls: bool = False) -> Response:
    """Columns of counts; a control's Poisson scatter is its own count, for `learn` knows normal readings only."""
    value = np.array([each.value for each in counts], float)
    none, zero = np.zeros((len(counts), len(names))), np.zeros(len(counts))

    def table(parts: list[Mapping[str, float]]) -> Array:
        return np.array([[part.get(name, 0.0) for name in names] for part in parts]).reshape(none.shape)

    return Response(
        value=value,
        variance=np.maximum(value, 1.0) if as_controls else zero,
        counted=np.full(len(counts), not as_controls),
        blank=table([each.blank for each in counts]),
        gain=table([each.gain for each in counts]),
        log_scale=np.array([each.log_scale for each in counts], float),
        s0=none,
        cv=table([{each.cv: 1.0} if each.cv else {} for each in counts]),
        s0_weight=zero,
        cv_weight=np.array([1.0 if each.cv else 0.0 for each in counts]),
    )

"""Where the cells are at each hour: doses into a linear network of flows, for one or many sets of rates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pbpk.body.doubling import follow_many
from pbpk.body.flows import respond_many
from pbpk.errors import SolveError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Schedule:
    """Doses as arrays: where each one enters, when, for how long.

    entry : (dose, state) [cells], starts : (dose,) [h], durations : (dose,) [h], 0 for a bolus
    """

    entry: Array
    starts: Array
    durations: Array

    def arrays(self) -> tuple[Array, Array, Array]:
        """Return the three arrays in the order the solver takes them."""
        return self.entry, self.starts, self.durations


def solve(
    source: NDArray[np.int64],
    target: NDArray[np.int64],
    n_slow: int,
    rates: Array,
    schedule: Schedule,
    hours: Array,
) -> Array:
    """Cells in every state at each hour, for one or many sets of rates.

    Parameters
    ----------
    rates : (draw, arrow) or (arrow,) [1/h]
    hours : (time,) [h]

    Returns
    -------
    (draw, time, state) [cells], without the first axis when `rates` has none

    Raises
    ------
    SolveError
        if a rate is negative, not finite, or so fast that the answer would take hours
    """
    rates = np.ascontiguousarray(rates, dtype=float)
    hours = np.atleast_1d(np.asarray(hours, dtype=float))
    if not np.all(np.isfinite(hours)):
        raise SolveError("an hour is not a finite number; check the times.")
    if not np.all(np.isfinite(rates)) or (rates < 0).any():
        raise SolveError("a rate is negative or not finite; check the parameter values.")
    many = rates.reshape(-1, rates.shape[-1])
    if n_slow == schedule.entry.shape[1]:
        out = follow_many(source, target, many, *schedule.arrays(), hours)
    else:
        out = respond_many(source, target, n_slow, many, *schedule.arrays(), hours)
    if not np.all(np.isfinite(out)):
        raise SolveError("the rates are too fast to solve in this fidelity; check the parameter values.")
    return out.reshape(*rates.shape[:-1], hours.size, -1)

"""Where the cells are at each hour: doses into a network of flows, linear or not, for one or many sets of rates."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numba import config
from numpy.typing import NDArray

from pbpk.body.flows import respond_many
from pbpk.body.itinerary import Itinerary, plan
from pbpk.body.lanes import follow_lanes
from pbpk.body.moving import respond_moving
from pbpk.body.tape import Tape
from pbpk.errors import SolveError

Array = NDArray[np.float64]
# as many as the environment's NUMBA_NUM_THREADS says, else as the cores that this process may use
THREADS: int = config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
TOGETHER = 128  # draws that one thread follows before it takes more


@dataclass(frozen=True)
class Schedule:
    """Doses as arrays: where each one enters, when, for how long, and how often it has been given before.

    entry : (dose, state) [cells], starts : (dose,) [h], durations : (dose,) [h], 0 for a bolus
    every : (dose,) [h], 0 for a dose given once, else the interval at which it has been given for ever before
    since : (dose,) [h], from when what it and those before it left is seen
    """

    entry: Array
    starts: Array
    durations: Array
    every: Array
    since: Array

    @staticmethod
    def once(entry: Array, starts: Array, durations: Array) -> "Schedule":
        """Doses that are given once."""
        return Schedule(entry, starts, durations, np.zeros(starts.size), starts)

    @property
    def is_steady(self) -> bool:
        """True where a dose is at steady state."""
        return bool(self.every.any())

    def plain(self) -> tuple[Array, Array, Array]:
        """Return entry, starts and durations, which is all there is where nothing is at steady state."""
        return self.entry, self.starts, self.durations

    def times(self) -> tuple[Array, Array, Array | None, Array | None]:
        """Return starts, durations, every and since as the solver takes them; the last two None if all is once."""
        return self.starts, self.durations, *((self.every, self.since) if self.is_steady else (None, None))

    def scaled(self, factor: float) -> "Schedule":
        """Same doses in another unit."""
        return replace(self, entry=self.entry * factor)


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
    n = schedule.entry.shape[1]
    part = reached(source, target, schedule.entry)
    many = np.ascontiguousarray(rates.reshape(-1, rates.shape[-1])[:, part.arrows])
    entry = schedule.entry[:, part.states]
    out = np.zeros((len(many), hours.size, n))
    if n_slow == n and not schedule.is_steady:
        times, place = (schedule.starts, schedule.durations, hours), np.flatnonzero(part.states)
        finite = _follow(plan(part.source, part.target, entry, *times, place), many, out)
    else:
        slow = int(part.states[:n_slow].sum())
        found = respond_many(part.source, part.target, slow, many, entry, *schedule.times(), hours)
        finite = bool(np.all(np.isfinite(found)))
        out[:, :, part.states] = found
    if not finite:
        raise SolveError("the rates are too fast to solve in this fidelity; check the parameter values.")
    return out.reshape(*rates.shape[:-1], hours.size, n)


def _follow(itinerary: Itinerary, rates: Array, out: Array) -> bool:
    """Fill `out` (draw, time, state) on `THREADS` threads, which change no digit; tell whether all is finite."""
    parts = [np.arange(begin, min(begin + TOGETHER, len(rates))) for begin in range(0, len(rates), TOGETHER)]

    def follow(draws: NDArray[np.int64]) -> bool:
        return bool(follow_lanes(rates, draws, out, *itinerary.arrays()))

    if min(THREADS, len(parts)) < 2:
        return all([follow(draws) for draws in parts])
    with ThreadPoolExecutor(THREADS) as pool:
        return all(list(pool.map(follow, parts)))


@dataclass(frozen=True)
class Reached:
    """The part of a network that doses can reach: the rest stays empty and costs nothing.

    states : (state,), arrows : (arrow,) true where reached; source, target : (arrow reached,) in states reached
    """

    states: NDArray[np.bool_]
    arrows: NDArray[np.bool_]
    source: NDArray[np.int64]
    target: NDArray[np.int64]


def reached(source: NDArray[np.int64], target: NDArray[np.int64], entry: Array) -> Reached:
    """Follow the arrows from where doses (dose, state) enter."""
    states = (entry > 0.0).any(axis=0)
    before = -1
    while states.sum() > before:
        before = int(states.sum())
        states[target[states[source]]] = True
    arrows = states[source]
    place = np.cumsum(states) - 1
    return Reached(states, arrows, place[source[arrows]], place[target[arrows]])


@dataclass(frozen=True)
class Network:
    """Arrows whose rates move.

    source, target : (arrow,) state each leaves and enters; n : states, lasting : those that are integrated
    """

    tape: Tape
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    n: int
    lasting: int

    def arrays(self) -> tuple[NDArray[np.int64], Array, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], int]:
        """Return what the compiled functions take first."""
        return self.tape.steps, self.tape.literals, self.tape.outputs, self.source, self.target, self.lasting


def solve_moving(network: Network, symbols: Array, schedule: Schedule, hours: Array) -> Array:
    """Amount in every state at each hour, for one or many sets of symbols.

    Parameters
    ----------
    symbols : (draw, symbol) or (symbol,) without hour and states
    hours : (time,) [h]

    Returns
    -------
    (draw, time, state), without the first axis when `symbols` has none

    Raises
    ------
    SolveError
        if a rate is not finite, or so fast that steps would never end
    """
    hours = np.atleast_1d(np.asarray(hours, dtype=float))
    if not np.all(np.isfinite(hours)):
        raise SolveError("an hour is not a finite number; check the times.")
    many = np.ascontiguousarray(symbols, dtype=float).reshape(-1, symbols.shape[-1])
    out = np.empty((len(many), hours.size, network.n))
    for draw, known in enumerate(many):
        out[draw] = respond_moving(known, *network.arrays(), *schedule.plain(), hours)[0]
    if not np.all(np.isfinite(out)):
        raise SolveError("the rates are too fast to follow step by step; list fast states under `passing`, or check "
                         "the parameter values.")  # fmt: skip
    return out.reshape(*symbols.shape[:-1], hours.size, network.n)

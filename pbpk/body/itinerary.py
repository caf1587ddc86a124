"""What is the same for all draws of a forecast: the order of states, the pumps, and the legs between doses.

A dose in time is one more state, a pump that stays as it is while it runs and feeds cells at a constant rate. States
are ordered so that cells move on to later ones, as far as they do not come back: matrices are then block triangular,
and what is zero for ever is not multiplied.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
FEWEST = 4  # states: the compiled code takes four columns at a time


@dataclass(frozen=True)
class Itinerary:
    """A network in order, and what happens when.

    place : (state,) where each stands in what is returned, -1 for pumps; pumps : (state,) 1 for a pump
    low, high : (state,) first state that a later or equal one leads to, and end of those that lead to an earlier or
        equal one
    arrows : (arrow,) column of its rate, -1 - p for pump flow p; leaving, source : (arrow,) state it leaves; arrows are
        sorted by the state they enter, whose begin at first : (state + 1,)
    flows : (pump flow,) [cells/h]
    longest : [h], a power of two times the largest step between moments, no less than any leg
    begins : (leg + 1,) first visit of each leg; jumps : (leg, state) what enters at its begin, and pumps that run
    after : (visit,) since the begin of the leg [h], in order; row : (visit,) hour it answers, -1 for the end of the leg
    """

    place: Integers
    pumps: Integers
    low: Integers
    high: Integers
    arrows: Integers
    source: Integers
    first: Integers
    flows: Array
    longest: float
    begins: Integers
    jumps: Array
    after: Array
    row: Integers

    def arrays(self) -> tuple[Any, ...]:
        """Return all of it, as the compiled function takes it."""
        return tuple(vars(self).values())


def plan(
    source: Integers, target: Integers, entry: Array, starts: Array, durations: Array, hours: Array, place: Integers
) -> Itinerary:
    """Plan a forecast.

    Parameters
    ----------
    source, target : (arrow,) state each arrow leaves and enters
    entry : (dose, state) [cells], starts : (dose,) [h], durations : (dose,) [h], 0 for a bolus
    hours : (time,) [h], in any order
    place : (state,) where each stands in what is returned
    """
    n = entry.shape[1]
    pump_of = _pumps(entry, durations)
    kinds = {pump: dose for dose, pump in reversed(list(enumerate(pump_of))) if pump >= 0}  # first dose of each
    size = max(FEWEST, n + len(kinds))
    into = [(pump, state) for pump, dose in kinds.items() for state in np.flatnonzero(entry[dose])]
    flows = np.array([entry[kinds[pump], state] / durations[kinds[pump]] for pump, state in into], float)
    source = np.append(source, np.array([n + pump for pump, _ in into], np.int64))
    target = np.append(target, np.array([state for _, state in into], np.int64))
    columns = np.append(np.arange(source.size - len(into)), -1 - np.arange(len(into)))
    order, low, high = _in_order(source, target, size)
    rank = np.argsort(order)
    sort = np.argsort(rank[target], kind="stable")
    all_places = np.full(size, -1)
    all_places[:n] = place
    is_pump = np.zeros(size, np.int64)
    is_pump[n : n + len(kinds)] = 1
    longest, begins, jumps, after, row = _legs(entry, starts, durations, hours, pump_of, size)
    return Itinerary(
        all_places[order], is_pump[order], low, high, columns[sort], rank[source[sort]],
        np.searchsorted(rank[target][sort], np.arange(size + 1)), flows,
        longest, begins, np.ascontiguousarray(jumps[:, order]), after, row,
    )  # fmt: skip


def _pumps(entry: Array, durations: Array) -> list[int]:
    """Pump of each dose, -1 for a bolus; doses alike share one."""
    known: dict[bytes, int] = {}
    return [
        known.setdefault(np.append(row, duration).tobytes(), len(known)) if duration > 0.0 else -1
        for row, duration in zip(entry, durations, strict=True)
    ]


def _in_order(source: Integers, target: Integers, size: int) -> tuple[Integers, Integers, Integers]:
    """States by the number of those that lead to each; low and high of `Itinerary`."""
    leads = np.eye(size, dtype=bool)  # leads[i, j]: from j to i
    leads[target, source] = True
    for _ in range(size.bit_length()):
        leads = leads @ leads
    order = np.argsort(leads.sum(1), kind="stable")
    leads = leads[np.ix_(order, order)]
    low = np.minimum.accumulate(leads.argmax(0)[::-1])[::-1]
    high = np.maximum.accumulate(size - leads[:, ::-1].argmax(1))
    return order, np.ascontiguousarray(low), high


def _legs(
    entry: Array, starts: Array, durations: Array, hours: Array, pump_of: list[int], size: int
) -> tuple[float, Integers, Array, Array, Integers]:
    """Longest step, begins, jumps, after and row of `Itinerary`, states not yet in order."""
    ends = starts + durations
    events = np.unique(np.append(starts, ends))
    events = events[events <= hours.max(initial=-np.inf)]
    jumps = np.zeros((events.size, size))
    begins: list[int] = [0]
    after: list[float] = []
    row: list[int] = []
    for leg, now in enumerate(events):
        for dose, pump in enumerate(pump_of):
            if pump < 0 and starts[dose] == now:
                jumps[leg, : entry.shape[1]] += entry[dose]
            elif pump >= 0 and starts[dose] <= now < ends[dose]:
                jumps[leg, entry.shape[1] + pump] += 1.0
        until = events[leg + 1] if leg + 1 < events.size else np.inf
        seen = np.flatnonzero((hours >= now) & (hours < until))
        seen = seen[np.argsort(hours[seen], kind="stable")]
        after += list(hours[seen] - now)
        row += list(seen)
        if leg + 1 < events.size:
            after.append(until - now)
            row.append(-1)
        begins.append(len(row))
    steps = np.diff(np.unique(np.append(events, hours[hours >= events.min(initial=np.inf)])))
    step, leg_end = max(steps.max(initial=0.0), 1e-9), max(after, default=0.0)
    while step < leg_end:  # so that evenly spaced hours are few digits of it
        step *= 2.0
    return float(step), np.array(begins), jumps, np.array(after, float), np.array(row, np.int64)

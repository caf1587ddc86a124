"""The arithmetic of `doubling` for eight draws at once, each in a lane of `simd`: what forecasts are made of.

All draws share hours and doses, so they share the steps longest, longest/2, longest/4, ..., of which every hour is a
sum, and differ in the step at which they begin: the first below 1/32 of a turnover of their own fastest rate. Above it
a lane holds exp(K h) = 1, and nothing that its neighbours do changes a digit of it.
Hours that begin with the same binary digits are one state until they part, and are multiplied together, four at a time.
Powers are kept as what moves, `off` (state, state, 8) with an empty diagonal, and what stays, `stay` (state, 8).
"""

import numpy as np
from numba import njit

from pbpk.body.doubling import FINEST, TERMS
from pbpk.body.simd import LANES, add_product, load, minus, over, plus, spread, store, times, vectors, where_less

SAME = 1e-13  # share of an hour by which it may be rounded up, so that evenly spaced hours have few digits
WIDE = 4  # columns or states that are multiplied together: four sums hide the latency of one


@njit(cache=True, error_model="numpy", nogil=True)
def _square(off, stay, level, low, high):
    """Square the power at a level into the level above, columns not yet settled."""
    n = low.size
    new = level - 1
    for i in range(n):
        own = load(stay, (level, i))
        for begin in range(0, high[i], WIDE):
            j = min(begin, n - WIDE)
            a = times(load(off, (level, i, j)), plus(own, load(stay, (level, j))))
            b = times(load(off, (level, i, j + 1)), plus(own, load(stay, (level, j + 1))))
            c = times(load(off, (level, i, j + 2)), plus(own, load(stay, (level, j + 2))))
            d = times(load(off, (level, i, j + 3)), plus(own, load(stay, (level, j + 3))))
            for k in range(low[j], high[i]):
                into = load(off, (level, i, k))
                a = add_product(a, into, load(off, (level, k, j)))
                b = add_product(b, into, load(off, (level, k, j + 1)))
                c = add_product(c, into, load(off, (level, k, j + 2)))
                d = add_product(d, into, load(off, (level, k, j + 3)))
            store(off, (new, i, j), a)
            store(off, (new, i, j + 1), b)
            store(off, (new, i, j + 2), c)
            store(off, (new, i, j + 3), d)
    for i in range(n):
        own = load(stay, (level, i))
        store(stay, (new, i), add_product(load(off, (new, i, i)), own, own))
        store(off, (new, i, i), spread(0.0))


@njit(cache=True, error_model="numpy", nogil=True)
def _settle(off, stay, level, low, pumps):
    """Make every column sum to 1, as `doubling` does; a pump stays as it is."""
    n = low.size
    for j in range(n):
        if pumps[j]:
            continue
        given = spread(0.0)
        for i in range(low[j], n):
            given = plus(given, load(off, (level, i, j)))
        half, one, kept = spread(0.5), spread(1.0), load(stay, (level, j))
        scale = where_less(given, half, one, over(one, plus(given, kept)))
        store(stay, (level, j), where_less(given, half, minus(one, given), times(kept, scale)))
        for i in range(low[j], n):
            store(off, (level, i, j), times(scale, load(off, (level, i, j))))


@njit(cache=True, error_model="numpy", nogil=True)
def _short(flow, source, first, rest, fastest, step, x, m, work):
    """exp(K step) times the state m of x (.., state, 8), for a step (8,) below the finest, in work[2].

    The series has terms that are not negative; its sum is divided by that of exp(fastest step), term by term, so that
    no cell is lost by ending it.
    """
    n = first.size - 1
    for i in range(n):
        store(work, (0, i), load(x, (m, i)))
        store(work, (2, i), load(x, (m, i)))
    hours = load(step, (0,))
    turned = times(load(fastest, (0,)), hours)
    share = spread(1.0)
    for k in range(TERMS, 0, -1):
        share = add_product(spread(1.0), times(share, turned), spread(1.0 / k))
    share = over(spread(1.0), share)
    for k in range(1, TERMS + 1):
        part = times(hours, spread(1.0 / k))
        old, new = (k + 1) & 1, k & 1
        for i in range(n):
            term = times(load(rest, (i,)), load(work, (old, i)))
            for a in range(first[i], first[i + 1]):
                term = add_product(term, load(flow, (a,)), load(work, (old, source[a])))
            term = times(term, part)
            store(work, (new, i), term)
            store(work, (2, i), plus(load(work, (2, i)), term))
    for i in range(n):
        store(work, (2, i), times(share, load(work, (2, i))))


@njit(cache=True, error_model="numpy", nogil=True)
def _first_powers(flow, source, first, rest, fastest, step, pumps, off, stay, unit, work):
    """exp(K step) for a step (8,) below a turnover of each lane, in off[0] and stay[0]."""
    n = first.size - 1
    for j in range(n):
        unit[:] = 0.0
        unit[0, j] = 1.0
        _short(flow, source, first, rest, fastest, step, unit, 0, work)
        given = spread(0.0)
        for i in range(n):
            if i != j:
                given = plus(given, load(work, (2, i)))
                store(off, (0, i, j), load(work, (2, i)))
        store(off, (0, j, j), spread(0.0))
        store(stay, (0, j), spread(1.0) if pumps[j] else minus(spread(1.0), given))


@njit(cache=True, error_model="numpy", nogil=True)
def _powers(begin, first_off, first_stay, off, stay, low, high, pumps):
    """exp(K h) for each step longest/2^level, (level, ..), from the first power of each lane at level begin (8,)."""
    n = low.size
    levels = off.shape[0]
    off[levels - 1] = 0.0
    stay[levels - 1] = 1.0
    for level in range(levels - 1, -1, -1):
        if level < levels - 1:
            _square(off, stay, level + 1, low, high)
            _settle(off, stay, level, low, pumps)
        for lane in range(LANES):
            if begin[lane] == level:
                for i in range(n):
                    stay[level, i, lane] = first_stay[0, i, lane]
                    for j in range(n):
                        off[level, i, j, lane] = first_off[0, i, j, lane]


@njit(cache=True, error_model="numpy", nogil=True)
def _multiply(off, stay, level, high, x, origin, goal, count, work):
    """Multiply states x[origin] by the power at a level into x[goal], four at a time."""
    n = high.size
    for begin in range(0, count, WIDE):
        p, q = origin[begin], origin[min(begin + 1, count - 1)]
        r, s = origin[min(begin + 2, count - 1)], origin[min(begin + 3, count - 1)]
        for i in range(n):
            kept = load(stay, (level, i))
            a, b = times(kept, load(x, (p, i))), times(kept, load(x, (q, i)))
            c, d = times(kept, load(x, (r, i))), times(kept, load(x, (s, i)))
            for j in range(high[i]):
                moved = load(off, (level, i, j))
                a = add_product(a, moved, load(x, (p, j)))
                b = add_product(b, moved, load(x, (q, j)))
                c = add_product(c, moved, load(x, (r, j)))
                d = add_product(d, moved, load(x, (s, j)))
            store(work, (0, i), a)
            store(work, (1, i), b)
            store(work, (2, i), c)
            store(work, (3, i), d)
        for m in range(min(WIDE, count - begin)):
            for i in range(n):
                store(x, (goal[begin + m], i), load(work, (m, i)))


@njit(cache=True, error_model="numpy", nogil=True)
def _walk(off, stay, high, share, x, leads, origin, goal, work):
    """Carry x[0] to the whole steps of each share of the longest, in order: x[leads[m]] is what hour m begins with."""
    for m in range(share.size):
        leads[m] = 0
    for level in range(off.shape[0]):
        count, m = 0, 0
        scale = 2.0**level
        while m < share.size:
            old, parted = leads[m], -1
            while m < share.size and leads[m] == old:
                if np.floor(share[m] * scale) - 2.0 * np.floor(share[m] * 0.5 * scale) > 0.0:
                    if parted < 0:
                        parted = m
                        origin[count], goal[count] = old, m
                        count += 1
                    leads[m] = parted
                m += 1
        _multiply(off, stay, level, high, x, origin, goal, count, work)


@njit(cache=True, error_model="numpy", nogil=True)
def levels_of(fastest, longest):
    """Times that the longest step is halved until it is below `FINEST` of a turnover."""
    level = 0
    while fastest * longest / 2.0**level > FINEST:
        level += 1
    return level


@njit(cache=True, error_model="numpy", nogil=True)
def follow_lanes(
    rates, draws, place, pumps, low, high, arrows, source, first, flows, longest, begins, jumps, after, row, out
):
    """Follow some draws through the rest, an `Itinerary`.

    Parameters
    ----------
    rates : (draw, arrow) [1/h], draws : (some,) which to follow, out : (draw, time, state) [cells], filled at `place`

    Returns
    -------
    bool, whether all that was filled in is finite
    """
    n, most = low.size, 1
    for leg in range(begins.size - 1):
        most = max(most, begins[leg + 1] - begins[leg])
    fastest = np.array([_fastest(rates[draw], arrows, source, pumps) for draw in draws])
    order = draws[np.argsort(fastest)]  # neighbours begin at about the same step
    levels = 1 + levels_of(fastest.max(), longest)
    off = vectors(levels * n * n).reshape((levels, n, n, LANES))
    stay = vectors(levels * n).reshape((levels, n, LANES))
    first_off, first_stay = vectors(n * n).reshape((1, n, n, LANES)), vectors(n).reshape((1, n, LANES))
    flow, rest = vectors(source.size), vectors(n)
    x, work = vectors(most * n).reshape((most, n, LANES)), vectors(4 * n).reshape((4, n, LANES))
    unit, start = vectors(n).reshape((1, n, LANES)), vectors(n)
    q, step = vectors(1), vectors(1)
    begin, some = np.empty(LANES, np.int64), np.empty(LANES, np.int64)
    leads, origin, goal = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    finite = True
    for group in range(0, order.size, LANES):
        for lane in range(LANES):
            some[lane] = order[min(group + lane, order.size - 1)]
        _rates_of(rates, some, arrows, source, flows, pumps, flow, rest, q)
        for lane in range(LANES):
            begin[lane] = levels_of(q[0, lane], longest)
            step[0, lane] = longest / 2.0 ** begin[lane]
        top = begin.max() + 1
        _first_powers(flow, source, first, rest, q, step, pumps, first_off, first_stay, unit, work)
        _powers(begin, first_off, first_stay, off[:top], stay[:top], low, high, pumps)
        start[:] = 0.0
        for leg in range(begins.size - 1):
            visits = after[begins[leg] : begins[leg + 1]]
            share = visits / longest * (1.0 + SAME)
            for i in range(n):
                for lane in range(LANES):
                    x[0, i, lane] = jumps[leg, i] + (0.0 if pumps[i] else start[i, lane])
            _walk(off[:top], stay[:top], high, share, x, leads, origin, goal, work)
            for m in range(visits.size):
                for lane in range(LANES):
                    whole = np.floor(share[m] * 2.0 ** begin[lane]) / 2.0 ** begin[lane]
                    step[0, lane] = max(0.0, visits[m] - whole * longest)
                _short(flow, source, first, rest, q, step, x, leads[m], work)
                hour = row[begins[leg] + m]
                if hour < 0:
                    start[:] = work[2]
                else:
                    finite &= _write(work[2], some, min(LANES, order.size - group), place, hour, out)
    return finite


@njit(cache=True, error_model="numpy", nogil=True)
def _fastest(rates, arrows, source, pumps):
    """Largest outflow of any state [1/h]."""
    outflow = np.zeros(pumps.size)
    for a in range(source.size):
        if arrows[a] >= 0:
            outflow[source[a]] += rates[arrows[a]]
    return outflow.max()


@njit(cache=True, error_model="numpy", nogil=True)
def _rates_of(rates, some, arrows, source, flows, pumps, flow, rest, q):
    """Rates of eight draws: (arrow, 8), the outflow that a state lacks of the fastest, (state, 8), and that, (1, 8)."""
    for lane in range(LANES):
        rest[:, lane] = 0.0
        for a in range(source.size):
            flow[a, lane] = rates[some[lane], arrows[a]] if arrows[a] >= 0 else flows[-1 - arrows[a]]
            if arrows[a] >= 0:
                rest[source[a], lane] += flow[a, lane]
        q[0, lane] = rest[:, lane].max()
        for i in range(pumps.size):
            rest[i, lane] = q[0, lane] - rest[i, lane]


@njit(cache=True, error_model="numpy", nogil=True)
def _write(states, some, count, place, hour, out):
    """Give each draw its states; tell whether all are finite."""
    finite = True
    for lane in range(count):
        for i in range(place.size):
            if place[i] >= 0:
                out[some[lane], hour, place[i]] = states[i, lane]
                finite &= np.isfinite(states[i, lane])
    return finite

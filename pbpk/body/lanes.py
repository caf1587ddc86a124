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
MOST_LEVELS = 100  # 1e28 turnovers, where no rate that a prior draws comes near
WIDE = 4  # columns or states that are multiplied together: four sums hide the latency of one


@njit(cache=True, error_model="numpy", nogil=True)
def _add_products(totals, into, four):
    """Four sums with one product more in each."""
    return (
        add_product(totals[0], into, four[0]),
        add_product(totals[1], into, four[1]),
        add_product(totals[2], into, four[2]),
        add_product(totals[3], into, four[3]),
    )


@njit(cache=True, error_model="numpy", nogil=True)
def _scaled(factor, four):
    """One factor times four vectors."""
    return times(factor, four[0]), times(factor, four[1]), times(factor, four[2]), times(factor, four[3])


@njit(cache=True, error_model="numpy", nogil=True)
def _products(a, b):
    """Products of four vectors and four."""
    return times(a[0], b[0]), times(a[1], b[1]), times(a[2], b[2]), times(a[3], b[3])


@njit(cache=True, error_model="numpy", nogil=True)
def _sums(a, b):
    """Sums of four vectors and four."""
    return plus(a[0], b[0]), plus(a[1], b[1]), plus(a[2], b[2]), plus(a[3], b[3])


@njit(cache=True, error_model="numpy", nogil=True)
def _four(matrix, level, i, j):
    """Four neighbours in a row of a matrix."""
    return (
        load(matrix, (level, i, j)),
        load(matrix, (level, i, j + 1)),
        load(matrix, (level, i, j + 2)),
        load(matrix, (level, i, j + 3)),
    )


@njit(cache=True, error_model="numpy", nogil=True)
def _put_four(matrix, level, i, j, four):
    """Put four neighbours into a row of a matrix."""
    store(matrix, (level, i, j), four[0])
    store(matrix, (level, i, j + 1), four[1])
    store(matrix, (level, i, j + 2), four[2])
    store(matrix, (level, i, j + 3), four[3])


@njit(cache=True, error_model="numpy", nogil=True)
def _while_one_stays(off, stay, level, i, j):
    """P_ij (P_ii + P_jj) for four j."""
    own, moved = load(stay, (level, i)), _four(off, level, i, j)
    return (
        times(moved[0], plus(own, load(stay, (level, j)))),
        times(moved[1], plus(own, load(stay, (level, j + 1)))),
        times(moved[2], plus(own, load(stay, (level, j + 2)))),
        times(moved[3], plus(own, load(stay, (level, j + 3)))),
    )


@njit(cache=True, error_model="numpy", nogil=True)
def _square(off, stay, level, low, high):
    """Square the power at a level into the level above, columns not yet settled; two rows by four columns at once."""
    n = low.size
    new = level - 1
    for upper in range(0, n, 2):
        i = min(upper, n - 2)
        for left in range(0, high[i + 1], WIDE):
            j = min(left, n - WIDE)
            here = _while_one_stays(off, stay, level, i, j)
            below = _while_one_stays(off, stay, level, i + 1, j)
            for k in range(low[j], high[i + 1]):
                four = _four(off, level, k, j)
                here = _add_products(here, load(off, (level, i, k)), four)
                below = _add_products(below, load(off, (level, i + 1, k)), four)
            _put_four(off, new, i, j, here)
            _put_four(off, new, i + 1, j, below)
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
def _short(flow, source, first, rest, fastest, step, work):
    """exp(K step) times the four visits in work[0] (state, visit, 8), for a step (1, 1, visit, 8) below the finest.

    The series has terms that are not negative; its sum, in work[2], is divided by that of exp(fastest step), term by
    term, so that no cell is lost by ending it.
    """
    n = first.size - 1
    for i in range(n):
        _put_four(work, 2, i, 0, _four(work, 0, i, 0))
    for k in range(1, TERMS + 1):
        portion, old, new = spread(1.0 / k), (k + 1) & 1, k & 1
        hours = _scaled(portion, _four(step, 0, 0, 0))
        for i in range(n):
            four = _scaled(load(rest, (i,)), _four(work, old, i, 0))
            for a in range(first[i], first[i + 1]):
                four = _add_products(four, load(flow, (a,)), _four(work, old, source[a], 0))
            four = _products(four, hours)
            _put_four(work, new, i, 0, four)
            _put_four(work, 2, i, 0, _sums(_four(work, 2, i, 0), four))
    for m in range(WIDE):
        turned, share = times(load(fastest, (0,)), load(step, (0, 0, m))), spread(1.0)
        for k in range(TERMS, 0, -1):
            share = add_product(spread(1.0), times(share, turned), spread(1.0 / k))
        share = over(spread(1.0), share)
        for i in range(n):
            store(work, (2, i, m), times(share, load(work, (2, i, m))))


@njit(cache=True, error_model="numpy", nogil=True)
def _first_powers(flow, source, first, rest, fastest, step, pumps, off, stay, work):
    """exp(K step) for a step below a turnover of each lane, in off[0] and stay[0]."""
    n = first.size - 1
    for left in range(0, n, WIDE):
        j = min(left, n - WIDE)
        for i in range(n):
            for m in range(WIDE):
                store(work, (0, i, m), spread(1.0 if i == j + m else 0.0))
        _short(flow, source, first, rest, fastest, step, work)
        for m in range(WIDE):
            given = spread(0.0)
            for i in range(n):
                if i != j + m:
                    given = plus(given, load(work, (2, i, m)))
                    store(off, (0, i, j + m), load(work, (2, i, m)))
            store(off, (0, j + m, j + m), spread(0.0))
            store(stay, (0, j + m), spread(1.0) if pumps[j + m] else minus(spread(1.0), given))


@njit(cache=True, error_model="numpy", nogil=True)
def _powers(begin, first_off, first_stay, off, stay, levels, low, high, pumps):
    """exp(K h) for each step longest/2^level, (level, ..), from the first power of each lane at level begin (8,)."""
    n = low.size
    for i in range(n):
        store(stay, (levels - 1, i), spread(1.0))
        for j in range(n):
            store(off, (levels - 1, i, j), spread(0.0))
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
def _states(x, p, q, r, s, i):
    """What four visits hold in one state."""
    return load(x, (p, i)), load(x, (q, i)), load(x, (r, i)), load(x, (s, i))


@njit(cache=True, error_model="numpy", nogil=True)
def _multiply(off, stay, level, high, x, origin, goal, count, work):
    """Multiply states x[origin] by the power at a level into x[goal], four at a time."""
    n = high.size
    for begin in range(0, count, WIDE):
        p, q = origin[begin], origin[min(begin + 1, count - 1)]
        r, s = origin[min(begin + 2, count - 1)], origin[min(begin + 3, count - 1)]
        for upper in range(0, n, 2):
            i = min(upper, n - 2)
            here = _scaled(load(stay, (level, i)), _states(x, p, q, r, s, i))
            below = _scaled(load(stay, (level, i + 1)), _states(x, p, q, r, s, i + 1))
            for j in range(high[i + 1]):
                four = _states(x, p, q, r, s, j)
                here = _add_products(here, load(off, (level, i, j)), four)
                below = _add_products(below, load(off, (level, i + 1, j)), four)
            _put_four(work, 0, i, 0, here)
            _put_four(work, 0, i + 1, 0, below)
        for m in range(min(WIDE, count - begin)):
            for i in range(n):
                store(x, (goal[begin + m], i), load(work, (0, i, m)))


@njit(cache=True, error_model="numpy", nogil=True)
def _walk(off, stay, levels, high, share, begin, end, x, leads, origin, goal, work):
    """Carry x[0] to the whole steps of the visits from `begin` to `end`: x[leads[m]] is what visit m has in common."""
    for m in range(begin, end):
        leads[m] = 0
    for level in range(levels):
        count, m = 0, begin
        scale = 2.0**level
        while m < end:
            old, parted = leads[m], -1
            while m < end and leads[m] == old:
                if np.floor(share[m] * scale) - 2.0 * np.floor(share[m] * 0.5 * scale) > 0.0:
                    if parted < 0:
                        parted = m - begin
                        origin[count], goal[count] = old, parted
                        count += 1
                    leads[m] = parted
                m += 1
        _multiply(off, stay, level, high, x, origin, goal, count, work)


@njit(cache=True, error_model="numpy", nogil=True)
def levels_of(fastest, longest):
    """Times that the longest step is halved until it is below `FINEST` of a turnover, or `MOST_LEVELS` and no more."""
    level = 0
    while level < MOST_LEVELS and fastest * longest / 2.0**level > FINEST:
        level += 1
    return level


@njit(cache=True, error_model="numpy", nogil=True)
def follow_lanes(
    rates, draws, out, place, pumps, low, high, arrows, source, first, flows, longest, begins, jumps, after, row
):
    """Follow some draws through an `Itinerary`, whose arrays come last.

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
    if levels > MOST_LEVELS:
        return False
    off = vectors(levels * n * n).reshape((levels, n, n, LANES))
    stay = vectors(levels * n).reshape((levels, n, LANES))
    first_off, first_stay = vectors(n * n).reshape((1, n, n, LANES)), vectors(n).reshape((1, n, LANES))
    flow, rest, q = vectors(source.size), vectors(n), vectors(1)
    x, work = vectors(most * n).reshape((most, n, LANES)), vectors(3 * n * WIDE).reshape((3, n, WIDE, LANES))
    step, start = vectors(WIDE).reshape((1, 1, WIDE, LANES)), vectors(n)
    begin, some, leads = np.empty(LANES, np.int64), np.empty(LANES, np.int64), np.empty(row.size, np.int64)
    origin, goal, share = np.empty(most, np.int64), np.empty(most, np.int64), after / longest * (1.0 + SAME)
    finite = True
    for group in range(0, order.size, LANES):
        for lane in range(LANES):
            some[lane] = order[min(group + lane, order.size - 1)]
        _rates_of(rates, some, arrows, source, flows, pumps, flow, rest, q)
        for lane in range(LANES):
            begin[lane] = levels_of(q[0, lane], longest)
            step[0, 0, :, lane] = longest / 2.0 ** begin[lane]
        top = begin.max() + 1
        _first_powers(flow, source, first, rest, q, step, pumps, first_off, first_stay, work)
        _powers(begin, first_off, first_stay, off, stay, top, low, high, pumps)
        for i in range(n):
            store(start, (i,), spread(0.0))
        for leg in range(begins.size - 1):
            for i in range(n):
                for lane in range(LANES):
                    x[0, i, lane] = jumps[leg, i] + (0.0 if pumps[i] else start[i, lane])
            _walk(off, stay, top, high, share, begins[leg], begins[leg + 1], x, leads, origin, goal, work)
            for left in range(begins[leg], begins[leg + 1], WIDE):
                count = min(WIDE, begins[leg + 1] - left)
                for m in range(count):
                    for i in range(n):
                        store(work, (0, i, m), load(x, (leads[left + m], i)))
                _rest_of(after, share, left, count, begin, longest, step)
                _short(flow, source, first, rest, q, step, work)
                for m in range(count):
                    if row[left + m] >= 0:
                        finite &= _write(work, m, some, min(LANES, order.size - group), place, row[left + m], out)
                    else:
                        for i in range(n):
                            store(start, (i,), load(work, (2, i, m)))
    return finite


@njit(cache=True, error_model="numpy", nogil=True)
def _rest_of(after, share, left, count, begin, longest, step):
    """What is left of some visits after whole steps of each lane, (1, 1, visit, 8) [h]."""
    for lane in range(LANES):
        finest = longest / 2.0 ** begin[lane]
        for m in range(count):
            whole = np.floor(share[left + m] * 2.0 ** begin[lane])
            step[0, 0, m, lane] = max(0.0, after[left + m] - whole * finest)


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
def _write(work, m, some, count, place, hour, out):
    """Give each draw the states of visit m; tell whether all are finite."""
    finite = True
    for lane in range(count):
        for i in range(place.size):
            if place[i] >= 0:
                out[some[lane], hour, place[i]] = work[2, i, m, lane]
                finite &= np.isfinite(work[2, i, m, lane])
    return finite

"""Log-likelihood of rows that are numbers, ranges or limits, with its exact gradient, compiled: see `row_terms`.

A cell (group, organ, readout, hour) is off the model by d ~ N(0, misfit), common to its rows. What is normal about d
leaves a normal of d in closed form, N(c, V). What is not (limits, ranges, Student's t) is summed over that normal by
the trapezoidal rule, whose error falls faster than any power of the step for such integrands (Trefethen & Weideman
2014, SIAM Review 56:385): the step is a part of the narrowest width that the rows of a cell can have together, and the
ends lie where a bound says that nothing is left. All is written in x = (d - c) / sqrt(V), so that misfit = 0 divides
nothing.
"""

import numpy as np
from numba import njit

from pbpk.infer.density.row_tails import (
    HALF_LOG_TAU,
    NARROW,
    below,
    log_below,
    log_between,
    log_density,
    log_slope,
    peak,
)

VALUE, BELOW, BETWEEN = range(3)  # what a term says of an animal's logarithm
STEP = 0.9  # of the trapezoidal rule, in SDs of the narrowest normal that the integrand could be: exp(-2 (pi / STEP)^2)
POLE = 0.22  # of the distance of a pole of Student's t, sqrt(nu) spreads: an error of exp(-2 pi / POLE), 4e-13
CUT = 22.0  # logarithm of the largest integrand over what is left out
FAR = 6.5  # SDs below a limit from which on nobody would exceed it: an error of 4e-11
SCAN = 200  # steps of a look at where the integrand is
MOST = 4000  # nodes; beyond it the step grows, which needs animals a thousand spreads apart


@njit(error_model="numpy")
def said(shape, low, high, centre, spread, nu, top):
    """Logarithm of what one term says of an animal whose logarithm is about `centre`, but for the scale of a value."""
    upper = (high - centre) / spread
    if shape == VALUE:
        return log_density(upper, nu, top)
    if shape == BELOW:
        return log_below(upper, nu)
    return log_between((low - centre) / spread, upper, nu, top)


@njit(error_model="numpy")
def slopes(shape, low, high, centre, spread, nu, top, found):
    """Derivatives of `said` by centre and by spread, where it was `found`."""
    upper = (high - centre) / spread
    if shape == VALUE:
        by_upper = log_slope(upper, nu)
        return -by_upper / spread, -upper * by_upper / spread
    by_upper = np.exp(log_density(upper, nu, top) - found)
    if shape == BELOW:
        return -by_upper / spread, -upper * by_upper / spread
    lower = (low - centre) / spread
    middle = 0.5 * (lower + upper)
    if (upper - lower) * (1.0 + abs(middle)) < NARROW:
        slope = log_slope(middle, nu)
        return -slope / spread, -(1.0 + middle * slope) / spread
    by_lower = -np.exp(log_density(lower, nu, top) - found)
    return -(by_upper + by_lower) / spread, -(upper * by_upper + lower * by_lower) / spread


@njit(error_model="numpy")
def mean_of(n, spread):
    """Variance of the logarithm of a mean of n log-normal animals, and its derivative by spread (Fenton 1960)."""
    if n == 1.0:
        return spread * spread, 2.0 * spread
    square = spread * spread
    variance = np.log1p(np.expm1(square) / n) if square < 1.0 else (
        square - np.log(n) + np.log1p((n - 1.0) * np.exp(-square)))  # fmt: skip
    return variance, 2.0 * spread / (1.0 + (n - 1.0) * np.exp(-square))


@njit(error_model="numpy")
def all_said(d, rest, at, spread, terms, tops, found):
    """Logarithm of what the terms `rest` say together where the cell is off by d; each is `found` too."""
    _, shape, low, high, _, power, degrees = terms
    total = 0.0
    for k in rest:
        found[k] = said(shape[k], low[k], high[k], at[k] + d, spread, degrees[k], tops[k])
        total += power[k] * found[k]
    return total


@njit(error_model="numpy")
def ends_of(rest, centre, root, at, spread, terms, tops, found):
    """Least and largest x that a sum over the terms `rest` needs, and its step.

    With `top` the largest that the terms could say, nothing is left beyond x^2 / 2 = top - (what they say anywhere) +
    CUT; nor where k Student's t alone have fallen by that much, each as the power nu + 1 of the distance.
    """
    _, shape, low, high, _, power, degrees = terms
    bend, top, tails, nearest, first, last = 0.0, 0.0, 0.0, np.inf, np.inf, -np.inf
    for k in rest:
        nu = degrees[k]
        nearest = min(nearest, np.sqrt(nu) * spread)
        bend += power[k] * (1.0 if np.isinf(nu) else 1.0 + 1.0 / nu) / spread**2
        if shape[k] == VALUE:
            top += tops[k]
            tails += nu + 1.0
            first, last = min(first, high[k] - at[k]), max(last, high[k] - at[k])
    best = all_said(centre, rest, at, spread, terms, tops, found)
    if top - best > 10.0:  # look where each term would have the cell
        for k in rest:
            for end in (low[k], high[k]) if shape[k] == BETWEEN else (high[k], high[k]):
                off = end - at[k] - centre
                if abs(off) < 1e3 * root:
                    x = off / root
                    each = all_said(centre + off, rest, at, spread, terms, tops, found) - 0.5 * x * x
                    best = max(best, each)
    deep = top - best + CUT
    least, largest = -np.sqrt(2.0 * deep), np.sqrt(2.0 * deep)
    if tails > 0.0:
        reach = nearest * np.exp(min(deep / tails, 300.0))
        if first - reach - centre > least * root:
            least = (first - reach - centre) / root
        if last + reach - centre < largest * root:
            largest = (last + reach - centre) / root
    step = STEP / np.sqrt(1.0 + bend * root * root)
    return least, largest, min(step, POLE * nearest / root) if root > 0.0 else step


@njit(error_model="numpy")
def narrowed(least, largest, step, rest, centre, root, at, spread, terms, tops, found):
    """The same ends, closer where the step would need too many: around the largest of a scan, again and again."""
    looks = np.empty(SCAN + 1)
    while largest - least > MOST * step:
        coarse = (largest - least) / SCAN
        for j in range(SCAN + 1):
            x = least + j * coarse
            looks[j] = all_said(centre + root * x, rest, at, spread, terms, tops, found) - 0.5 * x * x
        floor, first, last = looks.max() - CUT, 0, SCAN
        while first < SCAN and not looks[first] > floor:
            first += 1
        while last > 0 and not looks[last] > floor:
            last -= 1
        first, last = max(first - 1, 0), min(last + 1, SCAN)
        if last - first > 0.7 * SCAN or last <= first:
            break
        least, largest = least + first * coarse, least + last * coarse
    return least, largest


@njit(error_model="numpy")
def summed(rest, centre, root, shift, scale, at, spread, terms, tops, found, by, means):
    """Logarithm of the integral over x ~ N(0, 1) of what the terms `rest` say where d = centre + root x.

    d / misfit = shift + scale x; at : (term,) where d = 0; found : (term,) is room to work
    by : (2, term) is filled with derivatives by centre and spread; means, under the integrand, of d, d^2, d / misfit,
    d^2 / misfit, and d / misfit times the derivative by d
    """
    _, shape, low, high, _, power, degrees = terms
    least, largest, step = ends_of(rest, centre, root, at, spread, terms, tops, found)
    best, total = -np.inf, 0.0
    for i in range(means.size):
        means[i] = 0.0
    for k in rest:
        by[0, k] = by[1, k] = 0.0
    if not largest - least < np.inf:
        return -np.inf
    least, largest = narrowed(least, largest, step, rest, centre, root, at, spread, terms, tops, found)
    count = min(int((largest - least) / step) + 2, MOST)
    step = (largest - least) / (count - 1)
    for j in range(count):
        x = least + j * step
        d, share = centre + root * x, shift + scale * x
        each = all_said(d, rest, at, spread, terms, tops, found) - 0.5 * x * x
        if each < best - 40.0:
            continue
        if each > best:
            fade = np.exp(best - each)
            total *= fade
            for i in range(means.size):
                means[i] *= fade
            for k in rest:
                by[0, k] *= fade
                by[1, k] *= fade
            best = each
        weight, slope = np.exp(each - best), 0.0
        total += weight
        for k in rest:
            by_centre, by_spread = slopes(
                shape[k], low[k], high[k], at[k] + d, spread, degrees[k], tops[k], found[k])  # fmt: skip
            by[0, k] += weight * power[k] * by_centre
            by[1, k] += weight * power[k] * by_spread
            slope += power[k] * by_centre
        means[0] += weight * d
        means[1] += weight * d * d
        means[2] += weight * share
        means[3] += weight * share * d
        means[4] += weight * share * slope
    for i in range(means.size):
        means[i] /= total
    for k in rest:
        by[0, k] /= total
        by[1, k] /= total
    return best + np.log(total * step) - HALF_LOG_TAU


@njit(error_model="numpy")
def limited(first, stop, centre, root, shift, scale, at, spread, terms, room):
    """`summed` where all but values are limits that normal animals lie below, as are most cells of a faint organ.

    Fills by and means in `room` likewise. Nothing needs to be looked for, as all that is said is at most 1; what is
    sure to be below counts as 1. NaN where the model lies so far above the limits that `summed` has to take the cell.
    """
    _, shape, _, high, _, power, _ = terms
    _, _, steep, by, means, chosen = room
    ratio, count, deep, bend = root / spread, 0, CUT, 1.0
    for k in range(first, stop):
        if shape[k] == VALUE:
            continue
        by[0, k] = by[1, k] = 0.0
        z = (high[k] - at[k] - centre) / spread
        if not z > FAR * np.sqrt(1.0 + ratio * ratio):
            chosen[count] = k
            count += 1
            deep -= power[k] * below(z)[0]
            bend += power[k] * ratio * ratio
    if count == 0:
        return 0.0
    steps = int(2.0 * np.sqrt(2.0 * deep * bend) / STEP) + 1 if deep < 2.0 * CUT else MOST
    if steps >= MOST:
        return np.nan
    step = 2.0 * np.sqrt(2.0 * deep) / steps
    total, first_x, second_x, pull, moment = 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(steps + 1):
        x = (j - 0.5 * steps) * step
        each = deep - CUT - 0.5 * x * x
        for i in range(count):
            k = chosen[i]
            value, steep[k] = below((high[k] - at[k] - centre) / spread - ratio * x)
            each += power[k] * value
        weight, slope = np.exp(each), 0.0
        for i in range(count):
            k = chosen[i]
            by_centre = -power[k] * steep[k] / spread
            slope += by_centre
            by[0, k] += weight * by_centre
            by[1, k] += weight * by_centre * (high[k] - at[k] - centre - root * x) / spread
        total += weight
        first_x += weight * x
        second_x += weight * x * x
        pull += weight * slope
        moment += weight * slope * x
    for i in range(count):
        by[0, chosen[i]] /= total
        by[1, chosen[i]] /= total
    first_x, second_x, pull, moment = first_x / total, second_x / total, pull / total, moment / total
    means[0] = centre + root * first_x
    means[1] = centre * centre + 2.0 * centre * root * first_x + root * root * second_x
    means[2] = shift + scale * first_x
    means[3] = shift * centre + (shift * root + scale * centre) * first_x + scale * root * second_x
    means[4] = shift * pull + scale * moment
    return CUT - deep + np.log(total * step) - HALF_LOG_TAU


@njit(error_model="numpy")
def alone(k, at, spread, misfit, terms, tops, out, last):
    """A limit or a stated range that has its cell to itself: normal with both variances, in closed form."""
    row, shape, low, high, _, _, degrees = terms
    both = np.sqrt(spread**2 + misfit**2)
    found = said(shape[k], low[k], high[k], at[k], both, degrees[k], tops[k])
    by_centre, by_both = slopes(shape[k], low[k], high[k], at[k], both, degrees[k], tops[k], found)
    out[0] += found
    out[1 + row[k]] += by_centre
    out[last - 1] += by_both * spread / both
    out[last] += by_both * misfit / both


@njit(error_model="numpy")
def add_cell(first, stop, at, spread, misfit, terms, tops, room, out):
    """Add the log-density of the terms of one cell, and its gradient, to `out`, as `density` returns it."""
    row, shape, _, high, n, power, degrees = terms
    off, width, found, by, means, chosen = room
    last = out.size - 1
    precision, pull, normal = 0.0, 0.0, 0
    for k in range(first, stop):
        if shape[k] != VALUE or not np.isinf(degrees[k]):
            continue
        normal += 1
        width[k], _ = mean_of(n[k], spread)
        off[k] = high[k] - at[k] - 0.5 * (spread**2 - width[k])
        precision += 1.0 / width[k]
        pull += off[k] / width[k]
        out[0] -= HALF_LOG_TAU + 0.5 * np.log(width[k]) + 0.5 * off[k] ** 2 / width[k]
    if normal == 0 and stop == first + 1 and np.isinf(degrees[first]) and power[first] == 1.0:
        alone(first, at, spread, misfit, terms, tops, out, last)
        return
    # d given what is normal: N(centre, root^2)
    fall = 1.0 + misfit**2 * precision
    root, scale, shift = misfit / np.sqrt(fall), 1.0 / np.sqrt(fall), misfit * pull / fall
    centre = misfit * shift
    out[0] += 0.5 * pull * centre - 0.5 * np.log(fall)
    means[0], means[1], means[2] = centre, root**2 + centre**2, shift
    means[3], means[4] = misfit * (scale**2 + shift**2), 0.0
    if normal < stop - first:
        count, only_limits = 0, True
        for k in range(first, stop):
            if shape[k] != VALUE or not np.isinf(degrees[k]):
                only_limits &= shape[k] == BELOW and np.isinf(degrees[k])
        each = limited(first, stop, centre, root, shift, scale, at, spread, terms, room) if only_limits else np.nan
        for k in range(first, stop):
            if shape[k] != VALUE or not np.isinf(degrees[k]):
                chosen[count] = k
                count += 1
        rest = chosen[:count]
        if np.isnan(each):
            each = summed(rest, centre, root, shift, scale, at, spread, terms, tops, found, by, means)
        out[0] += each
        for k in rest:
            out[1 + row[k]] += by[0, k]
            out[last - 1] += by[1, k]
            if shape[k] == VALUE:  # the scale of a value's density
                out[0] -= np.log(spread)
                out[last - 1] -= 1.0 / spread
    out[last] += pull * means[2] - precision * means[3] + means[4]
    for k in range(first, stop):
        if shape[k] == VALUE and np.isinf(degrees[k]):
            _, slope = mean_of(n[k], spread)
            square = off[k] ** 2 - 2.0 * off[k] * means[0] + means[1]
            by_mean = (off[k] - means[0]) / width[k]
            out[1 + row[k]] += by_mean
            out[last - 1] += 0.5 * slope * (square / width[k] - 1.0) / width[k] + by_mean * (spread - 0.5 * slope)


@njit(error_model="numpy")
def density(m, spread, misfit, row, start, shape, low, high, n, power, degrees, settled):
    """Log-likelihood of all rows and its gradient, (1 + row + 2).

    m : (row,) logarithm of the model's percentage
    row, shape, low, high, n, power, degrees : (term,) what each term says: its row; VALUE, BELOW or BETWEEN of
        logarithms low and high; n animals in the mean; how often it counts; degrees of freedom, infinite where normal.
        Terms of one cell stand together, each cell from start[c] to start[c + 1]
    settled : what no m moves: a constant, degrees of freedom of SDs, and their sum of squares
    """
    out, terms = np.zeros(3 + m.size), (row, shape, low, high, n, power, degrees)
    out[0] = settled[0] - settled[1] * np.log(spread) - 0.5 * settled[2] / spread**2
    out[1 + m.size] = (settled[2] / spread**2 - settled[1]) / spread
    at, tops = np.empty(row.size), np.empty(row.size)
    for k in range(row.size):
        at[k] = m[row[k]]
        tops[k] = tops[k - 1] if k > 0 and degrees[k] == degrees[k - 1] else peak(degrees[k])
    room = (np.empty(row.size), np.empty(row.size), np.empty(row.size), np.empty((2, row.size)), np.empty(5),
            np.empty(row.size, np.int64))  # fmt: skip
    for c in range(start.size - 1):
        add_cell(start[c], start[c + 1], at, spread, misfit, terms, tops, room, out)
    return out


@njit(error_model="numpy")
def rows(m, spread, misfit, *rest):
    """`density` as PyTensor takes it: the value, and its gradient by m, spread and misfit in a row."""
    found = density(m, spread.item(), misfit.item(), *rest)
    return np.asarray(found[0]), found[1:]


@njit(cache=True, error_model="numpy")  # all that it calls stands in this file, so numba sees what changes
def each_draw(m, spread, misfit, *rest):
    """Log-likelihood of all rows for each draw, (draw,); m : (draw, row); spread, misfit : (draw,)."""
    total = np.empty(len(m))
    for i in range(len(m)):
        total[i] = density(m[i], spread[i], misfit[i], *rest)[0]
    return total

"""Log-likelihood of what instruments read, with its exact gradient, compiled: the arithmetic of `signal_terms`.

Everything is computed in one pass, value and gradient together, because the sampler always asks for both.
"""

import math

import numpy as np
from numba import njit

NOTHING = 1e-18  # weight of a node that changes no digit


@njit(error_model="numpy")
def digamma(x):
    """Derivative of the logarithm of the gamma function, for x > 0: recurrence, then Stirling's series to 1e-12."""
    total = 0.0
    while x < 10.0:
        total -= 1.0 / x
        x += 1.0
    square = 1.0 / (x * x)
    series = square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square * (1 / 240 - square / 132))))
    return total + np.log(x) - 0.5 / x - series


@njit(error_model="numpy")
def log_gamma(x):
    """Logarithm of the gamma function, for x > 0: recurrence, then Stirling's series to 1e-13."""
    total = 0.0
    while x < 10.0:
        total -= np.log(x)
        x += 1.0
    square = 1.0 / (x * x)
    series = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188)))) / x
    return total + (x - 0.5) * np.log(x) - x + 0.9189385332046727 + series


@njit(error_model="numpy")
def faint_normal(value, blank, rise, additive, relative):
    """Log-density of one signed reading, and its derivatives by blank, rise, additive and relative variance."""
    off = value - blank - rise
    variance = additive + relative * rise * rise
    by_mean = off / variance
    by_variance = 0.5 * (by_mean * by_mean - 1.0 / variance)
    density = -0.5 * (off * by_mean + np.log(2.0 * np.pi * variance))
    return density, by_mean, by_mean + by_variance * 2.0 * relative * rise, by_variance, by_variance * rise * rise


@njit(error_model="numpy")
def faint_count(value, blank, rise, additive, relative, least):
    """Log-probability of one count (negative binomial about blank + rise), and the same derivatives.

    Overdispersion belongs to the rise alone: variance = mean + relative rise^2. Below `least` it is Poisson's. A rate
    of false events cannot be negative, though the normal that stands for its doubt can.
    """
    floor = blank > 0.0
    mean = max(blank, 0.0) + max(rise, 1e-300)
    part = rise / mean
    alpha = relative * part * part
    if alpha < least:
        by_mean = value / mean - 1.0
        return value * np.log(mean) - mean - log_gamma(value + 1.0), by_mean * floor, by_mean, 0.0, 0.0
    shape = 1.0 / alpha
    density = log_gamma(value + shape) - log_gamma(shape) - log_gamma(value + 1.0)
    density += -shape * np.log1p(alpha * mean) + value * np.log(alpha * mean / (1.0 + alpha * mean))
    by_mean = (value - mean) / (mean * (1.0 + alpha * mean))
    by_shape = digamma(value + shape) - digamma(shape) - np.log1p(alpha * mean) + (mean - value) / (shape + mean)
    by_alpha = -by_shape * shape * shape
    # alpha itself moves with blank and rise
    by_rise = by_mean + by_alpha * 2.0 * relative * part * (1.0 - part) / mean
    by_blank = by_mean - by_alpha * 2.0 * alpha / mean
    return density, by_blank * floor, by_rise, 0.0, by_alpha * part * part


@njit(error_model="numpy")
def clear_terms(value, blank, scale, additive, relative, counted, by):
    """Logarithm of one clear reading's percentage, its variance, its log-Jacobian.

    scale : logarithm of the gain; by : (3, 4) is filled with their derivatives by blank, scale, additive and relative
    """
    rise = max(value - blank, 1e-3 * abs(value))
    extra = value if counted else 0.0
    t = (additive + extra) / (rise * rise)
    c = np.log1p(relative)
    t_rise, t_additive = -2.0 * t / rise, 1.0 / (rise * rise)
    if counted:
        shift, shift_t, spread, spread_t, whole, whole_t = -0.5 * t, -0.5, t + 0.5 * t * t, 1.0 + t, 0.0, 0.0
    else:
        shift, shift_t = -1.5 * t - 4.75 * t * t, -1.5 - 9.5 * t
        spread, spread_t = t + 5.5 * t * t, 1.0 + 11.0 * t
        whole, whole_t = np.log1p(t + 3.0 * t * t), (1.0 + 6.0 * t) / (1.0 + t + 3.0 * t * t)
    by[0, 0] = -(1.0 / rise + shift_t * t_rise)
    by[1, 0] = -spread_t * t_rise
    by[2, 0] = -(whole_t * t_rise - 1.0 / rise)
    by[0, 1] = -1.0
    by[0, 2], by[1, 2], by[2, 2] = shift_t * t_additive, spread_t * t_additive, whole_t * t_additive
    by[0, 3], by[1, 3] = 0.5 / (1.0 + relative), 1.0 / (1.0 + relative)
    return np.log(rise) - scale + shift + 0.5 * c, spread + c, whole - np.log(rise)


@njit(error_model="numpy")
def faint_row(value, blank, top, additive, relative, counted, factors, nodes, log_weights, least, each, by):
    """Log-density of one faint reading whose median animal would make the rise `top`, the animal summed over.

    factors : (node,) exp(spread node); each : (node,) is room to work; by : (6,) is filled with derivatives by the
    logarithm of the rise, spread, blank, scale, additive and relative variance
    """
    n = nodes.size
    highest = -np.inf
    for q in range(n):
        if counted:
            each[q] = log_weights[q] + faint_count(value, blank, top * factors[q], additive, relative, least)[0]
        else:
            rise = top * factors[q]
            off, variance = value - blank - rise, additive + relative * rise * rise
            each[q] = log_weights[q] - 0.5 * (off * off / variance + np.log(2.0 * np.pi * variance))
        highest = max(highest, each[q])
    total = 0.0
    by[:] = 0.0
    for q in range(n):
        weight = np.exp(each[q] - highest)
        total += weight
        if weight < NOTHING:
            continue
        rise = top * factors[q]
        if counted:
            _, by_blank, by_rise, by_additive, by_relative = faint_count(value, blank, rise, additive, relative, least)
        else:
            _, by_blank, by_rise, by_additive, by_relative = faint_normal(value, blank, rise, additive, relative)
        by[0] += weight * by_rise * rise
        by[1] += weight * by_rise * rise * nodes[q]
        by[2] += weight * by_blank
        by[4] += weight * by_additive
        by[5] += weight * by_relative
    for k in range(6):
        by[k] /= total
    by[3] = by[0]
    return highest + np.log(total)


@njit(error_model="numpy")
def below(x):
    """Logarithm of the standard normal probability below x, and its derivative; by its series far below."""
    if x < -30.0:
        return -0.5 * x * x - np.log(-x) - 0.9189385332046727 - 1.0 / (x * x), -x - 1.0 / x
    share = 0.5 * math.erfc(-x / math.sqrt(2.0))
    return np.log(share), np.exp(-0.5 * x * x - 0.9189385332046727) / share


@njit(error_model="numpy")
def limit_row(limit, centre, spread, by):
    """Log-probability that an animal lies below a limit, both as logarithms; `by` is filled as in `faint_row`."""
    x = (limit - centre) / spread
    found, slope = below(x)
    by[:] = 0.0
    by[0], by[1] = -slope / spread, -slope * x / spread
    return found


@njit(error_model="numpy")
def density(m, spread, misfit, u, value, variance, counted, blank, gain, log_scale, s0, cv, s0_weight, cv_weight,
            limit, clear, start, outer, outer_log, inner, inner_log, least):  # fmt: skip
    """Log-likelihood of all readings and its gradient, (1 + reading + 2 + unknown,).

    m : (reading,) logarithm of the model's percentage; readings of one cell (group, organ, readout, hour) stand
    together, each cell from start[c] to start[c + 1]; clear : (reading,) true where the logarithm is taken
    limit : (reading,) true where nothing was read but that an animal is below exp(value) percent
    """
    n = m.size
    out = np.zeros(3 + n + u.size)
    by_row = np.zeros((4, n))  # of the total by blank, scale, additive and relative variance
    zero, scale = blank @ u, log_scale + gain @ u
    scatter, relative = s0_weight * np.exp(2.0 * (s0 @ u)), cv_weight * np.exp(2.0 * (cv @ u))
    additive = variance + scatter
    median, factors = np.exp(scale + m), np.exp(spread * inner)
    off, width, terms = np.zeros(n), np.ones(n), np.zeros((n, 3, 4))
    largest = np.diff(start).max()
    each, slopes, work = np.empty(outer.size), np.empty((outer.size, largest, 6)), np.empty(inner.size)
    for c in range(start.size - 1):
        first, last = start[c], start[c + 1]
        precision, pull, faint = 1.0 / misfit**2, 0.0, 0
        for i in range(first, last):
            if not clear[i]:
                faint += 1
                continue
            logarithm, noise, jacobian = clear_terms(
                value[i], zero[i], scale[i], additive[i], relative[i], counted[i], terms[i])  # fmt: skip
            off[i], width[i] = logarithm - m[i], noise + spread**2
            precision += 1.0 / width[i]
            pull += off[i] / width[i]
            out[0] += jacobian - 0.5 * np.log(2.0 * np.pi * width[i]) - 0.5 * off[i] ** 2 / width[i]
        centre = pull / precision
        out[0] += 0.5 * precision * centre**2 - 0.5 * np.log(precision) - np.log(misfit)
        by_pull, by_precision = centre, -0.5 * centre**2 - 0.5 / precision
        if faint:
            for j in range(outer.size):
                missed = np.exp(centre + outer[j] / np.sqrt(precision))
                each[j] = outer_log[j]
                for i in range(first, last):
                    if limit[i]:
                        centred = m[i] + centre + outer[j] / np.sqrt(precision)
                        each[j] += limit_row(value[i], centred, spread, slopes[j, i - first])
                    elif not clear[i]:
                        each[j] += faint_row(
                            value[i], zero[i], median[i] * missed, additive[i], relative[i], counted[i], factors,
                            inner, inner_log, least, work, slopes[j, i - first])  # fmt: skip
            highest = each.max()
            whole = np.exp(each - highest).sum()
            out[0] += highest + np.log(whole)
            for j in range(outer.size):
                weight = np.exp(each[j] - highest) / whole
                for i in range(first, last):
                    if clear[i] or weight < NOTHING:
                        continue
                    mine = slopes[j, i - first]
                    out[1 + i] += weight * mine[0]
                    out[1 + n] += weight * mine[1]
                    for k in range(4):
                        by_row[k, i] += weight * mine[2 + k]
                    by_pull += weight * mine[0] / precision
                    by_precision -= weight * mine[0] * (centre / precision + 0.5 * outer[j] * precision**-1.5)
        out[2 + n] += -2.0 * by_precision / misfit**3 - 1.0 / misfit
        for i in range(first, last):
            if clear[i]:
                by_off = (by_pull - off[i]) / width[i]
                by_width = -(by_pull * off[i] + by_precision - 0.5 * off[i] ** 2) / width[i] ** 2 - 0.5 / width[i]
                out[1 + i] -= by_off
                out[1 + n] += 2.0 * spread * by_width
                for k in range(4):
                    by_row[k, i] += by_off * terms[i, 0, k] + by_width * terms[i, 1, k] + terms[i, 2, k]
    out[3 + n :] = by_row[0] @ blank + by_row[1] @ gain
    out[3 + n :] += 2.0 * ((by_row[2] * scatter) @ s0 + (by_row[3] * relative) @ cv)
    return out


@njit(error_model="numpy")
def known(u, value, variance, blank, gain, log_scale, s0, cv, s0_weight, cv_weight, amounts, prior_mean, prior_sd):
    """Log-density of prior and controls, but for a constant, and its gradient, (1 + unknown,)."""
    out = np.zeros(1 + u.size)
    rise = np.exp(log_scale + gain @ u) * amounts
    scatter, relative = s0_weight * np.exp(2.0 * (s0 @ u)), cv_weight * np.exp(2.0 * (cv @ u)) * rise**2
    whole = variance + scatter + relative
    miss = value - blank @ u - rise
    off = (u - prior_mean) / prior_sd
    out[0] = -0.5 * (np.sum(miss**2 / whole + np.log(whole)) + np.sum(off**2))
    by_mean, by_variance = miss / whole, 0.5 * (miss**2 / whole - 1.0) / whole
    out[1:] = by_mean @ blank + (by_mean * rise + 2.0 * by_variance * relative) @ gain - off / prior_sd
    out[1:] += 2.0 * ((by_variance * scatter) @ s0 + (by_variance * relative) @ cv)
    return out


@njit(error_model="numpy")
def readings(m, spread, misfit, u, *rest):
    """`density` as PyTensor takes it: the value, and its gradient by m, spread, misfit and u in a row."""
    found = density(m, spread.item(), misfit.item(), u, *rest)
    return np.asarray(found[0]), found[1:]


@njit(cache=True, error_model="numpy")  # all that it calls stands in this file, so numba sees what changes
def each_draw(m, spread, misfit, u, *rest):
    """Log-likelihood of all readings for each draw, (draw,); m : (draw, reading); u : (draw, unknown)."""
    total = np.empty(len(m))
    for i in range(len(m)):
        total[i] = density(m[i], spread[i], misfit[i], u[i], *rest)[0]
    return total


@njit(error_model="numpy")
def controls(u, *rest):
    """`known` as PyTensor takes it: the value, and its gradient by u."""
    found = known(u, *rest)
    return np.asarray(found[0]), found[1:]

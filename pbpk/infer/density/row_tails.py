"""Tails of the normal and of Student's t, in logarithms and compiled: what `row_density` is made of.

The tail of the normal, with its slope, is what the likelihood of a faint organ spends its time on. It is taken from
Taylor series about nodes: the slope l of log Phi obeys l' = -l (z + l), which gives every coefficient from l itself,
and its nearest pole lies 2.8 from the real line (a zero of erfc), so that TERMS of them leave less than rounding.
"""

import math

import numpy as np
from numba import njit
from scipy.special import log_ndtr

HALF_LOG_TAU = 0.9189385332046727  # log(2 pi) / 2
NARROW = 1e-4  # width, in SDs, of an interval whose probability is the density in its middle
DEEP, HIGH = -30.0, 8.5  # between these ends the nodes stand; beyond them asymptotic series do
PER, TERMS = 8, 10  # nodes in one SD; coefficients of each


def _nodes():
    """Log Phi at each node, then the coefficients of its slope, (node, 1 + TERMS)."""
    z = np.arange(round(DEEP * PER), round(HIGH * PER) + 2) / PER
    found = np.empty((z.size, 1 + TERMS))
    found[:, 0] = log_ndtr(z)
    found[:, 1] = np.exp(-0.5 * z * z - HALF_LOG_TAU - found[:, 0])
    slope = found[:, 1:]
    for n in range(TERMS - 1):
        products = sum(slope[:, k] * slope[:, n - k] for k in range(n + 1))
        slope[:, n + 1] = -(z * slope[:, n] + (slope[:, n - 1] if n else 0.0) + products) / (n + 1)
    return found


NODES = _nodes()
SHARES = 1.0 / np.arange(1.0, TERMS + 1.0)  # integral of t^n is t^(n + 1) times these


@njit(error_model="numpy")
def below(z):
    """Logarithm of the normal probability below z, and its derivative."""
    if not z > DEEP:
        w = 1.0 / (z * z)
        less = -w * (1.0 - w * (3.0 - w * (15.0 - w * 105.0)))
        return -0.5 * z * z - np.log(-z) - HALF_LOG_TAU + np.log1p(less), -z / (1.0 + less)
    if z > HIGH:
        slope = np.exp(-0.5 * z * z - HALF_LOG_TAU)
        w = 1.0 / (z * z)
        return -slope / z * (1.0 - w * (1.0 - w * (3.0 - w * (15.0 - w * 105.0)))), slope
    node = int((z - DEEP) * PER + 0.5)
    t = z - (DEEP + node / PER)
    value, slope = 0.0, 0.0
    for n in range(TERMS, 0, -1):
        slope = slope * t + NODES[node, n]
        value = value * t + NODES[node, n] * SHARES[n - 1]
    return NODES[node, 0] + value * t, slope


@njit(error_model="numpy")
def log_beta_share(x, rest, a, b):
    """Logarithm of the regularised incomplete beta function I_x(a, b), where x < (a + 1) / (a + b + 2).

    Its continued fraction (DLMF 8.17.22) by Lentz's method; rest = 1 - x, given so that it keeps its digits.
    """
    tiny = 1e-300
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > tiny else tiny)
    found = d
    for k in range(1, 10000):
        even = k * (b - k) * x / ((a + 2 * k - 1.0) * (a + 2 * k))
        odd = -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1.0))
        change = 1.0
        for part in (even, odd):
            d = 1.0 + part * d
            c = 1.0 + part / c
            d = 1.0 / (d if abs(d) > tiny else tiny)
            c = c if abs(c) > tiny else tiny
            change = c * d
            found *= change
        if abs(change - 1.0) < 1e-15:
            break
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    return a * np.log(x) + b * np.log(rest) - log_beta - np.log(a) + np.log(found)


@njit(error_model="numpy")
def peak(nu):
    """Logarithm of the standard density at 0: normal where nu is infinite, else Student's t with nu degrees."""
    if np.isinf(nu):
        return -HALF_LOG_TAU
    return math.lgamma(0.5 * nu + 0.5) - math.lgamma(0.5 * nu) - 0.5 * np.log(nu * np.pi)


@njit(error_model="numpy")
def log_density(z, nu, top):
    """Logarithm of the standard density, top = peak(nu)."""
    if np.isinf(nu):
        return top - 0.5 * z * z
    return top - 0.5 * (nu + 1.0) * np.log1p(z * z / nu)


@njit(error_model="numpy")
def log_slope(z, nu):
    """Derivative of `log_density`."""
    return -z if np.isinf(nu) else -(nu + 1.0) * z / (nu + z * z)


@njit(error_model="numpy")
def log_below(z, nu):
    """Logarithm of the standard probability below z."""
    if np.isinf(nu):
        return below(z)[0]
    square = z * z
    x, rest = nu / (nu + square), square / (nu + square)
    if x < (0.5 * nu + 1.0) / (0.5 * nu + 2.5):
        tail = math.log(0.5) + log_beta_share(x, rest, 0.5 * nu, 0.5)
    elif rest > 0.0:
        tail = math.log(0.5) + np.log1p(-np.exp(log_beta_share(rest, x, 0.5, 0.5 * nu)))
    else:
        tail = math.log(0.5)
    return tail if z < 0.0 else np.log1p(-np.exp(tail))


@njit(error_model="numpy")
def log_between(lower, upper, nu, top):
    """Logarithm of the standard probability between two ends, taken in the nearer tail so that it keeps its digits."""
    width, middle = max(upper - lower, 1e-300), 0.5 * (lower + upper)
    if width * (1.0 + abs(middle)) < NARROW:
        return log_density(middle, nu, top) + np.log(width)
    if lower > 0.0:
        lower, upper = -upper, -lower
    near = log_below(upper, nu)
    return near + np.log(-np.expm1(log_below(lower, nu) - near))

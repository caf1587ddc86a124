"""Linear compartments to more than 80 digits, in whole numbers and by other ways than the package's.

A number x stands as the whole number x 2^BITS. The matrix K of x' = K x + feed is built from the arrows; passing states
are taken out by the plain Schur complement in mpmath; exp(K h) - from the Taylor series of a step so short that K h is
below 2^-FINE, squared as often as needed - and the integral of a feed are exact but for the last bits of each product:
a squaring doubles the error of a matrix whose columns sum to at most 1, so thirty squarings leave 2^-350 of the dose.
"""

from functools import cached_property

import mpmath
import numpy as np

BITS = 384
FINE = 12
mp = mpmath.MPContext()
mp.prec = 640


def fixed(x):
    """The whole number that stands for x."""
    return int(mp.floor(mp.ldexp(mp.mpf(x), BITS)))


def whole(array):
    """The same for every entry."""
    return np.vectorize(fixed, otypes=[object])(array)


def precise(array):
    """Every entry as a number of mpmath."""
    return np.vectorize(mp.mpf, otypes=[object])(array)


def loose(array):
    """Every entry rounded to a float."""
    return np.vectorize(float, otypes=[float])(array)


def rate_matrix(source, target, rates, n):
    """K of x' = K x in numbers of mpmath; the rates may be floats or such numbers themselves."""
    k = precise(np.zeros((n, n)))
    for s, t, rate in zip(source, target, rates, strict=True):
        k[t, s] += mp.mpf(rate)
        k[s, s] -= mp.mpf(rate)
    return k


class Flow:
    """x' = K x + feed in whole numbers."""

    def __init__(self, k):
        self.k = whole(k)
        fastest = max(1, *(abs(x) for x in np.diag(self.k)))
        self.finer = max(0, fastest.bit_length() - BITS) + FINE  # the first step is 2^-finer hours
        self.powers = []

    @cached_property
    def first(self):
        """exp(K 2^-finer)."""
        n = len(self.k)
        total = term = whole(np.eye(n))
        k = 0
        while any(term.flat) and k < BITS:
            k += 1
            term = (self.k.dot(term) >> (BITS + self.finer)) // k
            total = total + term
            if max(abs(x) for x in term.flat) <= n:
                break
        return total

    def power(self, level):
        """exp(K 2^(level - finer))."""
        while len(self.powers) <= level:
            last = self.powers[-1] if self.powers else None
            self.powers.append(self.first if last is None else last.dot(last) >> BITS)
        return self.powers[level]

    def short(self, x, feed, hours):
        """After less than the first step, by the Taylor series of the states."""
        step = fixed(hours)
        total, term = x, (self.k.dot(x) >> BITS) + feed
        for k in range(1, BITS):
            term = ((term * step) >> BITS) // k
            total = total + term
            if max(abs(y) for y in term) <= len(x):
                break
            term = self.k.dot(term) >> BITS
        return total

    def after(self, x, feed, hours):
        """States `hours` after x, while `feed` flows in."""
        zero = whole(np.zeros(len(x)))
        steps, level = int(mp.floor(mp.ldexp(hours, self.finer))), 0
        fed = self.short(zero, feed, mp.ldexp(1, -self.finer)) if any(feed) else zero
        rest = hours - mp.ldexp(steps, -self.finer)
        while steps >> level:
            power = self.power(level)
            if (steps >> level) & 1:
                x = (power.dot(x) >> BITS) + fed
            if any(fed):
                fed = (power.dot(fed) >> BITS) + fed
            level += 1
        return self.short(x, feed, rest)


class Body:
    """Compartments joined by arrows, those from `lasting` on taken as in balance, as `pbpk.body.solve.solve` has it."""

    def __init__(self, source, target, rates, n, lasting=None):
        lasting = n if lasting is None else lasting
        k = rate_matrix(source, target, rates, n)
        self.n, self.lasting = n, lasting
        self.turned = precise(np.zeros((n - lasting, n - lasting)))
        if lasting < n:
            turned = mp.inverse(mp.matrix((-k[lasting:, lasting:]).tolist()))
            self.turned = np.array(turned.tolist(), dtype=object).reshape(n - lasting, n - lasting)
        self.held = self.turned.dot(k[lasting:, :lasting])  # what passing states hold for each cell that lasts
        self.onward = k[:lasting, lasting:].dot(self.turned)  # where a cell that enters a passing state comes to rest
        self.flow = Flow(k[:lasting, :lasting] + k[:lasting, lasting:].dot(self.held))

    def states(self, entry, starts, durations, hours):
        """Cells in every state at each hour, (time, state), in numbers of mpmath."""
        out = precise(np.zeros((len(hours), self.n)))
        held = whole(self.held)
        for cells, start, duration in zip(entry, starts, durations, strict=True):
            cells, start, duration = precise(cells), mp.mpf(start), mp.mpf(duration)
            lasting = cells[: self.lasting] + self.onward.dot(cells[self.lasting :])
            passing = self.turned.dot(cells[self.lasting :])
            nothing = whole(np.zeros(self.lasting))
            full = nothing if duration else whole(lasting)
            if duration:
                feed = whole(lasting / duration)
                full = self.flow.after(nothing, feed, duration)
            for m, hour in enumerate(hours):
                since = mp.mpf(hour) - start
                if since < 0:
                    continue
                running = since < duration
                x = (
                    self.flow.after(nothing, feed, since)
                    if running
                    else self.flow.after(full, nothing, since - duration)
                )
                there = np.concatenate([x, held.dot(x) >> BITS])
                out[m] = out[m] + np.array([mp.ldexp(y, -BITS) for y in there])
                if running:
                    out[m, self.lasting :] = out[m, self.lasting :] + passing / duration
        return out

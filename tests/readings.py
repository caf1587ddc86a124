"""Readings with unknowns that they share, in which everything is known: for tests of the term that they make."""

from dataclasses import replace

import numpy as np

from pbpk.assay.signals import Response, Signals, learn

NAMES = ("blank", "log_slope", "log_s0", "log_cv")
PRIOR_SD = np.array([np.inf, np.inf, 1.0, 0.5])
START = np.array([0.0, 0.0, 0.0, np.log(0.02)])
TRUTH = np.array([0.4, 0.1, np.log(0.5), np.log(0.03)])


def response(amounts, rng=None, counted=False):
    n = len(amounts)
    blank, gain, s0, cv = (np.zeros((n, 4)) for _ in range(4))
    blank[:, 0] = gain[:, 1] = s0[:, 2] = cv[:, 3] = 1.0
    floor = 0.0 if counted else 1.0
    one = Response(np.zeros(n), np.full(n, 0.25 * floor), np.full(n, counted), blank, gain, np.zeros(n), s0, cv,
                   np.full(n, floor), np.ones(n))  # fmt: skip
    rise = one.rise(TRUTH, amounts)
    noise = 0.0 if rng is None else np.sqrt(one.scatter(TRUTH, rise)) * rng.standard_normal(n)
    return replace(one, value=blank @ TRUTH + rise + noise)


def signals():
    """Five readings, two of them faint, and the controls of their plate."""
    rng = np.random.default_rng(1)
    amounts = np.repeat([0.0, 5.0, 10.0, 50.0, 200.0], [8, 3, 3, 3, 3])
    shared = learn(NAMES, START, PRIOR_SD, response(amounts, rng), amounts)
    return Signals(shared, response(np.array([0.0, 2.0, 40.0, 150.0, 60.0]), rng), np.array([3, 0, 1, 2, 4]))

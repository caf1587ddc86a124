"""Normalised coefficients near what is believed: percent that an endpoint moves for a percent of a parameter."""

import numpy as np
import pandas as pd

from pbpk.body.solve import Array
from pbpk.predict.sensitivity.inputs import Inputs

STEP = 1e-4  # of the logarithm or the log-odds: central differences err by its square, rounding by 1e-14 over it
POINTS = 20  # draws beside the middle, so that one point is not a lucky one
GRADES = (("high", 0.5), ("medium", 0.2), ("low", 0.1))  # WHO/IPCS 2010; OECD Guidance Document 331 takes the same
COLUMNS = ["endpoint", "parameter", "coefficient", "least", "most", "grade", "per_log_odds", "variance_share"]


def graded(coefficient: float) -> str:
    """Grade of a normalised coefficient: high from 0.5, medium from 0.2, low from 0.1, else negligible.

    >>> graded(-0.7), graded(0.3), graded(0.05)
    ('high', 'medium', 'negligible')
    """
    return next((word for word, least in GRADES if abs(coefficient) >= least), "negligible")


def local(inputs: Inputs, points: int = POINTS, seed: int = 1) -> pd.DataFrame:
    """One row for each endpoint and parameter: d ln(endpoint) / d ln(parameter).

    coefficient : at the middle of what is believed; least, most : over the middle and some points of it
    per_log_odds : by the log-odds, for parameters that are shares, whose percents end at 100
    variance_share : part of the variance of the logarithm that the parameter brings, were all of it linear
    """
    z = np.random.default_rng(seed).standard_normal((1 + points, len(inputs.names)))
    z[0] = 0.0
    base = inputs.theta(z)
    slopes, natural = _slopes(inputs, base)
    deviation = _deviations(inputs)
    shares = (natural[0] * deviation[:, np.newaxis]) ** 2
    shares = shares / np.maximum(shares.sum(axis=0), np.finfo(float).tiny)
    rows = []
    for e, endpoint in enumerate(inputs.question.endpoints):
        for i, name in enumerate(inputs.names):
            own = slopes[:, i, e]
            share = inputs.priors[name].form == "logit_normal"
            rows.append([str(endpoint), name, own[0], np.nanmin(own), np.nanmax(own), graded(own[0]),
                         natural[0, i, e] if share else np.nan, shares[i, e]])  # fmt: skip
    table = pd.DataFrame(rows, columns=COLUMNS)
    return inputs.ranked(table, "coefficient")


def _slopes(inputs: Inputs, base: Array) -> tuple[Array, Array]:
    """Slopes d ln y / d ln p, and by the natural coordinate (logarithm, log-odds), (point, input, endpoint) each."""
    moved, factor = [], np.empty((len(base), len(inputs.names)))
    for i, name in enumerate(inputs.names):
        at, prior = inputs.origin.names.index(name), inputs.priors[name]
        for step in (STEP, -STEP):
            theta = base.copy()
            theta[:, at] = prior.moved(base[:, at], step)
            moved.append(theta)
        share = prior.form == "logit_normal"
        factor[:, i] = 1.0 / (1.0 - base[:, at]) if share else 1.0  # d ln p = (1 - p) d log-odds
    values = inputs.question.of(np.concatenate(moved))
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(values).reshape(len(inputs.names), 2, len(base), -1)
    natural = np.moveaxis(logs[:, 0] - logs[:, 1], 0, 1) / (2.0 * STEP)
    return natural * factor[..., np.newaxis], natural


def _deviations(inputs: Inputs) -> Array:
    """SD of each input in its natural coordinate, (input,)."""
    z = np.linspace(-2.5, 2.5, 101)
    weight = np.exp(-0.5 * z**2) / np.exp(-0.5 * z**2).sum()
    found = []
    for name in inputs.names:
        values = inputs.theta(z[:, np.newaxis], (name,))[:, inputs.origin.names.index(name)]
        share = inputs.priors[name].form == "logit_normal"
        with np.errstate(divide="ignore", invalid="ignore"):
            x = np.log(values) - np.log1p(-values) if share else np.log(np.abs(values))
        found.append(np.sqrt(np.sum(weight * (x - np.sum(weight * x)) ** 2)))
    return np.array(found)

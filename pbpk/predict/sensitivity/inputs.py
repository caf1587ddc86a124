"""What a question is varied in: each free parameter by itself, over what is believed of it before or after the data."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from pbpk.body.prior import Prior
from pbpk.body.solve import Array
from pbpk.errors import InputError, did_you_mean
from pbpk.predict.endpoint import Question
from pbpk.predict.origin import Origin

OVER = ("posterior", "prior")
FAR = 1.5  # SDs by which a parameter is moved to see whether anything asked hangs on it
BATCH = 4096  # vectors followed at once
EDGE = 1e-6  # of the unit cube: nobody is asked at probability 0 or 1
ROUNDING = 1e-9  # of an endpoint, below which nothing has moved
NOTABLE = 0.3  # correlation from which it is told that independent inputs leave it out

type Follow = Callable[[int, int], None]


@dataclass(frozen=True)
class Inputs:
    """Parameters that are varied independently, by standard-normal coordinates.

    names : of those that move an endpoint; inert : those that move none, which stay at their middle
    priors : name -> its prior
    """

    question: Question
    over: str
    names: tuple[str, ...]
    inert: tuple[str, ...]
    priors: dict[str, Prior]

    @property
    def origin(self) -> Origin:
        """Whose draws these are."""
        return self.question.origin

    @cached_property
    def middle(self) -> Array:
        """Median of every column, (parameter,): of the draws, or of the priors."""
        middle = np.median(self.origin.theta, axis=0)
        if self.over == "prior":
            for name, prior in self.priors.items():
                middle[self.origin.names.index(name)] = float(prior.value(np.zeros(1))[0])
        return np.asarray(middle)

    @cached_property
    def ordered(self) -> Array:
        """Draws of every column in ascending order, (draw, parameter)."""
        return np.sort(self.origin.theta, axis=0)

    def theta(self, z: Array, names: tuple[str, ...] | None = None) -> Array:
        """Parameter vectors (draw, parameter) from standard-normal (draw, input); the others stay in the middle."""
        names = self.names if names is None else names
        theta = np.repeat(self.middle[np.newaxis], len(z), axis=0)
        for i, name in enumerate(names):
            at = self.origin.names.index(name)
            theta[:, at] = (
                self.priors[name].value(z[:, i]) if self.over == "prior" else self._quantile(at, ndtr(z[:, i]))
            )
        return theta

    def _quantile(self, at: int, levels: Array) -> Array:
        places = (np.arange(len(self.ordered)) + 0.5) / len(self.ordered)
        return np.asarray(np.interp(levels, places, self.ordered[:, at]))

    def of(self, z: Array) -> Array:
        """Value of every endpoint, (draw, endpoint), from (draw, input)."""
        return self.question.of(self.theta(z))

    def logs(self, points: Array, follow: Follow | None = None) -> Array:
        """Logarithm of every endpoint, (point, endpoint), at points of the unit cube (point, input)."""
        parts = []
        for begin in range(0, len(points), BATCH):
            part = np.clip(points[begin : begin + BATCH], EDGE, 1.0 - EDGE)
            parts.append(np.log(np.maximum(self.of(ndtri(part)), np.finfo(float).tiny)))
            if follow is not None:
                follow(min(begin + BATCH, len(points)), len(points))
        return np.concatenate(parts)

    def problem(self, ends: tuple[float, float]) -> dict[str, Any]:
        """The inputs as SALib takes them, each between two of its quantiles."""
        return {"num_vars": len(self.names), "names": list(self.names), "bounds": [list(ends)] * len(self.names)}

    def ranked(self, table: pd.DataFrame, by: str) -> pd.DataFrame:
        """Table with the largest first within each endpoint, endpoints as they were asked."""
        order = {str(endpoint): i for i, endpoint in enumerate(self.question.endpoints)}
        place = table["endpoint"].map(order).to_numpy()
        return table.iloc[np.lexsort((-table[by].abs(), place))].reset_index(drop=True)

    @property
    def left_out(self) -> str:
        """A sentence on the correlation that independent inputs leave out, empty where there is none to speak of."""
        if self.over == "prior" or len(self.names) < 2:
            return ""
        columns = self.origin.theta[:, [self.origin.names.index(name) for name in self.names]]
        ranks = np.argsort(np.argsort(columns, axis=0), axis=0)
        known = np.corrcoef(ranks, rowvar=False) - np.eye(len(self.names))
        i, j = np.unravel_index(int(np.nanargmax(np.abs(known))), known.shape)
        if abs(known[i, j]) < NOTABLE:
            return ""
        return (f"Parameters are varied independently over their posterior margins; the fit ties `{self.names[i]}` and "
                f"`{self.names[j]}` (rank correlation {known[i, j]:+.2f}), which is left out.")  # fmt: skip


def inputs_of(question: Question, over: str = "posterior") -> Inputs:
    """Find the parameters that a question hangs on.

    over : "posterior", the margins of the draws, or "prior", what the model file believes

    Raises
    ------
    InputError
        if `over` is neither, or nothing asked hangs on any parameter
    """
    if over not in OVER:
        raise InputError(f"--over: `{over}` is neither posterior nor prior.{did_you_mean(over, OVER)}")
    origin, model = question.origin, question.model
    priors = {p.name: p.prior for p in model.parameters if not p.prior.is_fixed}
    modifiers = {m.name: m.prior for m in model.modifiers if m.prior is not None}
    priors |= {name: model.believed[name].prior if name in model.believed else modifiers[name]
               for name in origin.standing if name in model.believed or name in modifiers}  # fmt: skip
    if model.size_law is not None and question.scenario.resizes:
        priors[model.size_law.name] = model.size_law.prior
    whole = Inputs(question, over, tuple(priors), (), priors)
    far = np.concatenate([np.zeros((1, len(priors))), FAR * np.eye(len(priors)), -FAR * np.eye(len(priors))])
    values = whole.of(far)
    moved = (np.abs(values[1:] - values[0]) > ROUNDING * np.abs(values[0])).any(axis=1).reshape(2, -1).any(axis=0)
    names = tuple(name for name, is_moved in zip(priors, moved, strict=True) if is_moved)
    if not names:
        raise InputError(f"nothing that is asked of `{question.scenario.name}` hangs on a free parameter.")
    return Inputs(question, over, names, tuple(name for name in priors if name not in names), priors)

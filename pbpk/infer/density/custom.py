"""A prior or a likelihood of the user's own, as a PyMC callable, in place of what the files say.

    pbpk.fit(model, counts, priors={"E_lung": lambda name: pm.Beta(name, 8, 2)})
    pbpk.fit(model, counts, likelihood=lambda m, spread, misfit, table: pm.logp(pm.StudentT.dist(...), ...).sum())

A prior is called with the name of its variable inside the PyMC model. A likelihood is called with the logarithm of the
percentage that the model says of each row, (row,), with spread and misfit, and with the table of the counts; it
returns the log-density of all rows. What follows from the built-in likelihood alone (replicates, animals left out,
calibration) does not know of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pymc as pm

from pbpk.body.model import Parameter
from pbpk.body.prior import Prior
from pbpk.errors import InputError, did_you_mean
from pbpk.infer.matched.joint import Joint

DRAWS = 4000  # of a prior of the user's own, for the tables that compare prior and posterior
MakePrior = Callable[[str], Any]
LogLikelihood = Callable[..., Any]


@dataclass(frozen=True)
class Custom:
    """Priors by the names of their parameters, and a likelihood; empty where all is as the files say."""

    priors: Mapping[str, MakePrior] = field(default_factory=dict)
    likelihood: LogLikelihood | None = None

    def variable(self, name: str) -> str:
        """Name of the PyMC variable of a parameter."""
        return f"own_{name}"


def described(joint: Joint, custom: Custom, seed: int) -> Joint:
    """Joint whose tables describe the user's priors: by the median and spread of their draws, on the natural scale.

    Raises
    ------
    InputError
        if a prior is of no parameter, its draws are not of the kind that the parameter is, or instruments have read
        what a likelihood of the user's own is to judge
    """
    known = [parameter.name for parameter in joint.estimated]
    for name in custom.priors:
        if name not in known:
            raise InputError(f"priors: there is no parameter `{name}`.{did_you_mean(name, known)}")
    if custom.likelihood is not None and joint.counts.signals is not None:
        raise InputError("likelihood: what an instrument reads has a law of its own; leave `likelihood` out.")
    told = tuple(
        _described(parameter, custom.priors[parameter.name], seed) if parameter.name in custom.priors else parameter
        for parameter in joint.estimated
    )
    return replace(joint, estimated=told)


def _described(parameter: Parameter, make: MakePrior, seed: int) -> Parameter:
    with pm.Model():
        draws = np.asarray(pm.draw(make(parameter.name), DRAWS, random_seed=seed), dtype=float)
    if draws.shape != (DRAWS,):
        raise InputError(f"priors: `{parameter.name}` is one number, and its prior draws {draws.shape[1:]} of them.")
    share = parameter.prior.form == "logit_normal"
    if not np.isfinite(draws).all() or (draws <= 0.0).any() or (share and (draws >= 1.0).any()):
        raise InputError(f"priors: `{parameter.name}` lies {'between 0 and 1' if share else 'above 0'}; its prior does "
                         "not.")  # fmt: skip
    scale = np.log(draws / (1.0 - draws)) if share else np.log(draws)
    middle = float(np.exp(np.median(scale)))
    prior = Prior("logit_normal" if share else "lognormal", middle / (1.0 + middle) if share else middle,
                  float(scale.std()))  # fmt: skip
    return replace(parameter, prior=prior, source="the user's own")

"""A posterior as the rooms after `infer` see it: a real study and model, made-up draws about the prior."""

import numpy as np
import xarray as xr

from pbpk.infer.convergence import diagnose
from pbpk.infer.posterior import PRIOR_DRAWS, Posterior, prior_theta


def make_posterior(joint, scale=0.3, chains=4, draws=250, seed=0):
    """Draws whose standard-normal coordinates scatter by `scale` (a number, or one for each free parameter)."""
    z = scale * np.random.default_rng(seed).standard_normal((chains, draws, len(joint.free)))
    groups = {"posterior": joint.theta(z), "prior": prior_theta(joint, PRIOR_DRAWS, seed)[np.newaxis]}
    tree = xr.DataTree.from_dict(
        {name: named_draws(joint.names, theta) for name, theta in groups.items()}
        | {"sample_stats": xr.Dataset({"diverging": (("chain", "draw"), np.zeros((chains, draws), dtype=bool))})}
    )
    found, each = diagnose(tree)
    share = 1.0 / len(joint.readings)
    return Posterior(joint, tree, found, each, dict.fromkeys(joint.readings, share), {"compile": 1.0, "sample": 2.0})


def named_draws(names, theta):
    """Dataset with one variable for each column of (chain, draw, parameter)."""
    coords = {"chain": np.arange(theta.shape[0]), "draw": np.arange(theta.shape[1])}
    return xr.Dataset({name: (("chain", "draw"), theta[..., i]) for i, name in enumerate(names)}, coords)

"""A posterior as the rooms after `infer` see it: a real study and model, made-up draws about the prior."""

import numpy as np
import xarray as xr

from pbpk.infer.draws.posterior import posterior_of


def make_posterior(joint, scale=0.3, chains=4, draws=250, seed=0):
    """Draws whose standard-normal coordinates scatter by `scale` (a number, or one for each free parameter)."""
    z = scale * np.random.default_rng(seed).standard_normal((chains, draws, len(joint.free)))
    drawn = {"z": (("chain", "draw", "parameter"), z)}
    if len(joint.readings) > 1:
        drawn["reading"] = (
            ("chain", "draw", "of"),
            np.full((chains, draws, len(joint.readings)), 1.0 / len(joint.readings)),
        )
    stats = xr.Dataset({"diverging": (("chain", "draw"), np.zeros((chains, draws), dtype=bool))})
    sampled = xr.DataTree.from_dict({"posterior": xr.Dataset(drawn), "sample_stats": stats})
    return posterior_of(joint, sampled, seed, {"compile": 1.0, "sample": 2.0})

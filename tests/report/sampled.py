"""A run whose draws were made up about the prior of a real study, with what a sampler tells beside them."""

from pathlib import Path

import numpy as np
import xarray as xr

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.infer.draws.convergence import diagnose
from pbpk.infer.draws.posterior import Posterior, prior_theta
from pbpk.infer.matched.joint import join
from pbpk.infer.matched.kinds import kinds_of
from pbpk.predict.record import model_of
from pbpk.predict.run import assemble

DATA = Path(__file__).parents[2] / "data"
CHAINS, DRAWS = 4, 250


def make_sampled(name="khot_2019_t_cells_mouse", shift=0.0, deviates=None):
    """A run whose parameters scatter by a third of their priors; the first chain lies off by `shift` prior SDs."""
    study = read_study(DATA / name)
    joint = join(model_of(study), count_cells(study))
    rng = np.random.default_rng(8)
    z = 0.33 * rng.standard_normal((CHAINS, DRAWS, len(joint.free)))
    z[0, :, 0] += shift
    named = {
        "posterior": _named(joint.names, joint.theta(z), deviates or {}),
        "prior": _named(joint.names, prior_theta(joint, 50, 1)[np.newaxis], {}),
    }
    stats = {
        "diverging": rng.uniform(size=(CHAINS, DRAWS)) < (0.01 if shift else 0.0),
        "energy": rng.standard_normal((CHAINS, DRAWS)),
        "n_steps": np.full((CHAINS, DRAWS), 31),
    }
    kept = xr.Dataset({name: (("chain", "draw"), values) for name, values in stats.items()})
    tree = xr.DataTree.from_dict(named | {"sample_stats": kept})
    found, each = diagnose(tree, kinds_of(joint))
    share = 1.0 / len(joint.readings)
    readings = dict.fromkeys(joint.readings, share)
    posterior = Posterior(joint, tree, found, each, readings, {"compile": 1.0, "sample": 2.0})
    manifest = {"seed": 1, "created": "2026-01-31", "fingerprint": "0123abcd" * 8}
    return assemble(study, posterior, None, manifest)


def _named(names, theta, more):
    coords = {"chain": np.arange(theta.shape[0]), "draw": np.arange(theta.shape[1])}
    values = {name: theta[..., i] for i, name in enumerate(names)} | more
    return xr.Dataset({name: (("chain", "draw"), own) for name, own in values.items()}, coords)

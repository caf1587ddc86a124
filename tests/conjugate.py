"""One compartment of which only the volume is unknown, and its exact posterior: a fit that costs nothing.

The logarithm of a concentration is linear in that of the volume, so with a log-normal prior and known noise the
posterior is a normal (that of a linear regression), drawn here without a sampler. It can be made to believe wrong
things.
"""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from onecompartment import ONE, write_one
from scipy.stats import multivariate_normal

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.body.expansion import read_model
from pbpk.errors import SolveError
from pbpk.infer.draws.convergence import Diagnostics
from pbpk.infer.draws.posterior import Posterior
from pbpk.infer.matched.joint import join, predict_percent

SPREAD, MISFIT = 0.4, 0.3
FIXED = {"rate": "0.2", "absorption": "1.5", "spread": SPREAD, "misfit": MISFIT}


def write_study_of_one(folder):
    """Model and counts: eight means of six animals, and four single ones in pairs."""
    rows = ["group,animal,organ,hours,value,unit,readout,n,source"]
    rows += [f"all,,plasma,{hours},1,ug/mL,drug,6,none" for hours in (0.5, 1, 2, 3, 4, 6, 8, 10)]
    rows += [f"all,{animal},plasma,{hours},1,ug/mL,drug,,none" for hours in (5, 7) for animal in "ab"]
    doses = "group,hours,amount,unit,route\nall,0,100,mg,iv\n"
    write_one(folder, {"measurements.csv": "\n".join(rows) + "\n", "doses.csv": doses})
    text = ONE
    for name, value in FIXED.items():
        head, tail = text.split(f"{name}]", 1)
        old = tail.split('prior = "', 1)[1].split('"', 1)[0]
        text = f"{head}{name}]" + tail.replace(old, f"fixed(value={value})", 1)
    path = folder.parent / "one.toml"
    path.write_text(text)
    return read_model(str(path), "human", "none"), count_cells(read_study(folder))


@dataclass(frozen=True)
class Exact:
    """Exact fit of somebody who believes this.

    noise : spread and misfit over the true ones
    singles : whether a mean is taken for one animal
    shared : whether all cells are taken to miss the model together
    bad : seeds' last digits at which it fails, or says that it did not converge
    killed : file that is not there until a worker killed itself
    """

    noise: float = 1.0
    singles: bool = False
    shared: bool = False
    fails: int = -1
    poor: int = -1
    killed: str = ""

    def __call__(self, model, counts, *, seed, chains, draws, tune, calibration):
        if self.killed and not Path(self.killed).exists():
            Path(self.killed).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if seed % 10 == self.fails:
            raise SolveError("made to fail")
        joint = join(model, counts, calibration)
        sigma = joint.free[0].prior.sigma
        off, covariance = self.off(joint, np.zeros((1, 1)))
        weight = np.linalg.solve(covariance, np.ones(len(covariance)))
        precision = 1.0 + sigma**2 * weight.sum()
        mean = -sigma * (weight @ off[0]) / precision
        z = mean + np.random.default_rng(seed).standard_normal((chains, draws)) / np.sqrt(precision)
        theta = joint.theta(z[..., np.newaxis])
        data = {name: (("chain", "draw"), theta[..., i]) for i, name in enumerate(joint.names)}
        tree = xr.DataTree.from_dict({"posterior": xr.Dataset(data)})
        rhat = 1.2 if seed % 10 == self.poor else 1.0
        each = {"volume": {"rhat": rhat, "ess_bulk": float(chains * draws), "ess_tail": float(chains * draws)}}
        told = Diagnostics(chains, draws, rhat, chains * draws, chains * draws, 0, ())
        return Posterior(joint, tree, told, each, {"dose": 1.0}, {"sample": 0.0})

    def off(self, joint, z):
        """Logarithms of the values less their means at each z, (draw, row), and their covariance, as believed."""
        table = joint.counts.table
        n = np.ones(len(table)) if self.singles else table["n"].to_numpy(float)
        spread, misfit = self.noise * SPREAD, self.noise * MISFIT
        v = np.log1p(np.expm1(spread**2) / n)
        m = np.log(predict_percent(joint, joint.theta(z))["dose"])
        same = (joint.cells[:, np.newaxis] == joint.cells) | self.shared
        return np.log(table["percent"].to_numpy(float)) - m - spread**2 / 2 + v / 2, np.diag(v) + misfit**2 * same

    def log_likelihood(self, joint, theta, unknowns):
        """Of the logarithms of all values, (draw,)."""
        z = joint.free[0].prior.standardised(theta[:, [joint.names.index("volume")]])
        off, covariance = self.off(joint, z)
        return np.atleast_1d(multivariate_normal(np.zeros(len(covariance)), covariance).logpdf(off))

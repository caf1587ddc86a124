"""What was learned: draws of every parameter, with the model and the counts they belong to."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from pbpk.body.solve import Array
from pbpk.errors import RunError
from pbpk.infer.convergence import Diagnostics, diagnose
from pbpk.infer.joint import Joint

PRIOR_DRAWS = 1000


@dataclass(frozen=True)
class Posterior:
    """Draws of a fit.

    tree : groups posterior and prior (one variable for each parameter), sample_stats; opens in ArviZ
    each : rhat, ess_bulk, ess_tail of each parameter
    readings : posterior probability of each reading of the denominator
    seconds : how long compiling and sampling took
    """

    joint: Joint
    tree: xr.DataTree
    diagnostics: Diagnostics
    each: dict[str, dict[str, float]]
    readings: dict[str, float]
    seconds: dict[str, float]

    def theta(self, draws: int | None = None, group: str = "posterior") -> Array:
        """Parameter vectors (draw, estimated), evenly thinned to at most `draws` of them."""
        data = self.tree[group].to_dataset()
        stacked = np.stack([data[name].to_numpy().ravel() for name in self.joint.names], axis=-1)
        if draws is None or draws >= len(stacked):
            return stacked
        return stacked[np.linspace(0, len(stacked) - 1, draws).astype(int)]

    def unknowns(self) -> Array:
        """What the readings of instruments share, (draw, unknown); no columns where nothing is shared."""
        if "assay" not in self.tree.children:
            return np.zeros((len(self.theta()), 0))
        u = self.tree["assay"]["unknowns"].to_numpy()
        return np.asarray(u.reshape(-1, u.shape[-1]), dtype=float)


def prior_theta(joint: Joint, draws: int, seed: int) -> Array:
    """Parameter vectors drawn from the prior, (draw, estimated)."""
    rng = np.random.default_rng(seed)
    return joint.theta(rng.standard_normal((draws, len(joint.free))))


def write_posterior(posterior: Posterior, path: Path) -> None:
    """Write the draws as NetCDF that ArviZ and xarray open."""
    tree = posterior.tree.copy()
    tree.attrs |= {f"reading_{name}": share for name, share in posterior.readings.items()}
    tree.attrs |= {f"seconds_{name}": value for name, value in posterior.seconds.items()}
    tree.to_netcdf(path, engine="h5netcdf")


def read_posterior(path: Path, joint: Joint) -> Posterior:
    """Read the draws of a fit and match them with their model and counts.

    Raises
    ------
    RunError
        if the file is missing or holds other parameters
    """
    if not path.is_file():
        raise RunError(f"{path}: there is no such file; the run has no fit.")
    tree = xr.open_datatree(path, engine="h5netcdf").load()
    missing = [name for name in joint.names if name not in tree["posterior"].data_vars]
    if missing:
        raise RunError(f"{path}: the fit has no parameter `{missing[0]}`; the model changed since, fit again.")
    diagnostics, each = diagnose(tree)
    kept = {str(key): float(value) for key, value in tree.attrs.items() if isinstance(value, int | float | np.number)}
    readings = {k.removeprefix("reading_"): v for k, v in kept.items() if k.startswith("reading_")}
    seconds = {k.removeprefix("seconds_"): v for k, v in kept.items() if k.startswith("seconds_")}
    return Posterior(joint, tree, diagnostics, each, readings, seconds)

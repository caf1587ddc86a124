"""What was learned: draws of every parameter, with the model and the counts they belong to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pbpk.body.solve import Array
from pbpk.errors import RunError
from pbpk.infer.density.signals import unknowns
from pbpk.infer.draws.convergence import Diagnostics, diagnose
from pbpk.infer.matched.between import DEVIATE
from pbpk.infer.matched.joint import Joint
from pbpk.infer.matched.kinds import kinds_of
from pbpk.infer.matched.sharing import Together

CLOCK = "created_at"  # attribute that the sampler writes
PRIOR_DRAWS = 1000
MOST_PARETO_K = 0.7  # Vehtari et al. 2024, JMLR 25:72
ANIMAL = "animal"  # variable that holds the deviates of all animals


@dataclass(frozen=True)
class Posterior:
    """Draws of a fit.

    tree : groups posterior and prior (one variable for each parameter, and `animal` for the deviates of all animals),
        sample_stats; opens in ArviZ
    each : rhat, ess_bulk, ess_tail of each parameter
    readings : posterior probability of each reading of the denominator
    seconds : how long compiling and sampling took, empty where it was read
    method : "nuts", or "variational" for a quick approximation
    """

    joint: Joint
    tree: xr.DataTree
    diagnostics: Diagnostics
    each: dict[str, dict[str, float]]
    readings: dict[str, float]
    seconds: dict[str, float]
    method: str = "nuts"

    def theta(self, draws: int | None = None, group: str = "posterior") -> Array:
        """Parameter vectors (draw, estimated), evenly thinned to at most `draws` of them."""
        data = self.tree[group].to_dataset()
        apart = data[ANIMAL].to_numpy() if ANIMAL in data else np.zeros(0)
        columns = [data[name].to_numpy().ravel() for name in self.joint.names if not name.startswith(DEVIATE)]
        stacked = np.stack(columns, axis=-1)
        if apart.size:
            stacked = np.concatenate([stacked, apart.reshape(len(stacked), -1)], axis=-1)
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
    return np.asarray(joint.theta(rng.standard_normal((draws, len(joint.free)))))


def named_draws(joint: Joint, theta: Array) -> xr.Dataset:
    """Draws (chain, draw, estimated) by the names of the parameters; deviates of animals, which come last, in one."""
    coords = {"chain": np.arange(theta.shape[0]), "draw": np.arange(theta.shape[1])}
    units = {parameter.name: parameter.unit for parameter in joint.estimated}
    own = [name for name in joint.names if not name.startswith(DEVIATE)]
    named = xr.Dataset(
        {name: (("chain", "draw"), theta[..., i], {"unit": units[name]}) for i, name in enumerate(own)}, coords
    )
    if len(own) < len(joint.names):
        deviates = [name.removeprefix(DEVIATE) for name in joint.names[len(own) :]]
        named[ANIMAL] = (("chain", "draw", "deviate"), theta[..., len(own) :], {"unit": "SDs between animals"})
        named = named.assign_coords(deviate=deviates)
    return named


def posteriors_of(
    whole: Together,
    sampled: xr.DataTree,
    seed: int,
    seconds: dict[str, float],
    method: str = "nuts",
    owned: Mapping[str, str] | None = None,
) -> dict[str, Posterior]:
    """Posterior of each study from draws of the vector behind them all.

    owned : parameters with a prior of the user's own -> the variable that holds their draws
    """
    found = {}
    drawn = sampled["posterior"].to_dataset()
    for study, joint in whole.joints.items():
        own: dict[str, Any] = {"z": (("chain", "draw", "parameter"), drawn["z"].to_numpy()[..., whole.places[study]])}
        own |= {name: (("chain", "draw"), drawn[variable].to_numpy()) for name, variable in (owned or {}).items()}
        for name in ("assay", "reading"):
            if f"{name}{whole.suffix(study)}" in drawn:
                values = drawn[f"{name}{whole.suffix(study)}"].to_numpy()
                own[name] = (("chain", "draw", f"{name}_at"), values)
        groups = {"posterior": xr.Dataset(own), "sample_stats": sampled["sample_stats"].to_dataset()}
        tree = xr.DataTree.from_dict(groups)
        tree.attrs |= sampled.attrs
        found[study] = posterior_of(joint, tree, seed, seconds, method)
    return found


def posterior_of(
    joint: Joint, sampled: xr.DataTree, seed: int, seconds: dict[str, float], method: str = "nuts"
) -> Posterior:
    """Posterior from draws of the sampler's vector: `z`, and `assay` and `reading` where there are any."""
    drawn = sampled["posterior"].to_dataset()
    theta = joint.theta(drawn["z"].to_numpy())
    for name in set(joint.names).intersection(drawn):  # what has a prior of the user's own is not behind z
        theta[..., joint.names.index(name)] = drawn[name].to_numpy()
    groups = {
        "posterior": named_draws(joint, theta),
        "prior": named_draws(joint, prior_theta(joint, PRIOR_DRAWS, seed)[np.newaxis]),
        "sample_stats": sampled["sample_stats"].to_dataset(),
    }
    signals = joint.counts.signals
    if "assay" in drawn and signals is not None:
        u = unknowns(signals, drawn["assay"].to_numpy())
        names = {"unknown": list(signals.shared.names)}
        groups["assay"] = xr.Dataset({"unknowns": (("chain", "draw", "unknown"), u)}, names)
    tree = xr.DataTree.from_dict(groups)
    tree.attrs |= sampled.attrs
    readings = {joint.readings[0]: 1.0}
    if len(joint.readings) > 1:
        share = drawn["reading"].to_numpy().reshape(-1, len(joint.readings)).mean(axis=0)
        readings = {reading: float(p) for reading, p in zip(joint.readings, share, strict=True)}
    diagnostics, each = _diagnosed(joint, tree)
    return Posterior(joint, tree, diagnostics, each, readings, seconds, method)


def _diagnosed(joint: Joint, tree: xr.DataTree) -> tuple[Diagnostics, dict[str, dict[str, float]]]:
    """Whether chains agree; of a quick approximation, whether it is near enough to what it stands for."""
    diagnostics, each = diagnose(tree, kinds_of(joint))
    k = float(tree.attrs.get("pareto_k", 0.0))
    if k > MOST_PARETO_K:
        told = (f"the approximation is rough (Pareto k {k:.2f}, above {MOST_PARETO_K}), its intervals likely too "
                "narrow; fit without --quick",)  # fmt: skip
        diagnostics = replace(diagnostics, warnings=(*diagnostics.warnings, *told))
    return diagnostics, each


def write_posterior(posterior: Posterior, path: Path) -> None:
    """Write the draws as NetCDF that ArviZ and xarray open; when they were drawn, and how long it took, is left out."""
    tree = posterior.tree.copy()
    for group in tree.subtree:  # the same draws are the same bytes
        group.attrs = {name: value for name, value in group.attrs.items() if name != CLOCK}
    tree.attrs |= {f"reading_{name}": share for name, share in posterior.readings.items()}
    tree.attrs |= {"method": posterior.method}
    tree.to_netcdf(path, engine="h5netcdf")


def read_posterior(path: Path, joint: Joint) -> Posterior:
    """Read the draws of a fit and match them with their model and counts; how long they took is in the manifest.

    Raises
    ------
    RunError
        if the file is missing or holds other parameters
    """
    if not path.is_file():
        raise RunError(f"{path}: there is no such file; the run has no fit.")
    tree = xr.open_datatree(path, engine="h5netcdf").load()
    held = set(tree["posterior"].data_vars)
    if ANIMAL in held:
        held |= {DEVIATE + str(name) for name in tree["posterior"]["deviate"].to_numpy()}
    missing = [name for name in joint.names if name not in held]
    if missing:
        raise RunError(f"{path}: the fit has no parameter `{missing[0]}`; the model changed since, fit again.")
    diagnostics, each = _diagnosed(joint, tree)
    kept = {str(key): float(value) for key, value in tree.attrs.items() if isinstance(value, int | float | np.number)}
    readings = {k.removeprefix("reading_"): v for k, v in kept.items() if k.startswith("reading_")}
    return Posterior(joint, tree, diagnostics, each, readings, {}, str(tree.attrs.get("method", "nuts")))

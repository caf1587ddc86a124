"""NUTS on the joint likelihood: compiled through numba, sampled by nutpie, in as many chains as asked."""

import time
from collections.abc import Callable

import numpy as np
import nutpie
import xarray as xr
from pytensor.configdefaults import config

from pbpk.assay.counts import OrganCounts
from pbpk.body.model import Model
from pbpk.infer.convergence import diagnose
from pbpk.infer.joint import Calibration, Joint, join
from pbpk.infer.likelihood import build
from pbpk.infer.posterior import PRIOR_DRAWS, Posterior, prior_theta
from pbpk.infer.signals import unknowns

Progress = Callable[[str, int, int, int], None]
CAREFUL = 0.995  # a fit with divergences is sampled once more with steps this small
CORES = 2  # chains at a time; each is one thread, so that they do not fight for cores


def fit(
    model: Model,
    counts: OrganCounts,
    seed: int = 1,
    chains: int = 4,
    draws: int = 1500,
    tune: int = 1000,
    target_accept: float = 0.95,
    progress: Progress | None = None,
    calibration: Calibration = "joint",
) -> Posterior:
    """Learn the parameters of a model from counts.

    Parameters
    ----------
    seed : same seed, same draws
    target_accept : smaller steps when raised; a fit with divergences is sampled again with very small ones
    progress : called with what is being done, steps done, steps in all, divergences so far
    calibration : how the controls of an instrument enter, see `Joint`

    Returns
    -------
    Posterior, whose `diagnostics.passed` must be true before it is used

    Raises
    ------
    StudyError, ModelFileError
        if the counts do not fit the model
    """
    joint = join(model, counts, calibration)
    tell = progress or (lambda what, done, total, divergences: None)
    tell("compiling", 0, 1, 0)
    began = time.perf_counter()
    # fast-math lets the compiler reorder sums, and it does so otherwise when it finds its cache filled: other draws
    with config.change_flags(numba__fastmath=False):
        compiled = nutpie.compile_pymc_model(build(joint))
    compiled_at = time.perf_counter()
    tell("compiling", 1, 1, 0)

    def follow(states: list[nutpie.ChainProgress]) -> None:
        done = sum(state.finished_draws for state in states)
        divergences = sum(state.divergences for state in states)
        tell("sampling", done, chains * (tune + draws), divergences)

    def sample(accept: float) -> xr.DataTree:
        return nutpie.sample(
            compiled,
            draws=draws,
            tune=tune,
            chains=chains,
            cores=min(CORES, chains),
            seed=seed,
            target_accept=accept,
            adaptation="low_rank",
            progress_bar=False,
            progress_callback=follow if progress else None,
            save_warmup=False,
        )

    sampled = sample(target_accept)
    if bool(sampled["sample_stats"]["diverging"].any()) and target_accept < CAREFUL:
        tell("again, with smaller steps", 0, 1, 0)
        sampled = sample(CAREFUL)
    tell("sampling", chains * (tune + draws), chains * (tune + draws), int(sampled["sample_stats"]["diverging"].sum()))
    seconds = {"compile": compiled_at - began, "sample": time.perf_counter() - compiled_at}
    tree = _named(joint, sampled, seed)
    diagnostics, each = diagnose(tree)
    return Posterior(joint, tree, diagnostics, each, _readings(joint, sampled), seconds)


def _named(joint: Joint, sampled: xr.DataTree, seed: int) -> xr.DataTree:
    """Draws by the names of the parameters in place of the sampler's vector."""
    theta = joint.theta(sampled["posterior"]["z"].to_numpy())
    prior = prior_theta(joint, PRIOR_DRAWS, seed)[np.newaxis]
    units = {parameter.name: parameter.unit for parameter in joint.estimated}

    def group(values: np.ndarray) -> xr.Dataset:
        coords = {"chain": np.arange(values.shape[0]), "draw": np.arange(values.shape[1])}
        variables = {
            name: (("chain", "draw"), values[..., i], {"unit": units[name]}) for i, name in enumerate(joint.names)
        }
        return xr.Dataset(variables, coords)

    groups = {"posterior": group(theta), "prior": group(prior)}
    signals = joint.counts.signals
    if "assay" in sampled["posterior"] and signals is not None:
        u = unknowns(signals, sampled["posterior"]["assay"].to_numpy())
        groups["assay"] = xr.Dataset({"unknowns": (("chain", "draw", "unknown"), u)},
                                     {"unknown": list(signals.shared.names)})  # fmt: skip
    keep = ["diverging", "n_steps", "energy", "logp", "step_size", "mean_tree_accept"]
    stats = sampled["sample_stats"].to_dataset()
    return xr.DataTree.from_dict(
        {
            **groups,
            "sample_stats": stats[[name for name in keep if name in stats]],
        }
    )


def _readings(joint: Joint, sampled: xr.DataTree) -> dict[str, float]:
    """Posterior probability of each reading of the denominator."""
    if len(joint.readings) == 1:
        return {joint.readings[0]: 1.0}
    share = sampled["posterior"]["reading"].to_numpy().reshape(-1, len(joint.readings)).mean(axis=0)
    return {reading: float(p) for reading, p in zip(joint.readings, share, strict=True)}

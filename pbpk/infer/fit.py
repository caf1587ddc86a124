"""The fit: the joint likelihood compiled through numba, sampled by NUTS, in as many chains as asked."""

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import nutpie
from pytensor.configdefaults import config

from pbpk.assay.counts import OrganCounts
from pbpk.body.model import Model
from pbpk.errors import InputError
from pbpk.infer.custom import Custom, LogLikelihood, MakePrior, described
from pbpk.infer.gradient import KERNELS
from pbpk.infer.joint import Calibration, join
from pbpk.infer.likelihood import AS_WRITTEN, build, packed
from pbpk.infer.posterior import Posterior, posteriors_of
from pbpk.infer.quick import approximate
from pbpk.infer.sampling import Checkpoint, Settings, sample_chains
from pbpk.infer.sharing import ALONE, Together

Progress = Callable[[str, int, int, int], None]
CAREFUL = 0.995  # a fit with divergences is sampled once more with steps this small


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
    quick: bool = False,
    checkpoint: Path | None = None,
    priors: Mapping[str, MakePrior] | None = None,
    likelihood: LogLikelihood | None = None,
) -> Posterior:
    """Learn the parameters of a model from counts.

    Parameters
    ----------
    seed : same seed, same draws
    target_accept : smaller steps when raised; a fit with divergences is sampled again with very small ones
    progress : called with what is being done, steps done, steps in all, divergences so far
    calibration : how the controls of an instrument enter, see `Joint`
    quick : a normal about the mode instead of chains, in seconds; the posterior is marked as an approximation
    checkpoint : folder in which finished chains are kept, so that a fit that was killed goes on from there
    priors : parameter -> callable that makes its PyMC variable, instead of the prior in the model file
    likelihood : callable that returns the log-density of all rows, instead of the one in `joint`: see `custom`

    Returns
    -------
    Posterior, whose `diagnostics.passed` must be true before it is used

    Raises
    ------
    StudyError, ModelFileError
        if the counts do not fit the model
    InputError
        if a prior or likelihood of the user's own cannot be used
    """
    custom = Custom(dict(priors or {}), likelihood)
    joint = join(model, counts, calibration)
    if priors or likelihood is not None:
        if quick or checkpoint is not None:
            raise InputError("priors and likelihoods of one's own are sampled, without `quick` or `checkpoint`.")
        joint = described(joint, custom, seed)
    whole = Together.alone(joint)
    return fit_together(whole, seed, chains, draws, tune, target_accept, progress, quick, checkpoint, custom)[ALONE]


def fit_together(
    whole: Together,
    seed: int = 1,
    chains: int = 4,
    draws: int = 1500,
    tune: int = 1000,
    target_accept: float = 0.95,
    progress: Progress | None = None,
    quick: bool = False,
    checkpoint: Path | None = None,
    custom: Custom = AS_WRITTEN,
) -> dict[str, Posterior]:
    """Learn from several studies at once, see `join_together`; settings as in `fit`, one posterior for each study."""
    tell = progress or (lambda what, done, total, divergences: None)
    tell("compiling", 0, 1, 0)
    began = time.perf_counter()
    if quick:
        sampled, seconds = approximate(whole, seed, tell)
        return posteriors_of(whole, sampled, seed, seconds, "variational")
    # fast-math lets the compiler reorder sums, and it does so otherwise when it finds its cache filled: other draws
    with config.change_flags(numba__fastmath=False):
        compiled = nutpie.compile_pymc_model(build(whole, custom))
    compiled_at = time.perf_counter()
    tell("compiling", 1, 1, 0)
    kept = Checkpoint(checkpoint, digest(whole)) if checkpoint is not None else None
    settings = Settings(seed, chains, draws, tune, target_accept)
    sampled = sample_chains(compiled, settings, lambda *state: tell("sampling", *state), kept)
    if bool(sampled["sample_stats"]["diverging"].any()) and target_accept < CAREFUL:
        settings = Settings(seed, chains, draws, tune, CAREFUL)
        sampled = sample_chains(compiled, settings, lambda *state: tell("again, with smaller steps", *state), kept)
    seconds = {"compile": compiled_at - began, "sample": time.perf_counter() - compiled_at}
    return posteriors_of(whole, sampled, seed, seconds, owned={name: custom.variable(name) for name in custom.priors})


def digest(whole: Together) -> str:
    """Digest of a posterior: of all that its log-density depends on."""
    found = hashlib.sha256(repr(whole.names).encode())
    for study, joint in whole.joints.items():
        parts = [study, repr(joint.estimated), repr(joint.counts.table.to_dict("split")), joint.counts.denominator]
        parts += [joint.calibration, joint.study.about.errors, repr(joint.counts.harvested), str(KERNELS)]
        found.update("\n".join(parts).encode() + whole.places[study].tobytes())
        for array in packed(joint, joint.experiments).arrays():
            found.update(array.tobytes())
        if joint.counts.signals is not None:
            signals = joint.counts.signals
            for held in (signals.response, signals.shared.controls):
                for array in vars(held).values():
                    found.update(array.tobytes())
            found.update(repr(signals.shared.names).encode() + signals.shared.mean.tobytes())
    return found.hexdigest()

"""The fit: the joint likelihood compiled through numba, sampled by NUTS, in as many chains as asked."""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import nutpie
from pytensor.configdefaults import config

from pbpk.assay.counts import OrganCounts
from pbpk.body.model import Model
from pbpk.errors import InputError
from pbpk.infer.density import gradient, row_terms, signal_terms
from pbpk.infer.density.custom import Custom, LogLikelihood, MakePrior, described
from pbpk.infer.density.likelihood import AS_WRITTEN, build, measured, operation, packed
from pbpk.infer.draws.posterior import Posterior, posteriors_of
from pbpk.infer.draws.quick import approximate
from pbpk.infer.draws.sampling import Checkpoint, Settings, sample_chains
from pbpk.infer.matched.joint import Calibration, Joint, join
from pbpk.infer.matched.sharing import ALONE, Together

Progress = Callable[[str, int, int, int], None]
DRAWS = 800  # of each chain where nobody says how many; twice as many where the chains then disagree
CAREFUL = 0.995  # a fit with divergences is sampled once more with steps this small
KERNELS = (gradient.KERNELS, row_terms.KERNELS, signal_terms.KERNELS)
MOST_KEPT = 4  # designs whose compiled posteriors are kept; each holds some hundred megabytes
SEEN = ["group", "animal", "organ", "readout", "hours", "per"]  # columns that say what a row saw, whatever was found


class Compiled:
    """Posteriors that were compiled: other numbers of the same design need no compiler, only a sampler."""

    def __init__(self) -> None:
        self._of: dict[str, Any] = {}

    def fit(self, model: Model, counts: OrganCounts, **settings: Any) -> Posterior:
        """`fit`, compiling only a design that was not met before; the draws are those of a fit by itself."""
        return fit(model, counts, compiled=self, **settings)

    def posterior(self, whole: Together, custom: Custom = AS_WRITTEN) -> Any:
        """What the sampler takes, with what these studies measured; a user's own terms are compiled each time."""
        if custom.priors or custom.likelihood is not None:  # nobody can tell whether two callables say the same
            return _compile(whole, custom)
        asked = design(whole)
        if asked in self._of:
            return self._of[asked].with_data(**measured(whole))
        while len(self._of) >= MOST_KEPT:
            del self._of[next(iter(self._of))]
        self._of[asked] = _compile(whole, custom)
        return self._of[asked]


def _compile(whole: Together, custom: Custom) -> Any:
    # fast-math lets the compiler reorder sums, and it does so otherwise when it finds its cache filled: other draws
    with config.change_flags(numba__fastmath=False):
        return nutpie.compile_pymc_model(build(whole, custom, straight=True))


def fit(
    model: Model,
    counts: OrganCounts,
    seed: int = 1,
    chains: int = 4,
    draws: int | None = None,
    tune: int = 500,
    target_accept: float = 0.95,
    progress: Progress | None = None,
    calibration: Calibration = "joint",
    quick: bool = False,
    checkpoint: Path | None = None,
    priors: Mapping[str, MakePrior] | None = None,
    likelihood: LogLikelihood | None = None,
    compiled: Compiled | None = None,
) -> Posterior:
    """Learn the parameters of a model from counts.

    Parameters
    ----------
    seed : same seed, same draws
    draws : of each chain; where left out 800, and if the chains disagree by then, 1600
    target_accept : smaller steps when raised; a fit with divergences is sampled again with very small ones
    progress : called with what is being done, steps done, steps in all, divergences so far
    calibration : how the controls of an instrument enter, see `Joint`
    quick : the nearest normal instead of chains, in seconds; the posterior is marked as an approximation
    checkpoint : folder in which finished chains are kept, so that a fit that was killed goes on from there
    priors : parameter -> callable that makes its PyMC variable, instead of the prior in the model file
    likelihood : callable that returns the log-density of all rows, instead of the one in `joint`: see `custom`
    compiled : what earlier fits compiled, see `Compiled`

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
    given = (seed, chains, draws, tune, target_accept, progress, quick, checkpoint, custom, compiled)
    return fit_together(whole, *given)[ALONE]


def fit_together(
    whole: Together,
    seed: int = 1,
    chains: int = 4,
    draws: int | None = None,
    tune: int = 500,
    target_accept: float = 0.95,
    progress: Progress | None = None,
    quick: bool = False,
    checkpoint: Path | None = None,
    custom: Custom = AS_WRITTEN,
    compiled: Compiled | None = None,
) -> dict[str, Posterior]:
    """Learn from several studies at once, see `join_together`; settings as in `fit`, one posterior for each study."""
    tell = progress or (lambda what, done, total, divergences: None)
    tell("compiling", 0, 1, 0)
    began = time.perf_counter()
    if quick:
        sampled, seconds = approximate(whole, seed, tell)
        return posteriors_of(whole, sampled, seed, seconds, "variational")
    posterior = (compiled or Compiled()).posterior(whole, custom)
    compiled_at = time.perf_counter()
    tell("compiling", 1, 1, 0)
    kept = Checkpoint(checkpoint, digest(whole)) if checkpoint is not None else None
    owned = {name: custom.variable(name) for name in custom.priors}

    settings, what = Settings(seed, chains, draws or DRAWS, tune, target_accept), "sampling"
    while True:
        sampled = sample_chains(posterior, settings, lambda *state, what=what: tell(what, *state), kept)
        if bool(sampled["sample_stats"]["diverging"].any()) and settings.target_accept < CAREFUL:
            settings, what = replace(settings, target_accept=CAREFUL), "again, with smaller steps"
            continue
        seconds = {"compile": compiled_at - began, "sample": time.perf_counter() - compiled_at}
        posteriors = posteriors_of(whole, sampled, seed, seconds, owned=owned)
        too_few = any(each.diagnostics.too_few for each in posteriors.values())
        if draws is not None or settings.draws > DRAWS or not too_few:
            return posteriors
        settings, what = replace(settings, draws=2 * DRAWS), "again, twice as long"


def design(whole: Together) -> str:
    """Digest of all that is compiled: priors, doses, what each row sees and what is shared; no number measured."""
    found = hashlib.sha256(repr((whole.names, KERNELS)).encode())
    for study, joint in whole.joints.items():
        found.update(repr(_design(study, joint)).encode())
        for array in (whole.places[study], *packed(joint, joint.experiments).arrays()):
            found.update(repr((array.dtype.str, array.shape)).encode() + array.tobytes())
    for name, array in measured(whole).items():  # other numbers may make these longer, but not of another kind
        found.update(repr((name, array.dtype.str, array.ndim)).encode())
    return found.hexdigest()


def _design(study: str, joint: Joint) -> tuple[Any, ...]:
    """Of one study, what no array of its experiments says."""
    counts, between = joint.counts, joint.between
    followed = [(each.rows, each.subject, operation(each).__name__) for each in joint.experiments]
    parts = (study, joint.estimated, joint.switched, joint.readings, joint.calibration, counts.harvested, followed)
    apart: tuple[Any, ...] = ()
    if between is not None:
        apart = (between.varied, between.together, between.subjects, between.of_row.tolist(), between.share.tolist())
    names = () if counts.signals is None else counts.signals.shared.names
    return *parts, apart, names, counts.table[SEEN].to_dict("split")


def digest(whole: Together) -> str:
    """Digest of a posterior: of all that its log-density depends on, the design and what was measured."""
    found = hashlib.sha256(design(whole).encode())
    for array in measured(whole).values():
        found.update(repr(array.shape).encode() + array.tobytes())
    return found.hexdigest()

"""A run folder as the command line writes it, of draws that were made up about the prior: nothing is sampled."""

import importlib.util
from pathlib import Path

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.infer.draws.posterior import write_posterior
from pbpk.infer.matched.joint import join
from pbpk.predict.filing.carried import read_followed
from pbpk.predict.provenance import how_fitted
from pbpk.predict.record import model_of, write_folder, write_manifest
from pbpk.predict.run import describe, write_inputs
from pbpk.predict.studied import recorded

_spec = importlib.util.spec_from_file_location("madeup_draws", Path(__file__).parent / "infer" / "draws.py")
_draws = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_draws)

SETTINGS = {"model": None, "seed": 1, "draws": 250, "tune": 100, "target_accept": 0.9}
NOW = "2026-01-31T00:00:00+00:00"


def made_up(study, model=None, **how):
    """A posterior about a study folder; how: scale, chains, draws, seed of `make_posterior`."""
    read = read_study(study)
    return _draws.make_posterior(join(model_of(read, model), count_cells(read)), **how)


def write_made_up(study, out, model=None, **how):
    """The folder of its run, and the posterior in it."""
    posterior = made_up(study, model, **how)
    read, settings = posterior.joint.study, SETTINGS | {"model": model}
    with write_folder(out) as folder:
        manifest = (
            describe(read, model_of(read, model), settings, NOW)
            | recorded(posterior.joint)
            | read_followed(read)
            | how_fitted(posterior, settings)
        )
        manifest["inputs"] |= write_inputs(read, folder)
        write_posterior(posterior, folder / "posterior.nc")
        write_manifest(manifest, folder)
    return out, posterior

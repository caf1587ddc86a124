"""A model with its doses in another tool's language."""

from pathlib import Path

import numpy as np
from rich.markup import escape

from pbpk.commands.reading import read_one_scenario
from pbpk.commands.whom import Whom
from pbpk.errors import InputError, did_you_mean
from pbpk.share.antimony_text import write_antimony
from pbpk.share.sbml import sbml_text, write_sbml
from pbpk.terminal import console

FORMATS = ("sbml", "antimony", "ro-crate")


def tell_exported(whom: Whom, scenario: str | None, cells: float | None, form: str, out: Path, force: bool) -> None:
    """Write a model at the medians of a fit or of its priors, with the doses of a scenario if one is named; or a run.

    form : language of the other tool, sbml or antimony, or ro-crate for a whole run
    """
    if form not in FORMATS:
        raise InputError(f"--format: `{form}` is none that can be written.{did_you_mean(form, FORMATS)}")
    if out.exists() and not force:
        raise InputError(f"{out}: exists already; choose another --out, or replace it with --force.")
    if form == "ro-crate":
        _tell_crate(whom.run, out, force)
        return
    origin = whom.read(None)
    chosen = None if scenario is None else read_one_scenario(scenario, origin.model)
    there = origin.animal(chosen) if chosen is not None else origin
    middle = None
    if there.studied is not None or there.moved is not None:
        middle = np.array([np.median(there.column(name)) for name in there.model.parameter_names])
    standing = {name: float(np.median(there.column(name))) for name in there.standing}
    words = f"medians of {there.words}"
    asked = (middle, chosen, cells or there.amount, standing or None, words)
    if form == "antimony":
        write_antimony(sbml_text(there.model, *asked), out)
    else:
        write_sbml(there.model, out, *asked)
    language = {"sbml": "SBML Level 3 Version 2", "antimony": "Antimony"}[form]
    console.print(f"Written: {escape(str(out))} ({language}, {escape(words)})", soft_wrap=True)


def _tell_crate(run: str, out: Path, force: bool) -> None:
    """Write a whole run, with what describes it."""
    from pbpk.share.crate import write_crate

    if not Path(run).is_dir():
        raise InputError(f"{run}: is no run folder; only a run is written as ro-crate.")
    write_crate(Path(run), out, force)
    console.print(f"Written: {escape(str(out))} (RO-Crate 1.3, structured after Process Run Crate 0.6)", soft_wrap=True)

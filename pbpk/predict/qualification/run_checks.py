"""One run: whether it is what was written, whether its tables follow from its draws, whether they may be used."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pbpk.assay.plates.panel import Panel
from pbpk.assay.study import Study
from pbpk.errors import PbpkError, RunError
from pbpk.infer.design.structure import structure
from pbpk.infer.draws.convergence import LEAST_ESS, MOST_RHAT
from pbpk.infer.draws.posterior import Posterior
from pbpk.infer.draws.summary import parameters, predictions
from pbpk.predict.audit import FILE, read_verified
from pbpk.predict.forecast import forecast_table
from pbpk.predict.qualification.checks import Check, at_most, broken, same
from pbpk.predict.qualification.installed import stack
from pbpk.predict.record import read_recorded
from pbpk.predict.run import read_fit, read_forecast

VEHTARI = "Vehtari et al. 2021, Bayesian Analysis 16:667"
OWN = "the manifest and the record of the run"
ICH = "ICH M10 (2022), whose limits are borrowed: they are written for other assays"
SEDOGLAVIC = "Sedoglavic 2002, J Symb Comput 33:735, as pbpk.infer.design.structure has it"
ROUNDED = 1e-5  # relative: tables are written with six digits
WIDER = 1.5  # posterior SD over prior SD: data may move a belief and hardly widen it
RULES = ["panel", "rule", "limit", "found", "passed", "section", "sentence"]


def of_record(run: Path, manifest: dict[str, Any]) -> Iterator[Check]:
    """Check the files of a run against its record, and the versions that made it against those that are here."""
    about = f"every file of the run against {FILE}"
    try:
        found = read_verified(run)
    except RunError as problem:
        yield broken("record", "files that are not what was written", about, str(problem), OWN)
    else:
        told = " ".join(found.problems) if found.problems else f"{found.files} compared, seal {found.seal[:16]}"
        yield at_most("record", "files that are not what was written", about, len(found.problems), 0.0, "files", OWN,
                      told)  # fmt: skip
    here, there = stack(), manifest.get("versions", {})
    other = [f"{name} {there[name]} then, {here[name]} now" for name in there if here.get(name, "") != there[name]]
    yield at_most("record", "packages of another version", "versions in the manifest against those that are installed",
                  len(other), 0.0, "packages", OWN, "; ".join(other[:3]) or f"{len(there)} compared")  # fmt: skip


def read_checked(run: Path) -> tuple[tuple[Study, Posterior, dict[str, Any]] | None, Check]:
    """Open a run; None where that is refused. The check says whether study and model are those of the fit."""
    name, about = "study and model", "SHA-256 of the copied study and of the model against the manifest"
    try:
        fit = read_fit(run)
    except PbpkError as problem:
        return None, broken("record", name, about, str(problem), OWN)
    told = f"{name}: all {len(fit[2]['inputs'])} inputs are those of the fit."
    return fit, Check("record", name, about, "unchanged", "unchanged", "", True, told, OWN)


def read_compared(run: Path, posterior: Posterior, manifest: dict[str, Any]) -> Iterator[Check]:
    """Compare draws read anew, and tables computed anew from them, with what the run holds."""
    draws = read_recorded(run / "posterior.nc")
    bad = [name for name, column in draws.items() if not np.isfinite(column).all()]
    yield at_most("record", "parameters with draws that are no numbers", "draws are read again from the file", len(bad),
                  0.0, "parameters", OWN, ", ".join(bad[:3]) or f"{len(draws)} compared")  # fmt: skip
    asked = f"{posterior.diagnostics.chains} chains x {manifest['settings'].get('draws')} draws"
    said = posterior.diagnostics
    yield same("record", "draws", "as many as the manifest says", f"{said.chains} chains x {said.draws} draws", asked,
               OWN)  # fmt: skip
    anew: dict[str, Callable[[], pd.DataFrame]] = {
        "parameters": lambda: parameters(posterior),
        "predictions": lambda: predictions(posterior, int(manifest["seed"])),
        "forecast": lambda: forecast_table(_read_answers(run)),
    }
    for name, computed in anew.items():
        path = run / f"{name}.csv"
        if not path.is_file():
            continue
        try:
            yield _same_table(name, pd.read_csv(path), computed())
        except (PbpkError, OSError, ValueError) as problem:
            yield broken("record", f"{name} from the draws", f"{path.name} is computed anew", f"{problem}.", OWN)


def _read_answers(run: Path) -> xr.Dataset:
    found = read_forecast(run)
    if found is None:
        raise RunError(f"{run}: has no forecast.nc.")
    return found


def _same_table(name: str, stored: pd.DataFrame, anew: pd.DataFrame) -> Check:
    """Compare numbers of a table with those computed anew, column by column."""
    about = f"{name}.csv against the same table computed anew from the draws"
    source = f"tables are written with six digits, so {ROUNDED:g} is rounding"
    missing = [column for column in stored.columns if column not in anew.columns]
    if missing or len(stored) != len(anew):
        told = f"has {len(stored)} rows, computed anew it has {len(anew)}"
        more = f" and no `{missing[0]}`." if missing else "."
        return broken("record", f"{name} from the draws", about, told + more, source)
    off: dict[str, float] = {}
    for column in stored.columns:
        if pd.api.types.is_numeric_dtype(stored[column]) and pd.api.types.is_numeric_dtype(anew[column]):
            off[column] = _differ(stored[column].to_numpy(float, na_value=np.nan),
                                  anew[column].to_numpy(float, na_value=np.nan))  # fmt: skip
    worst = max(off, key=lambda column: off[column])
    return at_most("record", f"{name} from the draws", about, off[worst], ROUNDED, "1", source,
                   f"`{worst}`, {len(stored)} rows")  # fmt: skip


def _differ(stored: np.ndarray, anew: np.ndarray) -> float:
    """Largest difference over the larger of both; infinite where only one is a number."""
    if (np.isnan(stored) != np.isnan(anew)).any():
        return float("inf")
    size = np.maximum(np.abs(stored), np.abs(anew))
    some = size > 0.0
    return float(np.max(np.abs(stored - anew)[some] / size[some], initial=0.0))


def of_fit(posterior: Posterior) -> Iterator[Check]:
    """Check whether the chains agree, and that no parameter became wider than it was believed to be."""
    found, each = posterior.diagnostics, posterior.each
    yield same("convergence", "method", "draws are those of a sampler, not of an approximation", posterior.method,
               "nuts", VEHTARI)  # fmt: skip
    worst = {what: _worst(each, what) for what in ("rhat", "ess_bulk", "ess_tail")}
    yield at_most("convergence", "largest R-hat", "chains agree", found.max_rhat, MOST_RHAT, "1", VEHTARI,
                  worst["rhat"])  # fmt: skip
    for what, value in (("ess_bulk", found.min_ess_bulk), ("ess_tail", found.min_ess_tail)):
        where = "bulk" if what == "ess_bulk" else "tail"
        yield _at_least(f"effective draws in the {where}", "chains are long enough", value, LEAST_ESS, worst[what])
    yield at_most("convergence", "divergent transitions", "no transition diverged", found.divergences, 0.0,
                  "transitions", "Betancourt 2017, arXiv:1701.02434")  # fmt: skip
    table = parameters(posterior)
    yield _of_learning(table)
    yield _of_structure(posterior, table)


def _of_learning(table: pd.DataFrame) -> Check:
    free = table[table["learned"] != "fixed"]
    counted = ", ".join(f"{(free['learned'] == word).sum()} {word}" for word in ("learned", "half learned",
                                                                                  "not learned"))  # fmt: skip
    widest = free.iloc[int(free["contraction"].to_numpy().argmax())]
    return at_most("convergence", "largest posterior SD over prior SD",
                   "what data can tell of each parameter; one that is wider than its prior stands against the data",
                   float(widest["contraction"]), WIDER, "1", "limit chosen here",
                   f"{widest['parameter']}; {counted}")  # fmt: skip


def _of_structure(posterior: Posterior, table: pd.DataFrame) -> Check:
    """Check that what no curve of the design depends on was not learned: it must have kept its prior."""
    name, about = "parameters learned though no curve depends on them", "structural identifiability against the fit"
    try:
        found = structure(posterior.joint)
    except PbpkError as problem:
        return broken("convergence", name, about, str(problem), SEDOGLAVIC)
    learned = set(table.loc[table["learned"] == "learned", "parameter"]) & set(found.unseen)
    told = f"{len(found.identifiable)} of {len(found.parameters)} identifiable by {found.by}"
    named = f"; learned: {', '.join(sorted(learned))}" if learned else ""
    return at_most("convergence", name, about, len(learned), 0.0, "parameters", SEDOGLAVIC, told + named)


def _worst(each: dict[str, dict[str, float]], what: str) -> str:
    sign = 1.0 if what == "rhat" else -1.0
    return max(each, key=lambda name: sign * each[name][what], default="")


def _at_least(name: str, about: str, value: float, limit: float, where: str) -> Check:
    passed = bool(value >= limit)
    told = f"{name}: {value:.0f} ({where}), {'at least' if passed else 'below'} the limit of {limit:g}."
    return Check("convergence", name, about, float(value), float(limit), "draws", passed, told, VEHTARI)


def of_panels(panels: Sequence[Panel]) -> Iterator[Check]:
    """Check each plate by the rules that its study asks for; a study that asks for none says so."""
    for panel in panels:
        about = "standards, QCs and carry-over of the plate against the rules that the study asks for"
        if panel.acceptance is None:
            yield Check("assay", panel.name, about, "no rules asked", "rules", "", False,
                        f"{panel.name}: the study asks for no rules, so nobody judged this plate.", ICH)  # fmt: skip
            continue
        rules = panel.acceptance.rules
        kept = f"{int(rules['passed'].sum())} of {len(rules)} rules kept"
        yield Check("assay", panel.name, about, kept, f"{len(rules)} of {len(rules)} rules kept", "",
                    panel.acceptance.passed, f"{panel.name}: {panel.acceptance.sentence}", ICH)  # fmt: skip


def assay_table(panels: Sequence[Panel]) -> pd.DataFrame:
    """One row for each rule of each plate: panel, rule, limit, found, passed, section of ICH M10, sentence."""
    parts = [panel.acceptance.rules.assign(panel=panel.name) for panel in panels if panel.acceptance is not None]
    return pd.concat(parts, ignore_index=True)[RULES] if parts else pd.DataFrame(columns=RULES)

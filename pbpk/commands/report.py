"""The report of a run: what it is written from is read or computed here, and written in the formats that were asked."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pandas as pd
from rich.markup import escape

from pbpk.assay.study import AUTHORED
from pbpk.commands.reading import words
from pbpk.errors import ReportError, did_you_mean
from pbpk.infer.comparison.loo import influence, left_out
from pbpk.infer.design.prior_check import PriorCheck, check_prior
from pbpk.predict.audit import read_open, write_audit
from pbpk.predict.filing.carried import write_authored
from pbpk.predict.filing.docket import Docket, read_docket
from pbpk.predict.filing.judging import judged_table
from pbpk.predict.qualification.checks import Check, failed
from pbpk.predict.qualification.storing import FILE as QUALIFIED
from pbpk.predict.qualification.storing import read_qualification
from pbpk.predict.record import files_of, read_manifest
from pbpk.predict.run import Run, read_assembled
from pbpk.report.diagnosis import shown
from pbpk.report.diagnostic_page import write_diagnostics
from pbpk.report.document.as_pdf import PAPERS, Paper
from pbpk.report.document.index import write_index
from pbpk.report.dossier import Dossier
from pbpk.report.model_report import FORMATS, report_document, write_documents
from pbpk.share.tables import write_table
from pbpk.terminal import console


def tell_reported(run: Path, formats: str, paper: str, author: Path | None, final: bool) -> None:
    """Write the report of a run again, from its draws.

    formats : apart by commas; author : report.toml, or a study folder with one, that takes the place of the run's own

    Raises
    ------
    ReportError
        if a format or the paper is none, or the report shall be final and cannot be
    """
    asked = words(formats)
    for name, known, option in [*((name, FORMATS, "--formats") for name in asked), (paper, tuple(PAPERS), "--paper")]:
        if name not in known:
            raise ReportError(f"{option}: `{name}` is none.{did_you_mean(name, known)}")
    read_open(run)
    name = read_manifest(run)["study"]
    if author is not None or (run / "study" / name / AUTHORED).is_file():  # what was written there since, too
        write_authored(run, author)
    result = read_assembled(run)
    checked = check_prior(result.joint, seed=int(result.manifest["seed"]))
    dossier = read_dossier(result, run, checked, final)
    written = write_pages(dossier, run, checked, asked, cast(Paper, paper))
    seal = write_audit(run, "final report", written, final=True) if final else write_audit(run, "report", written)
    console.print(f"Written: {', '.join(escape(str(path)) for path in written)}", soft_wrap=True)
    if final:
        console.print(
            f"Final: nothing of this run may be written again. Keep its seal elsewhere: {seal}", soft_wrap=True
        )
    else:
        console.print(f"A draft: {len(dossier.hindrances)} things stand in the way of a final report, listed in it.")


def write_pages(
    dossier: Dossier, folder: Path, checked: PriorCheck, formats: Sequence[str] = ("html",), paper: Paper = "letter"
) -> list[Path]:
    """Write the diagnostics, the criteria, where each number comes from, and the report itself."""
    written = [write_diagnostics(dossier.run, folder / "diagnostics.html", dossier.shown, checked)]
    if dossier.judged:
        written.append(write_table(judged_table(dossier.judged), folder / "criteria.csv"))
    document = report_document(dossier)
    written.append(write_index(document, folder))
    return written + write_documents(document, [folder / f"report.{form}" for form in formats], paper)


def _read_stand(result: Run, folder: Path, compared: bool) -> tuple[Docket, tuple[Check, ...] | None, tuple[str, ...]]:
    """What was filed with a run, its checks, and all that stands in the way of a final report.

    compared : whether its files are held against its record, see `read_docket`
    """
    docket = read_docket(folder, result, compared)
    qualified = folder / QUALIFIED
    if not qualified.is_file():
        why = "The checks of the installation and the run were not made; `pbpk qualify RUN` makes them."
        return docket, None, (*docket.reasons, why)
    checks = read_qualification(qualified).checks
    return docket, checks, (*docket.reasons, *(f"A check failed. {each.sentence}" for each in failed(checks)))


def read_dossier(result: Run, folder: Path, checked: PriorCheck, final: bool = False) -> Dossier:
    """Everything that a report tells of a run: in its folder, or computed from its draws.

    final : whether the report is asked to be final

    Raises
    ------
    ReportError
        if it shall be final and cannot be, before anything is drawn
    """
    docket, checks, stand = _read_stand(result, folder, compared=final)
    if final and stand:
        more = f" {len(stand) - 1} more stand on the first page of a draft (leave --final out)." if stand[1:] else ""
        raise ReportError(f"{folder}: the report cannot be final: {stand[0]}{more}")
    known = folder / "sensitivity.csv"
    sensitivity = pd.read_csv(known) if known.is_file() else pd.DataFrame()
    return Dossier(
        run=result,
        docket=docket,
        checks=checks,
        sensitivity=sensitivity,
        asked=str(sensitivity["scenario"].iloc[0]) if len(sensitivity) else "",
        shown=shown(result, influence(left_out(result.posterior)), checked),
        prior_check=checked,
        hindrances=stand,
        final=final,
        code={name: path.read_text(encoding="utf-8") for name, path in _models(result).items()},
    )


def _models(result: Run) -> dict[str, Path]:
    """Files that the model was read from."""
    found: dict[str, Any] = files_of(result.study, result.joint.model)
    return {name: path for name, path in found.items() if name.startswith("model/")}

"""The page of diagnostics beside the report: one offline file on how the chains walked and what the fit predicts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pbpk.report.diagnosis import Shown
from pbpk.report.document.inline import with_code
from pbpk.report.ink import svg
from pbpk.report.rendering import rendered, write_whole

if TYPE_CHECKING:
    from pbpk.infer.design.prior_check import PriorCheck
    from pbpk.predict.run import Run

REPORT = "report.html"
SECTIONS = (
    ("gate", "The gate"),
    ("prior", "Before the fit"),
    ("chains", "Chains"),
    ("energy", "Energy"),
    ("pairs", "Parameters that hide each other"),
    ("predictions", "Values and their predictions"),
    ("residuals", "Residuals"),
    ("influence", "Animals the fit leans on"),
    ("learned", "Priors and posteriors"),
)


def write_diagnostics(
    run: "Run", path: Path, shown: Mapping[str, Sequence[Shown]], prior_check: "PriorCheck | None" = None
) -> Path:
    """Write the page of diagnostics of a run; an interrupted write leaves no half of it.

    Parameters
    ----------
    path : the file to write, `diagnostics.html`
    shown : the figures, from `diagnosis.shown`
    prior_check : what was found before the fit, from `check_prior`
    """
    return write_whole(diagnostics_html(run, shown, prior_check, REPORT), path)


def diagnostics_html(
    run: "Run",
    shown: Mapping[str, Sequence[Shown]],
    prior_check: "PriorCheck | None" = None,
    report: str = "",
) -> str:
    """The page as text; the same run gives the same bytes. report : file beside it that it links to."""
    found = run.diagnostics
    return rendered(
        "diagnostics.html.j2",
        cells=False,
        report=report,
        title=f"Diagnostics: {run.study.about.title}",
        about=run.study.about,
        fingerprint=run.manifest["fingerprint"],
        passed=found.passed,
        facts={
            "Chains": f"{found.chains} of {found.draws} draws",
            "Largest R-hat": f"{found.max_rhat:.3f}",
            "Least effective draws": f"{found.min_ess_bulk:.0f} (bulk), {found.min_ess_tail:.0f} (tail)",
            "Divergences": str(found.divergences),
            "Least E-BFMI": f"{min(found.bfmi):.2f}" if found.bfmi else "not kept",
            "Ways cut short": f"{found.deepest:.1%}" if np.isfinite(found.deepest) else "not kept",
        },
        reasons=[with_code(sentence) for sentence in found.sentences],
        warnings=[with_code(sentence) for sentence in found.warnings],
        deviates=with_code(found.deviates),
        said=[with_code(sentence) for sentence in prior_check.sentences] if prior_check is not None else [],
        sections=[(anchor, name) for anchor, name in SECTIONS if anchor == "gate" or shown.get(anchor)],
        shown={name: [_drawn(each) for each in part] for name, part in shown.items()},
    )


def _drawn(each: Shown) -> dict[str, Any]:
    """A figure as the page has it."""
    about = f"{each.about} What it shows is said below."
    return {
        "look": each.look,
        "verdict": each.verdict,
        "short": each.short,
        "figure": svg(each.figure, about, each.anchor),
    }

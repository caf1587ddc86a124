"""The whole section: written summary, then every table of 2.6.5 in its order, none left out without a word."""

from typing import TYPE_CHECKING

from pbpk.report.ctd.absorption import absorption_blocks
from pbpk.report.ctd.analyte import analyte, caveat, is_cells
from pbpk.report.ctd.distribution import distribution_blocks
from pbpk.report.ctd.excretion import excretion_blocks
from pbpk.report.ctd.inapplicable import inapplicable
from pbpk.report.ctd.methods import methods_blocks
from pbpk.report.ctd.narrative import narrative_blocks
from pbpk.report.ctd.overview import overview_blocks
from pbpk.report.ctd.scenarios import other_distribution_blocks
from pbpk.report.ctd.sources import stated
from pbpk.report.document.blocks import Block, Heading, Paragraph
from pbpk.report.dossier import Dossier

if TYPE_CHECKING:
    from pbpk.predict.run import Run

OPENING = (
    "Summary and tables of pharmacokinetics, structured after sections 2.6.4 and 2.6.5 of the common technical "
    "document. Column layouts are this package's reading of them; check them against the guideline before they are "
    "submitted. What was observed and what the model predicts stand in tables of their own."
)


def ctd_blocks(dossier: Dossier) -> list[Block]:
    """What stands in the section, its tables numbered as the CTD does; anchors of its headings begin with `ctd`."""
    run = dossier.run
    return [
        Paragraph(OPENING),
        Paragraph(caveat(run), "note", stated(run, "label")),
        *narrative_blocks(dossier),
        *overview_blocks(dossier),
        *methods_blocks(dossier),
        *absorption_blocks(dossier),
        *distribution_blocks(dossier),
        *inapplicable(run, "2.6.5.6"),
        *inapplicable(run, "2.6.5.7"),
        *other_distribution_blocks(run),
        *(block for number in ("2.6.5.9", "2.6.5.10", "2.6.5.11", "2.6.5.12") for block in inapplicable(run, number)),
        *excretion_blocks(run),
        *inapplicable(run, "2.6.5.14"),
        *inapplicable(run, "2.6.5.15"),
        *_other(run),
    ]


def _other(run: "Run") -> list[Block]:
    what = "where cells are" if is_cells(run) else f"where {analyte(run)} is"
    return [
        Heading("Other (CTD 2.6.5.16)", 2, "ctd-other"),
        Paragraph(
            f"Physiologically based model of {what}: the model report, with its equations, parameters, checks and "
            "assessment, belongs in 4.2.2.7. The modelling was not conducted under GLP; for the study it rests on see "
            "2.6.5.1."
        ),
    ]

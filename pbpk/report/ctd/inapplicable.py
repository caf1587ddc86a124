"""CTD tables that do not apply to a cellular product, each with its reason; of a substance they were not studied."""

from typing import TYPE_CHECKING

from pbpk.report.ctd.analyte import is_cells
from pbpk.report.document.blocks import Block, Heading, Paragraph

if TYPE_CHECKING:
    from pbpk.predict.run import Run

TITLES = {
    "2.6.5.6": "Plasma protein binding",
    "2.6.5.7": "Study in pregnant or nursing animals",
    "2.6.5.9": "Metabolism in vivo",
    "2.6.5.10": "Metabolism in vitro",
    "2.6.5.11": "Possible metabolic pathways",
    "2.6.5.12": "Induction and inhibition of enzymes",
    "2.6.5.14": "Excretion into bile",
    "2.6.5.15": "Drug-drug interactions",
}
REASONS = {
    "2.6.5.6": "cells are counted whole; binding to proteins is a property of dissolved substances.",
    "2.6.5.7": "the table is of the passage of a dissolved substance into foetus and milk. Whether cells pass, where "
    "that is a concern, is a question of distribution.",
    "2.6.5.9": "cells have no metabolites. Their death and the fate of their label are with organ distribution "
    "(2.6.5.5) and in the model report (2.6.5.16).",
    "2.6.5.10": "there is no substance to incubate with enzymes or microsomes.",
    "2.6.5.11": "cells are not broken down along a metabolic pathway.",
    "2.6.5.12": "cells do not act on metabolising enzymes as a drug does. What they secrete may, and is then a "
    "question of pharmacology.",
    "2.6.5.14": "cells are not excreted. Whether label of dead cells enters the bile was not measured.",
    "2.6.5.15": "cells share no elimination pathway with drugs. Co-medication that changes entrapment or survival is "
    "with other distribution (2.6.5.8).",
}


def inapplicable(run: "Run", number: str) -> list[Block]:
    """Heading and reason of one CTD table."""
    if is_cells(run):
        told = f"Not applicable to a cellular product: {REASONS[number]}"
    else:
        told = "Not studied: this study has no such data."
    anchor = f"ctd-{number.replace('.', '-')}"
    return [Heading(f"{TITLES[number]} (CTD {number})", 2, anchor), Paragraph(told)]

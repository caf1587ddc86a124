"""Sections 7 and 8: every parameter with its prior, posterior and source; numbers of the animal; assumptions."""

from pbpk.predict.lineage.source import source
from pbpk.report import figures, tables
from pbpk.report.author import said
from pbpk.report.document.blocks import Block, Figure, Heading, Paragraph, Table
from pbpk.report.dossier import Dossier

CAPTION = (
    "Where the posterior lies within the prior. Grey band: 95 % of the prior. Lines: 95 % credible interval; 0 is the "
    "prior median, 1 is one prior standard deviation on the scale on which the prior is normal. A parameter counts as "
    "learned when its posterior is less than half as wide as its prior, as half learned below four fifths."
)


def parameters(dossier: Dossier) -> list[Block]:
    """What is believed of each number before and after the data."""
    run = dossier.run
    about = "Posterior interval of each parameter in prior standard deviations; the numbers are in the table below."
    species = run.joint.model.species
    file = tables.species_file(run)
    return [
        Figure(figures.parameters_figure(run), about, CAPTION, source("parameters.csv")),
        tables.parameters_table(run, dossier.known),
        Heading(f"Numbers of the animal ({species.name})", 2, "animal"),
        Paragraph(species.about, source=source(file, key="about")),
        tables.animal_table(run, dossier.known),
    ]


def assumptions(dossier: Dossier) -> list[Block]:
    """What the analysis rests on: the author's register, and what the study declares."""
    told = dossier.authored.assumptions
    blocks: list[Block] = []
    if told:
        rows = [(str(i), each.statement, _words(each.reason), _words(each.alternative), _words(each.impact_test))
                for i, each in enumerate(told, start=1)]  # fmt: skip
        head = ("", "Assumption", "Why it may be made", "What else could be so", "Tested by")
        blocks.append(Table("Register of assumptions", head, "rllll", rows, (dossier.by_author("assumptions"),)))
    else:
        blocks += said(dossier, "assumptions")
    own = dossier.run.study.about.assumptions
    if own:
        place = source(dossier.study_file, key="assumptions")
        listed = [(str(i), words) for i, words in enumerate(own, start=1)]
        blocks.append(Table("Assumptions that the study file declares", ("", "Assumption"), "rl", listed, (place,)))
    else:
        blocks.append(Paragraph("The study file declares no assumption of its own."))
    return blocks


def _words(said: object) -> str:
    reason = getattr(said, "na", None)
    return f"Not applicable: {reason}" if reason is not None else str(said)

"""Section 12: what decides the answers, what the data taught, what hides what, what to measure next."""

from pbpk.infer.design.identify import learned_sentences
from pbpk.predict.lineage.source import source
from pbpk.report import lessons, wording
from pbpk.report.document.blocks import Block, Bullets, Figure, Heading, Paragraph
from pbpk.report.document.inline import Code, Line, with_code
from pbpk.report.dossier import Dossier
from pbpk.report.sections.shown import drawn
from pbpk.report.sensitivity import sensitivity_table, tornado_figure

GRADES = (
    "Normalised coefficients d ln(answer) / d ln(parameter) at the middle of what is believed; graded high from "
    "0.5, medium from 0.2, low from 0.1 in size, as WHO/IPCS and OECD 331 grade them (from secondary sources)."
)
NO_PAIR = "The model has no organ in which release of live cells and transfer of label stand against each other."
CALM = "No posterior median lies more than 2 prior standard deviations from its prior median."
NEXT = "Expected of this design with an addition, by a model made linear about the prior."
PRIORS = "For these the posterior is the prior; a conclusion that hangs on one of them hangs on its source."


def uncertainty(dossier: Dossier) -> list[Block]:
    """What the answers hang on, and what is not known."""
    run, place = dossier.run, source("parameters.csv")
    unlearned, half, tensions = lessons.unlearned(run), lessons.half_learned(run), lessons.tensions(run)
    blocks: list[Block] = [*_sensitivity(dossier)]
    if dossier.of_cells:
        told = lessons.confounding(run) or [NO_PAIR]
        blocks += [Heading("Label is not life", 2, "label"), *(Paragraph(sentence, source=place) for sentence in told)]
    blocks.append(Heading("Parameters the data did not reach", 2, "unlearned"))
    if unlearned:
        items = [Line((Code(name), f": {about}")) for name, about in unlearned]
        blocks += [Paragraph(PRIORS), Bullets(items, place)]
    else:
        blocks.append(Paragraph("The data narrowed every parameter."))
    if half:
        blocks.append(Paragraph(f"Half learned: {wording.listed(half)}.", source=place))
    blocks += [
        Heading("What was learned, one sentence for each parameter", 2, "learned"),
        Bullets([with_code(sentence) for sentence in learned_sentences(run.parameters)], place),
        *drawn(dossier, "learned", place),
        Heading("Parameters that hide each other", 2, "ties"),
        Bullets([with_code(sentence) for sentence in run.ties], source("posterior.nc")),
        *drawn(dossier, "pairs", source("posterior.nc")),
        Heading("Priors and data that pull apart", 2, "tensions"),
        Bullets(tensions, place) if tensions else Paragraph(CALM, source=place),
        Heading("What to measure next", 2, "next"),
        Paragraph(NEXT),
        Bullets([with_code(sentence) for sentence in run.advice], place),
    ]
    return blocks


def _sensitivity(dossier: Dossier) -> list[Block]:
    table = dossier.sensitivity
    if not len(table):
        return []
    about = "Normalised coefficients of each answer by parameter; the numbers are in the table below."
    caption = f"What the answers to the scenario {dossier.asked} hang on."
    return [
        Heading("What the answers hang on", 2, "sensitivity"),
        Paragraph(GRADES),
        Figure(tornado_figure(table), about, caption, source("sensitivity.csv")),
        sensitivity_table("local", table),
    ]

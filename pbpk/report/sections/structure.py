"""Section 6: the model as a diagram of arrows, its equations and what it conserves."""

from pbpk.body.equations import conservation
from pbpk.body.typesetting import latex_rows
from pbpk.predict.lineage.source import source
from pbpk.report import tables, wording
from pbpk.report.document.blocks import Block, Bullets, Equations, Heading, Paragraph
from pbpk.report.document.inline import Code, Line
from pbpk.report.dossier import Dossier
from pbpk.report.formulas import equation_markup
from pbpk.report.references import cited

BALANCE = (
    "Passing states are in balance with the rest at every moment while the model is fitted, since blood crosses "
    "them in seconds"
)


def model(dossier: Dossier) -> list[Block]:
    """What moves where, and how fast."""
    run, body = dossier.run, dossier.run.joint.model
    place = tables.model_file(run)
    moving = ", ".join(body.moving)
    shape = "linear: twice the dose gives twice the answer everywhere"
    shape = shape if body.is_linear else f"not linear: its rates move with {moving}"
    words = f"{body.name}: {body.about}. The model is {shape}."
    words += " Live cells and the label of those that died are separate states." if dossier.of_cells else ""
    blocks: list[Block] = [
        Paragraph(words, source=place),
        tables.arrows_table(run),
        Heading(f"Conservation{' of cells' if dossier.of_cells else ''}", 2, "conservation"),
        Bullets([Code(law) for law in conservation(body).split("; ")], place),
    ]
    passing = [wording.named(state.replace(".", " ")) for state in body.states[body.n_lasting :]]
    if passing:
        blocks.append(Paragraph(f"{BALANCE}: {', '.join(passing)}."))
    held = "a number of labelled-cell equivalents" if dossier.of_cells else f"an amount in {body.amount}"
    blocks += [
        Heading("Equations", 2, "equations"),
        Paragraph(f"N is {held}, t is time in hours. Organs that obey the same equation share one in print."),
        Equations(latex_rows(body), equation_markup(body), place),
    ]
    if body.size_law is not None and len(run.forecast):
        law, told = body.size_law, "Scenarios that change the diameter of cells or capillaries use a size law; "
        pieces = (f"{told}{law.about}. ", Code("size_slope"), " has the prior ", Code(str(law.prior)), " (source: ",
                  cited(law.source, dossier.known), ").")  # fmt: skip
        blocks.append(Paragraph(Line(pieces), source=source(place, key="size_law")))
    return blocks

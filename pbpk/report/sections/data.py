"""Section 5: the studies, how they were conducted, what was fitted and left out, and what the plates say."""

from pbpk.predict.lineage.source import source
from pbpk.report import tables, wording
from pbpk.report.author import said
from pbpk.report.ctd.sources import stated
from pbpk.report.document.blocks import Block, Bullets, Facts, Figure, Heading, Paragraph, Table
from pbpk.report.document.inline import Code, Inline, Line, with_code
from pbpk.report.dossier import Dossier
from pbpk.report.plate_figures import calibrations_figure
from pbpk.report.plate_tables import left_out_table
from pbpk.report.plates import SYNTHETIC, balance_table, overview, recovered_table

DENOMINATORS = {
    "dose": "Percentages are of the dose given.",
    "recovered": "Percentages are of what was recovered, the sum over",
    "unknown": "The source does not say whether its percentages are of the dose given or of what was recovered. Both "
    "readings were fitted, each with half the prior weight; recovered is the sum over",
}
BALANCE = (
    "The organs of one animal together cannot hold more than it was given. A sum is flagged where it lies above 100"
    " % by more than two standard deviations of the measurement, in which the doubt that organs share (curve, load "
    "of a cell, recovery) is counted in full. That the dose itself is not exact, and what was not measured, are not"
    " counted."
)
RECOVERED = (
    "Percent of what was recovered is another number: it sums to 100 whatever was lost, and what all organs share "
    "drops out of it. The two must not be mixed."
)

WELLS = "Every well, its light and its spectrum, and all tables of each plate are in `plates.html` beside this report."
CURVES = (
    "Amplitude against the amount in the well, both logarithmic, with the curve that organs are read off and the "
    "band in which 95 % of new wells lie."
)


def data(dossier: Dossier) -> list[Block]:
    """Everything about what was measured."""
    return [
        *_product(dossier),
        Heading("Conduct of the study", 2, "conduct"),
        *said(dossier, "study"),
        Heading("What was fitted", 2, "fitted"),
        *_fitted(dossier),
        Heading("Selection and exclusions", 2, "left-out"),
        *said(dossier, "data"),
        *_left_out(dossier),
        *_plates(dossier),
    ]


def _product(dossier: Dossier) -> list[Block]:
    product, about = dossier.run.study.about.product, dossier.run.study.about
    diameter = f"{wording.number(product.diameter_um)} µm" if product.diameter_um else "not stated"
    viable = "not stated" if product.viability is None else f"{wording.number(100.0 * product.viability)} %"
    pairs: list[tuple[str, Inline]] = [
        ("Product", product.cell_type), ("Cell diameter", diameter), ("Viability", viable),
        ("Lot", product.lot or "not stated"), ("Label", about.label), ("Strain", about.strain or "not stated"),
    ]  # fmt: skip
    keys = (("product", "cell_type"), ("product", "diameter_um"), ("product", "viability"), ("product", "lot"),
            ("label",), ("strain",))  # fmt: skip
    return [Facts(pairs, [stated(dossier.run, *key) for key in keys])]


def _fitted(dossier: Dossier) -> list[Block]:
    run = dossier.run
    counts, about = run.joint.counts, run.study.about
    denominator = DENOMINATORS[counts.denominator]
    if counts.denominator != "dose":
        denominator += f" {wording.listed(wording.named(organ) for organ in counts.harvested)}."
    blocks: list[Block] = [tables.groups_table(run), tables.design_table(run), Paragraph(denominator)]
    if counts.denominator == "unknown":
        weights = [f"{wording.READINGS.get(name, name)}: posterior probability {weight:.3f}"
                   for name, weight in run.readings.items()]  # fmt: skip
        blocks.append(Bullets(weights, source("posterior.nc")))
    if about.recovery:
        part = f"Only a part of the label is counted: {about.recovery.about}; prior "
        words = Line((part, Code(about.recovery.prior), f" ({about.recovery.source})."))
        blocks.append(Paragraph(words, source=stated(run, "recovery")))
    return blocks


def _left_out(dossier: Dossier) -> list[Block]:
    left = dossier.run.joint.counts.left_out
    place = stated(dossier.run, "tissues")
    blocks: list[Block] = [Bullets(left, place) if left else Paragraph("Every row of the study was fitted.")]
    told = dossier.authored.exclusions
    if isinstance(told, list) and told:
        rows = [(each.record, each.reason, each.who, each.when) for each in told]
        blocks.append(Table("Records left out by decision", ("Record", "Reason", "Who", "When"), "llll", rows,
                            (dossier.by_author("exclusions"),)))  # fmt: skip
    else:
        blocks += said(dossier, "exclusions")
    return blocks


def _plates(dossier: Dossier) -> list[Block]:
    """What is said of plates of raw light, nothing in a study without."""
    study, counts = dossier.run.study, dossier.run.joint.counts
    if not counts.panels:
        return []
    place = source(f"study/{study.name}/amplitudes.csv")
    found = overview(counts)
    about = "Amplitude against amount with the curve of each plate; the numbers are in the table."
    out = left_out_table(counts.panels, counts.quantified)
    balance, shares = balance_table(counts), recovered_table(counts)
    blocks: list[Block] = [Heading("Plates of raw light", 2, "plates")]
    blocks.append(Paragraph(with_code(WELLS)))
    blocks += [Paragraph(SYNTHETIC, "note")] if study.about.kind == "synthetic" else []
    blocks += [tables.from_file(table, place) for table in found.tables]
    blocks.append(Paragraph(found.borrowed, "note", place))
    blocks += [Paragraph(found.load, source=place)] if found.load else []
    blocks.append(Figure(calibrations_figure(counts.panels), about, CURVES, place))
    blocks.append(tables.from_file(out, place) if out else Paragraph("No well was left out."))
    if balance:
        blocks += [Heading("Mass balance", 2, "balance"), Paragraph(BALANCE), tables.from_file(balance, "counts.csv")]
    if balance and shares:
        blocks += [Paragraph(RECOVERED), tables.from_file(shares, "counts.csv")]
    return blocks

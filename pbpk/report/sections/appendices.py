"""Appendices: CTD tables, individual data, provenance, code, plan, checklists, references."""

from typing import Any

from pbpk.canonical import canonical
from pbpk.predict.filing.analysis_plan import SEAL
from pbpk.predict.filing.frozen import seal_of
from pbpk.predict.filing.study_report import study_report_checklist
from pbpk.predict.lineage.source import source
from pbpk.report import tables
from pbpk.report.author import cell, titled
from pbpk.report.ctd.listing import listing_blocks
from pbpk.report.ctd.whole import ctd_blocks
from pbpk.report.document.blocks import Block, Bullets, Facts, Heading, Listing, Paragraph, Table
from pbpk.report.document.inline import Code, Inline, Line, Link
from pbpk.report.dossier import Dossier
from pbpk.report.sections.outline import outline_table


def ctd(dossier: Dossier) -> list[Block]:
    """Summary 2.6.4 and tables 2.6.5."""
    return ctd_blocks(dossier)


def listing(dossier: Dossier) -> list[Block]:
    """Each value by itself."""
    return [*listing_blocks(dossier.run), tables.predictions_table(dossier.run, dossier.known)]


def provenance(dossier: Dossier) -> list[Block]:
    """Software, settings, inputs; the record that seals them."""
    found = dossier.run.manifest
    settings: dict[str, Any] = {"seed": found["seed"]} | dict(sorted(found.get("settings", {}).items()))
    given = [
        tables.pairs_table("Software", ("Package", "Version"), dict(sorted(found["versions"].items()))),
        tables.pairs_table("Settings", ("Setting", "Value"), settings),
        tables.pairs_table("Input files", ("File", "SHA-256"), dict(sorted(found["inputs"].items()))),
    ]
    words = Line((
        "Each file of the run is in ", Code("manifest.json"), " and ", Code("audit.jsonl"), ", whose lines seal each "
        "other; ", Code("pbpk verify RUN"), " names every file that is not what was written, ", Code("pbpk trace RUN"),
        " tells where a number of this report comes from, ", Code("pbpk reproduce RUN"), " makes the run again and "
        "compares."))  # fmt: skip
    return [Paragraph(words), *(tables.from_file(table, "manifest.json") for table in given if table.rows)]


def code(dossier: Dossier) -> list[Block]:
    """What a user wrote that computes: the model's file."""
    blocks: list[Block] = [Paragraph(
        "The model is read from the text below; the package interprets it. The commands that made the run are in the "
        "manifest, the programs that ran them in the package of the version above.")]  # fmt: skip
    for name, text in dossier.code.items():
        blocks += [Heading(name, 2, f"code-{name.replace('/', '-').replace('.', '-')}"), Listing(text, source(name))]
    return blocks


def plan(dossier: Dossier) -> list[Block]:
    """The plan as it was frozen."""
    found = dossier.plan
    if found is None:
        return [Paragraph("No plan was frozen before the fit.")]
    place = source(f"study/{dossier.run.name}/plan.json")
    pairs: list[tuple[str, Inline]] = [("Frozen", str(found["frozen"])), ("SHA-256", Code(seal_of(found)))]
    kept = {key: value for key, value in found.items() if key not in (SEAL, "seals")}
    return [Facts(pairs, (place,)), Listing(canonical(kept, indent=1), place)]


def checklists(dossier: Dossier) -> list[Block]:
    """Where the report answers to the outline of four guidelines, and to the contents of a study report."""
    rows: list[tuple[Inline, ...]] = []
    places: list[str] = []
    for check in study_report_checklist(dossier.authored):
        pieces: list[Inline] = [check.auto] if check.auto else []
        for entry in check.entries:
            pieces += ["; "] if pieces else []
            pieces += [f"{titled(entry.name)}: ", cell(dossier, entry.name)]
        rows.append((check.number, check.asks, Line(tuple(pieces)), check.status))
        tables = dict.fromkeys(entry.name.partition(".")[0] for entry in check.entries)
        parts = [check.entries[0].name] if len(check.entries) == 1 else tables
        places.append(next(filter(None, map(dossier.by_author, parts)), ""))
    caption = "Contents of a study report, structured after 21 CFR 58.185"
    return [outline_table(), Table(caption, ("", "Asked", "Answer", "From"), "llll", rows, places)]


def references_list(dossier: Dossier) -> list[Block]:
    """Sources that the run used, and no others."""
    items: list[Inline] = []
    for entry in dossier.known.values():
        pieces: list[Inline] = [Code(entry.key), f": {entry.text}"]
        if entry.address:
            pieces += [" ", Link(f"doi:{entry.doi}", entry.address)]
        elif entry.doi:
            pieces.append(f" doi:{entry.doi}")
        pieces += [f"; {remark}" for remark in entry.remarks]
        items.append(Line(tuple(pieces)))
    return [Bullets(items, source("manifest.json", key="inputs"), [entry.anchor for entry in dossier.known.values()])]

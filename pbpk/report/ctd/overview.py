"""Overview (2.6.5.1): which kinds of study there are, in what, done where, under GLP or not."""

from typing import TYPE_CHECKING

from pbpk.assay.measurements import DROPPED
from pbpk.report.author import cell
from pbpk.report.ctd.analyte import is_cells
from pbpk.report.ctd.design import species
from pbpk.report.ctd.observations import BLOOD
from pbpk.report.ctd.sources import in_study, stated
from pbpk.report.document.blocks import TO_BE_COMPLETED, Block, Heading, Paragraph, Table
from pbpk.report.document.inline import Inline, Line
from pbpk.report.dossier import Dossier
from pbpk.report.wording import MISSING, ROUTES, listed, named

if TYPE_CHECKING:
    from pbpk.predict.run import Run

HEAD = ("Type of study", "Test system", "Method of administration", "Testing facility", "Study number", "GLP",
        "Location")  # fmt: skip
ASKED = {
    "study.facility": "the testing facility",
    "study.study_number": "the study number",
    "study.glp": "whether the study was under GLP",
    "study.glp_reason": "why the study was not under GLP",
    "study.location_in_ctd": "the volume and section of the study report",
}


def overview_blocks(dossier: Dossier) -> list[Block]:
    """2.6.5.1: one row for each kind of study; kinds that were not done are named too."""
    run = dossier.run
    done, not_done = _kinds(run)
    routes = dict.fromkeys(route for group in run.study.about.groups for route in group.routes)
    shared: tuple[Inline, ...] = (
        species(run), listed(ROUTES.get(route, named(route)) for route in routes),
        cell(dossier, "study.facility", brief=True), cell(dossier, "study.study_number", brief=True), glp(dossier),
        cell(dossier, "study.location_in_ctd", brief=True),
    )  # fmt: skip
    rows: list[tuple[Inline, ...]] = [(kind, *shared) for kind in done]
    sources = [in_study(run, "study.toml")] * len(done)
    rows += [(kind, why, *(MISSING,) * 5) for kind, why in not_done.items()]
    sources += [""] * len(not_done)
    rows.append(("Other: kinetic model", "see 2.6.5.16", *(MISSING,) * 3, "not under GLP", "4.2.2.7"))
    table = Table(_title(run), HEAD, "lllllll", rows, [*sources, stated(run, "model")], number="2.6.5.1")
    return [Heading("Overview (CTD 2.6.5.1)", 2, "ctd-overview"), *_missing(dossier), table]


def _title(run: "Run") -> str:
    return f"Pharmacokinetics, overview: {run.study.about.title}"


def _kinds(run: "Run") -> tuple[list[str], dict[str, str]]:
    """Kinds of study that this one is, and those that nobody did, with why."""
    organs = set(run.joint.counts.table["organ"])
    organs |= {row.organ for row in run.study.measurements if run.study.about.tissues.get(row.organ) == DROPPED}
    gone = organs & set(run.joint.model.outside)
    in_blood = {organ for organ in organs if organ in BLOOD}
    circulating = "Circulating cells" if is_cells(run) else "Absorption"
    found = {
        f"{circulating} (2.6.5.3)": bool(in_blood),
        "Organ distribution (2.6.5.5)": bool(organs - in_blood - gone),
        "Excretion (2.6.5.13)": bool(gone),
    }
    not_done = {name: "not studied" for name, there in found.items() if not there}
    why = "not applicable to a cellular product" if is_cells(run) else "not studied"
    not_done |= dict.fromkeys(("Metabolism (2.6.5.9)", "Drug interactions (2.6.5.15)"), why)
    return [name for name, there in found.items() if there], not_done


def glp(dossier: Dossier) -> Inline:
    """What the author says of GLP, with the reason where the study was not under it and the answer gives none."""
    said = cell(dossier, "study.glp", brief=True)
    asked = [entry for entry in dossier.entries if entry.name == "study.glp_reason"]
    if not asked:
        return said
    return Line((said, "; reason: ", cell(dossier, "study.glp_reason", brief=True)))


def _missing(dossier: Dossier) -> list[Block]:
    blank = {entry.name for entry in dossier.entries if entry.status == "missing"}
    names = [words for name, words in ASKED.items() if name in blank]
    return [Paragraph(f"{TO_BE_COMPLETED}: {listed(names)}.", "missing")] if names else []

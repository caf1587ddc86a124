"""The reviewer's guide of a package: what is in it, what made it, in which order, and what to know before it is read.

Its content is plain data, headings with paragraphs and tables, that any other tool may set; here it is set as one HTML
file without images or scripts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from pbpk.assay.counts import OrganCounts
from pbpk.share.programs import Step
from pbpk.share.send.domains import GOES_ON, OWN, DataSet
from pbpk.share.send.rules import RULES, Finding
from pbpk.share.send.terms import BOUND, JOINED, Terms
from pbpk.share.xpt import RULES as TRANSPORT
from pbpk.share.xpt import Change

MOST = 200  # rows of a table of changes or findings that are printed; all are counted
CAVEAT = (
    "What is counted is the label, as equivalents of labelled cells. Label may be in dead cells and in cells that took "
    "it up; it does not show that a cell lives."
)
GROUPS = (
    "A value is of an animal only where the study names the animal. Means, ranges and values without a name are in "
    "GRPVAL, as percent of the dose in the organ as the fit saw them, and what follows from them in GRPPAR: no animal, "
    "no pool and no dose record is made up for them; the dose of each group is in TX, the numbers as they were printed "
    "are in study/. PP holds parameters of named subjects and of composite profiles (destructive sampling), whose "
    "USUBJID is empty and whose animals POOLDEF names; means over subjects are in GRPPAR."
)
DATES = (
    "The study gives times after the first dose and no dates, so RFSTDTC, EXSTDTC, PCDTC, PCRFTDTC and PPRFTDTC are "
    "empty; EXSTDY, PCDY, PCNOMDY and PCELTM count from the first dose of each animal, or of its "
    "occasion where a reset began one; that day is 1."
)
SHAPE = (
    "The data sets are shaped as SEND has them, for a study of distribution, of which SEND is not asked; whether "
    "more is needed for a submission is not said here. The rules below were checked by this software, not by CDISC's "
    "engine."
)


@dataclass(frozen=True)
class GuideTable:
    """A table of text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A heading with what stands under it."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[GuideTable, ...] = ()


@dataclass(frozen=True)
class Contents:
    """What a guide is written of.

    files : in the package, with what each is; left_out : of the run, not in the package, with why
    """

    counts: OrganCounts
    manifest: Mapping[str, Any]
    sets: Mapping[str, DataSet]
    steps: Sequence[Step]
    findings: Sequence[Finding]
    changes: Sequence[Change]
    terms: Terms
    files: Sequence[tuple[str, str]] = ()
    left_out: Sequence[tuple[str, str]] = field(default_factory=tuple)


def guide_of(what: Contents) -> list[Section]:
    """The guide as plain data."""
    return [
        _study(what),
        _software(what),
        _order(what),
        Section("Files", (), (GuideTable(("file", "what it is"), tuple(what.files)),)),
        _sets(what),
        _terms(what),
        _transport(what),
        _rules(what),
        _exclusions(what),
        *(_left_out(what) if what.left_out else ()),
    ]


def _study(what: Contents) -> Section:
    about = what.counts.study.about
    rows = [("title", about.title), ("study", about.reporting.study_number or what.counts.study.name),
            ("data", about.kind), ("facility", about.reporting.facility or "not stated"),
            ("GLP", about.reporting.glp or "not stated"), ("species", about.species),
            ("strain", about.strain or "not stated"), ("label", about.label),
            ("product", about.product.cell_type)]  # fmt: skip
    rows += [("source", " ".join(filter(None, (each.text, each.doi)))) for each in about.sources]
    rows += [("assumption", each) for each in about.assumptions]
    people = ("The subjects are people; SEND is for animals, and only its shape is used.",)
    notes = [*([CAVEAT] if about.label != "none" else ()), SHAPE, *(people if about.species == "human" else ())]
    return Section("Study", tuple(notes), (GuideTable(("item", "value"), tuple(rows)),))


def _software(what: Contents) -> Section:
    told = what.manifest
    package = told.get("package") or {}
    rows = [("pbpk", str(package.get("version", told.get("versions", {}).get("pbpk", "")))),
            ("commit", str(package.get("git_commit") or "not known")), ("python", str(told.get("python", ""))),
            ("platform", str(told.get("platform", ""))), ("fingerprint of the run", str(told["fingerprint"])),
            ("seed", str(told["seed"]))]  # fmt: skip
    rows += [(each["name"], each["version"]) for each in told.get("dependencies", [])]
    said = ("Versions are those that made the run; programs/requirements.txt pins them.",)
    return Section("Software and versions", said, (GuideTable(("software", "version"), tuple(rows)),))


def _order(what: Contents) -> Section:
    called = str(what.manifest.get("occasion", {}).get("command", "")) or "not recorded"
    rows = tuple((str(number), step.command, step.does, step.reads, step.writes)
                 for number, step in enumerate(what.steps, start=1))  # fmt: skip
    said = (f"The run was made by: {called}",
            "programs/run.sh makes it again from the files of this package, in this order.")  # fmt: skip
    return Section("Scripts and order of execution", said,
                   (GuideTable(("step", "command", "what it does", "reads", "writes"), rows),))  # fmt: skip


def _sets(what: Contents) -> Section:
    rows = tuple((each.name, each.label, each.structure, str(len(each.table)), ", ".join(each.keys),
                  "no domain of SEND" if each.name in OWN else "")
                 for each in what.sets.values())  # fmt: skip
    absent = [name for name in ("DM", "EX", "PC", "PP", "POOLDEF") if name not in what.sets]
    said = [GROUPS, DATES]
    if absent:
        said.append(f"Without records, and so not there: {', '.join(absent)}.")
    return Section("Data sets", tuple(said), (
        GuideTable(("data set", "label", "structure", "records", "keys", "note"), rows),))  # fmt: skip


def extensions(sets: Mapping[str, DataSet], terms: Terms) -> list[tuple[str, str, str]]:
    """Variable, code list and value of everything that is no term of the list it is bound to."""
    found = {
        (name, codelist, part.strip())
        for each in sets.values()
        for name, codelist in BOUND.items()
        if name in each.table
        for value in each.table[name]
        for part in value.split(JOINED)
        if part.strip() and not terms.is_term(codelist, part.strip())
    }
    return sorted(found)


def _terms(what: Contents) -> Section:
    rows = tuple(extensions(what.sets, what.terms))
    said = (
        f"Controlled terms are those of {what.terms.words.terminology}: species, strains, specimens, routes, methods, "
        "units and parameters. Codes of TS, TX and SUPP-- were not compared with a list; TRTDOSTX, ROUTE and SPTRT of "
        "TX and DOSENO, SRCKIND and SRCREF of TS are of this package."
    )
    if not rows:
        return Section(
            "Terms that are not standard", (said, "Every value that is bound to a code list is a term of it.")
        )
    more = "These values extend a code list that may be extended, because it has no term for them."
    return Section("Terms that are not standard", (said, more), (GuideTable(("variable", "code list", "value"), rows),))


def _transport(what: Contents) -> Section:
    rows = tuple((each.dataset, each.variable or "-", str(each.row or "-"), each.before, each.after)
                 for each in what.changes[:MOST])  # fmt: skip
    shown = f"; the first {MOST} are shown" if len(what.changes) > MOST else ""
    said = (
        "The transport files (SAS XPORT, version 5) are written by these rules, else refused; the CSV files hold the "
        "same records with every sign as it is. The header's time is set to 1960, so that the same data have the same "
        "bytes. A zero is eight zero bytes; pandas reads 5.4e-79 there, SAS and pyreadstat read 0.",
        *TRANSPORT,
        GOES_ON,
        f"Texts that were changed by these rules: {len(what.changes)}{shown}.",
    )
    tables = (GuideTable(("data set", "variable", "row", "was", "is"), rows),) if rows else ()
    return Section("Transformations for the transport files", said, tables)


def _rules(what: Contents) -> Section:
    broken: dict[str, int] = {}
    for finding in what.findings:
        broken[finding.rule] = broken.get(finding.rule, 0) + 1
    rows = tuple((rule.number, rule.domain, rule.asks, str(broken.get(rule.number, 0)),
                  "" if rule.domain in what.sets else "no records") for rule in RULES)  # fmt: skip
    tables = [GuideTable(("rule", "domain", "asks that", "findings", "note"), rows)]
    if what.findings:
        shown = tuple((each.rule, each.sentence) for each in what.findings[:MOST])
        tables.append(GuideTable(("rule", "finding"), shown))
    return Section("Rules that were checked", (f"{len(what.findings)} findings.",), tuple(tables))


def _exclusions(what: Contents) -> Section:
    known = what.manifest.get("exclusions")
    rows = tuple((str(each["record"]), str(each["reason"])) for each in known or ())
    rows = rows or tuple((each.partition(":")[0], each) for each in what.counts.left_out)
    if not rows:
        return Section("Exclusions", ("Nothing that was measured was left out.",))
    said = "Left out of the fit, and still in the study's tables; where an animal is named, in PC with PCEXCLFL."
    return Section("Exclusions", (said,), (GuideTable(("record", "reason"), rows),))


def _left_out(what: Contents) -> Iterable[Section]:
    yield Section("Files of the run that are not in the package", (), (
        GuideTable(("file", "why"), tuple(what.left_out)),))  # fmt: skip


def as_html(title: str, sections: Iterable[Section]) -> str:
    """A guide as one HTML page."""
    parts = ["<!DOCTYPE html>", '<html lang="en"><head><meta charset="utf-8">', f"<title>{escape(title)}</title>",
             "<style>body{font:11pt serif;max-width:60em;margin:2em auto;padding:0 1em}table{border-collapse:collapse;"
             "margin:1em 0}td,th{border:1px solid #999;padding:2px 6px;text-align:left;vertical-align:top;"
             "overflow-wrap:anywhere}</style></head><body>",
             f"<h1>{escape(title)}</h1>"]  # fmt: skip
    for number, section in enumerate(sections, start=1):
        parts.append(f"<h2>{number} {escape(section.heading)}</h2>")
        parts += [f"<p>{escape(text)}</p>" for text in section.paragraphs]
        for table in section.tables:
            head = "".join(f"<th>{escape(name)}</th>" for name in table.columns)
            body = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
                             for row in table.rows)  # fmt: skip
            parts.append(f"<table><tr>{head}</tr>\n{body}</table>")
    return "\n".join([*parts, "</body></html>"]) + "\n"

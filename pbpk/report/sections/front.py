"""Sections 0 to 4: title and sign-off, what is missing, summary, assessment, introduction, objectives."""

from pbpk.predict.filing.assessment import Item
from pbpk.predict.lineage.source import source
from pbpk.report import wording
from pbpk.report.author import cell, said
from pbpk.report.document.blocks import TO_BE_COMPLETED, Block, Bullets, Facts, Heading, Paragraph, Table
from pbpk.report.document.inline import Code, Inline, Mark, Strong, with_code
from pbpk.report.dossier import Dossier

SYNTHETIC = "These data were made by a virtual instrument with a known truth; no animal was measured."
NOT_PASSED = "This fit did not pass its checks. Do not use the numbers of this report for a decision."
QUICK = "A quick approximation, not a posterior by sampling: the nearest normal. Fit without --quick before you file."
DRAFT = "DRAFT. This report is not final; what stands in the way is listed below."


def title(dossier: Dossier) -> list[Block]:
    """Warnings that must be seen first, the study in brief, who signs, what is still missing."""
    run, about = dossier.run, dossier.run.study.about
    blocks = _alerts(dossier)
    said = [
        ("Report number", "sign_off.report_number"), ("Sponsor", "sign_off.sponsor"),
        ("Study number", "study.study_number"), ("Facility", "study.facility"), ("GLP", "study.glp"),
    ]  # fmt: skip
    facts: list[tuple[str, Inline, str]] = [
        ("Data", f"{about.kind}, {about.species}" + (f", {about.strain}" if about.strain else ""),
         source(dossier.study_file)),
        ("Label", about.label, source(dossier.study_file, key="label")),
        ("Model", run.joint.model.name, source("manifest.json", key="model")),
        *((name, cell(dossier, field), dossier.by_author(field)) for name, field in said),
        ("Fingerprint of data, model, settings and software", Code(str(run.manifest["fingerprint"])),
         source("manifest.json", key="fingerprint")),
    ]  # fmt: skip
    blocks.append(Facts([(name, value) for name, value, _ in facts], [place for *_, place in facts]))
    if about.kind == "synthetic":
        blocks.append(Paragraph(SYNTHETIC, "note"))
    if dossier.of_cells:
        blocks.append(Paragraph(wording.FOOTNOTE, "note"))
    blocks.append(Paragraph(
        "The modelling was not done under GLP; whether the study was stands in the data section. This report is "
        "structured after ICH M15; nothing in it claims compliance."))  # fmt: skip
    return [*blocks, *_sign_off(dossier), *_hindrances(dossier)]


def _alerts(dossier: Dossier) -> list[Block]:
    run = dossier.run
    blocks: list[Block] = []
    if not run.diagnostics.passed:
        blocks.append(Paragraph(Strong(NOT_PASSED), "alert"))
        blocks += [Paragraph(with_code(sentence), "alert", source("manifest.json", key="diagnostics"))
                   for sentence in run.diagnostics.sentences]  # fmt: skip
    if run.manifest.get("method") == "variational":
        blocks.append(Paragraph(Strong(QUICK), "alert"))
    if not dossier.final:
        blocks.append(Paragraph(Strong(DRAFT), "alert"))
    return blocks


def _sign_off(dossier: Dossier) -> list[Block]:
    """Names and lines to sign on."""
    authors = range(1, max(len(dossier.authored.sign_off.authors), 1) + 1)
    people = [(f"sign_off.authors[{i}]", "Author") for i in authors]
    people.append(("sign_off.approver", "Approver"))
    rows = [
        (meaning, cell(dossier, f"{name}.name"), cell(dossier, f"{name}.role"),
         cell(dossier, f"{name}.qualification"), "", "")
        for name, meaning in people
    ]  # fmt: skip
    head = ("Meaning", "Name", "Role", "Qualification", "Signature", "Date")
    seal = str(dossier.run.manifest["fingerprint"])
    return [Table("Signatures", head, "llllll", rows, (dossier.by_author("sign_off"),),
                  (f"Each signature is for the report of the run with the fingerprint {seal}.",))]  # fmt: skip


def _hindrances(dossier: Dossier) -> list[Block]:
    """What stands in the way of a final report: reasons in words, and blank fields by the table they stand in."""
    if dossier.final:
        return []
    heading = Heading("What is still missing", 2, "missing")
    blank: dict[str, list[str]] = {}
    for entry in dossier.entries:
        if entry.status == "missing":
            table, _, rest = entry.name.partition(".")
            blank.setdefault(table, []).append(rest or table)
    words = [with_code(sentence) for sentence in dossier.hindrances if not sentence.startswith(TO_BE_COMPLETED)]
    if not words and not blank:
        return [heading, Paragraph(with_code("Nothing: `pbpk report --final` would make this report final."))]
    blocks: list[Block] = [heading]
    blocks += [Bullets(words, "manifest.json")] if words else []
    if blank:
        count = wording.counted(sum(map(len, blank.values())), "field")
        rows = [(Code(f"[{table}]"), ", ".join(name.replace("_", " ") for name in names))
                for table, names in blank.items()]  # fmt: skip
        blocks.append(Table(f"{TO_BE_COMPLETED} in report.toml: {count}", ("Table", "Fields"), "ll", rows,
                            ("manifest.json",)))  # fmt: skip
    return blocks


def summary(dossier: Dossier) -> list[Block]:
    """The author's summary and the numbers of the run in sentences."""
    run = dossier.run
    key = [Paragraph(sentence, source=place) for sentence, place in wording.summary(run)]
    return [*said(dossier, "summary"), Heading("Key numbers", 2, "key-numbers"), *key]


def assessment(dossier: Dossier) -> list[Block]:
    """The ten items of the assessment table."""
    items = dossier.docket.items
    rows = [(str(item.number), item.item, _rating(item), _entry(item), item.status) for item in items]
    head = ("Item", "", "Rating", "Entry", "From")
    places = [source("criteria.csv") if item.status == "auto" and item.number == 9
              else dossier.by_author("assessment") for item in items]  # fmt: skip
    return [Table("Assessment of the modelling, structured after ICH M15, appendix 1", head, "rllll", rows, places)]


def _rating(item: Item) -> Inline:
    return item.rating or ("–" if item.number in (1, 2, 7, 8, 9, 10) else Strong(TO_BE_COMPLETED))


def _entry(item: Item) -> Inline:
    if item.status == "n/a":
        return f"Not applicable: {item.entry}"
    if item.status == "missing" and not item.entry:
        return Mark(TO_BE_COMPLETED, "bad")
    return item.entry


def introduction(dossier: Dossier) -> list[Block]:
    """Why, and what is known."""
    return said(dossier, "introduction")


def objectives(dossier: Dossier) -> list[Block]:
    """What the analysis is to find out, and for whom."""
    asked = [said(dossier, f"assessment.{name}") for name in ("question_of_interest", "context_of_use")]
    return [*said(dossier, "objectives"), *asked[0], *asked[1]]

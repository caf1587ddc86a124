"""What 21 CFR 58.185 names for the final report of a nonclinical study, and where a report says it."""

from dataclasses import dataclass
from typing import Literal

from pbpk.predict.filing.authored import Authored, Entry, entries

# number, what is asked in our own words, fields of report.toml, what the package writes by itself
ASKED: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("(a)(1)", "Name and address of the facility, dates of start and completion",
     ("study.facility", "study.address", "study.start_date", "study.completion_date"), ""),
    ("(a)(2)", "Objectives and procedures of the protocol, and changes in it",
     ("objectives.objectives", "study.protocol"), ""),
    ("(a)(3)", "Statistical methods", (), "likelihood, priors and sampler of the fit"),
    ("(a)(4)", "Test and control articles: identity, strength, purity, composition",
     ("study.test_article", "study.vehicle"), ""),
    ("(a)(5)", "Stability of the articles under the conditions of the study", ("study.stability",), ""),
    ("(a)(6)", "Methods", (), "assay, model and fit"),
    ("(a)(7)", "Test system: number, sex, weight, source, species, strain, age, identification",
     ("study.test_system",), "species, strain and number of the animals"),
    ("(a)(8)", "Dose, regimen, route and duration", (), "doses of each group"),
    ("(a)(9)", "Circumstances that may have affected the quality of the data", ("study.data_quality",), ""),
    ("(a)(10)", "Study director, other scientists, supervisors", ("study.study_director", "study.scientists"), ""),
    ("(a)(11)", "Transformations, calculations and operations on the data; summary, analysis, conclusions",
     ("summary.results_and_conclusions", "conclusions.conclusions"), "conversions of the data, tables of the fit"),
    ("(a)(12)", "Signed and dated reports of the individual scientists", ("study.individual_reports",), ""),
    ("(a)(13)", "Where specimens, raw data and the report are stored", ("study.specimens", "study.records"), ""),
    ("(a)(14)", "Statement of the quality assurance unit", ("study.quality_assurance",), ""),
    ("(b)", "Signature and date of the study director", (), ""),
    ("(c)", "Corrections as signed and dated amendments, with what and why", (),
     "record of the run, plans given up with their reasons"),
)  # fmt: skip
BY_HAND = "signed outside of this package, on the page that prints the digest of the run"


@dataclass(frozen=True)
class Check:
    """One item of the list.

    entries : fields of the author that answer it; auto : what the package writes of it, empty where nothing
    status : author, auto, n/a (all of it), missing (any of it), or by hand
    """

    number: str
    asks: str
    entries: tuple[Entry, ...]
    auto: str
    status: Literal["author", "auto", "n/a", "missing", "by hand"]


def study_report_checklist(authored: Authored) -> tuple[Check, ...]:
    """Return the sixteen items, structured after 21 CFR 58.185."""
    said = {entry.name: entry for entry in entries(authored)}
    return tuple(_check(number, asks, tuple(said[name] for name in fields), auto)
                 for number, asks, fields, auto in ASKED)  # fmt: skip


def _check(number: str, asks: str, own: tuple[Entry, ...], auto: str) -> Check:
    statuses = {entry.status for entry in own}
    if "missing" in statuses:
        return Check(number, asks, own, auto, "missing")
    if not own:
        return Check(number, asks, own, auto or BY_HAND, "auto" if auto else "by hand")
    return Check(number, asks, own, auto, "n/a" if statuses == {"n/a"} else "author")

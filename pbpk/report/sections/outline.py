"""The sections of the report, structured after ICH M15, and where other guidelines have the same contents."""

from dataclasses import dataclass

from pbpk.report.document.blocks import Table


@dataclass(frozen=True)
class Section:
    """One section, and the headings of four guidelines that it answers to; a dash where one has none.

    m15 : ICH M15, appendices 1 and 2; fda : FDA 2018, format and content of PBPK analyses; ema : EMA 2018, reporting of
    PBPK; oecd : OECD guidance document 331
    """

    anchor: str
    title: str
    m15: str = "–"
    fda: str = "–"
    ema: str = "–"
    oecd: str = "–"


SECTIONS = (
    Section("front", "Title and sign-off", oecd="A, B"),
    Section("summary", "Executive summary", "Executive summary", "A", "Executive summary", "C"),
    Section("assessment", "Assessment table", "Appendix 1", ema="Regulatory purpose"),
    Section("introduction", "Introduction", "Introduction", "B", "Background", "D1"),
    Section("objectives", "Objectives, question of interest and context of use", "Objectives", "B", "Objective", "D1"),
    Section("data", "Data", "Data and methods", "C.4", "Background", "D3"),
    Section("model", "Model", "Data and methods", "C.1", "Assumptions, drug model", "D2"),
    Section("parameters", "Parameters", "Data and methods", "C.2", "System and drug parameters", "D3, H"),
    Section("assumptions", "Assumptions", "Data and methods", "C.1", "Assumptions", "E"),
    Section("inference", "Inference", "Data and methods", "C.5", "Model development", "D3, D4"),
    Section("verification", "Verification", "Results", "D.1", "Platform qualification", "D4, F"),
    Section("evaluation", "Evaluation", "Results", "D.1", "Evaluation", "D5"),
    Section("uncertainty", "Sensitivity, identifiability and uncertainty", "Results", "D.1", "Sensitivity", "E"),
    Section("criteria", "Results against technical criteria", "Results", "D", "Results", "D5"),
    Section("application", "Application: scenarios of dose and route", "Results", "D.2", "Simulation", "D5"),
    Section("deviations", "Deviations from the plan", "Results"),
    Section("discussion", "Discussion, limitations and applicability", "Discussion", "E", "Discussion", "E, G"),
    Section("conclusions", "Conclusions", "Conclusions", "E"),
)
APPENDICES = (
    Section("ctd", "CTD summary and tables", "Appendices", "F"),
    Section("listing", "Individual data", "Appendices", "F"),
    Section("provenance", "Provenance", "Appendices", "F", "Platform qualification", "F"),
    Section("code", "Code", "Appendices", "C.4", "Platform qualification", "F"),
    Section("plan", "Analysis plan", "Appendices", "F"),
    Section("checklists", "Checklists", "Appendices", "F"),
    Section("references", "References", "Appendices", "F", "References", "I"),
)


def outline_table() -> Table:
    """Where this report has what each guideline asks for."""
    numbers = [*map(str, range(len(SECTIONS))), *(f"A{i}" for i in range(1, len(APPENDICES) + 1))]
    rows = [
        (number, section.title, section.m15, section.fda, section.ema, section.oecd)
        for number, section in zip(numbers, (*SECTIONS, *APPENDICES), strict=True)
    ]
    head = ("Section", "Title", "ICH M15", "FDA 2018", "EMA 2018", "OECD 331")
    note = "Headings of OECD 331 and the letters of FDA 2018 are from secondary sources; check them before filing."
    return Table("Outline of this report against four guidelines it is structured after", head, "llllll", rows,
                 notes=(note,))  # fmt: skip

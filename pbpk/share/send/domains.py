"""All data sets of a study, with their variables, labels and order, text that is too long carried on elsewhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pbpk.assay.counts import OrganCounts
from pbpk.share.send.concentrations import CALCULATED, Measured, plain
from pbpk.share.send.parameters import QUALIFIERS, parameters_of
from pbpk.share.send.subjects import Row, subjects_of
from pbpk.share.send.terms import Terms, Variable, read_terms
from pbpk.share.send.trial import summary_of
from pbpk.share.xpt import LONGEST_TEXT, ascii_text

# label, structure, class and key variables of each data set; of SEND's, and of this package (the last two)
SETS: Mapping[str, tuple[str, str, str, tuple[str, ...]]] = {
    "TS": ("Trial Summary", "One record per trial summary parameter value", "TRIAL DESIGN",
           ("STUDYID", "TSPARMCD", "TSSEQ")),
    "TX": ("Trial Sets", "One record per trial set parameter", "TRIAL DESIGN", ("STUDYID", "SETCD", "TXPARMCD")),
    "DM": ("Demographics", "One record per subject", "SPECIAL PURPOSE", ("STUDYID", "USUBJID")),
    "EX": ("Exposure", "One record per dose per subject", "INTERVENTIONS", ("STUDYID", "USUBJID", "EXSEQ")),
    "PC": ("Pharmacokinetics Concentrations",
           "One record per test per specimen per observation time per subject", "FINDINGS",
           ("STUDYID", "USUBJID", "PCTESTCD", "PCSPEC", "PCTPTREF", "PCTPTNUM")),
    "PP": ("Pharmacokinetics Parameters", "One record per parameter per profile per specimen per subject or pool",
           "FINDINGS", ("STUDYID", "USUBJID", "POOLID", "PPCAT", "PPSPEC", "PPTESTCD", "PPTPTREF")),
    "POOLDEF": ("Pool Definition", "One record per subject per pool", "RELATIONSHIP",
                ("STUDYID", "POOLID", "USUBJID")),
    "RELREC": ("Related Records", "One record per related data set", "RELATIONSHIP",
               ("STUDYID", "RDOMAIN", "RELID")),
    "SUPPDM": ("Supplemental Qualifiers for DM", "One record per qualifier", "RELATIONSHIP",
               ("STUDYID", "RDOMAIN", "USUBJID", "QNAM")),
    "SUPPEX": ("Supplemental Qualifiers for EX", "One record per qualifier", "RELATIONSHIP",
               ("STUDYID", "RDOMAIN", "USUBJID", "IDVARVAL", "QNAM")),
    "SUPPPC": ("Supplemental Qualifiers for PC", "One record per qualifier", "RELATIONSHIP",
               ("STUDYID", "RDOMAIN", "USUBJID", "IDVARVAL", "QNAM")),
    "SUPPPP": ("Supplemental Qualifiers for PP", "One record per qualifier", "RELATIONSHIP",
               ("STUDYID", "RDOMAIN", "USUBJID", "POOLID", "IDVARVAL", "QNAM")),
    "GRPVAL": ("Values Known of Groups, not Animals", "One record per printed value", "ANALYSIS",
               ("STUDYID", "ROW")),
    "GRPPAR": ("Parameters of Groups, not Animals", "One record per parameter per profile", "ANALYSIS",
               ("STUDYID", "ROW")),
}  # fmt: skip
OWN = ("GRPVAL", "GRPPAR")  # no domains of SEND
# Variables that stand there though nothing is known of them: the reader looks for them.
EXPECTED = frozenset(("PCORRES", "PCORRESU", "PCSTRESC", "PCSTRESN", "PCSTRESU", "PCLLOQ", "PCDTC", "PCNOMDY", "PCTPT",
                      "PCELTM", "PCTPTREF", "PCRFTDTC", "PPORRES", "PPORRESU", "PPSTRESC", "PPSTRESN", "PPSTRESU",
                      "PPTPTREF", "PPRFTDTC", "USUBJID", "EXDOSE", "EXDOSU", "EXSTDTC", "EXSTDY", "EXLOT",
                      "SPECIES", "STRAIN", "TSVAL", "IDVARVAL"))  # fmt: skip
NUMBERED = ("EX", "PC", "PP")  # whose records have a number within their subject or pool
UNSENT = ("POOLDEF", "RELREC", "SUPPDM", "SUPPEX", "SUPPPC", "SUPPPP", *OWN)  # without a DOMAIN column
# Text that may be parted; a name that is too long is refused by the transport format, for a part of it names nothing.
FREE = frozenset(("EXTRT", "EXDOSTXT", "EXADJ", "EXLOC", "PCSPID", "PCREASEX", "PPREASND", "STRAIN", "SBSTRAIN", "ARM",
                  "TSVAL", "TXVAL", "SET", "QVAL", "FLAG", "REASEX", "SOURCE"))  # fmt: skip
GOES_ON = (
    "Text over 200 bytes goes on, from the last space before, in a record of SUPP-- whose QNAM is the variable, or the "
    "QNAM that goes on, with a number; in TS in TSVAL1 and so on; in TX, GRPVAL and GRPPAR it ends in `...`. Names "
    "that are too long are refused."
)


@dataclass(frozen=True)
class DataSet:
    """A table as it is written.

    keys : variables that tell its records apart; variables : with labels, in the order of the table's columns
    """

    name: str
    label: str
    structure: str
    kind: str
    keys: tuple[str, ...]
    table: pd.DataFrame
    variables: tuple[Variable, ...]

    @property
    def labels(self) -> dict[str, str]:
        """Labels by variable."""
        return {each.variable: each.label for each in self.variables}


def domains_of(counts: OrganCounts, exposure: pd.DataFrame, terms: Terms | None = None) -> dict[str, DataSet]:
    """Data sets of a study by their name; one without records is left out.

    exposure : noncompartmental parameters of the values, as `predict.exposure.exposure` tells them

    Raises
    ------
    ShareError
        if animals or doses cannot be written so; or text has no spelling in ASCII
    """
    terms = terms or read_terms()
    subjects = subjects_of(counts, terms)
    measured = Measured(counts, subjects)
    found = parameters_of(measured, exposure)
    values = list(measured.concentrations())
    rows: dict[str, list[Row]] = {
        "TS": summary_of(counts, terms),
        "TX": subjects.sets(),
        "DM": subjects.demographics(),
        "EX": subjects.exposures(),
        "PC": [row for row, _ in values],
        "PP": found.rows,
        "POOLDEF": found.pooled,
        "GRPVAL": measured.summaries(),
        "GRPPAR": found.summaries,
    }
    for name in NUMBERED:
        _number(rows[name], f"{name}SEQ")
    rows["RELREC"] = _related(rows["PC"], rows["PP"])
    rows["SUPPPC"] = [_qualifier("PC", row, "CALCN", CALCULATED, plain(used), "DERIVED") for row, used in values
                      if row["PCSTRESC"] == "BLQ" and plain(used)]  # fmt: skip
    rows["SUPPPP"] = [_qualifier("PP", row, *QUALIFIERS[key], text, "DERIVED")
                      for row, told in zip(found.rows, found.supplements, strict=True)
                      for key, text in told.items()]  # fmt: skip
    longer = {name: _carry_on(name, each) for name, each in rows.items()}
    for name, more in longer.items():
        rows.setdefault(name if name.startswith("SUPP") else f"SUPP{name}", []).extend(more)
    return {
        name: _data_set(name, each, subjects.studyid, terms)
        for name in SETS
        if (each := rows.get(name, []))
    }  # fmt: skip


def _number(rows: Iterable[Row], sequence: str) -> None:
    """Number records within each subject or pool."""
    last: dict[tuple[str, str], int] = {}
    for row in rows:
        who = (row["USUBJID"], row.get("POOLID", ""))
        row[sequence] = last[who] = last.get(who, 0) + 1


def _related(concentrations: list[Row], parameters: list[Row]) -> list[Row]:
    """PC and PP by the group identifier that both have, as data sets."""
    if not concentrations or not parameters:
        return []
    return [{"RDOMAIN": name, "USUBJID": "", "IDVAR": f"{name}GRPID", "IDVARVAL": "", "RELTYPE": "MANY",
             "RELID": "PCPP"} for name in ("PC", "PP")]  # fmt: skip


def _qualifier(name: str, row: Row, code: str, label: str, value: str, origin: str) -> Row:
    """A record of SUPP-- about one record."""
    numbered = name in NUMBERED
    return {
        "RDOMAIN": name, "USUBJID": row["USUBJID"], "POOLID": row.get("POOLID", ""),
        "IDVAR": f"{name}SEQ" if numbered else "", "IDVARVAL": str(row[f"{name}SEQ"]) if numbered else "",
        "QNAM": code, "QLABEL": label, "QVAL": value, "QORIG": origin, "QEVAL": "",
    }  # fmt: skip


def _carry_on(name: str, rows: list[Row]) -> list[Row]:
    """Part texts that are too long, and return records of SUPP-- for what is left."""
    more: list[Row] = []
    for row in rows:
        for variable, text in list(row.items()):
            parts = parted(text) if variable in FREE and text else [""]
            if len(parts) < 2:
                continue
            if name in ("DM", *NUMBERED):
                row[variable] = parts[0]
                more += [_qualifier(name, row, f"{variable[:7]}{number}", f"{variable}, goes on ({number})", part,
                                    "COLLECTED") for number, part in enumerate(parts[1:], start=1)]  # fmt: skip
            elif name.startswith("SUPP"):
                row[variable] = parts[0]
                more += [row | {"QNAM": f"{row['QNAM'][:7]}{number}", "QVAL": part}
                         for number, part in enumerate(parts[1:], start=1)]  # fmt: skip
            elif name == "TS":
                row |= {f"TSVAL{number or ''}": part for number, part in enumerate(parts)}
            else:
                row[variable] = f"{parts[0][: LONGEST_TEXT - 3].rstrip()}..."
    return more


def parted(text: str) -> list[str]:
    """Text in parts, each of which fits the transport format once it is spelled in ASCII; ends of words where it can.

    >>> [len(part) for part in parted("x" * 150 + " " + "y" * 150)]
    [150, 150]
    """
    parts, rest = [], text
    while len(ascii_text(rest)) > LONGEST_TEXT:
        end = LONGEST_TEXT
        while len(ascii_text(rest[:end])) > LONGEST_TEXT:
            end -= 1
        space = rest.rfind(" ", 1, end + 1)
        end = space if space > 0 else end
        parts.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*parts, rest]


def _data_set(name: str, rows: list[Row], studyid: str, terms: Terms) -> DataSet:
    """Table with the variables of its domain that some record has, and those that must be there."""
    label, structure, kind, keys = SETS[name]
    domain = {} if name in UNSENT else {"DOMAIN": name}
    given = [{"STUDYID": studyid} | domain | row for row in rows]
    used: list[Variable] = []
    for known in _variables(name, given, terms):
        some = any(not _is_empty(row.get(known.variable)) for row in given)
        pooled = known.variable == "POOLID" and name in ("PC", "PP")
        if some or pooled or known.mandatory or known.variable in EXPECTED:
            used.append(known)
    columns = {each.variable: _column(each, given) for each in used}
    return DataSet(name, label, structure, kind, keys, pd.DataFrame(columns), tuple(used))


def _variables(name: str, rows: list[Row], terms: Terms) -> list[Variable]:
    known = list(terms.variables[name])
    if name == "TS":
        last = max((len([key for key in row if key.startswith("TSVAL")]) for row in rows), default=1)
        known += [known[-1].model_copy(update={"variable": f"TSVAL{n}", "label": f"Parameter Value {n}"})
                  for n in range(1, last)]  # fmt: skip
    return known


def _column(variable: Variable, rows: list[Row]) -> Any:
    values = [row.get(variable.variable) for row in rows]
    if variable.type == "Num":
        return pd.array([float("nan") if _is_empty(value) else float(value) for value in values], dtype=float)  # type: ignore[arg-type]
    return pd.array(["" if _is_empty(value) else str(value) for value in values], dtype=object)


def _is_empty(value: object) -> bool:
    return value is None or value == "" or value != value

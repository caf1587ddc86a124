"""The fourteen rules of CDISC CORE for SENDIG 3.1.1 that name PC, PP, EX or POOLDEF, over the tables of a study.

Written anew from what each rule says; the numbers are those of CORE, whose engine is not needed here. A finding does
not stop an export: the reviewer's guide lists it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from pbpk.share.send.terms import JOINED, Terms, read_terms

Tables = Mapping[str, pd.DataFrame]
Broken = Iterator[tuple[int, str]]  # place of the row, what is wrong
OUTSIDE = ("BLQ", "ALQ")


@dataclass(frozen=True)
class Finding:
    """A rule that a record breaks; row : of the table, from 1."""

    rule: str
    domain: str
    row: int
    sentence: str


@dataclass(frozen=True)
class Rule:
    """A rule: what it asks of a domain, in a sentence, and the check of its table."""

    number: str
    domain: str
    asks: str
    check: "Callable[[pd.DataFrame, Tables, Terms], Broken]"


def check_rules(tables: Tables, terms: Terms | None = None) -> list[Finding]:
    """Everything that breaks a rule, rule by rule.

    tables : data sets by name
    """
    known = terms or read_terms()
    found: list[Finding] = []
    for rule in RULES:
        table = tables.get(rule.domain, pd.DataFrame())
        found += [Finding(rule.number, rule.domain, place + 1, f"{rule.domain} row {place + 1}: {said}")
                  for place, said in rule.check(table, tables, known)]  # fmt: skip
    return found


def _text(table: pd.DataFrame, name: str) -> list[str]:
    """A variable as text, empty where it is not there or missing."""
    if name not in table:
        return [""] * len(table)
    return ["" if value is None or value != value else str(value) for value in table[name]]


def _outside(table: pd.DataFrame) -> list[bool]:
    """Whether a result as collected says that it is outside of the limits: it is there and no number."""
    return [bool(said.strip()) and not _is_number(said) for said in _text(table, "PCORRES")]


def _is_number(said: str) -> bool:
    try:
        float(said)
    except ValueError:
        return False
    return True


def _no_number(table: pd.DataFrame, tables: Tables, terms: Terms) -> Broken:
    numbers = _text(table, "PCSTRESN")
    for place, (outside, number) in enumerate(zip(_outside(table), numbers, strict=True)):
        if outside and number:
            yield place, f"PCORRES is no number but PCSTRESN is {number}; it must be empty."


def _no_zero(table: pd.DataFrame, tables: Tables, terms: Terms) -> Broken:
    said = zip(_text(table, "PCORRES"), _text(table, "PCSTRESC"), _text(table, "PCSTRESN"), strict=True)
    for place, (collected, standard, number) in enumerate(said):
        below = collected.strip().startswith("<") or "BLQ" in (collected.strip().upper(), standard)
        if below and number and float(number) == 0.0:
            yield place, "the result is below its limit and PCSTRESN is zero; it must be empty."


def _says_outside(table: pd.DataFrame, tables: Tables, terms: Terms) -> Broken:
    for place, (outside, said) in enumerate(zip(_outside(table), _text(table, "PCSTRESC"), strict=True)):
        if outside and said not in OUTSIDE:
            yield place, f"PCORRES is no number, so PCSTRESC must be BLQ or ALQ; it is `{said}`."


def _has_limit(table: pd.DataFrame, tables: Tables, terms: Terms) -> Broken:
    said = zip(_text(table, "PCSTRESC"), _text(table, "PCLLOQ"), _text(table, "PCSTRESU"), strict=True)
    for place, (standard, limit, unit) in enumerate(said):
        missing = [name for name, value in (("PCLLOQ", limit), ("PCSTRESU", unit)) if not value]
        if standard == "BLQ" and missing:
            yield place, f"PCSTRESC is BLQ and {' and '.join(missing)} is empty."


def _one_record(table: pd.DataFrame, tables: Tables, terms: Terms) -> Broken:
    dates = [date or f"{reference} {after}" for date, reference, after in zip(
        _text(table, "PCDTC"), _text(table, "PCTPTREF"), _text(table, "PCELTM"), strict=True)]  # fmt: skip
    names = ("USUBJID", "POOLID", "PCTESTCD", "PCSPEC")
    keys = zip(*(_text(table, name) for name in names), dates, strict=True)
    yield from _again(keys, "the same subject or pool, test, specimen and time")


def _usable(table: pd.DataFrame, tables: Tables, terms: Terms) -> Broken:
    for place, said in enumerate(_text(table, "PCSPCUFL")):
        if said not in ("", "N"):
            yield place, f"PCSPCUFL may be N or empty; it is `{said}`."


def _unique_parameter(table: pd.DataFrame, tables: Tables, terms: Terms) -> Broken:
    who = [pool or subject for pool, subject in zip(_text(table, "POOLID"), _text(table, "USUBJID"), strict=True)]
    names = ("PPTESTCD", "PPCAT", "PPSPEC", "PPTPTREF")
    keys = zip(who, *(_text(table, name) for name in names), strict=True)
    yield from _again(keys, "the same subject or pool, parameter, category, specimen and reference")


def _category_is_test(table: pd.DataFrame, tables: Tables, terms: Terms) -> Broken:
    measured = tables.get("PC", pd.DataFrame())
    tests = set(zip(_text(measured, "PCTEST"), _text(measured, "PCTPTREF"), strict=True))
    said = zip(_text(table, "PPCAT"), _text(table, "PPTPTREF"), strict=True)
    for place, (category, reference) in enumerate(said):
        if (category, reference) not in tests:
            yield place, f"PPCAT `{category}` is no PCTEST at the reference `{reference}`."


def _joined_specimens(table: pd.DataFrame, tables: Tables, terms: Terms) -> Broken:
    measured = set(_text(tables.get("PC", pd.DataFrame()), "PCSPEC"))
    for place, said in enumerate(_text(table, "PPSPEC")):
        parts = [part.strip() for part in said.split(JOINED)]
        strange = [part for part in parts if not part or not (terms.is_term("SPEC", part) or part in measured)]
        if strange:
            yield place, (f"PPSPEC `{said}`: `{strange[0]}` is neither a term of SPEC nor a PCSPEC; several specimens "
                          "are joined by a semicolon.")  # fmt: skip


def _no_duplicates(table: pd.DataFrame, tables: Tables, terms: Terms) -> Broken:
    keys = zip(_text(table, "USUBJID"), _text(table, "POOLID"), strict=True)
    yield from _again(keys, "the same subject in the same pool")


def _has_subject(table: pd.DataFrame, tables: Tables, terms: Terms) -> Broken:
    for place, (pool, subject) in enumerate(zip(_text(table, "POOLID"), _text(table, "USUBJID"), strict=True)):
        if pool and not subject:
            yield place, f"the pool `{pool}` has a record without a subject."
    known = set(_text(table, "POOLID"))
    for name, other in tables.items():
        strange = sorted({pool for pool in _text(other, "POOLID") if pool} - known) if name != "POOLDEF" else []
        for pool in strange:
            yield len(table), f"the pool `{pool}` of {name} has no subject in POOLDEF."


def _one_dose(table: pd.DataFrame, tables: Tables, terms: Terms) -> Broken:
    for place, (dose, text) in enumerate(zip(_text(table, "EXDOSE"), _text(table, "EXDOSTXT"), strict=True)):
        if dose and text:
            yield place, f"EXDOSE is {dose} and EXDOSTXT is `{text}`; fill one of them."


def _no_lot_without_dose(table: pd.DataFrame, tables: Tables, terms: Terms) -> Broken:
    for place, (dose, lot) in enumerate(zip(_text(table, "EXDOSE"), _text(table, "EXLOT"), strict=True)):
        if dose and float(dose) == 0.0 and lot:
            yield place, f"no test article was given (EXDOSE is 0) and EXLOT is `{lot}`; it must be empty."


def _has_start(table: pd.DataFrame, tables: Tables, terms: Terms) -> Broken:
    for place, (date, day) in enumerate(zip(_text(table, "EXSTDTC"), _text(table, "EXSTDY"), strict=True)):
        if not date and not day:
            yield place, "EXSTDTC and EXSTDY are both empty; fill one of them."


def _again(keys: "Iterator[tuple[str, ...]] | zip[tuple[str, ...]]", what: str) -> Broken:
    """Records whose key an earlier one has."""
    first: dict[tuple[str, ...], int] = {}
    for place, key in enumerate(keys):
        if first.setdefault(key, place) != place:
            yield place, f"has {what} as row {first[key] + 1}."


RULES = (
    Rule("CORE-000429", "PC", "a PCORRES that is no number has no PCSTRESN", _no_number),
    Rule("CORE-000722", "PC", "a result below its limit has no PCSTRESN of zero", _no_zero),
    Rule("CORE-000444", "PC", "a PCORRES that is no number has BLQ or ALQ in PCSTRESC", _says_outside),
    Rule("CORE-000578", "PC", "BLQ has PCLLOQ and PCSTRESU", _has_limit),
    Rule("CORE-000475", "PC", "one record per test, specimen and time of a subject or pool", _one_record),
    Rule("CORE-000462", "PC", "PCSPCUFL is N or empty", _usable),
    Rule(
        "CORE-000526", "PP", "one record per subject or pool, parameter, PPCAT, PPSPEC and PPTPTREF", _unique_parameter
    ),
    Rule("CORE-000901", "PP", "PPCAT is a PCTEST at the same reference", _category_is_test),
    Rule("CORE-000934", "PP", "several specimens in PPSPEC are joined by a semicolon", _joined_specimens),
    Rule("CORE-000556", "POOLDEF", "no subject is twice in a pool", _no_duplicates),
    Rule("CORE-000431", "POOLDEF", "every pool has a subject", _has_subject),
    Rule("CORE-000445", "EX", "EXDOSE and EXDOSTXT are not both filled", _one_dose),
    Rule("CORE-000599", "EX", "without test article there is no EXLOT", _no_lot_without_dose),
    Rule("CORE-000385", "EX", "EXSTDTC or EXSTDY is filled", _has_start),
)

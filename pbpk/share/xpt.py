"""SAS transport files of version 5, each rule of the format guarded.

`pyreadstat` writes what it is given: it cuts labels, keeps 300 characters where 200 are allowed, turns numbers outside
of the range of IBM's floating point into infinity or zero, and puts the clock into the header. So each of these is
refused with its row and column, or changed by a rule that is said here (`RULES`) and told to who asked. A zero is eight
zero bytes, as SAS and pyreadstat read it; pandas reads 5.4e-79 there.
Source: SAS Institute, record layout of a SAS version 5 or 6 data set in transport format (TS-140); the limits of
pyreadstat 1.3.7 by trying.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat

from pbpk.errors import ShareError

NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,7}")
LONGEST_LABEL = 40  # bytes
LONGEST_TEXT = 200  # bytes
# Numbers of IBM's floating point are below 16**63, but pyreadstat 1.3.7 writes none from 16**62 on.
LARGEST = float(np.nextafter(16.0**62, 0.0))
SMALLEST = 16.0**-65  # smallest with all its digits
RECORD = 80  # bytes of a record of the file
STAMPS = (144, 160, 464, 480)  # bytes of the header at which the hour of writing stands
STAMP = b"01JAN60:00:00:00"  # the zero of SAS's clock, so that the same table has the same bytes

SPELLED = {
    "µ": "u", "μ": "u", "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "κ": "kappa", "λ": "lambda",
    "σ": "sigma", "τ": "tau", "ω": "omega", "Δ": "Delta", "Σ": "Sigma", "Ω": "Omega", "±": "+/-", "×": "x", "÷": "/",
    "·": "*", "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "→": "->",
    "°": " deg ", "²": "^2", "³": "^3", "½": " 1/2", "¼": " 1/4", "¾": " 3/4", "‘": "'", "’": "'", "′": "'", "“": '"',
    "”": '"', "„": '"', "″": '"', "…": "...", "‰": " per mille", "§": "section ", "ß": "ss", "æ": "ae", "Æ": "AE",
    "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D",
    "þ": "th", "Þ": "Th", "ı": "i", "™": "(TM)", "®": "(R)", "©": "(C)", "\u00a0": " ", "\u2009": " ", "\u202f": " ",
    "\t": " ", "\n": " ", "\r": " ", "\ufeff": "", "\u200b": "",
}  # fmt: skip
RULES = (
    "Names of variables and data sets are written in upper case.",
    "Text is ASCII: accents are taken off Latin letters, the signs of a fixed list are spelled out (as µ as u, ± as "
    "+/-, ² as ^2), tabs and line ends become spaces; text with any other sign is refused.",
    "Spaces at the end of a text are dropped, which the format does not keep.",
    "Texts of one variable that would be alike after that are refused.",
    "A whole number of more digits than a float holds, a number that is not finite, and one outside of the range of "
    "the format are refused; a missing number is `.`, a missing text is empty.",
    "A table without rows is not written.",
)


@dataclass(frozen=True)
class Change:
    """A text or name that was written otherwise than it is.

    row : of the table, from 1; 0 for a name or label
    """

    dataset: str
    variable: str
    row: int
    before: str
    after: str


@dataclass(frozen=True)
class Written:
    """A transport file, and what was changed on the way into it."""

    path: Path
    changes: tuple[Change, ...]


def write_xpt(
    table: pd.DataFrame, folder: Path, name: str, label: str, labels: Mapping[str, str] | None = None
) -> Written:
    """Write one table as one data set into a file of its name, in lower case.

    Parameters
    ----------
    name, label : of the data set
    labels : of variables, by their names in the table

    Raises
    ------
    ShareError
        for each rule of the format that no rule of `RULES` can keep; with row and column
    """
    said = labels or {}
    dataset = _checked_name(name, "the data set")
    if not len(table) or not len(table.columns):
        raise ShareError(f"{dataset}: the table has no rows or no columns; leave the data set out.")
    changes: list[Change] = []
    columns: dict[str, Any] = {}
    told: list[str | None] = []
    for place, column in enumerate(table.columns):
        variable = _checked_name(column, f"{dataset}: the variable")
        if variable in columns:
            raise ShareError(f"{dataset}: two variables are named `{variable}`; rename one.")
        if str(column) != variable:
            changes.append(Change(dataset, variable, 0, str(column), variable))
        told.append(_checked_label(str(said.get(column, "")), dataset, variable, changes))
        columns[variable] = _checked_column(table.iloc[:, place], dataset, variable, changes)
    ready = pd.DataFrame(columns)
    _refuse_blank_end(ready, dataset)
    _widen(ready)
    path = folder / f"{dataset.lower()}.xpt"
    pyreadstat.write_xport(
        ready,
        path,
        file_label=_checked_label(label, dataset, "", changes),
        column_labels=told,
        table_name=dataset,
        file_format_version=5,
    )
    _write_stamps(path)
    return Written(path, tuple(changes))


def ascii_text(text: str) -> str:
    """Text in ASCII by the rule of `RULES`, without spaces at its end.

    Raises
    ------
    ShareError
        that names the sign for which there is no rule

    >>> ascii_text("Müller, 5 µg ± 2 ")
    'Muller, 5 ug +/- 2'
    """
    spelled = []
    for sign in unicodedata.normalize("NFC", text):
        plain = SPELLED.get(sign, sign)
        if not plain.isascii():
            letter, *marks = list(unicodedata.normalize("NFD", plain))
            accents = letter.isascii() and letter.isalpha() and all(map(unicodedata.combining, marks))
            plain = letter if accents else plain
        if not plain.isascii() or any(ord(each) < 32 or ord(each) == 127 for each in plain):
            known = unicodedata.name(sign, "a control character")
            raise ShareError(f"holds U+{ord(sign):04X} ({known}), which has no spelling in ASCII; write it in words")
        spelled.append(plain)
    return "".join(spelled).rstrip(" ")


def _checked_name(name: object, what: str) -> str:
    """Name in upper case, as the format allows it."""
    upper = name.upper() if isinstance(name, str) and name.isascii() else str(name)
    if not NAME.fullmatch(upper):
        raise ShareError(
            f"{what} is named {name!a}; a name has at most 8 of A-Z, 0-9 and _, and begins with no digit; rename it."
        )
    return upper


def _checked_label(label: str, dataset: str, variable: str, changes: list[Change]) -> str:
    where = f"{dataset}: the label of {f'`{variable}`' if variable else 'the data set'}"
    try:
        plain = ascii_text(label)
    except ShareError as problem:
        raise ShareError(f"{where} {problem}.") from None
    if len(plain) > LONGEST_LABEL:
        raise ShareError(f"{where} has {len(plain)} bytes, at most {LONGEST_LABEL} are allowed: {plain!a}; "
                         "shorten it.")  # fmt: skip
    if plain != label:
        changes.append(Change(dataset, variable, 0, label, plain))
    return plain


def _checked_column(column: "pd.Series[Any]", dataset: str, variable: str, changes: list[Change]) -> Any:
    """Values as floats or as text, whichever they are."""
    known = column[column.notna()]
    numbers = [isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
               for value in known]  # fmt: skip
    if all(numbers) and (len(known) or pd.api.types.is_numeric_dtype(column)):
        return [_checked_number(value, f"{dataset}: row {row}, column `{variable}`")
                for row, value in enumerate(column, start=1)]  # fmt: skip
    seen: dict[str, str] = {}
    texts = []
    for row, value in enumerate(column, start=1):
        text = "" if _is_missing(value) else value
        where = f"{dataset}: row {row}, column `{variable}`"
        if not isinstance(text, str):
            raise ShareError(f"{where}: {ascii(value)[:60]} is neither text nor, as all of its column, a number; "
                             "write one or the other.")  # fmt: skip
        plain = _checked_text(text, where)
        if seen.setdefault(plain, text) != text:
            raise ShareError(f"{where}: {ascii(text)[:60]} and {ascii(seen[plain])[:60]} would both be written as "
                             f"{ascii(plain)[:60]}; rename one.")  # fmt: skip
        if plain != text:
            changes.append(Change(dataset, variable, row, text, plain))
        texts.append(plain)
    return texts


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value))


def _checked_text(text: str, where: str) -> str:
    try:
        plain = ascii_text(text)
    except ShareError as problem:
        raise ShareError(f"{where}: {ascii(text)[:60]} {problem}.") from None
    if len(plain) > LONGEST_TEXT:
        raise ShareError(f"{where}: the text has {len(plain)} bytes, at most {LONGEST_TEXT} are allowed: "
                         f"{plain[:40]!a}...; shorten or part it.")  # fmt: skip
    return plain


def _checked_number(value: Any, where: str) -> float:
    if _is_missing(value) or (isinstance(value, np.floating) and np.isnan(value)):
        return float("nan")
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if not np.isfinite(number):
        raise ShareError(f"{where}: {str(value)[:40]} is not finite in 8 bytes; leave it missing, or correct it.")
    if isinstance(value, int | np.integer) and int(value) != int(number):
        raise ShareError(f"{where}: {value} has more digits than a number of 8 bytes holds; write it as text.")
    if number and not SMALLEST <= abs(number) <= LARGEST:
        raise ShareError(f"{where}: {number:g} is outside of {SMALLEST:.2g} to {LARGEST:.2g}, which the format holds; "
                         "take another unit.")  # fmt: skip
    return number + 0.0  # no minus before a zero


def _refuse_blank_end(table: pd.DataFrame, dataset: str) -> None:
    """Rows without a number are blanks, as is what fills a file: such a row at the end cannot be told from it."""
    if any(pd.api.types.is_float_dtype(table[name]) for name in table):
        return
    if not any(table.iloc[-1]):
        raise ShareError(f"{dataset}: row {len(table)} is the last and empty, which the format cannot tell from the "
                         "end of the file; remove it.")  # fmt: skip


def _widen(table: pd.DataFrame) -> None:
    """Declare one text wider where rows are no longer than a record of the file.

    Blanks at the end of a text are none, so no value changes; pandas takes blanks in short rows for the file's end.
    """
    widths = {name: 8 if pd.api.types.is_float_dtype(table[name]) else max(1, *map(len, table[name])) for name in table}
    texts = [name for name in table if not pd.api.types.is_float_dtype(table[name])]
    short = RECORD + 1 - sum(widths.values())
    if texts and short > 0:
        first = table[texts[0]].iloc[0]
        table.loc[0, texts[0]] = first.ljust(widths[texts[0]] + short)


def _write_stamps(path: Path) -> None:
    """Set the clock of the header to zero."""
    held = bytearray(path.read_bytes())
    for start in STAMPS:
        held[start : start + len(STAMP)] = STAMP
    path.write_bytes(held)

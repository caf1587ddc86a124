"""Places of a report, each with its source, as `report.sources.json` holds them; and those that some words mean."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase

from pbpk.errors import RunError, did_you_mean
from pbpk.predict.record import read_json

FILE = "report.sources.json"
SCHEMA = "1.0"
KINDS = ("table", "figure", "section")
HOURS: Mapping[str, float] = {"min": 1 / 60, "h": 1.0, "d": 24.0}
SPAN = re.compile(r"(\d+(?:\.\d+)?)\s+(min|h|d)\b")
NUMBER = re.compile(r"\d+(?:\.\d+)+[A-Z]*|A\d+(?:\.\d+)?")  # of a table, as 7.1, 2.6.5.5A or A2.1
WORD = re.compile(r"[\w.%µ+-]*\w%?|%")


@dataclass(frozen=True)
class Entry:
    """One place of a report.

    place : "Table 5.2", "Figure 11.1", or the section of a sentence, as "Section 1"
    caption : of the table or figure, or the heading above; head : of the table; cells : of its row, or the words
    """

    place: str
    caption: str
    head: tuple[str, ...]
    cells: tuple[str, ...]
    source: str

    @property
    def number(self) -> str:
        """Number of the table, figure or section."""
        return self.place.partition(" ")[2]

    @property
    def words(self) -> str:
        """Cells with the heads of their columns."""
        if not self.head:
            return " ".join(self.cells)
        told = [f"{head}: {cell}" if head else cell for head, cell in zip(self.head, self.cells, strict=False)]
        return "; ".join(told)


@dataclass(frozen=True)
class Match:
    """A place that was meant, and the hour of the column that was, None if none was named."""

    entry: Entry
    hours: float | None = None


def read_entries(run: Path) -> list[Entry]:
    """Read the places of a run's report.

    Raises
    ------
    RunError
        if the report was written without them, or they cannot be read
    """
    path = run / FILE
    if not path.is_file():
        raise RunError(f"{run}: has no {FILE}; `pbpk report {run}` writes it. A source, as counts.csv#organ=liver, is "
                       "traced without it.")  # fmt: skip
    try:
        return [
            Entry(
                str(each["place"]), str(each["caption"]), tuple(each["head"]), tuple(each["cells"]), str(each["source"])
            )
            for each in read_json(path)["entries"]
        ]
    except (KeyError, TypeError):
        raise RunError(f"{path}: is not what `pbpk report` writes; write it again with `pbpk report {run}`.") from None


def find(entries: Sequence[Entry], where: str) -> list[Match]:
    """Places that have all the words, those first of which the row itself has most of them.

    Words are numbers of tables (2.6.5.5 means 2.6.5.5A to 2.6.5.5Z too), hours ("24 h"), or words of a row, of its
    caption or of the heads of columns.

    Raises
    ------
    RunError
        if there is none, with the word that occurs nowhere and one that does
    """
    asked = _asked(where)
    if not asked:
        raise RunError("Say what to trace: words of a table, as `2.6.5.5 liver 24 h`, or a source.")
    left = list(entries)
    for i, word in enumerate(asked):
        kept = [entry for entry in left if _has(entry, word)]
        if not kept:
            raise RunError(_nowhere(entries, left, asked[:i], word))
        left = kept
    most = max(_in_row(entry, asked) for entry in left)
    best = [entry for entry in left if _in_row(entry, asked) == most]
    return [Match(entry, _hour(entry, asked)) for entry in best]


def _asked(where: str) -> list[str]:
    """Words of a question: "24 h" is one, "Table" before a number is none."""
    words: list[str] = []
    rest = where.split()
    while rest:
        word = rest.pop(0)
        if SPAN.fullmatch(f"{word} {rest[0]}" if rest else ""):
            words.append(f"{word} {rest.pop(0)}")
        elif rest and word.casefold() in KINDS and any(letter.isdigit() for letter in rest[0]):
            words.append(f"{word.capitalize()} {rest.pop(0)}")
        else:
            words.append(word)
    return words


def _has(entry: Entry, word: str) -> bool:
    kind, _, number = word.partition(" ")
    if kind.casefold() in KINDS and number:
        return entry.place.startswith(f"{kind} ") and _is_below(entry.number, number)
    if NUMBER.fullmatch(word) and _is_below(entry.number, word):
        return True
    return any(_says(text, word) for text in (*entry.cells, entry.caption, *entry.head))


def _is_below(number: str, asked: str) -> bool:
    """Whether a number is the one asked for, or one of its parts.

    >>> _is_below("2.6.5.5A", "2.6.5.5"), _is_below("2.6.5.13", "2.6.5.1"), _is_below("7.1", "7")
    (True, False, True)
    """
    rest = number[len(asked) :]
    return number.startswith(asked) and not rest[:1].isdigit()


def _says(text: str, word: str) -> bool:
    """Whether a text has a word, or a span of time, as a whole."""
    return re.search(rf"(?<![\w.]){re.escape(word)}(?![\w]|\.\d)", text, re.IGNORECASE) is not None


def _in_row(entry: Entry, asked: Iterable[str]) -> int:
    """How many of the words are those of the row or of a column's head, which tell more than a caption does."""
    return sum(any(_says(text, word) for text in (*entry.cells, *entry.head)) for word in asked)


def _hour(entry: Entry, asked: Iterable[str]) -> float | None:
    for word in asked:
        found = SPAN.fullmatch(word)
        if found and any(_says(head, word) for head in entry.head):
            return float(found[1]) * HOURS[found[2]]
    return None


def _nowhere(entries: Sequence[Entry], left: Sequence[Entry], before: Sequence[str], word: str) -> str:
    """Sentence on the first word that no place has, or not together with those before it."""
    anywhere = any(_has(entry, word) for entry in entries)
    told = f"`{word}` occurs nowhere in the tables and sentences of the report"
    if anywhere:
        told = f"nothing in the report that has `{' '.join(before)}` has `{word}` too"
    places = {entry.number.rstrip(ascii_uppercase) or entry.number for entry in entries}  # 2.6.5.5 for 2.6.5.5A to N
    known = places if NUMBER.fullmatch(word) else {
        each for entry in (left if anywhere else entries) for text in (*entry.cells, entry.caption, *entry.head)
        for each in WORD.findall(text) if not each[:1].isdigit() and len(each) > 2
    }  # fmt: skip
    near = did_you_mean(word, known - {word})
    return f"{told}.{near if near.startswith(' Did') else ''}"

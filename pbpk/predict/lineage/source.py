"""Where a number comes from, as one line: a file of the run folder, and which rows or keys of it.

`counts.csv#group=iv&organ=lung` is every row of counts.csv of that group and organ; an empty value is an empty cell.
`study/NAME/study.toml#key=product.viability` is a key of a TOML, `manifest.json#key=seed` one of JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from pbpk.errors import RunError

DIGITS = 6  # of a number in the tables of a run folder
KEY = "key"  # of a TOML or JSON, apart by dots


@dataclass(frozen=True)
class Source:
    """A file of the run folder, and what cells of a row, or which key, were meant."""

    file: str
    rows: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return source(self.file, **self.rows)


def source(file: str, /, **rows: Any) -> str:
    """Source of numbers: `FILE#column=value&column=value`, values percent-encoded, numbers as tables have them.

    >>> source("exposure.csv", organ="liver", parameter="AUClast"), source("manifest.json")
    ('exposure.csv#organ=liver&parameter=AUClast', 'manifest.json')
    >>> source("counts.csv", group="iv & portal", hours=1 / 3)
    'counts.csv#group=iv%20%26%20portal&hours=0.333333'
    """
    told = "&".join(f"{quote(name, safe='')}={quote(_spelt(value), safe='')}" for name, value in rows.items())
    place = quote(file, safe="/._-")
    return f"{place}#{told}" if told else place


def _spelt(value: Any) -> str:
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value)


def parse_source(text: str) -> Source:
    """Read back what `source` wrote.

    Raises
    ------
    RunError
        if it is not spelt so
    """
    place, _, told = text.partition("#")
    rows: dict[str, str] = {}
    for pair in told.split("&") if told else ():
        name, sign, value = pair.partition("=")
        if not name or not sign or unquote(name) in rows:
            raise RunError(f"`{text}`: is no source; write FILE#column=value&column=value, as counts.csv#organ=liver.")
        rows[unquote(name)] = unquote(value)
    if not place:
        raise RunError(f"`{text}`: is no source; it names no file of the run before its #.")
    return Source(unquote(place), rows)

"""Words of a report, whatever its format: plain text, code, marks, links, a number with its doubt below it.

A cell of a table or a paragraph holds text or these. Each writes itself as HTML where a page is rendered (`__html__`,
which escapes what a user wrote); the document formats walk over them by kind.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


@dataclass(frozen=True)
class Code:
    """A name as it stands in a file; in print it may break at its underscores."""

    text: str

    def __html__(self) -> Markup:
        """Code that breaks at underscores."""
        return Markup("<code>{}</code>").format(escape(self.text).replace("_", Markup("_<wbr>")))

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Strong:
    """Words that must be seen."""

    text: str

    def __html__(self) -> Markup:
        """Bold words."""
        return Markup("<strong>{}</strong>").format(self.text)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Mark:
    """A verdict in a word or two; `kind` names its colour: learned, half learned, not learned, good, bad, open."""

    text: str
    kind: str

    def __html__(self) -> Markup:
        """Coloured word."""
        family = "verdict" if self.kind in ("good", "bad", "open") else "mark"
        return Markup('<span class="{} {}">{}</span>').format(family, self.kind.replace(" ", "-"), self.text)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Link:
    """Words that lead to a place of the document, "#anchor", or to an address."""

    text: str
    target: str

    def __html__(self) -> Markup:
        """Link that breaks at underscores."""
        text = escape(self.text).replace("_", Markup("_<wbr>"))
        return Markup('<a href="{}">{}</a>').format(self.target, text)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Doubtful:
    """A number with its interval below it."""

    number: str
    interval: str

    def __html__(self) -> Markup:
        """Number, and its interval in small print."""
        return Markup("{}<br><small>{}</small>").format(self.number, self.interval)

    def __str__(self) -> str:
        return f"{self.number} ({self.interval})"


@dataclass(frozen=True)
class Line:
    """Several pieces, one after the other."""

    pieces: tuple["Inline", ...]

    def __html__(self) -> Markup:
        """All pieces, each escaped as it needs."""
        return Markup("").join(self.pieces)

    def __str__(self) -> str:
        return "".join(str(piece) for piece in self.pieces)


type Inline = str | Code | Strong | Mark | Link | Doubtful | Line


def with_code(sentence: str) -> Line:
    """Sentence with what stands between backticks as code.

    >>> str(with_code("`E_lung` < 1")), str(with_code("`E_lung` < 1").__html__())
    ('E_lung < 1', '<code>E_<wbr>lung</code> &lt; 1')
    """
    parts = re.split(r"`([^`]*)`", sentence)
    return Line(tuple(Code(part) if i % 2 else part for i, part in enumerate(parts) if part))


def spaced(pieces: Iterable[Any]) -> Line:
    """Pieces with a space between each two."""
    found: list[Any] = []
    for piece in pieces:
        found += [" ", piece] if found else [piece]
    return Line(tuple(found))


def printable(text: Any) -> str:
    """Text without the signs that no page can hold: control characters stand as their code point, [U+0007]."""
    return UNPRINTABLE.sub(lambda found: f"[U+{ord(found[0]):04X}]", str(text))

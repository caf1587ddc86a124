"""In which line of a TOML text something stands: right, or silent.

`tomllib` reads values without their places, so the text is walked a second time here, only once there is something
to complain about. What the walk finds is held against what `tomllib` found; if they differ, no line is said.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

type Path = tuple[str | int, ...]  # keys, and for members of arrays their index

_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_INLINE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")|\'\'\'.*?\'{3,5}(?!\')|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'',
    re.DOTALL,
)
_PLAIN = re.compile(r"[^,\]}\n#]+")  # a number, a date, true or false


class Unplaced(Exception):
    """The text is not what this walk takes TOML to be."""


def line_at(text: str, path: Sequence[str | int]) -> int | None:
    r"""Line, counted from 1, of the key or array member at a path, or of the nearest thing around it.

    None where nothing on the way has a line of its own.

    >>> line_at("[a]\nb = [\n  1,\n  2,\n]", ("a", "b", 1))
    4
    """
    known = lines(text)
    for length in range(len(path), 0, -1):
        if tuple(path[:length]) in known:
            return known[tuple(path[:length])]
    return None


def lines(text: str) -> dict[Path, int | None]:
    """Every path in a TOML text with its line; None for a table that has members only, as `a` in `[a.b]`.

    Empty if the text is no TOML, or its paths are not those that `tomllib` finds.
    """
    text = text.replace("\r\n", "\n")
    try:
        given = tomllib.loads(text)
        found = _Walk(text).whole()
    except (tomllib.TOMLDecodeError, Unplaced, RecursionError):
        return {}
    return found if set(found) == set(_paths(given, ())) else {}


def owner_of(path: Sequence[str | int], known: Sequence[dict[Path, int | None]]) -> int | None:
    """Which of several texts, each taking over keys and members of tables from those before it, has what is at a path.

    Parameters
    ----------
    known : `lines` of each text
    """
    path = tuple(path)
    for i in reversed(range(len(known))):
        if path[:2] in known[i] or (path[:1] in known[i] and not _is_table(path[:1], known[i])):
            return i
    return None


def _is_table(path: Path, known: dict[Path, int | None]) -> bool:
    return any(
        len(each) > len(path) and each[: len(path)] == path and isinstance(each[len(path)], str) for each in known
    )


def given_twice(text: str) -> tuple[Path, int, int] | None:
    """First key or table that a TOML text gives a second time, with both lines."""
    try:
        _Walk(text.replace("\r\n", "\n")).whole()
    except _Twice as twice:
        return twice.path, twice.first, twice.second
    except (Unplaced, RecursionError, tomllib.TOMLDecodeError):
        pass
    return None


def _paths(value: Any, path: Path) -> Iterator[Path]:
    if path:
        yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield from _paths(member, (*path, key))


class _Twice(Unplaced):
    def __init__(self, path: Path, first: int, second: int) -> None:
        super().__init__(path)
        self.path, self.first, self.second = path, first, second


class _Walk:
    """One pass over a text: where it is, and what it has found so far."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.ends = [found.start() for found in re.finditer("\n", text)]
        self.found: dict[Path, int | None] = {}
        self.members: dict[Path, int] = {}  # of arrays of tables

    @property
    def line(self) -> int:
        return bisect_right(self.ends, self.at - 1) + 1

    def whole(self) -> dict[Path, int | None]:
        """Walk to the end of the text."""
        table: Path = ()
        while self.skip(_BLANK) < len(self.text):
            if self.takes("[["):
                table = self.header("]]")
            elif self.takes("["):
                table = self.header("]")
            else:
                self.pair(table)
                self.skip(_INLINE)
                if self.at < len(self.text) and self.text[self.at] not in "\n#":
                    raise Unplaced
        return self.found

    def skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at

    def takes(self, mark: str) -> bool:
        if self.text.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def must(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if not found:
            raise Unplaced
        self.at = found.end()
        return found.group()

    def keys(self) -> list[str]:
        """Parts of a key: bare, quoted, dotted."""
        parts = []
        while True:
            self.skip(_INLINE)
            if self.text[self.at : self.at + 1] in ("'", '"'):
                parts.append(str(tomllib.loads("k = " + self.must(_STRING))["k"]))
            else:
                parts.append(self.must(_BARE))
            self.skip(_INLINE)
            if not self.takes("."):
                return parts

    def header(self, close: str) -> Path:
        """Path of the table that a line in brackets opens."""
        line, keys = self.line, self.keys()
        if not self.takes(close):
            raise Unplaced
        path: Path = ()
        for key in keys[:-1]:
            path = (*path, key)
            self.found.setdefault(path, None)
            if path in self.members:
                path = (*path, self.members[path] - 1)
        path = (*path, keys[-1])
        if close == "]":
            self.note(path, line)
            return path
        if path not in self.members:
            self.note(path, line)
        self.members[path] = self.members.get(path, 0) + 1
        path = (*path, self.members[path] - 1)
        self.note(path, line)
        return path

    def note(self, path: Path, line: int) -> None:
        first = self.found.get(path)
        if first is not None:
            raise _Twice(path, first, line)
        self.found[path] = line

    def pair(self, table: Path) -> None:
        """One `key = value` of a table."""
        line, keys = self.line, self.keys()
        for length in range(1, len(keys)):
            self.found.setdefault((*table, *keys[:length]), None)
        path = (*table, *keys)
        self.note(path, line)
        if not self.takes("="):
            raise Unplaced
        self.skip(_INLINE)
        self.value(path)

    def value(self, path: Path) -> None:
        if self.takes("["):
            self.row(path)
        elif self.takes("{"):
            self.inline(path)
        elif self.text[self.at : self.at + 1] in ("'", '"'):
            self.must(_STRING)
        else:
            self.must(_PLAIN)

    def row(self, path: Path) -> None:
        """Members of an array, which may stand on lines of their own."""
        index = 0
        while True:
            self.skip(_BLANK)
            if self.takes("]"):
                return
            self.note((*path, index), self.line)
            self.value((*path, index))
            index += 1
            self.skip(_BLANK)
            if not self.takes(",") and not self.text.startswith("]", self.at):
                raise Unplaced

    def inline(self, path: Path) -> None:
        """Pairs between braces."""
        while True:
            self.skip(_INLINE)
            if self.takes("}"):
                return
            self.pair(path)
            self.skip(_INLINE)
            if not self.takes(",") and not self.text.startswith("}", self.at):
                raise Unplaced

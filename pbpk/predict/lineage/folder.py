"""A run folder as what traces numbers sees it: tables with their lines, texts with their keys, and recorded hashes."""

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isclose
from pathlib import Path
from typing import Any

from pbpk.errors import RunError
from pbpk.predict.audit import read_audit
from pbpk.predict.lineage.source import DIGITS, Source
from pbpk.predict.record import read_digest, read_json
from pbpk.reading import read_cells

TRACES = "traces/"  # raw light, which no run keeps
ROUNDED = 10.0 ** (1 - DIGITS)  # by which a number in a table and one in a source may differ


@dataclass(frozen=True)
class Row:
    """One row of a table; line : in its file, counted from 1."""

    line: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass(frozen=True)
class Cells:
    """A table of text."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def where(self, wanted: Mapping[str, str]) -> list[Row]:
        """Rows whose cells are what is wanted, numbers to the digits of the tables."""
        return [row for row in self.rows if all(_same(row[name], value) for name, value in wanted.items())]


@dataclass(frozen=True)
class RunFolder:
    """A run; what was read of it once is kept, since many numbers come from few files.

    manifest : as written; digests : SHA-256 of each file as the run recorded it, by its name in the folder
    """

    path: Path
    manifest: Mapping[str, Any]
    digests: Mapping[str, str]
    _kept: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def study(self) -> str:
        """Folder of the run's copy of its study."""
        return f"study/{self.manifest.get('study', '')}"

    def of_study(self, file: str) -> str:
        """Name of a file of the study in the folder of the run."""
        return f"{self.study}/{file}"

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Files that had a say, by their name in the folder; raw light is named though it is not kept."""
        return tuple(self.named(name) for name in self.manifest.get("inputs", {}))

    def named(self, name: str) -> str:
        """Name in the folder of a file that the manifest calls `study/…`."""
        return self.of_study(name.removeprefix("study/")) if name.startswith("study/") else name

    def once[T](self, what: tuple[str, str], read: Callable[[], T]) -> T:
        """What was read before under this name, or now."""
        if what not in self._kept:
            self._kept[what] = read()
        found: T = self._kept[what]
        return found

    def holds(self, name: str) -> bool:
        """Whether the file lies in the folder, and not above it."""
        path = self.path / name
        return path.is_file() and path.resolve().is_relative_to(self.path.resolve())

    def read_table(self, name: str) -> Cells:
        """Read a CSV table.

        Raises
        ------
        RunError
            if it is not there or is no table
        """
        return self.once(("table", name), lambda: _read_table(self.path / name))

    def read_keys(self, name: str) -> tuple[str, Any]:
        """Read a TOML or JSON file: its text, and what it holds.

        Raises
        ------
        RunError
            if it cannot be read
        """
        return self.once(("keys", name), lambda: _read_keys(self.path / name))

    def read_changed(self, name: str) -> bool:
        """Compare a file with its recorded hash, where it has one."""
        known = self.digests.get(name)
        return self.once(("changed", name), lambda: known is not None and read_digest(self.path / name) != known)

    def read_select(self, name: str, **wanted: str) -> list[Source]:
        """Find rows of a table by those of the wanted cells that it has columns for; no source where there is none."""
        if not self.holds(name):
            return []
        table = self.read_table(name)
        known = {column: value for column, value in wanted.items() if column in table.columns}
        return [Source(name, known)] if table.where(known) else []


def read_run_folder(path: Path) -> RunFolder:
    """Read what a run recorded of its files.

    Raises
    ------
    RunError
        if the folder is no run, or its record is broken
    """
    manifest = read_json(path / "manifest.json")
    if not isinstance(manifest.get("inputs"), dict) or not isinstance(manifest.get("study"), str):
        raise RunError(f"{path}: is not the folder of a fit; name one that `pbpk run` made.")
    bare = RunFolder(path, manifest, {})
    digests = {bare.named(name): digest for name, digest in manifest["inputs"].items()}
    digests |= dict(manifest.get("asked", {}).get("scenarios", {}))
    digests |= {each["path"]: each["sha256"] for each in manifest.get("outputs", ())}
    for line in read_audit(path):
        digests |= line["files"]
    return RunFolder(path, manifest, digests)


def _read_table(path: Path) -> Cells:
    columns, table = read_cells(path, RunError)
    rows, line = [], 2
    for cells in table:
        rows.append(Row(line, dict(zip(columns, (cell.strip() for cell in cells), strict=False))))
        line += 1 + sum(cell.count("\n") for cell in cells)
    return Cells(tuple(columns), tuple(rows))


def _read_keys(path: Path) -> tuple[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        return text, json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as problem:
        raise RunError(f"{path}: cannot be read: {problem}.") from None


def _same(cell: str, wanted: str) -> bool:
    if cell == wanted:
        return True
    try:
        return isclose(float(cell), float(wanted), rel_tol=ROUNDED)
    except ValueError:
        return False

"""Whether a run is what was written: every changed, missing or added file by its name, and which cells of a table."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from rich.markup import escape

from pbpk.errors import InputError, PbpkError, RunError
from pbpk.predict.audit import SHORTEST, Verified, read_audit, read_open, read_verified, write_audit
from pbpk.predict.record import read_digest, read_json, read_manifest, read_outside
from pbpk.terminal import console

BEHIND = ("posterior.nc", "forecast.nc", "manifest.json", "study/")  # what tables are computed from
MOST_CELLS = 5  # of one table that are named


def tell_verified(run: Path, seal: str | None = None) -> None:
    """Compare a run with its record, and the record with a seal that was kept elsewhere.

    Raises
    ------
    RunError
        if anything is not what was written
    InputError
        if the seal is too short to tell records apart
    """
    if seal is not None and len(seal) < SHORTEST:
        raise InputError(f"--seal: `{seal}` has {len(seal)} digits; give at least the first {SHORTEST} of a seal.")
    found = read_verified(run)
    problems = list(found.problems)
    if seal is not None and not found.has(seal):
        problems.append(f"{run}: no line of its record has the seal {seal}; the record is another than it was then.")
    problems += _outside(run, found)
    problems += [cell for name in found.changed for cell in _cells(run, name, found)]
    for note in found.notes:
        console.print(f"{escape(str(run))}: {escape(note)}.", soft_wrap=True)
    if problems:
        raise RunError("\n".join(problems))
    console.print(
        f"{escape(str(run))}: all {found.files} files are what was written. Seal {found.seal}", soft_wrap=True
    )


def tell_sealed(run: Path, reason: str) -> None:
    """Seal a run as final: none of its files may be written again, another run can only supersede it.

    Raises
    ------
    RunError
        if it is not what was written, or is closed already
    """
    if not reason.strip():
        raise InputError("--reason: say what the run is final for.")
    read_open(run)
    found = read_verified(run)
    if not found.passed:
        raise RunError("\n".join(found.problems))
    seal = write_audit(run, "sealed", [], final=True, reason=reason.strip())
    console.print(f"{escape(str(run))}: is final. Keep its seal elsewhere: {seal}", soft_wrap=True)


def _outside(run: Path, found: Verified) -> list[str]:
    """Model and animal, which lie outside of the runs that were made of them."""
    problems = []
    for folder in (run, *(run / name for line in read_audit(run) for name in line.get("members", {}))):
        if "studied" not in _manifest(folder):
            continue
        try:
            problems += read_outside(folder, read_manifest(folder))
        except PbpkError as problem:
            if found.passed:  # else it is what was found already
                problems.append(f"{folder}: what it was made of cannot be read: {problem}")
    return problems


def _manifest(folder: Path) -> dict[str, object]:
    try:
        return read_json(folder / "manifest.json")
    except RunError:
        return {}


def _cells(run: Path, name: str, found: Verified) -> list[str]:
    """Which cells of a table were changed, where its draws still say what was written."""
    prefix, _, table = name.rpartition("/")
    folder = run / prefix
    own = [each.removeprefix(f"{prefix}/") for each in found.changed if each.startswith(prefix)]
    known = (folder / "manifest.json").is_file() and not any(each.startswith(BEHIND) for each in own)
    if not table.endswith(".csv") or not known:
        return []
    try:
        with TemporaryDirectory() as beside:
            again = Path(beside) / table
            _write_again(folder, Path(beside))
            written = next(line["files"][table] for line in reversed(read_audit(folder)) if table in line["files"])
            if not again.is_file() or read_digest(again) != written:
                return []  # other versions, other digits: nobody can say which cell it was
            return different_cells(again, folder / table)
    except (PbpkError, StopIteration):
        return []


def _write_again(run: Path, folder: Path) -> None:
    """Write the tables of a run once more, from its draws."""
    from pbpk.predict.run import read_assembled
    from pbpk.share.tables import write_tables

    write_tables(read_assembled(run), folder)


def different_cells(then: Path, now: Path) -> list[str]:
    """Sentences on the cells in which a table differs from what was written, by row of the file and column."""
    try:
        before, after = (pd.read_csv(path, header=None, dtype=str, keep_default_na=False) for path in (then, now))
    except (ValueError, OSError):
        return [f"{now}: is no table any more."]
    if before.shape != after.shape:
        shapes = [f"{len(table) - 1} rows of {table.shape[1]} columns" for table in (before, after)]
        return [f"{now}: had {shapes[0]}, has {shapes[1]}."]
    told = [f"{now}: row {row + 1}, column `{before.iloc[0, column]}`: `{after.iloc[row, column]}`, written was "
            f"`{before.iloc[row, column]}`." for row, column in np.argwhere((before != after).to_numpy())]  # fmt: skip
    return told[:MOST_CELLS] + ([f"{now}: {len(told) - MOST_CELLS} more cells differ."] if told[MOST_CELLS:] else [])

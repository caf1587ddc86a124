"""The record of a run that cannot be changed unseen: what was written when, each line sealed by the one before it.

`audit.jsonl` holds one line for each time that files of the run were written: when, by what, and the SHA-256 of each.
Every line carries the digest of the line before, so that none can be changed or taken out without the next one saying
so. Who changes the last line too leaves no trace in the folder: keep its digest, which `pbpk verify` prints, elsewhere.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pbpk.errors import RunError
from pbpk.predict.record import read_digest

FILE = "audit.jsonl"
FIRST = "0" * 64  # what the first line has before it


@dataclass(frozen=True)
class Verified:
    """What was found of a run.

    problems : one sentence for each file that is not what was written, or for a broken line; seal : of the last line
    files : how many were compared
    """

    problems: tuple[str, ...]
    files: int
    seal: str

    @property
    def passed(self) -> bool:
        """True where nothing has changed."""
        return not self.problems


def write_audit(folder: Path, action: str, files: list[Path] | None = None) -> None:
    """Add a line on files of a run, all of them where None.

    Raises
    ------
    RunError
        if the lines that are there are broken
    """
    path = folder / FILE
    lines = _read_lines(path)
    _check_chain(path, lines)
    written = _files(folder) if files is None else sorted(files)
    line = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "action": action,
        "files": {file.relative_to(folder).as_posix(): read_digest(file) for file in written},
        "before": _digest(lines[-1]) if lines else FIRST,
    }
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, sort_keys=True) + "\n")


def read_verified(folder: Path) -> Verified:
    """Compare every file of a run with what was written.

    Raises
    ------
    RunError
        if there is no record, or it is broken
    """
    path = folder / FILE
    lines = _read_lines(path)
    if not lines:
        raise RunError(f"{folder}: has no {FILE}, so nothing tells what was written; fit again with `pbpk run`.")
    known: dict[str, tuple[str, str]] = {}
    for told in _check_chain(path, lines):
        known |= {name: (digest, told["when"]) for name, digest in told["files"].items()}
    there = {file.relative_to(folder).as_posix(): file for file in _files(folder)}
    problems = [
        f"{folder / name}: is gone; it was written {when}." for name, (_, when) in known.items() if name not in there
    ]
    problems += [f"{folder / name}: is not the file that was written {known[name][1]}."
                 for name, file in there.items() if name in known and read_digest(file) != known[name][0]]  # fmt: skip
    problems += [
        f"{file}: was added by hand; no line of {FILE} knows it." for name, file in there.items() if name not in known
    ]
    return Verified(tuple(problems), len(known), _digest(lines[-1]))


def _read_lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _check_chain(path: Path, lines: list[str]) -> list[dict[str, Any]]:
    """Lines as they are read, each of which must know the one before it."""
    before, found = FIRST, []
    for number, line in enumerate(lines, start=1):
        try:
            told = json.loads(line)
            sealed = told["before"] == before and isinstance(told["files"], dict) and "when" in told
        except (ValueError, KeyError, TypeError):
            sealed = False
        if not sealed:
            said = f"line {number} or the one before it was changed, so the record of this run is broken"
            raise RunError(f"{path}: {said}; go back to a copy that was kept, or fit again.")
        found.append(told)
        before = _digest(line)
    return found


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != FILE)


def _digest(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()

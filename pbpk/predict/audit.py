"""The record of a run that cannot be changed unseen: what was written when, each line sealed by the one before it.

`audit.jsonl` holds one line for each time that files of the run were written: when, by whom, what for, and the SHA-256
of each. Every line carries the digest of the line before, so that none can be changed or taken out without the next one
saying so; `audit.seal` holds how many lines there are and the digest of the last, so that none is taken off the end.
Lines are only ever added: a run that takes the place of another goes on with its record. Who changes the record, the
seal and the files leaves no trace in the folder: keep the seal, which `pbpk verify` prints, elsewhere.
"""

import getpass
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pbpk.canonical import canonical, digest_of
from pbpk.errors import RunError
from pbpk.predict.record import AUDIT, read_digest

FILE = AUDIT
SEAL = "audit.seal"
FIRST = "0" * 64  # what the first line has before it
SHORTEST = 12  # digits of a seal that was kept elsewhere


@dataclass(frozen=True)
class Verified:
    """What was found of a run.

    problems : one sentence for each file that is not what was written, or for a broken line
    changed : names in the folder of those that are other files now
    files : how many were compared; seal : of the last line, seals : of all lines
    notes : what happened to the run since, as that another one superseded it
    """

    problems: tuple[str, ...]
    files: int
    seal: str
    seals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """True where nothing has changed."""
        return not self.problems

    def has(self, kept: str) -> bool:
        """Whether a seal that was kept elsewhere, or the first digits of it, is one of this record."""
        return len(kept) >= SHORTEST and any(seal.startswith(kept.lower()) for seal in self.seals)


def write_audit(
    folder: Path, action: str, files: list[Path] | None = None, earlier: Iterable[str] = (), **more: Any
) -> str:
    """Add a line on files of a run, all of them where None, and seal it; return the seal.

    earlier : lines of the run whose place this one takes, from `read_replaced`; more : what else the line says, as
        reason or `members`, folders of the run that have a record of their own -> seal

    Raises
    ------
    RunError
        if the lines that are there are broken, or were sealed as final and say other things of these files
    """
    path = folder / FILE
    lines = list(earlier) or _read_lines(path)
    told = _check_chain(path, lines)
    if path.is_file():
        _refuse_unsealed(folder, lines)
    members = set(more.get("members", {})) | ({} if earlier else _members(told)).keys()
    written = _files(folder, members) if files is None else sorted(files)
    digests = {file.relative_to(folder).as_posix(): read_digest(file) for file in written}
    if closed := _closed(told):
        again = sorted(set(digests) & set(_known(told)))
        if again:
            raise RunError(f"{folder / again[0]}: {closed}, so it may not be written again.")
    line = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "who": operator(),
        "action": action,
        "files": digests,
        "before": digest_of(lines[-1]) if lines else FIRST,
        **({"afresh": True} if earlier else {}),
        **more,
    }
    lines = [*lines, canonical(line)]
    if earlier:
        path.write_bytes("".join(f"{each}\n" for each in lines).encode())
    else:
        with path.open("ab") as file:
            file.write(f"{lines[-1]}\n".encode())
    _write_seal(folder, lines)
    return digest_of(lines[-1])


def operator() -> str:
    """Who is at work: PBPK_OPERATOR, or the name that the system knows."""
    try:
        return os.environ.get("PBPK_OPERATOR", "").strip() or getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return "unknown"


def read_audit(folder: Path) -> list[dict[str, Any]]:
    """Read the lines of a record, none where there is none.

    Raises
    ------
    RunError
        if they are broken
    """
    path = folder / FILE
    return _check_chain(path, _read_lines(path))


def read_replaced(folder: Path) -> tuple[str, ...]:
    """Read the lines of a run whose place another one is to take, which goes on with them; none where there are none.

    Raises
    ------
    RunError
        if they are broken, or the run was sealed as final or superseded: then it stays
    """
    lines = _read_lines(folder / FILE)
    told = _check_chain(folder / FILE, lines)
    closed = _closed(told)
    for name in _members(told):
        read_replaced(folder / name)
    if lines:
        _refuse_unsealed(folder, lines)
    if closed:
        raise RunError(f"{folder}: {closed}, so --force will not replace it; choose another --out.")
    return tuple(lines)


def read_open(folder: Path) -> None:
    """Refuse a run of which nothing may be written again.

    Raises
    ------
    RunError
        if its record is broken, or it was sealed as final or superseded
    """
    if closed := _closed(read_audit(folder)):
        raise RunError(f"{folder}: {closed}; make another run with --supersedes {folder} and its --reason.")


def read_verified(folder: Path) -> Verified:
    """Compare every file of a run with what was written, and those of the runs in it.

    Raises
    ------
    RunError
        if there is no record, or it is broken
    """
    path = folder / FILE
    lines = _read_lines(path)
    if not lines:
        raise RunError(f"{folder}: has no {FILE}, so nothing tells what was written; fit again with `pbpk run`.")
    told = _check_chain(path, lines)
    known, members = _known(told), _members(told)
    there = {file.relative_to(folder).as_posix(): file for file in _files(folder, members)}
    changed = tuple(name for name, file in there.items() if name in known and read_digest(file) != known[name][0])
    problems = [
        *_read_unsealed(folder, lines),
        *(f"{folder / name}: is gone; it was written {known[name][1]}." for name in known if name not in there),
        *(f"{folder / name}: is not the file that was written {known[name][1]}." for name in changed),
        *(f"{there[name]}: was added by hand; no line of {FILE} knows it." for name in there if name not in known),
    ]
    if "manifest.json" not in changed:
        problems += _read_contradicted(folder, told)
    seals, files = tuple(digest_of(line) for line in lines), len(known)
    for name, seal in members.items():
        inside = read_verified(folder / name)
        problems += inside.problems
        problems += [] if inside.has(seal) else [f"{folder / name / FILE}: is another record than {path} knows."]
        files += inside.files
        changed += tuple(f"{name}/{each}" for each in inside.changed)
    return Verified(tuple(problems), files, seals[-1], seals, _notes(told), changed)


def _known(told: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """Digest of each file and when it was written, by its name; a run that took another's place began afresh."""
    known: dict[str, tuple[str, str]] = {}
    for line in told:
        known = {} if line.get("afresh") else known
        known |= {name: (digest, line["when"]) for name, digest in line["files"].items()}
    return known


def _members(told: list[dict[str, Any]]) -> dict[str, str]:
    members: dict[str, str] = {}
    for line in told:
        members = {} if line.get("afresh") else members
        members |= line.get("members", {})
    return members


def _closed(told: list[dict[str, Any]]) -> str:
    """Why nothing may be written again, empty where all may."""
    for line in reversed(told):
        if line.get("final"):
            return f"was sealed as final {line['when']}"
        if "superseded_by" in line:
            return f"was superseded {line['when']} by {line['superseded_by']}"
        if line.get("afresh"):
            break
    return ""


def _notes(told: list[dict[str, Any]]) -> tuple[str, ...]:
    """What a reader of this run must know: that it is final, replaced another one, or was superseded, and why."""
    notes = []
    for line in told:
        why = f": {line['reason']}" if line.get("reason") else ""
        if line.get("afresh"):
            notes.append(f"took the place of another run {line['when']}, whose record goes before")
        if line.get("supersedes"):
            notes.append(f"supersedes {line['supersedes']}{why}")
        if line.get("final"):
            notes.append(f"was sealed as final {line['when']} by {line.get('who', 'somebody')}{why}")
        if line.get("superseded_by"):
            notes.append(f"was superseded {line['when']} by {line['superseded_by']}{why}")
    return tuple(notes)


def _read_contradicted(folder: Path, told: list[dict[str, Any]]) -> list[str]:
    """Files of which the manifest and the first line say different things, as where the record was made anew."""
    try:
        manifest: Any = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        outputs = {each["path"]: each["sha256"] for each in manifest["outputs"]}
    except (OSError, ValueError, KeyError, TypeError):  # the record of a folder whose manifest lists nothing
        return []
    first: Mapping[str, str] = next((line for line in reversed(told) if line.get("afresh")), told[0])["files"]
    return [f"{folder / name}: manifest.json and {FILE} do not agree on what was written."
            for name, digest in outputs.items() if first.get(name) != digest]  # fmt: skip


def _read_unsealed(folder: Path, lines: list[str]) -> list[str]:
    """What is wrong about the end of the record."""
    path, seal = folder / FILE, folder / SEAL
    if not seal.is_file():
        return [f"{seal}: is gone, so nothing tells where the record ends."]
    found = seal.read_bytes()
    if found == _sealed(lines).encode() and path.read_bytes().endswith(b"\n"):
        return []
    try:
        count = int(json.loads(found)["lines"])
    except (ValueError, KeyError, TypeError):
        return [f"{seal}: is not what was written."]
    if len(lines) < count:
        return [f"{path}: ends with line {len(lines)}, but {count} were sealed in {seal}; others were removed."]
    if len(lines) > count:
        return [f"{path}: has {len(lines)} lines, but {count} were sealed in {seal}; others were added by hand."]
    return [f"{path}: its last line is not the one that was sealed in {seal}."]


def _refuse_unsealed(folder: Path, lines: list[str]) -> None:
    for problem in _read_unsealed(folder, lines):
        raise RunError(f"{problem} The record of this run is broken: go back to a copy that was kept, or fit again.")


def _write_seal(folder: Path, lines: list[str]) -> None:
    beside = folder / f"{SEAL}.partial"
    beside.write_bytes(_sealed(lines).encode())
    beside.replace(folder / SEAL)


def _sealed(lines: list[str]) -> str:
    return canonical({"lines": len(lines), "seal": digest_of(lines[-1]) if lines else FIRST}) + "\n"


def _read_lines(path: Path) -> list[str]:
    """Lines as they stand: only a line feed ends one, whatever else a reason may hold."""
    text = path.read_bytes().decode("utf-8", "replace") if path.is_file() else ""
    return text.removesuffix("\n").split("\n") if text else []


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
        before = digest_of(line)
    return found


def _files(folder: Path, members: Iterable[str] = ()) -> list[Path]:
    """Files of a run, without its record and without the runs in it."""
    apart = [folder / name for name in members]
    record = (folder / FILE, folder / SEAL)
    return sorted(path for path in folder.rglob("*") if path.is_file() and path not in record
                  and not any(path.is_relative_to(member) for member in apart))  # fmt: skip

"""A qualification on disk: its checks with when, where and with which versions they were made, sealed by its digest.

The file is canonical JSON: keys sorted, UTF-8, one entry a line. `sha256` is that of all the rest, written without
blanks, so that a changed digit is seen by whoever reads the file again.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pydantic

from pbpk.canonical import canonical, digest_of
from pbpk.errors import RunError
from pbpk.predict.audit import read_verified, write_audit
from pbpk.predict.qualification.checks import GROUPS, Check, Group, checks_table, failed
from pbpk.predict.qualification.installed import machine, read_fingerprint, running_version, stack
from pbpk.reading import Schema, validated

FILE = "qualification.json"
UNKNOWN = {str(number): number for number in (float("nan"), float("inf"), float("-inf"))}


class CheckEntry(Schema):
    """A check as a file holds it; a number that JSON does not have is a word."""

    group: Group
    name: str
    about: str
    value: float | str
    limit: float | str
    unit: str
    passed: bool
    sentence: str
    source: str


class QualificationFile(Schema):
    """A file of checks as written."""

    checks: list[CheckEntry] = pydantic.Field(min_length=1)
    files: str
    machine: dict[str, str]
    package: str
    passed: bool
    sha256: str
    versions: dict[str, str]
    when: str


@dataclass(frozen=True)
class Qualification:
    """Checks that were made, and what they were made with.

    when : of writing, UTC; package : version of `pbpk`; files : digest of its files and models
    versions : of the packages behind it; machine : what it ran on, in words; sha256 : of all this
    """

    checks: tuple[Check, ...]
    when: str
    package: str
    files: str
    versions: dict[str, str]
    machine: dict[str, str]
    sha256: str

    @property
    def passed(self) -> bool:
        """True where every check passed."""
        return not self.failed

    @property
    def failed(self) -> tuple[Check, ...]:
        """Checks that did not pass."""
        return failed(self.checks)

    @property
    def table(self) -> pd.DataFrame:
        """One row for each check."""
        return checks_table(self.checks)

    @property
    def sentence(self) -> str:
        """How many checks passed, and in which groups one did not."""
        wrong = [title.lower() for group, title in GROUPS.items() if any(c.group == group for c in self.failed)]
        told = f"{len(self.checks) - len(self.failed)} of {len(self.checks)} checks passed"
        return f"{told}; not all of: {', '.join(wrong)}." if wrong else f"{told}."


def write_qualification(checks: Iterable[Check], path: Path) -> Qualification:
    """Write checks as canonical JSON with when, versions and digest.

    Raises
    ------
    RunError
        if the file cannot be written
    """
    made = tuple(checks)
    told: dict[str, Any] = {
        "checks": [check.told for check in made],
        "files": read_fingerprint(),
        "machine": machine(),
        "package": running_version(),
        "passed": not failed(made),
        "versions": stack(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    sealed = told | {"sha256": digest_of(told)}
    try:
        path.write_text(canonical(sealed, indent=1) + "\n", encoding="utf-8")
    except OSError as problem:
        raise RunError(f"{path}: cannot be written ({problem.strerror}); choose another --out.") from None
    return read_qualification(path)


def write_into_run(checks: Iterable[Check], run: Path) -> Qualification:
    """Write checks into the folder of a run, and a line on them into its record.

    A record that is missing or broken stays so: a first line would know this file alone.

    Raises
    ------
    RunError
        if the file cannot be written
    """
    path = run / FILE
    written = write_qualification(checks, path)
    with suppress(RunError):
        read_verified(run)
        write_audit(run, "qualify", [path])
    return written


def read_qualification(path: str | Path) -> Qualification:
    """Read a file of checks.

    Raises
    ------
    RunError
        if it cannot be read, or is not what was written
    """
    path = Path(path)
    if not path.is_file():
        raise RunError(f"{path}: there is no such file; write it with `pbpk qualify`.")
    try:
        told: Any = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise RunError(f"{path}: not readable as JSON: {problem}.") from None
    try:
        held = validated(told, QualificationFile, RunError)
    except RunError as problem:
        raise RunError(f"{path}: {problem}") from None
    if digest_of({key: value for key, value in told.items() if key != "sha256"}) != held.sha256:
        raise RunError(f"{path}: is not what was written; its digest is another. Write it again with `pbpk qualify`.")
    checks = tuple(_check(entry) for entry in held.checks)
    return Qualification(checks, held.when, held.package, held.files, held.versions, held.machine, held.sha256)


def _check(entry: CheckEntry) -> Check:
    known = {field.name: getattr(entry, field.name) for field in fields(Check)}
    numbers = {name: UNKNOWN[known[name]] for name in ("value", "limit") if known[name] in UNKNOWN}
    return Check(**(known | numbers))

"""A run that supersedes another: both records say so, and of the old one nothing is written over."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pbpk.errors import InputError, RunError
from pbpk.predict.audit import read_audit, read_open, read_verified, write_audit
from pbpk.predict.record import read_json


@dataclass(frozen=True)
class Amendment:
    """The run that is superseded, and why."""

    folder: Path
    reason: str
    run_id: str
    seal: str

    @property
    def told(self) -> dict[str, Any]:
        """As the occasion of the new manifest holds it."""
        what = {"run_id": self.run_id, "reason": self.reason, "folder": self.folder.name}
        return {"supersedes": what, "prev_audit_hash": self.seal}


def read_amendment(folder: Path | None, reason: str | None, out: Path) -> Amendment | None:
    """Read the run that is to be superseded, None where none is named.

    Raises
    ------
    InputError, RunError
        if there is no reason, the run is that of `out`, was changed since it was written, or was superseded already
    """
    if folder is None:
        if reason is not None:
            raise InputError("--reason says why another run is superseded; name that run with --supersedes.")
        return None
    if reason is None or not reason.strip():
        raise InputError(f"--supersedes {folder}: say why with --reason, for readers of both runs.")
    if folder.resolve() == out.resolve():
        raise InputError(f"{out}: a run does not supersede itself, the old one is kept; choose another --out.")
    found = read_verified(folder)
    if not found.passed:
        raise RunError(f"{found.problems[0]} What was changed cannot be superseded: go back to a copy that was kept.")
    if any("superseded_by" in line for line in read_audit(folder)):
        read_open(folder)
    said = read_json(folder / "manifest.json").get("occasion", {})
    return Amendment(folder, reason.strip(), str(said.get("run_id", found.seal)), found.seal)


def write_amendment(amendment: Amendment, run_id: str) -> None:
    """Write into the record of the old run that it was superseded, by which one and why."""
    write_audit(amendment.folder, "superseded", [], superseded_by=run_id, reason=amendment.reason)

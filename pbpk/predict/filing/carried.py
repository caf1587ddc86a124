"""What goes with a run though it is no input of its fit: the author's words, and the plan that the run follows."""

import shutil
from pathlib import Path
from typing import Any

from pbpk.assay.study import AUTHORED, BESIDE, Study
from pbpk.errors import FilingError
from pbpk.predict.audit import read_audit, write_audit
from pbpk.predict.filing.authored import read_authored
from pbpk.predict.filing.frozen import read_frozen, seal_of
from pbpk.predict.record import read_digest, read_manifest


def read_followed(study: Study) -> dict[str, Any]:
    """Entry of a manifest on the plan that lies in the folder of a study; empty where none was frozen.

    Raises
    ------
    FilingError
        if the plan is not what was frozen
    """
    plan = read_frozen(study.folder)
    if plan is None:
        return {}
    return {"plan": {"sha256": seal_of(plan), "frozen": plan["frozen"], "data_at_hand": plan["data"]["at_hand"]}}


def write_beside(source: Path, target: Path) -> None:
    """Copy what lies beside a study, its report.toml and its plans, into another folder of it."""
    for path in sorted(source.iterdir()):
        if path.is_file() and BESIDE.fullmatch(path.name):
            shutil.copyfile(path, target / path.name)


def write_authored(run: Path, source: Path | None = None) -> Path:
    """Take the author's words into a run, or take note that those in it were changed; the record keeps what was before.

    source : report.toml, or the folder of a study with one; None for the file that lies in the run

    Returns
    -------
    the file in the run

    Raises
    ------
    FilingError, RunError
        if there is no such file, it cannot be read, or the record of the run is broken
    """
    path = run / "study" / read_manifest(run)["study"] / AUTHORED
    given = path if source is None else source / AUTHORED if source.is_dir() else source
    if not given.is_file():
        raise FilingError(f"{given}: there is no such file; `pbpk plan STUDY --template` writes one to fill in.")
    read_authored(given)
    lines = read_audit(run)  # a broken record is told before anything is changed
    if given.resolve() != path.resolve():
        shutil.copyfile(given, path)
    name, digest = path.relative_to(run).as_posix(), read_digest(path)
    told = [line["files"][name] for line in lines if name in line["files"]]
    if lines and told[-1:] != [digest]:
        write_audit(run, "authored", [path])
    return path

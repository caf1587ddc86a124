"""Whether a run is what was written: every changed, missing or added file by its name."""

from pathlib import Path

from rich.markup import escape

from pbpk.errors import RunError
from pbpk.predict.audit import read_verified
from pbpk.terminal import console


def tell_verified(run: Path) -> None:
    """Compare a run with its record.

    Raises
    ------
    RunError
        if anything is not what was written
    """
    found = read_verified(run)
    if not found.passed:
        raise RunError(" ".join(found.problems))
    console.print(
        f"{escape(str(run))}: all {found.files} files are what was written. Seal {found.seal}", soft_wrap=True
    )

"""Every check of this installation and, where one is named, of a run: each computed anew, none remembered."""

from collections.abc import Iterator
from pathlib import Path

from pbpk.predict.qualification.checks import Check


def qualify(run: str | Path | None = None) -> tuple[Check, ...]:
    """Check this installation, and a run of it.

    Parameters
    ----------
    run : folder of a run; the installation alone where None

    Returns
    -------
    checks in the order of `GROUPS`, those that failed among them

    Raises
    ------
    RunError
        if the folder is not a run
    """
    return tuple(check for part in examine(run) for check in part)


def examine(run: str | Path | None = None) -> Iterator[tuple[Check, ...]]:
    """Yield the checks of one question after the other, each as soon as it is answered."""
    yield ()

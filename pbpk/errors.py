"""Every way `pbpk` can fail, as one tree.

PbpkError
├─ InputError              something the user wrote; one sentence: what, where, what to do; exit 2
│  ├─ StudyError           a study folder or one of its tables
│  ├─ AssayError           a plate or calibration that must not be used
│  ├─ ModelFileError       a model file: unknown symbol, wrong unit, bad arrow
│  ├─ SpeciesError         a species file: a missing number, flows that do not close
│  ├─ ScenarioError        a scenario file
│  ├─ RunError             a run folder that is not one, or is in the way
│  ├─ FilingError          what an author wrote for a report, or a plan that was frozen
│  ├─ ReportError          a report that cannot be written, or not yet made final
│  └─ ShareError           a table or package that another tool's format cannot hold
├─ SolveError              the equations could not be solved at these rates
├─ NotConverged            the chains do not agree; exit 3
├─ NotQualified            a check of the installation or of a run did not pass; exit 4
├─ NotReproduced           a run was made again and other numbers came out; exit 5
└─ Interrupted             somebody pressed Ctrl-C in a fit; exit 130
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class PbpkError(Exception):
    """Anything `pbpk` refuses or fails to do."""

    exit_code = 1


class InputError(PbpkError):
    """Something the user wrote cannot be used; the message says what, where and what to do.

    at : keys and indices that lead to it in its file, so that whoever reads the file can say the line
    """

    exit_code = 2

    def __init__(self, message: str = "", at: Sequence[str | int] = ()) -> None:
        super().__init__(message)
        self.at = tuple(at)


class StudyError(InputError):
    """A study folder or one of its tables."""


class AssayError(InputError):
    """A plate or a calibration that must not be used; the message names the rule it broke."""


class ModelFileError(InputError):
    """A model file."""


class SpeciesError(InputError):
    """A species file."""


class ScenarioError(InputError):
    """A scenario file."""


class RunError(InputError):
    """A run folder that cannot be read or written."""


class FilingError(InputError):
    """What an author wrote for a report, or a plan that was frozen before the fit."""


class ReportError(InputError):
    """A report that cannot be written in this format, or cannot be made final yet."""


class ShareError(InputError):
    """A table or a package that cannot be written in the format of another tool."""


class SolveError(PbpkError):
    """The equations could not be solved at these rates."""


class NotConverged(PbpkError):
    """The chains of a fit do not agree, so the fit must not be used."""

    exit_code = 3


class NotQualified(PbpkError):
    """A check of the installation or of a run did not pass; the message names it."""

    exit_code = 4


class NotReproduced(PbpkError):
    """A run was made again and other numbers came out."""

    exit_code = 5


class Interrupted(PbpkError):
    """A fit was interrupted; its finished chains are kept."""

    exit_code = 130


def did_you_mean(name: str, options: Iterable[str]) -> str:
    """Sentence that names the closest option, or lists them when few, or nothing.

    >>> did_you_mean("livr", ["liver", "lung"])
    ' Did you mean `liver`?'
    """
    options = sorted(set(options))
    close = get_close_matches(name, options, n=1, cutoff=0.6)
    if close:
        return f" Did you mean `{close[0]}`?"
    if 0 < len(options) <= 12:
        return " Choose from " + ", ".join(f"`{option}`" for option in options) + "."
    return ""

"""All that a report says besides numbers, read from the folder of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pbpk.errors import FilingError, RunError
from pbpk.predict.audit import Verified, read_verified
from pbpk.predict.filing.assessment import Item, assessment_table
from pbpk.predict.filing.authored import Authored, Missing, missing, read_authored
from pbpk.predict.filing.deviations import Deviated, deviations, unexplained
from pbpk.predict.filing.finality import may_be_final, remarks
from pbpk.predict.filing.frozen import read_frozen
from pbpk.predict.filing.judging import Judged, judge

if TYPE_CHECKING:
    from pbpk.predict.run import Run


@dataclass(frozen=True)
class Docket:
    """The author's words, the plan, and what follows from both for a run.

    plan : None where none was frozen, or it is not what was frozen
    judged : criteria held against the run; deviated : rows of what was not done as planned
    items : the assessment table; gaps : what is TO BE COMPLETED, reasons for deviations included
    reasons : why the report is not final, none where it may be; remarks : what is said of the plan besides
    """

    authored: Authored
    plan: Mapping[str, Any] | None
    judged: tuple[Judged, ...]
    deviated: tuple[Deviated, ...]
    items: tuple[Item, ...]
    gaps: tuple[Missing, ...]
    reasons: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def is_final(self) -> bool:
        """Whether nothing speaks against calling the report final."""
        return not self.reasons


def read_docket(folder: Path, run: "Run", compared: bool = True) -> Docket:
    """Read what lies in a run and hold it against the run; whatever is broken is a reason against a final report.

    folder : of the run, before anything is written into it
    compared : whether its files are compared with its record; a report does not print what hangs on when it is written

    Raises
    ------
    FilingError
        if report.toml cannot be read
    """
    inside = folder / "study" / run.name
    authored = read_authored(inside, run.study.about.reporting)
    plan, broken = _read_plan(inside)
    judged = judge(authored.criteria, run)
    deviated = () if plan is None else deviations(plan, run, authored)
    verified = _read_verified(folder) if compared else Verified((), 0, "")
    reasons = may_be_final(run, authored, plan, judged, deviated, verified, broken)
    gaps = (*missing(authored), *unexplained(deviated))
    return Docket(authored, plan, judged, deviated, assessment_table(authored, judged), gaps, reasons, remarks(plan))


def _read_plan(inside: Path) -> tuple[dict[str, Any] | None, str]:
    try:
        return read_frozen(inside), ""
    except FilingError as problem:
        return None, str(problem)


def _read_verified(folder: Path) -> Verified:
    try:
        return read_verified(folder)
    except RunError as problem:
        return Verified((str(problem),), 0, "")

"""All that a report is written from: the run, the author's words and the plan, checks, figures; whether it is final."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from pbpk.assay.study import AUTHORED
from pbpk.predict.filing.assessment import assessment_table
from pbpk.predict.filing.authored import Authored, Entry, entries, told_by_study
from pbpk.predict.filing.deviations import Deviated
from pbpk.predict.filing.docket import Docket
from pbpk.predict.filing.judging import Judged
from pbpk.predict.lineage.source import source
from pbpk.predict.qualification.checks import Check
from pbpk.report.diagnosis import Shown
from pbpk.report.references import Reference, references

if TYPE_CHECKING:
    from pbpk.infer.design.prior_check import PriorCheck
    from pbpk.predict.run import Run

NOBODY = Docket(Authored(), None, (), (), assessment_table(Authored()), (), (), ())  # said nothing


@dataclass(frozen=True)
class Dossier:
    """What a report tells.

    docket : the author's words, the plan, and the criteria held against the run
    checks : of `pbpk qualify`, None where it was not run
    sensitivity : local coefficients, from `sensitivity.local`, of the scenario `asked`
    shown : diagnostic figures, from `diagnosis.shown`
    hindrances : why the report may not be final, one sentence each; final : whether it was asked to be, and may
    code : text of the files that the model was read from, by their name in the manifest
    """

    run: "Run"
    docket: Docket = NOBODY
    checks: tuple[Check, ...] | None = None
    sensitivity: pd.DataFrame = field(default_factory=pd.DataFrame)
    asked: str = ""
    shown: Mapping[str, Sequence[Shown]] = field(default_factory=dict)
    prior_check: "PriorCheck | None" = None
    hindrances: tuple[str, ...] = ()
    final: bool = False
    code: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def authored(self) -> Authored:
        """What its author says, [reporting] of study.toml included."""
        return told_by_study(self.docket.authored, self.run.study.about.reporting)

    @property
    def plan(self) -> Mapping[str, Any] | None:
        """Frozen before the fit, None if none was."""
        return self.docket.plan

    @property
    def judged(self) -> tuple[Judged, ...]:
        """Criteria held against the run."""
        return self.docket.judged

    @property
    def deviated(self) -> tuple[Deviated, ...]:
        """What was not done as planned."""
        return self.docket.deviated

    @cached_property
    def known(self) -> dict[str, Reference]:
        """Sources that the run used, by key."""
        return references(self.run)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Every field of the author, with its text or that it is missing."""
        return entries(self.authored)

    @property
    def study_file(self) -> str:
        """`study.toml` as a source names it."""
        return f"study/{self.run.name}/study.toml"

    def by_author(self, part: str) -> str:
        """Source of what the author says of a part, as `introduction` or `study.glp`; none where nobody did."""
        told = {f"study.{name}" for name, text in self.run.study.about.reporting.model_dump().items() if text.strip()}
        said = {entry.name: entry for entry in self.entries
                if entry.status != "missing" and _is_within(entry.name, part)}  # fmt: skip
        if not said:
            return ""
        if told >= set(said):
            return source(self.study_file, key=part.replace("study", "reporting", 1))
        waived = part in said and said[part].status == "n/a" and said[part].text == self.authored.study.na
        return source(f"study/{self.run.name}/{AUTHORED}", key="study.na" if waived else part)

    @property
    def of_cells(self) -> bool:
        """Whether live cells and the label of dead ones are told apart."""
        return {"live", "label"} <= set(self.run.joint.model.kinds)


def _is_within(name: str, part: str) -> bool:
    """Whether a field is one of a part, or the part itself.

    >>> _is_within("sign_off.authors[1].name", "sign_off.authors"), _is_within("studying", "study")
    (True, False)
    """
    return name.startswith(part) and name[len(part) :][:1] in ("", ".", "[")

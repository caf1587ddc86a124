"""All that a report is written from: the run, the author's words and the plan, checks, figures; whether it is final."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from pbpk.predict.filing.authored import Authored, Entry, entries
from pbpk.predict.filing.deviations import Deviated
from pbpk.predict.filing.docket import Docket
from pbpk.predict.filing.judging import Judged
from pbpk.predict.qualification.checks import Check
from pbpk.report.diagnosis import Shown
from pbpk.report.references import Reference, references

if TYPE_CHECKING:
    from pbpk.infer.design.prior_check import PriorCheck
    from pbpk.predict.run import Run

NOBODY = Docket(Authored(), None, (), (), (), (), (), ())  # said nothing


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

    @property
    def authored(self) -> Authored:
        """What its author says."""
        return self.docket.authored

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

    @property
    def author_file(self) -> str:
        """`report.toml` as a source names it."""
        return f"study/{self.run.name}/report.toml"

    @property
    def of_cells(self) -> bool:
        """Whether live cells and the label of dead ones are told apart."""
        return {"live", "label"} <= set(self.run.joint.model.kinds)

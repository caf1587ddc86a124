"""A dossier with everything in it, of invented numbers, and one of which nobody said anything."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from pbpk.predict.filing.assessment import assessment_table
from pbpk.predict.filing.authored import Authored, missing, read_authored
from pbpk.predict.filing.criteria import Criterion
from pbpk.predict.filing.deviations import Deviated
from pbpk.predict.filing.docket import Docket
from pbpk.predict.filing.judging import Judged
from pbpk.predict.filing.template import template
from pbpk.predict.qualification.checks import at_most
from pbpk.report.dossier import Dossier

SENSITIVITY = pd.DataFrame(
    [
        ("residence lung live", "loss_lung", -0.9, -1.0, -0.7, "high", -0.9, 0.8),
        ("residence lung live", "E_lung", 0.1, 0.05, 0.2, "low", 0.4, 0.1),
    ],
    columns=["endpoint", "parameter", "coefficient", "least", "most", "grade", "per_log_odds", "variance_share"],
)
PLAN = {"frozen": "2026-01-30T12:00:00+00:00", "plan_sha256": "f" * 64, "criteria": {"chains": {}}}


ASSUMED = """
[[assumptions]]
statement = "said"
reason = "said"
alternative = "said"
impact_test = {na = "no test"}
"""


def criterion(name):
    return Criterion(id=name, about="Chains agree.", quantity="rhat_max", comparison="<=", threshold=1.01)


@pytest.fixture
def filled(tmp_path):
    """What an author says who answered every question with the same words."""
    text = re.sub(r'^(rating|severity|likelihood) = ""$', r'\1 = "low"', template(), flags=re.MULTILINE)
    text = re.sub(r'^(\w+) = ""$', r'\1 = "words of the author"', text, flags=re.MULTILINE)
    path = tmp_path / "report.toml"
    path.write_text(text + ASSUMED)
    return read_authored(path)


@pytest.fixture
def told(khot, filled):
    """A dossier with the author's words, a plan, criteria of which one is not met, a deviation, checks."""
    judged = (
        Judged(criterion("chains"), 1.004, "", True, "chains: 1.004 is met."),
        Judged(criterion("other"), 1.2, "", False, "other: 1.2 is not met."),
    )
    deviated = (Deviated("settings.draws", "800", "1600", ""),)
    docket = Docket(
        filled, PLAN, judged, deviated, assessment_table(filled, judged), (), ("`x` is missing",), ("late",)
    )
    checks = (
        at_most("balance", "sum", "Sum against dose.", 1e-16, 1e-9, "1", "our rule"),
        at_most("solver", "step", "Step against step.", 1e-3, 1e-6, "1", "our rule"),
    )
    return Dossier(
        khot, docket, checks, SENSITIVITY, "A bolus", hindrances=("`x` is missing",), code={"model/a.toml": "a=1"}
    )


@pytest.fixture
def silent(khot):
    """A dossier of which nobody said anything."""
    return Dossier(khot)


@pytest.fixture
def hypothetical(khot):
    return Dossier(SimpleNamespace(**(vars(khot) | {"forecast": khot.forecast})))


@pytest.fixture
def gaps():
    return missing(Authored())


@pytest.fixture
def but():
    return replace

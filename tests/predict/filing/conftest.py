"""A study whose report is complete, and a run of it that has converged."""

import importlib.util
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from madeup import NOW, SETTINGS

from pbpk.assay.counts import count_cells
from pbpk.assay.study import Study, read_study
from pbpk.infer.matched.joint import join
from pbpk.predict.filing.analysis_plan import freeze, told
from pbpk.predict.filing.authored import Authored, read_authored
from pbpk.predict.filing.carried import read_followed
from pbpk.predict.filing.frozen import read_plan, write_plan
from pbpk.predict.filing.template import template
from pbpk.predict.origin import origin_of, simulate
from pbpk.predict.record import model_of
from pbpk.predict.run import Run, assemble, describe
from pbpk.predict.scenario import read_scenarios

KHOT = Path(__file__).parents[3] / "data" / "khot_2019_t_cells_mouse"
CRITERIA = """
[[criteria]]
id = "rhat"
about = "The chains agree."
quantity = "rhat_max"
comparison = "<="
threshold = 1.01

[[criteria]]
id = "coverage"
quantity = "inside_share"
comparison = "between"
threshold = [0.0, 1.0]
"""
ASSUMED = """
[[assumptions]]
statement = "said"
reason = "said"
alternative = "said"
impact_test = "said"
"""

_spec = importlib.util.spec_from_file_location("filing_draws", Path(__file__).parents[2] / "infer" / "draws.py")
_draws = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_draws)


@pytest.fixture(scope="session")
def complete():
    """Text of a report.toml with every question answered."""
    text = template().split("[assessment.model_risk]")
    filled = [re.sub(r'^(rating|severity|likelihood) = ""$', r'\1 = "medium"', part, flags=re.M) for part in text]
    head, tail = (re.sub(r'^(\w+) = ""$', r'\1 = "said"', part, flags=re.M) for part in filled)
    tail = re.sub(r'rating = "medium"', 'rating = ""', tail, count=1)
    whole = head + "[assessment.model_risk]" + tail.replace('justification = "said"', 'justification = ""', 1)
    assert "# exclusions = " in whole
    whole = whole.replace('glp = "said"', 'glp = "no"', 1)
    return whole.replace("# exclusions = ", "exclusions = ", 1) + CRITERIA + ASSUMED


@pytest.fixture
def folder(tmp_path, complete):
    """A study folder with it."""
    made = tmp_path / "khot"
    shutil.copytree(KHOT, made)
    (made / "report.toml").write_text(complete, encoding="utf-8")
    return made


@dataclass(frozen=True)
class Filed:
    """A study, what its author says, its plan and its run."""

    study: Study
    authored: Authored
    plan: dict
    run: Run

    def again(self, **changes) -> "Filed":
        return replace(self, **changes)


@pytest.fixture(scope="session")
def filed(tmp_path_factory, complete):
    """All of it as planned; draws are made up, many and well mixed."""
    made = tmp_path_factory.mktemp("filed") / "khot"
    shutil.copytree(KHOT, made)
    (made / "report.toml").write_text(complete, encoding="utf-8")
    study = read_study(made)
    authored, model = read_authored(made, study.about.reporting), model_of(study)
    scenarios = [each for each in read_scenarios(None, model) if each.name in ("iv_bolus", "portal_vein")]
    write_plan(freeze(study, model, SETTINGS, authored, NOW, scenarios, 1e6), made)
    posterior = _draws.make_posterior(join(model, count_cells(study)), draws=800)
    assert posterior.diagnostics.passed, posterior.diagnostics.sentences
    manifest = describe(study, model, SETTINGS, NOW) | {"scenarios": told(scenarios, 1e6)} | read_followed(study)
    answers = simulate(origin_of(posterior, 100), scenarios, 1e6)
    return Filed(study, authored, read_plan(made), assemble(study, posterior, answers, manifest))

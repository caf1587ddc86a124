"""Made-up posteriors for the commands."""

import importlib.util
import shutil
from pathlib import Path

import pytest
from mousestudy import CHAIN, CHAINED, RATE, organ_rows, write_rows, write_small
from saying import say

from pbpk.commands import line

_spec = importlib.util.spec_from_file_location("command_draws", Path(__file__).parents[1] / "infer" / "draws.py")
draws = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(draws)


@pytest.fixture(scope="session")
def make_posterior():
    return draws.make_posterior


@pytest.fixture(scope="session")
def small_study(tmp_path_factory):
    """Three animals each at three hours, and a model of two rates: fitted in a second."""
    folder = tmp_path_factory.mktemp("small")
    model = write_small(folder / "small.toml", CHAIN, CHAINED, {"go": RATE, "die": RATE}, noise=0.3)
    rows = organ_rows((1.0, 24.0, 96.0), ("lung", "liver"), n=3, value=20.0)
    return write_rows(folder / "study", rows, model=model)


@pytest.fixture(scope="session")
def finished(small_study, tmp_path_factory):
    """Its run, as the command line makes it; never written to: tests take copies."""
    out = tmp_path_factory.mktemp("finished") / "run"
    said = say("run", small_study, "--quick", "--out", out)
    assert said.code == 0, said.err
    return out


@pytest.fixture
def run(finished, tmp_path):
    """A copy of that run, to be changed."""
    return shutil.copytree(finished, tmp_path / "run")


@pytest.fixture
def no_pages(monkeypatch):
    """Runs without their pages, which take most of the time: for tests of what else is written."""
    monkeypatch.setattr(line, "read_dossier", lambda *told: None)
    monkeypatch.setattr(line, "write_pages", lambda *told: [])


@pytest.fixture
def made_up(make_posterior, monkeypatch):
    """Draws about the prior in place of chains."""
    seen = []

    def learn(whole, **how):
        seen.append(how)
        return {study: make_posterior(joint) for study, joint in whole.joints.items()}

    monkeypatch.setattr(line, "fit_together", learn)
    return seen

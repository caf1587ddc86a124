"""Made-up posteriors for the commands."""

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("command_draws", Path(__file__).parents[1] / "infer" / "draws.py")
draws = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(draws)


@pytest.fixture(scope="session")
def make_posterior():
    return draws.make_posterior

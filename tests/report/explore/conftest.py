"""One prior, the shipped scenarios and an answer for all tests of the page."""

import pytest

from pbpk.body.species import read_species
from pbpk.predict.origin import read_prior
from pbpk.predict.scenario import read_scenarios
from pbpk.report.explore.answer import ask
from pbpk.report.explore.form import Form


@pytest.fixture(scope="session")
def origin():
    return read_prior("msc", read_species("mouse"), "FND", draws=50)


@pytest.fixture(scope="session")
def starts(origin):
    return {scenario.name: scenario for scenario in read_scenarios(None, origin.model)}


@pytest.fixture(scope="session")
def forms(starts):
    return [Form.of(starts[name]) for name in ("portal_vein", "iv_bolus")]


@pytest.fixture(scope="session")
def answer(origin, starts, forms):
    return ask(origin, forms, starts)

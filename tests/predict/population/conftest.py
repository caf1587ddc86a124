"""A made-up fit of MSC in the mouse, with what it learned of differences between animals."""

from dataclasses import replace

import numpy as np
import pytest

from pbpk.body.species import read_species
from pbpk.predict.origin import read_prior
from pbpk.predict.scenario import read_scenarios

VARIED = ("between_E_lung", "between_loss_lung", "between_dose", "correlation_E_lung_loss_lung")


@pytest.fixture(scope="session")
def iv():
    (scenario,) = read_scenarios("iv_bolus")
    return scenario


@pytest.fixture(scope="session")
def prior():
    return read_prior("msc", read_species("mouse"), "FND", draws=300)


@pytest.fixture(scope="session")
def fitted(prior):
    """Draws with SDs between animals beside them."""
    size = len(prior.theta)
    apart = np.column_stack([np.full(size, 0.5), np.full(size, 0.3), np.full(size, 0.1), np.full(size, 0.6)])
    return replace(prior, theta=np.column_stack([prior.theta, apart]), names=(*prior.names, *VARIED))

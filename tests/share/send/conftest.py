"""Tables of the shipped study of raw light, made once."""

import pytest
from killed import domains


@pytest.fixture(scope="session")
def synthetic():
    return domains("data/synthetic_fnd_mouse")

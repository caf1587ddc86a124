"""The chain of two organs, whose residences have closed forms, for every method."""

import pytest

from pbpk.body.species import read_species
from pbpk.predict.origin import read_prior

MODEL = """
name   = "chain"
about  = "lung to liver"
amount = "cells"
organs = ["lung", "liver"]
arrows = ["lung.held -> liver.held : release", "liver.held -> gone : loss", "lung.held -> gone : away * release"]
outside = ["gone"]
[kinds]
cells = ["lung.held", "liver.held"]
[routes]
iv = "lung.held"
[readouts]
count = ["cells"]
[parameters]
release = { about = "release", unit = "1/h", prior = "lognormal(median=0.3, sigma=0.4)", source = "none" }
loss = { about = "loss", unit = "1/h", prior = "lognormal(median=0.1, sigma=0.8)", source = "none" }
away = { about = "dead for each that goes on", unit = "1", prior = "lognormal(median=0.5, sigma=0.2)", source = "none" }
[noise]
spread = { about = "spread", unit = "1", prior = "lognormal(median=0.3, sigma=0.3)", source = "none" }
misfit = { about = "misfit", unit = "1", prior = "lognormal(median=0.1, sigma=0.3)", source = "none" }
[sources]
none = { text = "a test", status = "test" }
"""


@pytest.fixture(scope="session")
def chain(tmp_path_factory):
    """Residence in the lung is 1/(release (1 + away)), in the liver 1/((1 + away) loss): all in closed form."""
    path = tmp_path_factory.mktemp("models") / "chain.toml"
    path.write_text(MODEL)
    return read_prior(path, read_species("mouse"), draws=400)

"""What shall be known, by name: parameters, and endpoints by slopes that have closed forms."""

import numpy as np
import pytest
from mousestudy import read_chain

from pbpk.errors import InputError
from pbpk.predict.quantities import directions, endpoint_values, parse_quantities, scenario_of, usual_quantities

PRIORS = {"go": ("1/h", "lognormal(median=0.3, sigma=1.2)"), "die": ("1/h", "lognormal(median=0.2, sigma=0.7)")}


@pytest.fixture(scope="module")
def joint(tmp_path_factory):
    return read_chain(tmp_path_factory.mktemp("quantities"), PRIORS)


def test_residences_of_a_chain_have_slopes_by_hand(joint):
    """Residence is 1/go in the lung and 1/die in the liver: its logarithm falls by sigma for each z."""
    asked = parse_quantities("go, residence lung live, residence liver live", joint)
    z = np.zeros((1, len(joint.free)))
    found = directions(joint, z, asked, scenario_of(joint))[0]
    free = [p.name for p in joint.free]
    go, die = free.index("go"), free.index("die")
    assert found[go, 0] == 1.0
    assert np.abs(found[:, 0]).sum() == 1.0
    assert found[go, 1] == pytest.approx(-1.2, rel=0.01)
    assert found[die, 1] == pytest.approx(0.0, abs=1e-6)
    assert found[die, 2] == pytest.approx(-0.7, rel=0.01)
    assert found[go, 2] == pytest.approx(0.0, abs=0.01)
    values = endpoint_values(joint, z, list(asked.endpoints.values()), scenario_of(joint))
    np.testing.assert_allclose(values[0], [1 / 0.3, 1 / 0.2], rtol=0.01)


def test_kinds_and_usual_quantities(joint):
    asked = usual_quantities(joint, scenario_of(joint))
    assert set(asked.names) == {"residence lung live", "residence liver live"}
    assert asked.kind(0) == "endpoint"
    assert parse_quantities("go", joint).kind(0) == "parameter"


@pytest.mark.parametrize(
    ("text", "words"),
    [("goo", "Did you mean `go`"), ("go,go", "stands there twice"), (" , ", "no quantity"), ("AUC", "no parameter")],
)
def test_what_is_no_quantity_is_refused(joint, text, words):
    with pytest.raises(InputError, match=words):
        parse_quantities(text, joint)


def test_an_endpoint_that_is_nothing_is_refused(joint):
    asked = parse_quantities("0h liver", joint)
    with pytest.raises(InputError, match="is nothing in"):
        directions(joint, np.zeros((1, len(joint.free))), asked, scenario_of(joint))

"""The mavoglurant model, as a file, against the equations of the paper written by hand, at several body weights."""

import numpy as np
import pytest
from blind import elmokadem_2023

from pbpk.body.equations import check_units, unsourced
from pbpk.body.expansion import read_model
from pbpk.body.scaling import scaled
from pbpk.body.species import read_species
from pbpk.dosing import Dose

HOURS = np.array([0.05, 0.2, 1.0, 6.0, 48.0])


@pytest.mark.parametrize("weight_kg", [61.9, 70.0, 103.5])
def test_the_file_is_the_paper(weight_kg):
    species = scaled(read_species("human"), body_weight=1000.0 * weight_kg)
    model = read_model("elmokadem_2023", species=species)
    medians = np.array([p.prior.centre for p in model.parameters])
    found = model.solve(medians, [Dose("iv", 25.0, 0.0, 1.0 / 6.0)], HOURS)
    expected = elmokadem_2023.curves(weight_kg, HOURS, 25.0, 1.0 / 6.0)
    for i, state in enumerate(model.states):
        own = expected[state.removesuffix(".tissue")]
        np.testing.assert_allclose(found[:, i], own, rtol=1e-6, atol=1e-9 * 25.0, err_msg=state)


def test_plasma_is_blood_over_the_ratio_of_the_two():
    model = read_model("elmokadem_2023", species="human")
    medians = np.array([p.prior.centre for p in model.parameters])
    registers = np.array([model.volume_registers[name] for name in ("blood", "plasma")])
    blood, plasma = model.volume_in(medians[np.newaxis], registers)[0]
    assert blood == pytest.approx(1000.0 * 0.0562 * 70.0 / 1.040)  # mL
    assert plasma / blood == pytest.approx(0.61)


def test_units_and_sources_are_all_there():
    model = read_model("elmokadem_2023", species="human")
    assert check_units(model) == []
    assert unsourced(model) == []
    assert model.is_linear
    assert len(model.states) == 17  # the paper's sixteen and what is eliminated

"""The full system against two stiff integrators of scipy, state by state, early and late.

Their right side is summed arrow by arrow, and they are asked for a relative error of 1e-10 in each step.
"""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from pbpk.body.expansion import read_model
from pbpk.dosing import Dose

HOURS = np.array([0.05, 48.0])
DOSES = {
    "iv": Dose("iv", 1.0),
    "artery": Dose("artery", 1.0),
    "portal_vein": Dose("portal_vein", 1.0),
    "iv over 0.2 h": Dose("iv", 1.0, 0.0, 0.2),
}
HELD = 1e-9  # of the dose: below it the absolute tolerance of the integrators shows


def integrated(model, rates, dose, method):
    """(time, state) from scipy; an infusion is a source while it runs."""
    source, target = model.source_states, model.target_states
    jacobian = np.zeros((len(model.states), len(model.states)))
    for s, t, rate in zip(source, target, rates, strict=True):
        jacobian[t, s] += rate
        jacobian[s, s] -= rate
    (entry,) = model.schedule([dose]).entry
    y, now, rows = (np.zeros_like(entry) if dose.duration_h else entry), 0.0, {}
    for hour in np.unique([*HOURS, *([dose.duration_h] if dose.duration_h else [])]):
        feed = entry / dose.duration_h if now < dose.duration_h else np.zeros_like(entry)

        def slope(t, y, feed=feed):
            flows = rates * y[source]
            return feed + np.bincount(target, flows, y.size) - np.bincount(source, flows, y.size)

        done = solve_ivp(slope, (now, hour), y, method, rtol=1e-10, atol=1e-18, t_eval=[hour],
                         jac=jacobian if method == "Radau" else lambda t, y: jacobian)  # fmt: skip
        assert done.success
        y, now = done.y[:, -1], hour
        rows[hour] = y
    return np.array([rows[hour] for hour in HOURS])


ABSORBED = {
    "absorption_peritoneum": 0.1,
    "absorption_skin": 0.05,
    "absorption_muscle": 0.02,
}  # [1/h], for the test only


@pytest.mark.parametrize("name", ["msc", "t_cell", "khot_2019", "tsai_2022", "singh_2020", "small_molecule"])
def test_every_route_of_every_linear_model_is_what_lsoda_finds(name):
    model = read_model(name, "human" if name == "small_molecule" else "mouse")
    medians = np.array([float(parameter.prior.value(0.0)) for parameter in model.parameters])
    modifiers = {modifier.name: ABSORBED[modifier.name] for modifier in model.modifiers if modifier.name in ABSORBED}
    rates = model.rates(medians, modifiers)
    for route in model.routes:
        dose = Dose(route, 1.0)
        theirs = integrated(model, rates, dose, "LSODA")
        ours = model.solve(medians, [dose], HOURS, modifiers, fidelity="full")
        held = theirs > HELD
        np.testing.assert_allclose(ours[held], theirs[held], rtol=1e-6, err_msg=route)
        assert ours[~held].max(initial=0.0) < 10.0 * HELD


@pytest.mark.parametrize("method", ["Radau", "LSODA"])
@pytest.mark.parametrize("dose", DOSES)
@pytest.mark.parametrize("name", ["msc", "t_cell"])
def test_the_full_system_is_what_other_solvers_find(name, dose, method):
    model = read_model(name, "mouse")
    medians = np.array([float(parameter.prior.value(0.0)) for parameter in model.parameters])
    theirs = integrated(model, model.rates(medians), DOSES[dose], method)
    ours = model.solve(medians, [DOSES[dose]], HOURS, fidelity="full")
    held = theirs > HELD
    assert held.sum() > len(model.states)
    np.testing.assert_allclose(ours[held], theirs[held], rtol=1e-6)

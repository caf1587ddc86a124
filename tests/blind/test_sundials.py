"""Rates that move, blood and tissue together, against CVODE of SUNDIALS (Hindmarsh 2005, ACM Trans Math Softw 31:363).

Its steps are differences backwards of order one to five; nothing is shared with ours but the text of the model.
"""

import numpy as np
import pytest
from moved import CASES, HOURS, Case, followed, jacobian_of
from sksundae.cvode import CVODE

from pbpk.body import moving
from pbpk.dosing import Dose

ROUTES = {
    **{f"lin_2016, {route}": Case("lin_2016", (Dose(route, 100.0),)) for route in ("portal_vein", "hepatic_artery")},
    **{f"msc, {route}": Case("msc", (Dose(route, 1e6),), "mouse", CASES["msc, artery"].modifiers)
       for route in ("portal_vein", "kidney_artery", "lung_tissue")},
}  # fmt: skip
ALL = CASES | ROUTES


def cvode(slope, begin, end, amounts, inflow, whole):
    """BDF of order one to five at a relative error of 1e-11 in each step."""
    jacobian = jacobian_of(slope, whole)

    def right(hour, y, out):
        out[:] = slope(hour, y, inflow)

    def moves(hour, y, _, out):
        out[:] = jacobian(hour, y, inflow)

    solver = CVODE(right, method="BDF", rtol=1e-11, atol=1e-17 * whole, jacfn=moves, max_num_steps=200_000)
    done = solver.solve(np.array([begin, end]), amounts)
    assert done.success, done.message
    return done.y[-1]


LONGER = [pytest.param(case, id=name, marks=pytest.mark.proof) for name, case in ALL.items() if name in ROUTES]


@pytest.mark.parametrize("case", [*(pytest.param(case, id=name) for name, case in CASES.items()), *LONGER])
def test_cvode_finds_the_same(case):
    ours, theirs = moving.respond_moving(case.known, *case.given)[0], followed(case, cvode)
    whole = case.schedule.entry.sum()
    held = theirs > 1e-6 * whole
    assert held[HOURS > 0.0].sum() > len(case.model.states)
    np.testing.assert_allclose(ours[held], theirs[held], rtol=1e-6)
    np.testing.assert_allclose(ours[~held], theirs[~held], atol=1e-10 * whole)

"""The system without blood, where rates move: the pair itself, a bolus that takes its time, differences."""

import numpy as np
import pytest
from moved import CASES, CROWDED, Case
from scipy.integrate import solve_ivp

from pbpk.body import moving
from pbpk.body.explicit import ERRORS, HOURS, STAGES, WEIGHTS
from pbpk.dosing import Dose

TIGHT = 1e-12  # error of a step, for differences
REDUCED = {
    "a lung that fills": Case("msc", (Dose("iv", 1e6),), "mouse", CROWDED, "reduced"),
    "partly dead": Case("msc", (Dose("portal_vein", 1e6, viability=0.8),), "mouse", CROWDED, "reduced"),
    "two, one of them slow": Case(
        "msc", (Dose("iv", 5e5, 1.0, 0.5), Dose("artery", 5e5, 3.0)), "mouse", CROWDED, "reduced"
    ),
    "an injury that fades": Case("msc", (Dose("iv", 1e6, 0.0, 0.2),), "mouse",
                                 CASES["msc, an injury that fades"].modifiers, "reduced"),
}  # fmt: skip
each_case = pytest.mark.parametrize("case", REDUCED.values(), ids=REDUCED)


def test_the_pair_is_of_orders_five_and_four():
    """Against powers of time, which ask for sums of weights times hours to a power, and one tall tree."""
    a = np.zeros((STAGES, STAGES))
    a[:, : STAGES - 1] = WEIGHTS
    np.testing.assert_allclose(a.sum(axis=1), HOURS, atol=1e-15)
    for power in range(5):
        assert a[6] @ HOURS**power == pytest.approx(1.0 / (power + 1), abs=1e-15)
        assert ERRORS @ HOURS**power == pytest.approx(0.0, abs=1e-3 if power == 4 else 1e-15)
    assert a[6] @ a @ a @ a @ HOURS == pytest.approx(1.0 / 120.0, abs=1e-15)


@each_case
def test_nothing_is_lost_and_nothing_is_negative(case):
    out, _, points, _ = moving.respond_moving(case.known, *case.given)
    whole, lasting = case.schedule.entry.sum(), case.model.n_lasting
    np.testing.assert_allclose(out[-1, :lasting].sum(), whole, rtol=1e-12)
    assert (out >= 0.0).all()
    assert points[:, STAGES - 1].min() >= -1e-15 * whole


@each_case
def test_the_gradient_is_that_of_the_answer(case):
    known, given, rng = case.known, case.given, np.random.default_rng(1)
    out, log, points, done = moving.respond_moving(known, *given)
    bar = rng.standard_normal(out.shape) / case.schedule.entry.sum()
    slope = moving.respond_moving_adjoint(known, *given, out, log, points, done, bar)

    def asked(at, value):
        near = known.copy()
        near[at] = value
        return (moving.respond_moving(near, *given, moving.MOST_STEPS, TIGHT)[0] * bar).sum()

    at = rng.choice(len(case.model.parameters), 8, replace=False)
    differences = []
    for place in at:
        step = 1e-3 * abs(known[place])
        far = [asked(place, known[place] + k * step) for k in (-2, -1, 1, 2)]
        differences.append((far[0] - 8 * far[1] + 8 * far[2] - far[3]) / (12 * step) * known[place])
    np.testing.assert_allclose(slope[at] * known[at], differences, rtol=0.0, atol=1e-7 * np.abs(differences).max())


def test_a_lung_that_fills_lets_the_rest_of_one_dose_pass():
    """While a bolus goes in, d arrested / d cells = e(arrested), as long as what passes the lung does not come back."""
    case = Case("msc", (Dose("iv", 1e6),), "mouse", CROWDED, "reduced")
    model, known = case.model, case.known.copy()
    names = model.symbol_names
    for name in names:  # every organ but the lung holds all that comes
        if name.startswith("E_"):
            known[names.index(name)] = 1.0 - 1e-9
    known[names.index("E_lung")] = 0.8
    found = moving.respond_moving(known, *case.given)[0][0, model.states.index("lung.arrested")]
    share = 0.8 * (1.0 - 0.0)
    there = solve_ivp(lambda s, x: 1e6 * share * np.maximum(1.0 - x / CROWDED["capacity_lung"], 0.0), (0.0, 1.0), [0.0],
                      rtol=1e-11, atol=1e-3)  # fmt: skip
    assert found == pytest.approx(there.y[0, -1], rel=1e-6)
    assert found < 0.5e6

"""Rates that move with amounts or the hour: against the linear solver, another one, closed forms, differences."""

from functools import cache

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import lambertw

from pbpk.body.expansion import read_model
from pbpk.body.library import LIBRARY
from pbpk.dosing import Dose
from pbpk.errors import SolveError

MSC = (LIBRARY / "msc.toml").read_text()
HOURS = np.array([0.0, 0.05, 0.25, 1.0, 6.0, 24.0, 72.0, 168.0, 336.0])
DOSES = {
    "one bolus": [Dose("iv", 100.0)],
    "partly dead": [Dose("portal_vein", 100.0, viability=0.8)],
    "two, one of them slow": [Dose("iv", 50.0, 1.0, 0.5), Dose("artery", 50.0, 3.0)],
    "an infusion of seconds": [Dose("iv", 100.0, 0.0, 10.0 / 3600.0)],
}
FULL = "{organ}.blood      -> {organ}.arrested   : injury_{organ} * E_{organ}"
SMALL = """
name = "drug"
about = "one compartment with saturable elimination"
amount = "mg"
arrows = ["plasma -> gone : vmax / (km * volume + plasma)"]
outside = ["gone"]
[kinds]
drug = ["plasma"]
[readouts]
drug = ["drug"]
[observe]
plasma = { states = ["plasma"], per = "volume" }
[routes]
iv = "plasma"
[parameters.vmax]
unit = "mg/h"
prior = "lognormal(median=30, sigma=0.5)"
[parameters.km]
unit = "mg/L"
prior = "lognormal(median=4, sigma=0.5)"
[parameters.volume]
unit = "L"
prior = "lognormal(median=40, sigma=0.5)"
"""


@cache
def written(text):
    from pathlib import Path
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / "mine.toml"
        path.write_text(text)
        return read_model(path)


def still():
    """The shipped model, with the hour in a rate that it does not change."""
    return written(MSC.replace(': excretion"', ': excretion * (1 + 0 * hours)"'))


def crowded():
    """Arrest falls as the capillaries fill, and transfer fades with time."""
    text = MSC.replace(": transfer_{organ}", ": transfer_{organ} * exp(-hours / 200)")
    return written(text.replace(FULL, FULL + " / (1 + {organ}.arrested / 30)"))


def medians(model):
    return np.array([p.prior.centre for p in model.parameters])


@pytest.mark.parametrize("doses", DOSES.values(), ids=DOSES)
def test_rates_that_do_not_move_give_the_linear_answer(doses):
    linear, same = read_model("msc"), still()
    assert not same.is_linear
    ours, theirs = (model.solve(medians(linear), doses, HOURS) for model in (same, linear))
    seen = theirs > 1e-9
    np.testing.assert_allclose(ours[seen], theirs[seen], rtol=2e-8)
    np.testing.assert_allclose(ours[~seen], theirs[~seen], atol=1e-9)


@pytest.mark.parametrize("doses", DOSES.values(), ids=DOSES)
def test_both_fidelities_conserve_and_agree(doses):
    model = crowded()
    reduced, full = (model.solve(medians(model), doses, HOURS[1:], fidelity=f) for f in ("reduced", "full"))
    given = [sum(dose.cells for dose in doses if dose.hours + dose.duration_h <= hour) for hour in HOURS[1:]]
    done = np.array(given) == 100.0
    np.testing.assert_allclose(reduced[done, : model.n_lasting].sum(axis=1), 100.0, rtol=1e-12)
    np.testing.assert_allclose(full[done].sum(axis=1), 100.0, rtol=1e-12)
    assert (reduced >= 0.0).all()
    assert (full >= 0.0).all()
    # a bolus takes seconds of circulation in one and none in the other
    late = HOURS[1:] >= 6.0
    np.testing.assert_allclose(
        reduced[late][:, : model.n_lasting], full[late][:, : model.n_lasting], rtol=0.02, atol=1e-3
    )


def test_saturable_elimination_is_lamberts():
    """A' = -vmax A / (km V + A) from A0 has A = k W(A0/k exp((A0 - vmax t)/k)), k = km V (Beal 1983)."""
    model = written(SMALL)
    theta = medians(model)
    dose, hours = 500.0, np.array([0.0, 1.0, 5.0, 12.0, 24.0])
    named = {p.name: p.prior.centre for p in model.parameters}
    vmax, k = named["vmax"] * 1000, named["km"] * named["volume"] * 1000  # grams and mL inside
    expected = k * lambertw(dose / k * np.exp((dose - vmax * hours) / k)).real
    for fidelity in ("reduced", "full"):
        found = model.solve(theta, [Dose("iv", dose)], hours, fidelity=fidelity)
        np.testing.assert_allclose(found[:, model.states.index("plasma")], expected, rtol=1e-7)
        np.testing.assert_allclose(found.sum(axis=1), dose, rtol=1e-12)


def test_an_infusion_into_saturable_elimination_is_that_of_another_solver():
    model = written(SMALL)
    named = {p.name: p.prior.centre for p in model.parameters}
    vmax, k = named["vmax"] * 1000, named["km"] * named["volume"] * 1000
    found = model.solve(medians(model), [Dose("iv", 300.0, 1.0, 3.0)], np.array([2.0, 4.0, 9.0]))
    theirs = [0.0]
    for low, high, inflow in ((1.0, 2.0, 100.0), (2.0, 4.0, 100.0), (4.0, 9.0, 0.0)):
        path = solve_ivp(
            lambda t, a, r=inflow: r - vmax * a / (k + a), (low, high), theirs[-1:], rtol=1e-10, atol=1e-12
        )
        theirs.append(path.y[0, -1])
    np.testing.assert_allclose(found[:, model.states.index("plasma")], theirs[1:], rtol=1e-7)


def test_twice_the_dose_is_not_twice_the_answer():
    model = crowded()
    one, two = (model.solve(medians(model), [Dose("iv", cells)], [1.0])[0] for cells in (50.0, 100.0))
    at = model.states.index("lung.arrested")
    assert two[at] < 1.9 * one[at]


def test_a_dose_in_parts_at_one_time_is_the_dose():
    model = crowded()
    whole = model.solve(medians(model), [Dose("iv", 90.0)], HOURS)
    parts = model.solve(medians(model), [Dose("iv", 30.0)] * 3, HOURS)
    np.testing.assert_allclose(parts, whole, rtol=1e-7, atol=1e-9)


def test_what_cannot_be_followed_is_refused():
    model = crowded()
    theta = medians(model)
    theta[model.parameter_names.index("uptake")] = 1e12
    with pytest.raises(SolveError, match=r"too fast to follow step by step; list fast states under `passing`"):
        model.solve(theta, [Dose("iv", 1.0)], [336.0])

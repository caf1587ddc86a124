"""Coefficients of curves against the model's solver and finite differences, and the arithmetic against fractions."""

from fractions import Fraction
from math import factorial

import numpy as np
import pytest
from mousestudy import organ_rows, read_joint, write_origins, write_rows

from pbpk.infer.design.series import (
    Field,
    body_of,
    duals,
    echelon,
    many_digits,
    null_space,
    quotient,
    rational,
    run_tape,
)

PRIME = Field(2147483647)
DECIMAL = Field()


@pytest.fixture(autouse=True)
def in_digits():
    with many_digits():
        yield


def as_fraction(residue, field, largest=10**4):
    """Smallest fraction that a residue stands for."""
    for below in range(1, largest):
        above = int(residue) * below % field.prime
        above = above - field.prime if above > field.prime // 2 else above
        if abs(above) < largest:
            return Fraction(above, below)
    raise AssertionError("no small fraction")


@pytest.mark.parametrize("value", [0.1 + 0.2, 3e-5, 7.3 * 0.13, 2.0, 1.0 / 3.0])
def test_floats_become_the_simple_fractions_they_were(value):
    assert float(rational(value)) == pytest.approx(value, rel=1e-14)
    assert rational(value).denominator < 10**6


@pytest.mark.parametrize("value", [np.pi, np.pi * 1e-9, 1e-15 * np.e])
def test_others_stay_what_they_are(value):
    assert float(rational(value)) == pytest.approx(value, rel=2e-14)


@pytest.mark.parametrize("field", [PRIME, DECIMAL], ids=["prime", "decimals"])
def test_duals_are_values_and_slopes(field):
    found = duals(field, {"x": field.number(Fraction(3)), "y": field.number(Fraction(5))}, ["x", "y"])
    ratio = field.times(field.times(found["x"], found["x"]), field.over(found["y"]))  # x^2 / y
    exact = [Fraction(9, 5), Fraction(6, 5), Fraction(-9, 25)]
    if field.prime:
        assert [as_fraction(x, field) for x in ratio] == exact
    else:
        assert [float(x) for x in ratio] == pytest.approx([float(x) for x in exact], rel=1e-15)


def test_residues_do_not_overflow():
    largest = np.full(3, PRIME.prime - 1, dtype=np.int64)
    assert (PRIME.times(largest, largest) == [1, 2, 2]).all()


@pytest.mark.parametrize("field", [PRIME, DECIMAL], ids=["prime", "decimals"])
def test_echelon_form_and_null_space(field):
    rows = [[1, 2, 3, 4], [2, 4, 7, 9], [3, 6, 10, 13]]
    matrix = field.zeros(3, 4)
    for at in np.ndindex(3, 4):
        matrix[at] = field.number(Fraction(rows[at[0]][at[1]]))
    assert echelon(field, matrix)[1] == [0, 2]
    null = null_space(field, matrix)
    assert len(null) == 2
    assert field.is_zero(field.reduced(matrix @ null.T)).all()


@pytest.mark.parametrize("field", [PRIME, DECIMAL], ids=["prime", "decimals"])
def test_a_quotient_of_series(field):
    # of exp(-t) over exp(-3 t) the series is that of exp(2 t), and a power of t below is left out
    above = np.stack([field.constant(float((-1) ** j), 0) for j in range(7)])
    below = np.stack([field.constant(float((-3) ** j), 0) for j in range(7)])
    shifted = np.concatenate([below[:1] * 0, np.stack([(j + 1) * below[j] for j in range(6)])])  # t exp(-3 t)
    for given, terms in ((below, 7), (field.reduced(shifted), 6)):
        found = quotient(field, above, given)
        assert len(found) == terms
        for j in range(terms):
            exact = field.number(Fraction(2**j, factorial(j)))
            assert field.is_zero(field.reduced(np.array([found[j, 0] - exact]))).all()


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    folder = tmp_path_factory.mktemp("series")
    rows = organ_rows((1,), ("lung", "liver", "rest"))
    doses = "group,hours,cells,route,duration_min\niv,0,1000000,iv,{}\n"
    model = write_origins(folder / "origins.toml")
    return [read_joint(write_rows(folder / f"s{minutes}", rows, model=model, doses=doses.format(minutes)))
            for minutes in (0, 120)]  # fmt: skip


def curves(joint, theta, unknown, lasting=None):
    """Body and coefficients of the only experiment, in decimals, at a parameter vector."""
    (experiment,), model = joint.experiments, joint.model
    point = {name: DECIMAL.number(Fraction(float(x))) for name, x in zip(joint.names, theta, strict=True)}
    known = duals(DECIMAL, point, unknown)
    values = dict(zip(model.symbol_names, model.symbols(theta[: len(model.parameters)]), strict=True))
    symbols = [known.get(name, DECIMAL.constant(value, len(unknown))) for name, value in values.items()]
    plain = [np.nan if name in known else value for name, value in values.items()]
    registers = run_tape(DECIMAL, model, symbols, plain)
    observers = np.array([model.observer(organ, "label") for organ in ("lung", "liver", "rest")])
    return body_of(DECIMAL, model, registers, experiment.schedule, observers, lasting or model.n_lasting)


def test_the_series_is_that_of_the_solved_curves(cells):
    joint = cells[0]
    theta = joint.theta(0.5 * np.random.default_rng(3).standard_normal(len(joint.free)))
    body = curves(joint, theta, ["release"])
    found = body.coefficients(40).astype(float)[0, :, :, 0]
    hours = np.array([0.01, 1.0, 4.0])
    summed = sum(found[:, [j]] * hours**j / factorial(j) for j in range(40))
    states = joint.solve(joint.experiments[0], theta[np.newaxis], hours)[0]
    solved = states @ np.transpose([joint.model.observer(organ, "label") for organ in ("lung", "liver", "rest")])
    np.testing.assert_allclose(summed.T, solved, rtol=1e-9)


def test_slopes_are_those_of_the_coefficients(cells):
    joint = cells[0]
    names = [p.name for p in joint.free if p.name not in ("spread", "misfit")]
    theta = joint.theta(0.5 * np.random.default_rng(4).standard_normal(len(joint.free)))
    found = curves(joint, theta, names).coefficients(5).astype(float)[0]
    for i, name in enumerate(names):
        ends = []
        for sign in (1.0, -1.0):
            moved = theta.copy()
            moved[joint.names.index(name)] += sign * 1e-5
            ends.append(curves(joint, moved, names).coefficients(5).astype(float)[0, :, :, 0])
        np.testing.assert_allclose(found[:, :, 1 + i], (ends[0] - ends[1]) / 2e-5, rtol=1e-4, atol=1e-6)


def test_what_passes_while_an_infusion_runs_is_its_jump_at_the_end(cells):
    bolus, infusion = cells
    theta = bolus.theta(np.zeros(len(bolus.free)))
    assert DECIMAL.is_zero(curves(bolus, theta, ["release"]).under_way).all()
    passing = curves(infusion, theta, ["release"]).under_way.astype(float)[0, :, 0] / 2.0  # hours
    hours = np.array([2.0 - 1e-9, 2.0 + 1e-9])
    states = infusion.solve(infusion.experiments[0], theta[np.newaxis], hours)[0]
    seen = states @ np.transpose([infusion.model.observer(organ, "label") for organ in ("lung", "liver", "rest")])
    assert passing.min() > 0.0
    np.testing.assert_allclose(seen[0] - seen[1], passing, rtol=1e-4)

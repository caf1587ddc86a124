import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pbpk.body.rates import parse_rate
from pbpk.body.tape import (
    carry_back,
    carry_on,
    extend,
    moving_registers,
    run,
    run_again,
    run_back,
    run_many,
    write_tape,
)

NAMES = ["a", "b", "c"]
PLACES = {name: i for i, name in enumerate(NAMES)}
EVERY_OPERATION = [
    *("a + b", "a - b", "a * b", "a / b", "a ** b", "-a", "exp(a)", "log(a)", "sqrt(a)"),
    *("a + a", "a - a", "a * a", "a / a", "a ** a", "a ** 2", "2 ** a", "a", "0.5", "-(-a)"),
    "b * a / (1 - a) * c / b",
    "exp(-a * b) + log(a + b) ** 2 / sqrt(c)",
]
expression = st.recursive(
    st.sampled_from([*NAMES, "2", "0.5"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda text: f"-{text}"),
        st.tuples(st.sampled_from(["exp", "log", "sqrt"]), inner).map(lambda t: f"{t[0]}({t[1]})"),
    ),
    max_leaves=8,
)


def taped(texts, values):
    """Values of rates, and for each the gradient by the symbols."""
    tape = write_tape([(parse_rate(text), PLACES) for text in texts], len(NAMES))
    registers = run(tape.steps, tape.literals, values)
    gradients = [run_back(tape.steps, registers, len(NAMES), tape.outputs, bar) for bar in np.eye(len(texts))]
    return registers[tape.outputs], np.array(gradients)


def by_sympy(text, values):
    symbols = sympy.symbols(NAMES)
    whole = sympy.sympify(text, locals=dict(zip(NAMES, symbols, strict=True)))
    at = dict(zip(symbols, map(sympy.Float, values), strict=True))
    found = [complex(sympy.N(e.subs(at))) for e in (whole, *(whole.diff(s) for s in symbols))]
    return np.array(found)


@pytest.mark.parametrize("text", EVERY_OPERATION)
def test_each_operation_and_its_derivative(text):
    values = np.array([0.7, 1.9, 0.4])
    ours, gradient = taped([text], values)
    theirs = by_sympy(text, values).real
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-14)
    np.testing.assert_allclose(gradient[0], theirs[1:], rtol=1e-12, atol=1e-14)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(expression)
def test_any_rate_and_its_gradient(text):
    values = np.array([0.7, 1.9, 0.4])
    try:
        theirs = by_sympy(text, values)
    except (TypeError, ZeroDivisionError):  # a pole
        assume(False)
    assume(np.isfinite(theirs).all() and abs(theirs).max() < 1e8 and abs(theirs.imag).max() == 0)
    ours, gradient = taped([text], values)
    assume(np.isfinite(ours).all())  # a pole that sympy cancels
    np.testing.assert_allclose(ours[0], theirs[0].real, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(gradient[0], theirs[1:].real, rtol=1e-8, atol=1e-9)


def test_a_repeated_expression_is_written_once():
    texts = ["exp(a * b) + c", "exp(a * b) - c", "a * b"]
    tape = write_tape([(parse_rate(text), PLACES) for text in texts], len(NAMES))
    assert len(tape.steps) == 4  # a*b, exp, +, -
    values = np.array([0.2, 3.0, 5.0])
    e = np.exp(0.6)
    ours, gradient = taped(texts, values)
    np.testing.assert_allclose(ours, [e + 5, e - 5, 0.6], rtol=1e-15)
    np.testing.assert_allclose(gradient, [[3 * e, 0.2 * e, 1], [3 * e, 0.2 * e, -1], [3, 0.2, 0]], rtol=1e-14)


def test_a_number_is_written_once():
    tape = write_tape([(parse_rate(text), PLACES) for text in ["2 * a", "2 * b + 2.0", "0.5"]], len(NAMES))
    assert tape.literals.tolist() == [2.0, 0.5]


def test_two_places_are_two_symbols():
    rate = parse_rate("a * 2")
    tape = write_tape([(rate, {"a": 0}), (rate, {"a": 2})], 3)
    out = run_many(tape.steps, tape.literals, tape.outputs, np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    assert out.tolist() == [[2.0, 6.0], [8.0, 12.0]]


def test_the_gradient_of_a_sum_is_the_sum_of_gradients():
    texts, weights = ["a / b", "exp(a * c)"], np.array([0.3, -2.0])
    values = np.array([0.7, 1.9, 0.4])
    tape = write_tape([(parse_rate(text), PLACES) for text in texts], len(NAMES))
    registers = run(tape.steps, tape.literals, values)
    together = run_back(tape.steps, registers, len(NAMES), tape.outputs, weights)
    np.testing.assert_allclose(together, weights @ taped(texts, values)[1], rtol=1e-14)


POLES = ["a / b", "log(b)", "b ** (-1)", "sqrt(b)", "sqrt(a - 2)"]


@pytest.mark.parametrize("text", POLES)
def test_a_pole_is_a_value_not_an_exception(text):
    tape = write_tape([(parse_rate(text), PLACES)], len(NAMES))
    registers = run(tape.steps, tape.literals, np.array([1.0, 0.0, 1.0]))
    assert text == "sqrt(b)" or not np.isfinite(registers[tape.outputs[0]])


@pytest.mark.parametrize("text", POLES)
def test_the_gradient_at_a_pole_is_not_finite_and_not_an_exception(text):
    tape = write_tape([(parse_rate(text), PLACES)], len(NAMES))
    registers = run(tape.steps, tape.literals, np.array([1.0, 0.0, 1.0]))
    assert not np.isfinite(run_back(tape.steps, registers, len(NAMES), tape.outputs, np.ones(1))).all()


TEXTS = ["a * exp(b)", "b * c", "a / (a + c) * b ** 2", "c", "sqrt(a * a)"]


def test_only_what_moves_is_run_again():
    """The last symbol moves: rates are those of a whole run, and what does not read it is left alone."""
    tape = write_tape([(parse_rate(text), PLACES) for text in TEXTS], len(NAMES))
    before, after = np.array([0.7, 1.9, np.nan]), np.array([0.7, 1.9, 0.4])
    registers = run(tape.steps, tape.literals, before)
    moves = moving_registers(tape.steps, 2, 3, len(tape.literals))
    order = np.flatnonzero(moves[3 + len(tape.literals) :])
    assert 0 < len(order) < len(tape.steps)
    registers[2] = after[2]
    run_again(tape.steps, order, registers)
    np.testing.assert_array_equal(registers, run(tape.steps, tape.literals, after))


def test_derivatives_carried_on_are_those_carried_back():
    tape = write_tape([(parse_rate(text), PLACES) for text in TEXTS], len(NAMES))
    registers = run(tape.steps, tape.literals, np.array([0.7, 1.9, 0.4]))
    order = np.arange(len(tape.steps))
    slopes, extent = np.zeros((registers.size, 3)), np.zeros((registers.size, 2), np.int64)
    slopes[:3] = np.eye(3)
    extent[:3] = [[0, 1], [1, 2], [2, 3]]
    extend(tape.steps, order, extent)
    carry_on(tape.steps, order, registers, slopes, extent)
    for output, bar in zip(tape.outputs, np.eye(len(TEXTS)), strict=True):
        back = run_back(tape.steps, registers, 3, tape.outputs, bar)
        np.testing.assert_allclose(slopes[output], back, rtol=1e-14, atol=1e-15)
        outside = [d for d in range(3) if not extent[output, 0] <= d < extent[output, 1]]
        assert not back[outside].any()


def test_a_gradient_may_be_handed_back_in_two_parts():
    """First through what moves, where it is used up, then through the rest, as at many points of one solution."""
    tape = write_tape([(parse_rate(text), PLACES) for text in TEXTS], len(NAMES))
    registers = run(tape.steps, tape.literals, np.array([0.7, 1.9, 0.4]))
    moves = moving_registers(tape.steps, 2, 3, len(tape.literals))[3 + len(tape.literals) :]
    bar = np.zeros(registers.size)
    np.add.at(bar, tape.outputs, 1.0)
    carry_back(tape.steps, np.flatnonzero(moves), registers, bar)
    assert not bar[3 + len(tape.literals) :][moves].any()
    carry_back(tape.steps, np.flatnonzero(~moves), registers, bar)
    whole = run_back(tape.steps, registers, 3, tape.outputs, np.ones(len(TEXTS)))
    np.testing.assert_allclose(bar[:3], whole, rtol=1e-14)

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from pbpk.body.rates import parse_rate
from pbpk.errors import ModelFileError

NAMES = ["flow", "E_lung", "x"]
expression = st.recursive(
    st.sampled_from([*NAMES, "2", "0.5", "3e-2"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda text: f"-{text}"),
        st.tuples(st.sampled_from(["exp", "log", "sqrt"]), inner).map(lambda t: f"{t[0]}({t[1]})"),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(expression)
def test_a_rate_means_what_sympy_reads(text):
    values = {"flow": 1.3, "E_lung": 0.7, "x": 2.1}
    with np.errstate(all="ignore"):
        ours = parse_rate(text).evaluate({name: np.complex128(value) for name, value in values.items()}, np)
    symbols = {name: sympy.Symbol(name) for name in NAMES}
    theirs = sympy.sympify(text, locals=symbols).subs(values)
    theirs = complex(sympy.N(theirs)) if theirs.is_finite else 0.0
    if theirs.imag == 0 and 0 < abs(theirs) < 1e100:  # off the real line a logarithm has many values
        np.testing.assert_allclose(complex(ours), theirs, rtol=1e-6, atol=1e-9)


def test_names_stand_in_order_of_appearance_once():
    assert parse_rate("b * a + exp(b) / lung.arrested - {organ}.blood * E_{organ}").names == (
        *("b", "a", "lung.arrested", "{organ}.blood", "E_{organ}"),
    )


def test_a_placeholder_is_filled_everywhere():
    rate = parse_rate("E_{fed} / (1 - E_{fed}) * artery_{fed}").filled("fed", "liver")
    assert rate.names == ("E_liver", "artery_liver")
    assert rate.evaluate({"E_liver": 0.5, "artery_liver": 7.0}) == 7.0


def test_precedence_is_that_of_arithmetic():
    assert parse_rate("2 - 3 - 4 * 2 ** 3 / -8").evaluate({}) == 3.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("__import__('os').system('true')", "not allowed"),
        ("exp.__class__.__bases__", "not allowed"),
        ("(lambda: 1)()", "not allowed"),
        ("sin(x)", "exp, log, sqrt"),
        ("exp(x, y)", "not allowed"),
        ("exp(x=1)", "not allowed"),
        ("x if y else z", "not allowed"),
        ("[x for x in y]", "not allowed"),
        ("x % y", "not allowed"),
        ("x // y", "not allowed"),
        ("x < y", "not allowed"),
        ("True", "`True` is not allowed"),
        ("'text'", "not allowed"),
        ("1j * x", "not allowed"),
        ("+x", "not allowed"),
        ("E_{organ} @ y", "`E_{organ} @ y` is not allowed"),
        ("x * (y + 1", "check its brackets"),
        ("x ++* y", "check its brackets"),
        ("", "check its brackets"),
        ("x = 1", "check its brackets"),
    ],
)
def test_anything_else_is_refused(text, said):
    with pytest.raises(ModelFileError) as refusal:
        parse_rate(text)
    assert said in str(refusal.value)
    assert f"`{text}`" in str(refusal.value)

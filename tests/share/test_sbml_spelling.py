"""Names, units and rates as SBML spells them, read back by libSBML."""

import libsbml
import pytest

from pbpk.body.rates import parse_rate
from pbpk.share.sbml_spelling import Ids, Units, formula


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a * b / c", "a * b / c"),
        ("a - b - c", "a - b - c"),
        ("a - (b - c)", "a - (b - c)"),
        ("exp(-a * hours)", "exp(-a * time)"),
        ("sqrt(a) + log(b)", "root(2, a) + ln(b)"),
        ("a ** 2", "a^2"),
    ],
)
def test_a_rate_is_the_same_formula(text, written):
    rate = parse_rate(text)
    ids = {name: name for name in rate.names} | {"hours": "hours"}
    assert libsbml.formulaToL3String(formula(rate, ids)).replace(" dimensionless", "") == written


def test_amounts_are_brought_to_the_unit_that_rates_count_in():
    written = libsbml.formulaToL3String(formula(parse_rate("k / (1 + x)"), {"k": "k", "x": "x"}, "f", frozenset({"x"})))
    assert written.replace(" dimensionless", "") == "k / (1 + f * x)"


def test_ids_are_given_once_and_are_no_words_of_readers():
    ids = Ids()
    assert [ids.new("time"), ids.new("a.b"), ids.new("a_b"), ids.new("1x")] == ["time_2", "a_b", "a_b_2", "_1x"]


def test_units_are_what_they_say():
    document = libsbml.SBMLDocument(3, 2)  # owns the model, so it must live as long
    sbml = document.createModel()
    units = Units(sbml, "cells")
    assert units.of("mL/h") == "mL_per_h"
    assert units.of("mL/h") == "mL_per_h"
    definition = sbml.getUnitDefinition("mL_per_h")
    parts = [(unit.getKind(), unit.getExponent(), unit.getMultiplier()) for unit in definition.getListOfUnits()]
    assert parts == [(libsbml.UNIT_KIND_LITRE, 1, 1e-3), (libsbml.UNIT_KIND_SECOND, -1, 3600.0)]

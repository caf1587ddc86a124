"""A check passes where it may and nowhere else, and says so in words."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbpk.predict.qualification.checks import COLUMNS, GROUPS, Check, at_most, broken, checks_table, failed, same

numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(numbers, st.floats(allow_nan=False))
def test_a_number_passes_where_it_is_at_most_its_limit(value, limit):
    check = at_most("solver", "lung", "one against another", value, limit, "1", "nobody")
    assert check.passed == (value <= limit)  # so one that is no number never does
    assert ("within" in check.sentence) == check.passed
    assert json.loads(json.dumps(check.told, allow_nan=False))["passed"] == check.passed


@given(st.text(), st.text())
def test_words_pass_where_they_are_the_same(found, wanted):
    assert same("record", "draws", "as many as were made", found, wanted, "nobody").passed == (found == wanted)


def test_what_could_not_be_made_did_not_pass():
    check = broken("balance", "mouse", "a file is read", "no such file.", "nobody")
    assert not check.passed
    assert check.sentence == "mouse: no such file."


@pytest.mark.parametrize(("value", "shown"), [(1.0131, "1.0131"), (1.0102, "1.0102"), (3.0, "3,")])
def test_a_failure_does_not_look_like_its_limit(value, shown):
    check = at_most("convergence", "R-hat", "chains agree", value, 1.01, "1", "nobody", "")
    assert shown in check.sentence
    assert not check.passed


def test_the_table_has_every_column_in_order():
    checks = [at_most("solver", name, "a", value, 1.0, "cells", "s", "here") for name, value in (("a", 0.5), ("b", 2))]
    table = checks_table(checks)
    assert list(table.columns) == COLUMNS
    assert table["passed"].tolist() == [True, False]
    assert [check.name for check in failed(checks)] == ["b"]
    assert "2 cells (here), above the limit of 1 cell." in table["sentence"][1]
    assert list(checks_table([]).columns) == COLUMNS


def test_every_group_has_a_heading():
    assert all(GROUPS.values())
    assert Check("assay", "a", "b", math.nan, 1.0, "", False, "c", "d").told["value"] == "nan"

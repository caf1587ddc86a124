import pytest

from pbpk.body.arrows import Line
from pbpk.body.states import check_holds, held, known_state
from pbpk.errors import ModelFileError

GROUPS = {"organ": ["lung", "liver"]}
LINES = [Line("blood -> {organ}.tissue : 1", GROUPS, ("arrows", 0)), Line("blood -> gone : 2", GROUPS, ("arrows", 1))]
STATES = ["blood", "lung.tissue", "liver.tissue", "gone"]


def test_a_state_that_an_arrow_touches_is_known():
    assert known_state(("passing", 0), "blood", STATES) == "blood"
    with pytest.raises(ModelFileError, match=r"^passing: no arrow touches `blod`\. Did you mean `blood`\?") as refusal:
        known_state(("passing", 0), "blod", STATES)
    assert refusal.value.at == ("passing", 0)


def test_a_template_holds_a_state_of_each_organ():
    assert held(("kinds", "drug"), ["blood", "{organ}.tissue"], GROUPS, STATES) == {*STATES[:3]}
    with pytest.raises(ModelFileError, match=r"^kinds\.drug: no arrow touches `lung\.tisue`") as refusal:
        held(("kinds", "drug"), ["blood", "{organ}.tisue"], GROUPS, STATES)
    assert refusal.value.at == ("kinds", "drug", 1)


def test_every_state_is_of_one_kind():
    holds = {"drug": frozenset(STATES[:3]), "outside": frozenset(["gone"])}
    check_holds(holds, STATES, LINES)
    with pytest.raises(ModelFileError, match=r"`gone` must be listed once, .*; it is under none") as refusal:
        check_holds(holds | {"outside": frozenset()}, STATES, LINES)
    assert refusal.value.at == ("arrows", 1)
    with pytest.raises(ModelFileError, match=r"`blood` must be listed once, .*; it is under drug and outside"):
        check_holds(holds | {"outside": frozenset(["gone", "blood"])}, STATES, LINES)

"""Commands that ask stand beside the others, and those that choose what to do next under `design`."""

import re

import pytest
from saying import say


@pytest.mark.parametrize("command", ["simulate", "exposure", "population", "sensitivity", "design"])
def test_the_first_help_names_them(command):
    assert re.search(rf"^\W*{command} ", say("--help").out, flags=re.MULTILINE)


@pytest.mark.parametrize("command", ["dose", "study"])
def test_what_to_do_next_has_an_example(command):
    said = say("design", command, "--help")
    assert said.code == 0
    assert f"Example: pbpk design {command} " in said.out


def test_an_unknown_choice_is_told():
    said = say("design", "doze")
    assert said.code == 2
    assert "doze" in said.err

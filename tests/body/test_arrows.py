"""Arrow lines: one for each organ of a group."""

import pytest

from pbpk.body.arrows import Line, fill
from pbpk.errors import ModelFileError

GROUPS = {"organ": ["lung", "liver"], "fed": ["liver"]}


def test_a_line_stands_for_an_arrow_in_each_organ():
    line = Line("{organ}.blood  ->   {organ}.arrested : a_{organ} * 2", GROUPS)
    assert line.head == "{organ}.blood -> {organ}.arrested"
    assert line.sources == ["lung.blood", "liver.blood"]
    assert line.targets == ["lung.arrested", "liver.arrested"]
    assert line.organs == ("lung", "liver")
    assert line.fill("a_{organ}", "lung") == "a_lung"


def test_a_line_without_placeholder_stands_for_itself():
    line = Line("vein -> lung.blood : flow", GROUPS)
    assert (line.sources, line.targets, line.organs) == (["vein"], ["lung.blood"], ("",))


def test_a_text_is_filled_once_for_each_member():
    assert fill("{fed}.blood", GROUPS) == ["liver.blood"]
    assert fill("vein", GROUPS) == ["vein"]
    with pytest.raises(ModelFileError, match=r"no group `fedd`\. Did you mean `fed`\?"):
        fill("{fedd}.blood", GROUPS)

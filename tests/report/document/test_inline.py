import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from pbpk.report.document.inline import Code, Doubtful, Line, Link, Mark, Strong, printable, spaced, with_code

PIECES = [
    Code,
    Strong,
    lambda text: Mark(text, "good"),
    lambda text: Link(text, "#a"),
    lambda text: Doubtful(text, text),
    lambda text: Line((text, Code(text))),
]


@pytest.mark.parametrize("piece", PIECES)
def test_what_a_user_wrote_is_escaped_and_kept(piece):
    written = piece("<b>&_x</b>")
    assert "<b>" not in written.__html__()
    assert "&lt;b&gt;&amp;_" in written.__html__()
    assert "<b>&_x</b>" in str(written)


def test_verdicts_and_lessons_have_their_own_classes():
    assert Mark("yes", "good").__html__() == '<span class="verdict good">yes</span>'
    assert Mark("not learned", "not learned").__html__() == '<span class="mark not-learned">not learned</span>'


def test_backticks_make_code():
    assert with_code("`a` and `b`").pieces == (Code("a"), " and ", Code("b"))
    assert str(with_code("no code")) == "no code"


def test_pieces_stand_apart():
    assert str(spaced(["a", Code("b"), "c"])) == "a b c"
    assert spaced([]).pieces == ()


@given(st.text())
def test_what_prints_has_no_control_characters_and_loses_none(text):
    shown = printable(text)
    assert not any(ord(letter) < 32 and letter not in "\t\n\r" for letter in shown)
    shown.encode("utf-8")
    assert shown.count("[U+0007]") == text.count("\x07") + text.count("[U+0007]")


@pytest.mark.parametrize("piece", PIECES)
def test_markup_is_not_escaped_twice(piece):
    assert Markup("<td>{}</td>").format(piece("a_b")) == f"<td>{piece('a_b').__html__()}</td>"

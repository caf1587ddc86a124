"""Every view of an answer is a piece of a page that says what it rests on."""

from dataclasses import replace

import pytest
from parsed import parsed

from pbpk.report.explore.answer import ask
from pbpk.report.explore.form import Form
from pbpk.report.explore.shown import VIEWS, Shown
from pbpk.report.explore.views import command_line, view_html


@pytest.fixture(scope="module")
def worded(origin, starts, forms):
    """A hypothesis with markup in its name, and another animal."""
    first = replace(forms[0], title="<b>Wide</b> & split", vasodilated="lung", doses="3", duration_min="5", dose="1e6")
    return ask(origin, [first, replace(forms[1], species="human", dose="1e6", per="cells_per_kg")], starts)


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_whole_and_quotes_names(answer, worded, view):
    for each in (answer, worded):
        text = str(view_html(each, Shown(view=view, cells="2e5")))
        parsed(text)
        assert "<b>" not in text
        assert "&lt;b&gt;Wide&lt;/b&gt;" in text or each is answer


def test_marks_and_conditions_stand_above_what_is_shown(answer, worded):
    text = str(view_html(worded, Shown()))
    assert 'badge hypothesis">hypothesis' in text
    assert "read it as a hypothesis" in text
    assert 'badge extrapolation">extrapolation' in text
    assert "Nothing was measured in this animal. From mouse to human" in text
    assert "into the portal vein in 3 doses 24 h apart, each over 5 min; lung capillaries 1.2 times as wide" in text
    assert "human; 7.00 × 10⁷ cells (1.00 × 10⁶ per kg)" in text
    assert "No data stand behind this answer" in view_html(answer, Shown())


def test_the_numbers_are_those_of_the_command_line(answer):
    text = str(view_html(answer, Shown()))
    for row in answer.headline.rows.values():
        for told in row:
            assert f"{told.middle} <small>{told.interval}</small>" in text


def test_problems_are_alerts_and_nothing_asked_is_said(origin, starts):
    found = ask(origin, [Form(title="X", dose="?")], starts)
    text = view_html(found, Shown())
    assert 'role="alert"' in text
    assert "write a number" in text
    assert "add one" in view_html(ask(origin, [], starts), Shown())
    alone = ask(origin, [Form(title="X", route="iv")], starts)
    assert "Two scenarios make a difference" in view_html(alone, Shown(view="differences"))
    assert "Say how many" in str(view_html(alone, Shown(view="limit"))).replace("say how many", "Say how many")


def test_the_command_says_what_the_page_asks(answer):
    shown = Shown(against="portal_vein")
    assert command_line("'a run'", answer, shown, " --seed 2") == (
        "pbpk simulate 'a run' scenarios --out answers --seed 2 --against portal_vein"
    )
    assert "--against" not in command_line("msc", answer, Shown(against="nobody"))

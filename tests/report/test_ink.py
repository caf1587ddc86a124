import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from pbpk.report.ink import COLOURS, colour, hours_axis, inked, marker, plain, svg


def drawn(text="x"):
    figure = Figure()
    axes = figure.subplots()
    axes.plot([1, 2], [1, 2])
    axes.set_title(plain(text))
    return figure


def test_svg_is_the_same_twice_and_carries_nothing_from_outside():
    first, second = (svg(drawn(), "about", "a") for _ in range(2))
    assert first == second
    assert first.startswith("<svg")
    for word in ("<?xml", "DOCTYPE", "metadata", "matplotlib.org", "dc:date"):
        assert word not in first


def test_ids_of_two_figures_do_not_meet():
    text = svg(drawn(), "about", "mine")
    assert ' id="mine-' in text
    assert ' id="figure' not in text
    assert "url(#mine-" in text or 'href="#mine-' in text


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "$x^$ & $y$", r"\frac{1}", "{{ x }}", "| a |"])
def test_hostile_text_is_drawn_as_it_stands(text):
    markup = svg(drawn(text), text, "a")
    assert "<script>" not in markup
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert escaped in markup


def test_a_sign_the_font_lacks_is_no_error():
    assert "細胞" in svg(drawn("細胞"), "about", "a")


def test_organs_are_told_apart():
    assert len({colour(organ) for organ in COLOURS}) == len(COLOURS)
    assert len({colour("kidney"), colour("kidney_left"), colour("kidney_right")}) == 3
    assert colour("thymus") == colour("thymus")
    assert marker("kidney_left") == marker("kidney") != marker("liver")


def test_the_style_does_not_leak():
    before = dict(mpl.rcParams)
    inked(drawn)()
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(("low", "high", "log"), [(0.05, 400, True), (0.6, 437, True), (0, 260, False), (0, 1, False)])
def test_hours_have_a_few_round_ticks(low, high, log):
    axes = Figure().subplots()
    hours_axis(axes, low, high, log)
    ticks = axes.get_xticks()
    assert 2 <= len(ticks) <= 7
    assert low <= min(ticks) <= max(ticks) <= high

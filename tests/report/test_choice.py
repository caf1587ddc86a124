"""The page of a choice: every way is a line and a row."""

import pytest

from pbpk.body.species import read_species
from pbpk.predict.dose_choice import Limit, choose_dose, ways_of
from pbpk.predict.endpoint import parse_endpoint
from pbpk.predict.origin import read_prior
from pbpk.report.choice import choice_html, choice_table, frontier_figure


@pytest.fixture(scope="module")
def choice():
    prior = read_prior("msc", read_species("mouse"), "FND", draws=20)
    return choose_dose(prior, ways_of(prior, doses=(1, 2)), parse_endpoint("AUC liver live"), Limit("lung", 2e5), 5e6)


def test_every_way_is_a_line_with_its_most_cells_under_the_limit(choice):
    (axes,) = frontier_figure(choice).axes
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert len(dots) == len(choice.table)
    assert axes.get_xscale() == axes.get_yscale() == "log"
    (star,) = (line for line in axes.lines if line.get_marker() == "*")
    assert star.get_ydata()[0] == choice.table["target"].max()


def test_every_way_is_a_row_best_first(choice):
    table = choice_table(choice)
    assert len(table.rows) == len(choice.table)
    assert table.rows[0][:2] == ("portal vein", "2 doses 24 h apart")
    assert "cells · h" in table.caption


def test_hostile_words_print_literally(choice):
    page = choice_html(choice, "the fit of <b>$x_1$</b>")
    assert "&lt;b&gt;$x_1$&lt;/b&gt;" in page
    assert "<b>$x_1$" not in page

"""What the figures of values and predictions draw, against the tables they were given."""

import numpy as np
import pandas as pd
import pytest

from pbpk.infer.design.prior_check import check_prior
from pbpk.infer.draws.predictive_check import check_predictions
from pbpk.report import predictive_figures as figures
from pbpk.report.ink import ALERT


def shown(figure):
    return [axes for axes in figure.axes if axes.axison]


def rings(axes, filled):
    """Heights of the values drawn, those filled red or the open ones."""
    lines = [line for line in axes.lines if line.get_marker() == "o"]
    some = [line for line in lines if (line.get_markerfacecolor() == ALERT) == filled]
    return np.concatenate([line.get_ydata() for line in some])


@pytest.fixture(scope="module")
def table(sampled):
    return check_predictions(sampled.posterior, 200).table


def test_the_prior_has_a_panel_for_each_organ_with_its_values(believed):
    found = shown(figures.prior_figure(believed))
    assert {axes.get_title(loc="left") for axes in found} == set(believed.table["organ"])
    lung = next(axes for axes in found if axes.get_title(loc="left") == "lung")
    rows = believed.table[believed.table["organ"] == "lung"]
    drawn = np.concatenate([rings(lung, False), rings(lung, True)])
    np.testing.assert_allclose(np.sort(drawn), np.sort(rows["value"]))
    assert len(rings(lung, True)) == (rows["side"] != "").sum()
    assert all(axes.get_yscale() == "log" for axes in found)


def test_ranges_that_begin_at_nothing_are_drawn(patients):
    check = check_prior(patients.joint, 40)
    assert all(axes.collections for axes in shown(figures.prior_figure(check)))


def test_values_stand_over_their_predictions(table):
    found = shown(figures.predictive_figure(table))
    heart = next(axes for axes in found if axes.get_title(loc="left") == "heart")
    rows = table[table["organ"] == "heart"]
    drawn = np.concatenate([rings(heart, False), rings(heart, True)])
    np.testing.assert_allclose(np.sort(drawn), np.sort(rows["value"] / rows["p50"]))
    low, high = heart.get_ylim()
    assert low * high == pytest.approx(1.0)
    assert {axes.get_ylim() for axes in found} == {(low, high)}


def test_only_the_worst_dozen_is_drawn(table):
    more = pd.concat([table.assign(group=f"g{i}", residual=table["residual"] + i) for i in range(3)])
    keys = figures.chosen(more)
    assert len(keys) == 12
    assert sum(group == "g2" for group, _, _ in keys) >= 4


def test_the_ecdf_is_that_of_the_values():
    pit = np.random.default_rng(3).uniform(size=60)
    bars, line = shown(figures.pit_figure(pit))
    (steps,) = [patch for patch in bars.patches if hasattr(patch, "get_data")]
    assert sum(steps.get_data()[0]) == 60
    drawn = line.lines[1]
    x = drawn.get_xdata()
    np.testing.assert_allclose(drawn.get_ydata(), [(pit <= place).mean() - place for place in x])


def test_residuals_are_drawn_against_three_things(table):
    time, organ, size = shown(figures.residual_figure(table))
    n = table["residual"].notna().sum()
    for axes in (time, organ, size):
        assert sum(len(line.get_ydata()) for line in axes.lines if line.get_label()[0] != "_") == n
    assert size.get_xscale() == "log"


def test_the_most_influential_animal_comes_first():
    k = pd.DataFrame({"group": "iv", "animal": [f"m{i}" for i in range(60)], "hours": 24.0, "k": np.linspace(0, 1, 60)})
    (axes,) = shown(figures.influence_figure(k))
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert len(labels) == figures.ANIMALS
    assert labels[0] == "iv, m59, 24 h"
    grouped = k.drop(columns=["animal"]).assign(unit="mean of 5")
    assert shown(figures.influence_figure(grouped))[0].get_yticklabels()[0].get_text() == "iv, mean of 5, 24 h"
    often = pd.DataFrame({"group": ["iv"], "animal": ["3"], "hours": ["0.25, 1, 8"], "elpd": [-1.0], "k": [0.4]})
    assert shown(figures.influence_figure(often))[0].get_yticklabels()[0].get_text() == "iv, 3, 15 min to 8 h"


@pytest.mark.parametrize("k", [np.nan, np.inf])
def test_an_animal_whose_k_is_no_number_is_drawn_as_one_not_to_trust(k):
    table = pd.DataFrame({"unit": ["a", "b"], "group": "iv", "animal": ["a", "b"], "hours": 24.0, "k": [0.1, k]})
    (axes,) = shown(figures.influence_figure(table))
    assert len(rings(axes, filled=True)) == 1
    assert np.isfinite(axes.get_xlim()).all()
    (axes,) = shown(figures.influence_figure(table.iloc[1:]))
    assert np.isfinite(axes.get_xlim()).all()

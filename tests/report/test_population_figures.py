"""Bands hold what they say, and a few subjects are drawn."""

import numpy as np
import pandas as pd

from pbpk.report.population_figures import FEW, population_figure

HOURS = np.array([0.0, 0.1, 1.0, 24.0, 168.0])
QUANTILES = {"q2.5": 0.1, "q5": 0.2, "q25": 0.5, "q50": 1.0, "q75": 2.0, "q95": 5.0, "q97.5": 10.0}


def made(organs):
    """Curves and subjects of organs, each flat at a share of a dose of 1000, (organ -> percent of the dose)."""
    curves = [{"scenario": "iv", "title": "IV", "evidence": "prior", "beyond": "", "organ": organ, "state": "live",
               "hours": hour, "mean": 10.0 * level, "sd": 1.0, "dose": 1000.0, "unit": "cells",
               "quantile_error": 0.0039,
               **{name: 10.0 * level * times for name, times in QUANTILES.items()}}
              for organ, level in organs.items() for hour in HOURS]  # fmt: skip
    some = [{"scenario": "iv", "subject": i, "organ": organ, "state": "live", "hours": hour, "amount": 10.0 * level * i}
            for organ, level in organs.items() for i in range(12) for hour in HOURS]  # fmt: skip
    return pd.DataFrame(curves), pd.DataFrame(some)


def test_bands_and_lines_are_percent_of_the_dose():
    figure = population_figure(*made({"lung": 4.0, "liver": 1.0, "gut": 1e-4}))
    panels = [axes for axes in figure.axes if axes.get_title("left")]
    assert [axes.get_title("left") for axes in panels] == ["lung", "liver"]
    lung = panels[0]
    assert len(lung.lines) == FEW + 1
    np.testing.assert_allclose(lung.lines[0].get_ydata(), 4.0)
    wide, narrow = (np.unique(band.get_paths()[0].vertices[:, 1]) for band in lung.collections)
    np.testing.assert_allclose(wide[[0, -1]], [0.4, 40.0])
    np.testing.assert_allclose(narrow[[0, -1]], [2.0, 8.0])
    assert (lung.lines[0].get_xdata() > 0.0).all()


def test_labels_stand_at_the_outer_panels():
    figure = population_figure(*made(dict.fromkeys(("lung", "liver", "spleen", "kidney", "heart", "gut", "rest"), 1.0)))
    labels = [axes.get_ylabel() for axes in figure.axes if axes.get_title("left")]
    assert labels == ["% of the dose", "", "", "", "% of the dose", "", ""]
    assert figure.axes[3].xaxis.get_tick_params()["labelbottom"]
    assert not figure.axes[0].xaxis.get_tick_params()["labelbottom"]


def test_nothing_to_draw_is_drawn():
    assert population_figure(*made({"lung": 1e-9})).axes

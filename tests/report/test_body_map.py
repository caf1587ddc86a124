"""The body as a map: every organ of the answer has its colour and its number, for each kind and hour."""

import matplotlib as mpl
import pytest
from matplotlib.patches import Ellipse

from pbpk.report.body_map import LABELS, LEAST, MOST, PALETTE, PLACES, body_map_figure


def bodies(figure):
    return [axes for axes in figure.axes if axes.get_title(loc="left")]


def test_a_body_for_each_kind_and_hour(khot):
    found = bodies(body_map_figure(khot.forecast, "s0"))
    assert [axes.get_title(loc="left") for axes in found] == [
        f"{kind}, {hour}" for kind in ("live cells", "label of the dead") for hour in ("1 h", "24 h", "7 d")
    ]


def test_colours_and_numbers_are_those_of_the_table(khot):
    axes = bodies(body_map_figure(khot.forecast, "s0", (24.0,)))[0]
    row = khot.forecast.query("scenario == 's0' and organ == 'liver' and state == 'live'")
    near = row.iloc[(row["hours"] - 24.0).abs().argmin()]
    share = 100.0 * near["q50"] / near["dose_cells"]
    (text,) = (text.get_text() for text in axes.texts if text.get_text().startswith("liver"))
    assert float(text.split()[1]) == pytest.approx(share, rel=0.1)
    shade = mpl.colormaps[PALETTE](mpl.colors.LogNorm(LEAST, MOST)(float(text.split()[1])))
    (liver,) = (patch for patch in axes.patches if patch.get_label() == "liver")
    assert liver.get_facecolor() == pytest.approx(shade, abs=0.02)


def test_an_organ_without_a_place_stands_in_words(khot):
    table = khot.forecast.replace({"organ": {"heart": "left_toe"}})
    axes = bodies(body_map_figure(table, "s0", (24.0,)))[0]
    assert any(text.get_text().startswith("left toe") for text in axes.texts)
    assert "left_toe" not in {patch.get_label() for patch in axes.patches if isinstance(patch, Ellipse)}


def test_places_and_labels_are_of_the_same_organs():
    assert set(PLACES) == set(LABELS)

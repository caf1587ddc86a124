"""Curves as paths lie where matplotlib would draw them, in axes that matplotlib drew."""

from dataclasses import replace

import numpy as np
from parsed import parsed

from pbpk.report.explore.cube import cube_of
from pbpk.report.explore.curves import (
    BOTTOM,
    HIGH,
    WIDE,
    _axes,
    curves,
    frame,
    frame_picture,
    legend,
)


def test_hours_and_shares_lie_where_the_axes_say():
    figure = _axes(336.0)
    (axes,) = figure.axes
    hours, shares = np.array([0.05, 1.0, 24.0, 168.0, 336.0]), np.array([0.01, 0.1, 1.0, 50.0, 130.0])
    pixels = axes.transData.transform(np.column_stack([hours, shares])) * 72.0 / figure.dpi
    own = frame(336.0)
    np.testing.assert_allclose(own.x(hours), pixels[:, 0], atol=1e-6)
    np.testing.assert_allclose(own.y(shares), HIGH - pixels[:, 1], atol=1e-6)
    assert (own.y(np.array([0.0])) > HIGH - BOTTOM).all()  # what is nothing lies below the axis, not nowhere


def test_a_panel_for_each_organ_says_what_it_shows(answer):
    cube = cube_of(answer.table, "iv_bolus")
    text = str(curves(cube, ["lung", "liver"], 168.0, 24.0))
    parsed(frame_picture(168.0) + text)
    assert text.count("<svg") == 2
    assert "lung: live cells peak at" in text
    assert "label of the dead" in text
    assert f'viewBox="0 0 {WIDE} {HIGH}"' in text
    assert text.count("stroke-dasharray") == 2  # label is dashed, living cells are not
    assert "fill-opacity" in text


def test_hours_after_the_last_value_are_shaded(answer):
    cube = cube_of(answer.table, "iv_bolus")
    assert "<rect" not in curves(cube, ["lung"], 336.0)
    late = replace(cube, late=cube.hours > 100.0)
    assert curves(late, ["lung"], 336.0).count("<rect") == 1
    assert "after the last value" in legend(cube.kinds, True)
    assert "after the last value" not in legend(cube.kinds, False)


def test_names_are_text_and_nothing_else(answer):
    cube = replace(cube_of(answer.table, "iv_bolus"), organs=("<b>lung", *cube_of(answer.table, "iv_bolus").organs[1:]))
    assert "<b>" not in curves(cube, ["<b>lung"], 336.0)

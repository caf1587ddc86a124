import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from pbpk.report import figures
from pbpk.report.instrument_rows import draw_read, errors


def rows(values, error, hours=None, middle=None):
    values = np.asarray(values, float)
    middle = np.full(len(values), np.abs(values).max()) if middle is None else np.asarray(middle, float)
    frame = {"hours": 24.0 if hours is None else hours, "value": values, "error": error, "low": np.nan, "high": np.nan}
    bands = {"q2.5": 0.8 * middle, "q97.5": 1.2 * middle, "p2.5": 0.5 * middle, "p97.5": 2.0 * middle}
    return pd.DataFrame(frame | bands)


def drawn(table):
    axes = Figure().subplots()
    draw_read(axes, table, "#0072B2", 1.0, 200.0, True)
    return axes


def marks(axes, shape):
    return np.concatenate([line.get_ydata() for line in axes.lines if line.get_marker() == shape] or [[]])


def test_negative_values_have_a_place_on_a_linear_axis():
    axes = drawn(rows([0.5, 0.4, -0.1], 0.1))
    assert axes.get_yscale() == "linear"
    assert axes.get_ylim()[0] < -0.1 - 1.96 * 0.1
    assert set(marks(axes, "o")) == {0.5, 0.4, -0.1}
    assert not marks(axes, "v").size


def test_values_at_nothing_are_open_marks_at_the_edge_of_a_logarithmic_axis():
    axes = drawn(rows([90.0, 1.0, 0.0, -0.3], 0.1, [1.0, 24.0, 168.0, 168.0], [90.0, 1.0, 1.0, 1.0]))
    assert axes.get_yscale() == "log"
    low = axes.get_ylim()[0]
    assert low > 0.0
    np.testing.assert_array_equal(marks(axes, "v"), [low, low])
    assert set(marks(axes, "o")) == {90.0, 1.0}


def test_a_faint_value_does_not_stretch_the_axis():
    axes = drawn(rows([90.0, 1.0, 1e-6], 0.1, [1.0, 24.0, 168.0], [90.0, 1.0, 1.0]))
    assert axes.get_ylim()[0] > 0.1


def test_animals_of_one_hour_stand_beside_each_other_within_one_bar():
    table = rows([5.0, 5.1, 5.2, 5.3, 5.4], 0.2)
    axes = drawn(table)
    (line,) = [line for line in axes.lines if line.get_marker() == "o"]
    x = line.get_xdata()
    assert len(set(np.round(x, 6))) == 5
    assert np.exp(np.mean(np.log(x))) == pytest.approx(24.0)
    assert x.max() / x.min() < 2.0
    assert len(axes.collections[0].get_segments()) == 1  # one predictive bar


def test_a_study_without_instruments_is_drawn_as_before(khot):
    assert np.isnan(errors(khot.predictions)).all()
    labels = [text.get_text() for text in figures.fit_figure(khot).legends[0].get_texts()]
    assert labels[:2] == ["observed value", "observed range"]


def test_the_figures_of_a_study_with_light(khot):
    from types import SimpleNamespace

    table = khot.predictions.copy()
    table["error"] = 0.1 * table["value"].abs()
    table.loc[table.index[:3], ["value", "error"]] = [-0.2, 0.3]
    run = SimpleNamespace(**vars(khot) | {"predictions": table})
    labels = [text.get_text() for text in figures.fit_figure(run).legends[0].get_texts()]
    assert "at or below the lower edge" in labels
    (axes,) = figures.observed_predicted_figure(run).axes
    low = axes.get_ylim()[0]
    assert sum(line.get_marker() == "v" and len(line.get_ydata()) and line.get_ydata()[0] < 1.2 * low
               for line in axes.lines) >= 1  # fmt: skip

from dataclasses import replace

import numpy as np
import pytest

from pbpk.report.well_figure import draw_well, write_well_figure


@pytest.fixture
def trace(plated):
    return next(t for t in plated.traces if (t.well.plate, t.well.well) == ("lung", "B5"))


def words(figure):
    return " ".join(text.get_text() for text in figure.texts)


def test_the_title_says_what_the_fit_found(plated, trace):
    amplitude = next(r.amplitude for r in plated.study.readings if r.well == trace.well)
    said = words(draw_well(trace, amplitude))
    assert "Plate lung, well B5: standard in lung, 3.00 ng" in said
    assert f"amplitude {amplitude.delta:.1f} ± {amplitude.se:.3f} (SE)" in said
    assert f"{amplitude.used} of {amplitude.samples} samples used" in said
    assert "Left out" not in said


def test_harmonics_of_the_drive_and_mains_are_marked(trace):
    axes = draw_well(trace).axes[3]
    marked = {round(line.get_xdata()[0], 6) for line in axes.lines if len(set(line.get_xdata())) == 1}
    assert marked == {7.0, 14.0, 21.0, 50.0, 100.0, 150.0}


def test_a_flag_is_in_the_title(plated):
    bad = next(t for t in plated.traces if (t.well.plate, t.well.well) == ("lung", "D1"))
    said = words(draw_well(bad))
    assert "Left out: 40" in said
    assert "missing" in said


def test_a_well_without_fit_or_light_is_drawn(trace):
    assert "Left out" in words(draw_well(replace(trace, field=np.zeros_like(trace.field))))
    assert "Left out" in words(draw_well(replace(trace, light=np.full_like(trace.light, np.nan))))
    assert draw_well(replace(trace, laser=None))


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_figure_of_one_well_is_a_file(trace, tmp_path, kind):
    path = write_well_figure(trace, tmp_path / "new" / f"well.{kind}")
    assert path.stat().st_size > 10_000

"""The figure of ranks shows what the table says, of every quantity."""

import numpy as np
import pytest

from pbpk.infer.calibration.calibrate import Calibrated, Outcome
from pbpk.report.calibration import rank_figure, write_rank_figure
from pbpk.report.ink import ALERT


@pytest.fixture
def found():
    rng = np.random.default_rng(1)
    outcomes = [
        Outcome(i, {"E_lung": u, "misfit": u**3, "log-likelihood of everything there is": v}, 99, 1.0, 99.0, 0, 1.0)
        for i, (u, v) in enumerate(rng.uniform(size=(60, 2)))
    ]
    return Calibrated("msc", "a $study$ of <two> routes", 1, ("E_lung", "misfit"), tuple(outcomes))


def test_each_quantity_has_a_panel_and_what_is_not_uniform_is_red(found):
    panels = [axes for axes in rank_figure(found).axes if axes.get_title(loc="left")]
    titles = [axes.get_title(loc="left") for axes in panels]
    assert titles == ["E_lung", "misfit", "log-likelihood of eve…"]
    assert [axes.lines[0].get_color() == ALERT for axes in panels] == [False, True, False]
    assert found.suspects == ("misfit",)


def test_bars_are_the_histogram_in_units_of_uniform_ranks(found):
    (first, *_) = rank_figure(found).axes
    heights, edges, _ = first.patches[0].get_data()
    counts, _ = np.histogram(found.places["E_lung"], edges)
    np.testing.assert_allclose(heights, counts * len(counts) / 60)
    assert heights.mean() == pytest.approx(1.0)


def test_it_is_written_as_svg(found, tmp_path):
    text = write_rank_figure(found, tmp_path / "new" / "ranks.svg").read_text()
    assert text.startswith("<svg")
    assert "&lt;two&gt;" in text
    assert "Rank histograms of 3 quantities over 60 fits of msc" in text

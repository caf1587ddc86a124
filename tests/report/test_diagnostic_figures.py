"""What the figures of chains draw, against the numbers they were given."""

import numpy as np
import pytest

from pbpk.report import diagnostic_figures as figures

SAMPLES = np.random.default_rng(1).standard_normal((4, 500))


def shown(figure):
    return [axes for axes in figure.axes if axes.axison]


def test_every_parameter_has_its_traces_and_ranks():
    names = {"E_lung": SAMPLES, "loss_$x$": SAMPLES + 1.0}
    found = shown(figures.trace_rank_figure(names, dict.fromkeys(names, 1500.0)))
    assert len(found) == 4
    assert [axes.get_ylabel() for axes in found[::2]] == ["E_lung", r"loss_\$x\$"]
    assert all(len(axes.lines) == 4 for axes in found[::2])
    assert found[0].lines[0].get_ydata()[0] == SAMPLES[0, 0]
    bars = [patch for patch in found[1].patches if hasattr(patch, "get_data")]
    assert [sum(patch.get_data()[0]) for patch in bars] == [500] * 4


def test_a_chain_of_low_energy_is_red():
    energy = SAMPLES.copy()
    energy[1] = np.cumsum(SAMPLES[1])
    left, right = shown(figures.energy_figure(energy))
    assert left.get_legend() is not None
    colours = [patch.get_facecolor() for patch in right.patches]
    assert len(set(colours)) == 2
    assert colours[0] == colours[2] == colours[3] != colours[1]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_pairs_mark_divergent_draws(count):
    scores = {f"p{i}": SAMPLES + i for i in range(6)}
    diverging = SAMPLES > 2.5
    pairs = [(f"p{i}", f"p{i + 1}", -0.5) for i in range(count)]
    found = shown(figures.pairs_figure(pairs, scores, diverging))
    assert len(found) == count
    crosses = found[0].lines[-1]
    np.testing.assert_array_equal(crosses.get_xdata(), SAMPLES[diverging])
    assert "−0.50" in found[0].get_title(loc="left")


def test_growth_has_a_line_for_each_parameter_and_the_limit():
    draws = np.array([100, 200, 300])
    bulk, tail = shown(figures.growth_figure({"a": (draws, draws * 0.9, draws * 0.5), "b": (draws, draws, draws)}))
    assert len(bulk.lines) == len(tail.lines) == 3
    np.testing.assert_array_equal(tail.lines[0].get_ydata(), draws * 0.5)


def test_a_posterior_beyond_its_axis_is_marked():
    scores = {f"p{i}": SAMPLES for i in range(7)} | {"far": SAMPLES + 6.0}
    (axes,) = figures.densities_figure(scores, {"p0": "learned"}).axes
    assert {text.get_text() for text in axes.texts} >= set(scores)
    assert [line.get_marker() for line in axes.lines if line.get_marker() != "None"] == [">"]

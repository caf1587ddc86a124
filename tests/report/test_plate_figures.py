import numpy as np
import pytest

from pbpk.report.plate_figures import calibration_figure, calibrations_figure


def drawn(axes):
    """Points of all lines, as a set of rounded pairs."""
    return {
        (round(float(x), 9), round(float(y), 9)) for line in axes.lines for x, y in zip(*line.get_data(), strict=True)
    }


def test_every_well_of_the_curve_is_drawn(plated):
    panel = plated.counts.panels[0]
    main, zero, strip = calibration_figure(panel).axes
    points = drawn(main)
    known = [*panel.of("standard", "qc"), *(r for r, _ in panel.left_out if r.well.role == "standard")]
    assert len(known) == 18
    for reading in known:
        assert (round(reading.well.nominal, 9), round(reading.amplitude.delta, 9)) in points
    beside = {y for _, y in drawn(zero)}
    assert {round(r.amplitude.delta, 9) for r in panel.of("blank", "carry_over", "laser_off")} <= beside
    judged = panel.acceptance
    back = {round(100 * (1 + deviation), 6) for deviation in (*judged.standards["deviation"], *judged.qcs["deviation"])}
    assert back <= {round(y, 6) for _, y in drawn(strip)}


def test_a_rejected_standard_is_marked_and_explained(plated):
    rejected, clean = (calibration_figure(panel) for panel in plated.counts.panels)
    said = [text.get_text() for text in rejected.legends[0].get_texts()]
    assert "left out of the curve" in said
    assert "left out of the curve" not in [text.get_text() for text in clean.legends[0].get_texts()]
    crosses = [line for line in rejected.axes[0].lines if line.get_marker() == "X"]
    assert [len(line.get_xdata()) for line in crosses] == [1]


def test_the_limits_are_those_of_the_panel(plated):
    panel = plated.counts.panels[0]
    axes = calibration_figure(panel).axes[0]
    at = {text.get_text(): text.xy[0] for text in axes.texts}
    assert (at["LLOQ"], at["ULOQ"]) == (panel.acceptance.lloq, panel.acceptance.uloq)
    table = panel.limits.table.set_index("method")
    assert (at["LOD"], at["LOQ"]) == (table["lod"]["ich_q2"], table["loq"]["ich_q2"])


def test_a_plate_without_rules_has_no_limits_of_rules(plain_plate):
    figure = calibration_figure(plain_plate.counts.panels[0])
    assert {text.get_text() for text in figure.axes[0].texts} == {"LOD", "LOQ"}
    assert not any("allowed" in text.get_text() for text in figure.legends[0].get_texts())


def test_a_deviation_beyond_the_strip_is_an_arrow_at_its_edge(make_plated):
    panel = make_plated(preset="none").counts.panels[0]  # the wrong standard stays on the curve
    strip = calibration_figure(panel).axes[2]
    low, high = strip.get_ylim()
    assert all(low <= y <= high for _, y in drawn(strip) if np.isfinite(y))


@pytest.mark.parametrize("many", [1, 2])
def test_small_curves_stand_side_by_side(plated, many):
    figure = calibrations_figure(plated.counts.panels[:many])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["lung", "liver"][:many]

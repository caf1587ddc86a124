"""One matrix on one plate: what is accepted, what is left out, what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from plate import BLANK, SE, SLOPE, Plate, amplitude

from pbpk.assay.light.amplitude import Reading
from pbpk.assay.plates.panel import judge
from pbpk.errors import AssayError


def moved(readings, role, factor, which=0):
    """The same readings, one of them off by a factor."""
    places = [i for i, r in enumerate(readings) if r.well.role == role]
    at = places[which]
    a = readings[at].amplitude
    return [*readings[:at], Reading(readings[at].well, replace(a, delta=a.delta * factor)), *readings[at + 1 :]]


def test_a_good_plate_is_one_panel_a_matrix():
    panels = judge(Plate("lung").controls().readings + Plate("liver", slope=900.0).controls().readings)
    assert [panel.name for panel in panels] == ["plate p-lung, lung", "plate p-liver, liver"]
    for panel, slope in zip(panels, (SLOPE, 900.0), strict=True):
        assert panel.acceptance.passed
        assert panel.role == "standard"
        assert panel.unit == "ng"
        assert panel.curve.curve.parameters[1] == pytest.approx(slope, rel=0.05)
        assert panel.top == 3.0
        assert not panel.left_out


def test_one_bad_standard_is_left_out_and_said():
    readings = moved(Plate().controls().readings, "standard", 1.6, which=7)
    (panel,) = judge(readings)
    assert [reading.well.nominal for reading, _ in panel.left_out] == [0.5]
    assert "limits for standards" in panel.left_out[0][1]
    assert panel.curve.curve.parameters[1] == pytest.approx(SLOPE, rel=0.05)
    assert panel.acceptance.passed


def test_many_bad_standards_are_refused_with_the_rule():
    readings = Plate().controls().readings
    for which in (2, 5, 7, 9):
        readings = moved(readings, "standard", 1.7, which)
    with pytest.raises(AssayError, match=r"plate p-lung, lung: the plate breaks the `lba` rules .*section 4\.2\.3"):
        judge(readings)


@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_qcs_that_are_off_are_refused(factor):
    readings = Plate().controls().readings
    for which in range(3):
        readings = moved(readings, "qc", factor, which)
    with pytest.raises(AssayError, match="QCs"):
        judge(readings)


def test_swapped_qcs_are_refused():
    readings = Plate().controls().readings
    places = [i for i, r in enumerate(readings) if r.well.role == "qc"]
    low, high = places[:2], places[-2:]
    swapped = list(readings)
    for a, b in zip(low, high, strict=True):
        swapped[a] = Reading(readings[a].well, readings[b].amplitude)
        swapped[b] = Reading(readings[b].well, readings[a].amplitude)
    with pytest.raises(AssayError, match="QCs"):
        judge(swapped)


def test_carry_over_is_refused():
    readings = Plate().controls().readings
    at = next(i for i, r in enumerate(readings) if r.well.role == "carry_over")
    readings[at] = Reading(readings[at].well, amplitude(BLANK + 0.5 * SLOPE * 0.05))
    with pytest.raises(AssayError, match=r"carry-over is .*section 3\.2\.6"):
        judge(readings)


def test_flagged_wells_are_never_used():
    readings = Plate().controls().readings
    a = readings[8].amplitude
    readings[8] = Reading(readings[8].well, replace(a, delta=1e9, flags=("5.0% of the samples are clipped",)))
    (panel,) = judge(readings)
    assert panel.left_out == ((readings[8], "5.0% of the samples are clipped"),)
    assert readings[8] not in panel.used


def test_a_plate_whose_standards_are_flagged_is_refused():
    readings = [
        Reading(r.well, replace(r.amplitude, flags=("clipped",))) if r.well.role == "standard" else r
        for r in Plate().controls().readings
    ]
    readings = [r for r in readings if r.well.role != "reference_cells"]
    with pytest.raises(AssayError, match=r"6 and 0 can be used \(12 wells are flagged, the first, standard6, because"):
        judge(readings)


def test_units_must_agree():
    readings = Plate().controls().readings
    at = next(i for i, r in enumerate(readings) if r.well.role == "qc")
    readings[at] = Reading(replace(readings[at].well, unit="cells"), readings[at].amplitude)
    with pytest.raises(AssayError, match="have the units cells and ng"):
        judge(readings)


def test_no_rules_are_asked_with_the_preset_none():
    readings = [r for r in Plate().controls().readings if r.well.role != "qc"]
    with pytest.raises(AssayError):
        judge(readings)
    (panel,) = judge(readings, "none")
    assert panel.acceptance is None
    assert panel.top == 3.0


def test_light_without_laser_and_blanks_that_follow_the_magnet_are_noted():
    plate = Plate(blank=60.0).controls()
    plate.add("laser_off", 0.0)
    (panel,) = judge(plate.readings)
    assert any("without laser reads" in note for note in panel.notes)
    assert any("something without label follows the magnet" in note for note in panel.notes)
    quiet = Plate(blank=0.0).controls()
    quiet.readings.append(Reading(replace(quiet.readings[0].well, well="off", role="laser_off"), amplitude(1.5 * SE)))
    (panel,) = judge(quiet.readings)
    assert not panel.notes


def test_the_least_that_is_quantified_is_an_amplitude_above_the_blank():
    (panel,) = judge(Plate().controls().readings)
    assert panel.lowest_rise == pytest.approx(max(10 * panel.limits.sigma, 0.05 * SLOPE), rel=0.05)
    assert np.isfinite(panel.lowest_rise)


def test_a_matrix_with_nothing_to_read_is_no_panel():
    plate = Plate().controls()
    lone = replace(plate.readings[0].well, well="H12", role="laser_off", matrix="buffer")
    panels = judge([*plate.readings, Reading(lone, amplitude(0.0))])
    assert [panel.matrix for panel in panels] == ["lung"]


def test_light_of_the_wrong_sign_is_refused():
    readings = [Reading(r.well, replace(r.amplitude, delta=-r.amplitude.delta)) for r in Plate().controls().readings]
    with pytest.raises(AssayError, match=r"check the sign of the light|breaks the `lba` rules"):
        judge(readings)
    with pytest.raises(AssayError, match="check the sign of the light"):
        judge(readings, "none")

"""From amplitudes to cells with the doubt that organs share, checked against plates made by rule."""

from dataclasses import replace

import numpy as np
import pytest
from plate import LOAD, Plate
from scipy import stats

from pbpk.assay.light.amplitude import Reading
from pbpk.assay.plates.panel import judge
from pbpk.assay.plates.quantify import quantify
from pbpk.assay.readouts.settings import Doubtful
from pbpk.assay.study import Plates
from pbpk.errors import AssayError, StudyError

CELLS = [3e3, 1e4, 5e4, 2e5]
MATRICES = {"lung": 2000.0, "liver": 900.0}


def two_plates(seed, spikes=True, cells=True):
    readings = []
    for i, (matrix, slope) in enumerate(MATRICES.items()):
        plate = Plate(matrix, slope, recovery=0.9 - 0.1 * i, seed=10 * seed + i).controls(cells, spikes)
        for number in CELLS:
            plate.sample(number, animal=f"m{number:g}")
        readings += plate.readings
    return readings


def test_cells_come_back_with_shared_and_own_doubt():
    whitened, inside, correlation = [], [], []
    truth = np.array(CELLS * 2)
    for seed in range(40):
        found = quantify(judge(two_plates(seed)), Plates())
        assert [organ.organ for organ in found.organs] == ["lung"] * 4 + ["liver"] * 4
        amount, _, _ = found.signals.estimates()
        covariance = found.signals.covariance()
        off = amount - truth
        whitened.append(off @ np.linalg.solve(covariance, off))
        inside += list(np.abs(off) < 1.96 * np.sqrt(np.diag(covariance)))
        sd = np.sqrt(np.diag(covariance))
        correlation.append(covariance[3, 7] / sd[3] / sd[7])
    # eight numbers a study: their whitened squares are chi-squared if the covariance is right
    assert stats.chi2.ppf(0.001, 8 * 40) < sum(whitened) < stats.chi2.ppf(0.999, 8 * 40)
    assert np.mean(inside) >= stats.binom.ppf(0.001, len(inside), 0.95) / len(inside)
    assert np.mean(correlation) > 0.02  # the load of a cell is wrong for lung and liver together


def test_the_unknowns_have_names_and_sizes():
    shared = quantify(judge(two_plates(1)), Plates()).signals.shared
    known = dict(zip(shared.names, shared.mean, strict=True))
    assert np.exp(known["log_recovery: lung"]) == pytest.approx(0.9, abs=0.05)
    assert np.exp(known["log_recovery: liver"]) == pytest.approx(0.8, abs=0.05)
    assert np.exp(known["log_cv"]) == pytest.approx(0.02, abs=0.015)


def test_standards_in_cells_need_no_load():
    readings = [
        Reading(replace(r.well, nominal=r.well.nominal / LOAD, unit="cells"), r.amplitude) if r.well.nominal else r
        for r in two_plates(2, cells=False)
    ]
    found = quantify(judge(readings), Plates())
    assert "log_load" not in found.signals.shared.names
    amount, _, _ = found.signals.estimates()
    np.testing.assert_allclose(amount, CELLS * 2, rtol=0.2)


def test_recovery_and_load_may_come_from_the_study():
    readings = two_plates(3, spikes=False, cells=False)
    with pytest.raises(StudyError, match=r"nothing tells the label of a cell.*`load_ng`"):
        quantify(judge(readings), Plates())
    load = Doubtful(median=LOAD, sigma=0.1, source="a test")
    with pytest.raises(StudyError, match=r"nothing tells how much of the label in `liver`.*`recovery`"):
        quantify(judge(readings), Plates(load_ng=load))
    recovery = Doubtful(median=0.85, sigma=0.2, source="a test")
    found = quantify(judge(readings), Plates(load_ng=load, recovery=recovery))
    amount, own, _ = found.signals.estimates()
    sd = np.sqrt(np.diag(found.signals.covariance()))
    np.testing.assert_allclose(amount, CELLS * 2, rtol=0.3)
    assert sd[3] / amount[3] == pytest.approx(np.hypot(0.1, 0.2), rel=0.05)
    assert own[3] / amount[3] < 0.04


def test_wells_of_one_organ_are_one_reading():
    plate = Plate().controls()
    for dilution in (1.0, 2.0, 2.0):
        plate.sample(1e5, animal="m", dilution=dilution)
    found = quantify(judge(plate.readings), Plates())
    (organ,) = found.organs
    assert len(organ.wells) == 3
    amount, own, _ = found.signals.estimates()
    assert amount[0] == pytest.approx(1e5, rel=0.1)
    single = quantify(judge(Plate().controls().sample(1e5, animal="m").readings), Plates()).signals.estimates()[1]
    assert own[0] < 0.8 * single[0]


def test_a_hook_is_seen_between_dilutions_and_the_diluted_wells_count():
    plate = Plate().controls()
    plate.sample(2e5, animal="m", fraction=0.01).sample(2e5, animal="m", fraction=0.01, dilution=10.0)
    at = next(i for i, r in enumerate(plate.readings) if r.well.role == "sample")
    a = plate.readings[at].amplitude
    plate.readings[at] = Reading(plate.readings[at].well, replace(a, delta=0.5 * a.delta))
    found = quantify(judge(plate.readings), Plates())
    assert "it hides its own label" in found.notes[-1]
    assert found.signals.estimates()[0][0] == pytest.approx(2e5, rel=0.15)


def test_above_the_highest_standard_is_refused():
    plate = Plate().controls().sample(1e6, animal="m")
    with pytest.raises(AssayError, match=r"1 wells read more than 1\.2 times the highest accepted standard.*dilute"):
        quantify(judge(plate.readings), Plates())


def test_one_odd_spike_is_left_out_and_many_are_refused():
    readings = two_plates(4)
    spikes = [i for i, r in enumerate(readings) if r.well.role == "spike"]
    a = readings[spikes[0]].amplitude
    readings[spikes[0]] = Reading(readings[spikes[0]].well, replace(a, delta=0.5 * a.delta))
    found = quantify(judge(readings), Plates())
    assert any("spike" in note and "left out" in note for note in found.notes)
    a = readings[spikes[1]].amplitude
    readings[spikes[1]] = Reading(readings[spikes[1]].well, replace(a, delta=0.4 * a.delta))
    with pytest.raises(AssayError, match=r"of 4 spikes in lung \(ng\) are more than 20% from their median"):
        quantify(judge(readings), Plates())


def test_swapped_reference_cells_are_refused():
    readings = two_plates(5)
    places = [i for i, r in enumerate(readings) if r.well.role == "reference_cells" and r.well.matrix == "lung"]
    order = places[::-1]
    swapped = list(readings)
    for here, there in zip(places, order, strict=True):
        swapped[here] = Reading(readings[here].well, readings[there].amplitude)
    with pytest.raises(AssayError, match="reference cells are more than 20% from their median"):
        quantify(judge(swapped), Plates())


def test_spikes_that_recover_too_much_are_refused():
    readings = []
    for i, matrix in enumerate(MATRICES):
        readings += Plate(matrix, recovery=1.5 if i else 0.9, seed=i).controls().sample(1e4, animal="m").readings
    with pytest.raises(AssayError, match=r"spikes in liver \(ng\) recover 1[45]\d%"):
        quantify(judge(readings), Plates())


def test_wells_of_one_organ_stay_together():
    readings = two_plates(6)
    at = next(i for i, r in enumerate(readings) if r.well.role == "sample" and r.well.matrix == "liver")
    readings[at] = Reading(replace(readings[at].well, organ="lung"), readings[at].amplitude)
    with pytest.raises(AssayError, match="stands on several plates"):
        quantify(judge(readings), Plates())


def test_a_flagged_sample_is_left_out_and_said():
    plate = Plate().controls().sample(1e4, animal="a")
    plate.add("sample", 0.1, flags=("clipped",), name="Z9", group="iv", animal="b", organ="lung", hours=1.0)
    found = quantify(judge(plate.readings), Plates())
    assert [organ.animal for organ in found.organs] == ["a"]
    assert found.notes == ("plate p-lung, lung, well Z9 (sample): left out, clipped",)


def test_the_lowest_amount_of_an_organ_follows_its_wells():
    plate = Plate().controls().sample(1e4, animal="a", fraction=0.01).sample(1e4, animal="b", fraction=0.02)
    first, second = quantify(judge(plate.readings), Plates()).lloq()
    assert first == pytest.approx(2 * second, rel=1e-6)
    assert first == pytest.approx(0.05 / LOAD / 0.9 / 0.01, rel=0.1)


@pytest.mark.parametrize("blank", [-300.0, 250.0, 5000.0])
def test_a_blank_far_from_zero_is_taken_off(blank):
    """Pickup or background that follows the magnet, as large as anything on the plate."""
    plate = Plate(blank=blank).controls()
    for cells in CELLS:
        plate.sample(cells, animal=f"m{cells:g}")
    found = quantify(judge(plate.readings), Plates())
    amount, _, _ = found.signals.estimates()
    sd = np.sqrt(np.diag(found.signals.covariance()))
    assert (np.abs(amount - CELLS) < 4 * sd).all()
    assert sd[-1] < 0.1 * CELLS[-1]


def test_a_well_above_the_range_is_left_out_where_a_diluted_one_is_within():
    plate = Plate().controls().sample(1e6, animal="m").sample(1e6, animal="m", dilution=10.0)
    found = quantify(judge(plate.readings), Plates())
    assert any("above the highest standard" in note for note in found.notes)
    assert len(found.organs[0].wells) == 1
    assert found.signals.estimates()[0][0] == pytest.approx(1e6, rel=0.15)


def test_plates_may_have_different_units_of_mass():
    readings = two_plates(7)
    changed = [
        Reading(replace(r.well, nominal=1000.0 * r.well.nominal, unit="pg"), r.amplitude)
        if r.well.matrix == "liver" and r.well.unit == "ng"
        else r
        for r in readings
    ]
    ours, theirs = (quantify(judge(each), Plates()).signals.estimates()[0] for each in (changed, readings))
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)


def test_a_unit_that_is_no_amount_is_said_with_its_well():
    readings = [
        Reading(replace(r.well, unit="furlong"), r.amplitude) if r.well.role == "spike" else r for r in two_plates(8)
    ]
    with pytest.raises(AssayError, match=r"plate p-lung, lung, well \w+ \(spike\): .*furlong.*cells or a mass"):
        quantify(judge(readings), Plates())

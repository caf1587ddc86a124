"""A plate of the virtual instrument, from light to labelled cells, and plates that must be refused.

Everything here is synthetic: the instrument's own truth is what the chain must find.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from pbpk.assay.light.amplitude import demodulate_many
from pbpk.assay.light.instrument import Instrument, simulate_plate
from pbpk.assay.light.trace import Well
from pbpk.assay.plates.acceptance import accept_plate, require
from pbpk.assay.plates.calibration import fit_wells, m10_curve
from pbpk.assay.plates.detection import detection_limits
from pbpk.errors import AssayError

LOAD = 2e-5  # ng a cell; an input of this test, not a number of the package
LEVELS = [2_500.0, 5_000.0, 10_000.0, 20_000.0, 40_000.0, 80_000.0]  # cells of the injected batch, lysed in digest
CHECKS = [2_500.0, 6_000.0, 25_000.0, 65_000.0]
SAMPLES = [3_000.0, 8_000.0, 30_000.0, 70_000.0]
INSTRUMENT = replace(Instrument(), duration_s=12.0, sampling_hz=1000.0)


def layout(matrix="lung", blanks=6):
    """Wells of one matrix with the cells truly in them."""
    wells = [(Well("p", f"B{i}", "blank", matrix), 0.0) for i in range(blanks)]
    for role, levels in (("reference_cells", LEVELS), ("qc", CHECKS)):
        wells += [
            (Well("p", f"{role}{level:g}{r}", role, matrix, nominal=level, unit="cells"), level)
            for level in levels
            for r in range(2)
        ]
    wells += [(Well("p", f"S{cells:g}", "sample", matrix, organ="lung"), cells) for cells in SAMPLES]
    return wells


def read(wells, seed, instrument=INSTRUMENT):
    pairs = simulate_plate([(well, cells * LOAD) for well, cells in wells], instrument, seed)
    found = demodulate_many([trace for trace, _ in pairs])
    return np.array([each.delta for each in found]), np.array([each.se for each in found]), found


def pick(wells, role):
    return [i for i, (well, _) in enumerate(wells) if well.role == role]


def judge(wells, delta):
    """Acceptance with the curve that M10 asks for."""
    known = pick(wells, "reference_cells")
    nominal = np.array([wells[i][0].nominal for i in known])
    curve = m10_curve(nominal, delta[known])
    standards = pd.DataFrame({"nominal": nominal, "back_calculated": curve.inverse(delta[known])})
    checks = pick(wells, "qc")
    qcs = pd.DataFrame({"nominal": [wells[i][0].nominal for i in checks], "measured": curve.inverse(delta[checks])})
    return accept_plate(standards, qcs)


def test_cells_come_back_with_their_doubt():
    inside, errors = [], []
    for seed in range(8):
        wells = layout()
        delta, se, _ = read(wells, seed)
        calibration = fit_wells([well for well, _ in wells], delta, se, roles=("reference_cells",))
        for i in pick(wells, "sample"):
            found = calibration.invert(delta[i], se[i])
            inside.append(found.low < wells[i][1] < found.high)
            errors.append(np.log(found.value / wells[i][1]))
    assert sum(inside) >= binom.ppf(0.001, len(inside), 0.95)
    assert abs(np.mean(errors)) < 0.05


def test_a_good_plate_is_accepted_and_knows_its_limit():
    wells = layout()
    delta, se, found = read(wells, 3)
    require(judge(wells, delta))
    calibration = fit_wells([well for well, _ in wells], delta, se, roles=("reference_cells",))
    blank = pick(wells, "blank")
    limits = detection_limits(calibration, delta[blank], se[blank]).table.set_index("method")
    assert 0.0 < limits.loc["ich_q2", "lod"] < limits.loc["ich_q2", "loq"] < LEVELS[3]
    assert not any(each.flags for each in found)


def test_swapped_wells_are_refused():
    wells = layout()
    delta, _, _ = read(wells, 3)
    order = np.arange(len(wells))
    low, high = (next(i for i in pick(wells, "qc") if wells[i][1] == cells) for cells in (CHECKS[1], CHECKS[-1]))
    order[[low, high, low + 1, high + 1]] = [high, low, high + 1, low + 1]
    with pytest.raises(AssayError, match="QCs"):
        require(judge(wells, delta[order]))


def test_a_calibration_in_buffer_is_refused_by_checks_in_digest():
    """Digest lowers brightness and contrast: the slope of another matrix must not pass quietly."""
    wells = [
        (replace(well, matrix="buffer") if well.role == "reference_cells" else replace(well, matrix="liver"), cells)
        for well, cells in layout()
    ]
    delta, _, _ = read(wells, 4)
    with pytest.raises(AssayError, match="QCs"):
        require(judge(wells, delta))


def test_a_saturated_detector_says_so():
    wells = layout()
    _, _, found = read(wells, 5, replace(INSTRUMENT, full_scale_factor=0.5))
    clipped = [each for each in found if each.lost["clipped"] > 0.005 * each.samples]
    assert clipped
    assert all(np.isnan(each.delta) or any("clipped" in flag for flag in each.flags) for each in clipped)

"""Plates that nobody tuned to: other magnets, frequencies, noise and digests give right cells or a loud refusal.

What must never come is a quiet wrong number: cells far outside what their covariance says.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2

from pbpk.assay.counts import count_cells
from pbpk.assay.light.amplitude import Reading
from pbpk.assay.light.trace import HALF_FIELD_MT
from pbpk.errors import AssayError
from pbpk.predict.virtual import as_study, imagine, read_virtual

ORGANS = ("lung", "liver", "heart")
CASES = {
    "as shipped": {},
    "1.3 Hz": {"modulation_hz": 1.3, "duration_s": 20.0},
    "11 Hz": {"modulation_hz": 11.0},
    "on a subharmonic of the mains": {"modulation_hz": 25.0},
    "weak magnet": {"field_mt": 12.0, "contrast": 0.02},
    "strong contrast": {"contrast": 0.2},
    "another half field than the software takes": {"half_field_mt": 1.5 * HALF_FIELD_MT},
    "narrow duty": {"duty": 0.35, "edge_jitter_s": 0.003},
    "slow magnet": {"magnet_lag_s": 0.01},
    "dim label": {"brightness": 1e7},
    "bright digest": {"autofluorescence": 6e8},
    "flickering laser": {"laser_noise": 2e-3, "mains": None},
    "no laser monitor": {"records_laser": False},
    "background that follows the magnet": {"background_modulation": 0.0005},
    "pickup": {"pickup": 3e-5},
    "holes in the record": {"missing_fraction": 0.05, "dropout_rate": 0.01},
    "a record full of holes": {"missing_fraction": 0.05, "dropout_rate": 0.1},
    "clumps": {"particles_per_clump": 500.0},
    "sloppy pipetting": {"pipetting_cv": 0.06},
    "saturated detector": {"full_scale_factor": 0.8},
    "some bubbles": {"spike_rate": 0.01},
    "bubbles": {"spike_rate": 0.1},
    "hook": {"self_absorption": 0.15},
    "dead time": {"dead_time_s": 2e-8},
}
REFUSED = {
    "saturated detector",
    "dim label",
    "bright digest",
    "hook",
    "sloppy pipetting",
    "dead time",
    "weak magnet",
    "bubbles",
    "a record full of holes",
}


def virtual(change, seed):
    asked = read_virtual("fnd_mouse")
    organs = {name: asked.organs[name] for name in ORGANS}
    numbers = asked.instrument | {name: value for name, value in change.items() if value is not None}
    return imagine(
        asked.model_copy(update={"hours": [24.0], "animals": 4, "organs": organs, "instrument": numbers}), seed
    )


def off(made, counts):
    """Cells found less cells that were there, freed of what they share: standard normal if all is well."""
    keys = ["group", "animal", "organ", "hours"]
    truth = made.cells.set_index(keys)["percent"]
    rows = counts.table.iloc[counts.signals.rows]
    held = truth.loc[list(rows[keys].itertuples(index=False, name=None))].to_numpy()
    return np.linalg.solve(np.linalg.cholesky(counts.signals.covariance()), rows["percent"].to_numpy() - held)


@pytest.mark.parametrize("name", CASES)
def test_right_or_refused(name):
    refused, squares, number = 0, 0.0, 0
    for seed in (1, 2, 3):
        made = virtual(CASES[name], seed)
        try:
            counts = count_cells(as_study(made))
        except AssayError as problem:
            refused += 1
            print(f"{name}, seed {seed}: {problem}")
            continue
        z = off(made, counts)
        squares, number = squares + float(z @ z), number + len(z)
    print(f"{name}: {refused} of 3 refused, mean square {squares / max(number, 1):.2f} of {number}")
    if number:
        assert squares < chi2.ppf(0.9999, number)
    if name not in REFUSED:
        assert refused < 3, "an instrument that can be used is refused"


def test_samples_in_the_wrong_digest_are_refused_or_flagged():
    """Liver digest read against standards in lung digest: the slope is another, spikes and QCs in liver say so."""
    made = virtual({}, 1)
    study = as_study(made)
    mixed = tuple(
        Reading(replace(r.well, plate="lung", well=f"x{r.well.well}", matrix="lung"), r.amplitude)
        if r.well.plate == "liver" and r.well.role in ("spike", "sample", "qc")
        else r
        for r in study.readings
        if not (r.well.plate == "liver" and r.well.role not in ("spike", "sample", "qc"))
    )
    with pytest.raises(AssayError, match=r"QCs|spikes"):
        count_cells(replace(study, readings=mixed))


def test_a_swap_of_a_standard_and_a_sample_is_seen():
    made = virtual({}, 2)
    study = as_study(made)
    wells = list(study.readings)
    high = next(i for i, r in enumerate(wells) if r.well.role == "standard" and r.well.nominal == 3.0)
    sample = next(i for i, r in enumerate(wells) if r.well.role == "sample" and r.well.plate == wells[high].well.plate)
    wells[high], wells[sample] = (
        Reading(wells[high].well, wells[sample].amplitude),
        Reading(wells[sample].well, wells[high].amplitude),
    )
    counts = count_cells(replace(study, readings=tuple(wells)))
    assert any(reading.well.nominal == 3.0 for panel in counts.panels for reading, _ in panel.left_out)
    assert any("limits for standards" in sentence for sentence in counts.left_out)

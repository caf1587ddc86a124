import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbpk.assay.readouts.sections import profiles_per_cell, sections_signals, volume_fraction
from pbpk.assay.readouts.settings import Sections
from pbpk.errors import StudyError

KNOWN = {"median": 0.8, "sigma": 0.1, "source": "x"}


def test_thin_sections_of_large_cells_over_count_five_fold(readouts):
    assert profiles_per_cell(readouts().sections) == 5.0
    assert profiles_per_cell(readouts(sections={"rule": "disector"}).sections) == 1.0


@given(st.floats(1.0, 100.0), st.floats(1.0, 50.0))
def test_profiles_outnumber_cells(thickness, diameter):
    settings = Sections.model_validate({
        "thickness_um": thickness, "diameter_um": diameter, "rule": "profiles", "detection": KNOWN, "cv": KNOWN,
        "unlabelled": [{"profiles": 0, "fraction": 0.1}]
    })  # fmt: skip
    assert profiles_per_cell(settings) == pytest.approx(1.0 + diameter / thickness)


def test_spheres_cut_by_a_knife():
    """Spheres dropped at random and cut show as many profiles as the rule says."""
    rng = np.random.default_rng(3)
    centre = rng.uniform(-500.0, 10500.0, 60_000)
    fraction, h, t = 0.1, 20.0, 5.0
    starts = np.arange(0.0, 10000.0, t / fraction)  # every tenth section
    apart = np.abs(centre[:, np.newaxis] - (starts + t / 2)[np.newaxis])
    profiles = (apart < (t + h) / 2).sum()
    cells = ((centre > 0.0) & (centre < 10000.0)).sum()
    assert profiles / (cells * fraction) == pytest.approx(5.0, rel=0.02)


def test_part_of_an_organ():
    assert volume_fraction(area_mm2=40.0, thickness_um=5.0, organ_mm3=200.0) == pytest.approx(0.001)


def test_a_row_in_closed_form(readouts, written):
    settings = readouts(sections={"spiked": None, "detection": KNOWN}).sections
    row = written(value=60.0, unit="profiles", fraction=0.002)
    signals = sections_signals([row], settings)
    amount, own, _ = signals.estimates()
    slope, rise = 5e3 * 0.002 * 5.0 * 0.8, 60.0 - 4 / 0.003 * 0.002
    assert amount == pytest.approx([rise / slope])
    assert own == pytest.approx([math.sqrt(60.0 + (0.4 * rise) ** 2) / slope])


def test_a_spiked_section_is_a_beta_posterior(readouts, written):
    rng = np.random.default_rng(1)
    signals = sections_signals([written(unit="profiles")], readouts().sections)
    drawn = np.log(rng.beta(88.5, 12.5, 200_000))
    assert signals.shared.mean[0] == pytest.approx(drawn.mean(), abs=1e-3)
    assert math.sqrt(signals.shared.covariance[0, 0]) == pytest.approx(drawn.std(), rel=0.01)


@pytest.mark.parametrize("rule", ["profiles", "disector"])
def test_estimates_agree_with_simulated_sections(readouts, written, agreement, rule):
    percent, fraction, seen, false = 5.0, 0.002, 0.85, 1500.0

    def once(rng):
        changes = {
            "rule": rule,
            "spiked": {"found": int(rng.binomial(200, seen)), "known": 200},
            "unlabelled": [{"profiles": int(rng.poisson(false * 0.01)), "fraction": 0.01}],
        }
        per_cell = 5.0 if rule == "profiles" else 1.0
        mean = 5e5 * percent / 100.0 * fraction * per_cell * seen * rng.gamma(1 / 0.16, 0.16)
        value = float(rng.poisson(mean + false * fraction))
        row = written(value=value, unit="profiles", fraction=fraction)
        signals = sections_signals([row], readouts(sections=changes).sections)
        return signals.estimates()[0][0], math.sqrt(signals.covariance()[0, 0])

    bias, error, covered = agreement(once, percent)
    assert abs(bias) < 3.0 * error
    assert 0.85 < covered < 0.98


def test_an_organ_needs_sections_without_label(readouts, written):
    settings = readouts(sections={"unlabelled": [{"organ": "liver", "profiles": 1, "fraction": 0.1}]}).sections
    with pytest.raises(StudyError, match=r"add `lung` to `unlabelled` under \[readouts.sections\]"):
        sections_signals([written(unit="profiles")], settings)
    own = sections_signals([written(unit="profiles", organ="liver")], settings)
    assert own.shared.names[-1] == "sections: false profiles per organ in liver"

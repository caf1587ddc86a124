"""Settings of readouts and rows of counts that several tests start from."""

import math
import tomllib

import numpy as np
import pytest

from pbpk.assay.measurements import MeasurementRow
from pbpk.assay.readouts.affine import Written
from pbpk.assay.readouts.settings import Readouts
from pbpk.errors import StudyError
from pbpk.reading import validated

WRITTEN = """
[readouts.qpcr]
copies_per_cell = { median = 2.0, sigma = 0.01, source = "single-copy gene, diploid" }
extraction_yield = { median = 0.6, sigma = 0.15, source = "spiked organ lysates of this study" }
cv = { median = 0.15, sigma = 0.3, source = "duplicate extracts of this study" }
standards = [{ copies = 1e2, ct = 31.1 }, { copies = 1e3, ct = 27.6 }, { copies = 1e4, ct = 24.1 },
             { copies = 1e5, ct = 20.5 }]

[readouts.gamma]
isotope = "In-111"
half_life_hours = 67.3
half_life_source = "table of the laboratory"
background_counts = 1200
background_seconds = 600.0
standard_counts = 250000
standard_seconds = 60.0
standard_percent_dose = 1.0
standard_hours = 2.0

[readouts.flow]
dissociation_yield = { median = 0.3, sigma = 0.3, source = "cells added to naive organs" }
cv = { median = 0.2, sigma = 0.3, source = "three mice at 24 h" }
naive = [{ organ = "lung", positives = 12, acquired = 500000 }, { positives = 3, acquired = 900000 }]

[readouts.sections]
thickness_um = 5.0
diameter_um = 20.0
rule = "profiles"
spiked = { found = 88, known = 100 }
cv = { median = 0.4, sigma = 0.3, source = "animals at one hour" }
unlabelled = [{ profiles = 4, fraction = 0.003 }]
"""


def _readouts(**blocks):
    """The written settings with some numbers replaced: `block={"key": value}`, None to leave the key or block out."""
    given = tomllib.loads(WRITTEN)["readouts"]
    for block, changes in blocks.items():
        if changes is None:
            del given[block]
            continue
        for key, value in changes.items():
            given[block][key] = value
            if value is None:
                del given[block][key]
    return validated(given, Readouts, StudyError)


@pytest.fixture(scope="session")
def readouts():
    """Settings of all readouts, with some numbers replaced."""
    return _readouts


@pytest.fixture(scope="session")
def written():
    """One count of an animal's lung at 24 h, of a dose of 5e5 cells."""

    def one(value=10.0, number=2, **of_row):
        row = MeasurementRow.model_validate({"group": "a", "animal": "1", "organ": "lung", "hours": 24,
                                             "unit": "copies", "value": value, **of_row})  # fmt: skip
        return Written(number, row, f"measurements.csv: row {number}", lambda _: 5e5)

    return one


@pytest.fixture(scope="session")
def agreement():
    """Bias of estimates with its error, and how often the interval of two SDs held the truth."""

    def of(once, truth, times=400):
        rng = np.random.default_rng(20)
        found = np.array([once(rng) for _ in range(times)])  # (time, 2): estimate and SD
        bias = found[:, 0].mean() / truth - 1.0
        inside = np.abs(found[:, 0] - truth) < 1.96 * found[:, 1]
        return bias, found[:, 0].std() / truth / math.sqrt(times), inside.mean()

    return of

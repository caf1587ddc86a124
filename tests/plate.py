"""Plates made by rule, without light: the amplitude of a well is a straight line in what it holds, plus noise."""

import numpy as np

from pbpk.assay.light.amplitude import Amplitude, Reading
from pbpk.assay.light.trace import Well

SLOPE, BLANK, SE, CV = 2000.0, 5.0, 2.0, 0.02  # [reading/ng], [reading], [reading], [1]
LOAD = 1e-3  # [ng/cell]
STANDARDS = [0.05, 0.1, 0.2, 0.5, 1.5, 3.0]
QCS = [0.12, 0.7, 2.4]


def amplitude(delta, se=SE, flags=(), notes=()):
    return Amplitude(delta, se, 11.0, 0.0, se, (1.0, np.nan, 1.0), 1e4, 4800, 4800, {}, flags, notes)


class Plate:
    """Wells of one plate and matrix, filled one after the other."""

    def __init__(self, matrix="lung", slope=SLOPE, recovery=0.9, seed=1, blank=BLANK):
        self.matrix, self.slope, self.recovery, self.blank = matrix, slope, recovery, blank
        self.rng = np.random.default_rng(seed)
        self.readings = []

    def add(self, role, ng, flags=(), name=None, **what):
        """A well that holds `ng`."""
        rise = self.slope * ng * (1 + CV * self.rng.standard_normal())
        delta = self.blank + rise + SE * self.rng.standard_normal()
        well = Well(f"p-{self.matrix}", name or f"{role}{len(self.readings)}", role, self.matrix, **what)
        self.readings.append(Reading(well, amplitude(delta, flags=flags)))

    def controls(self, cells=True, spikes=True):
        for _ in range(6):
            self.add("blank", 0.0)
        for ng in STANDARDS:
            for _ in range(2):
                self.add("standard", ng, nominal=ng, unit="ng")
        for ng in QCS:
            for _ in range(2):
                self.add("qc", ng, nominal=ng, unit="ng")
        for number in (100.0, 400.0, 1600.0) if cells else ():
            for _ in range(2):
                self.add("reference_cells", LOAD * number, nominal=number, unit="cells")
        for _ in range(4 if spikes else 0):
            self.add("spike", 1.0 * self.recovery, nominal=100.0, unit="ng", fraction=0.01)
        self.add("carry_over", 0.0)
        return self

    def sample(self, cells, fraction=0.01, animal=None, dilution=1.0, **more):
        ng = LOAD * cells * self.recovery * fraction / dilution
        what = {"group": "iv", "animal": animal or f"m{len(self.readings)}", "organ": self.matrix, "hours": 1.0} | more
        self.add("sample", ng, fraction=fraction, dilution=dilution, **what)
        return self

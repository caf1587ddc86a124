"""The raw light of one well: samples of light, field and laser in time, and which of them can be used."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Role = Literal[
    "blank", "standard", "qc", "reference_cells", "spike", "sample", "carry_over", "laser_off"
]  # what a well is for


HALF_FIELD_MT = 20.0  # field of half the fall of light, computed for NV powder (7-level model): flat from 50 mT on


@dataclass(frozen=True)
class Setup:
    """How the instrument was set.

    sampling_hz : samples a second [Hz]
    modulation_hz : frequency of the field's drive [Hz]
    waveform : shape of the drive; a sine through zero gives light at twice its frequency
    duty : share of a cycle during which a square drive is on
    full_scale : reading at which the converter clips [reading]; adc_bits : its resolution
    mains_hz : frequency of the mains where it was measured [Hz]
    """

    sampling_hz: float
    modulation_hz: float
    waveform: Literal["square", "sine"] = "square"
    duty: float = 0.5
    full_scale: float | None = None
    adc_bits: int | None = None
    gain: float | None = None
    excitation_nm: float | None = None
    mains_hz: float = 50.0


@dataclass(frozen=True)
class Well:
    """What is in a well.

    nominal : label or cells put in, for standards, QCs, spikes and reference cells [unit]
    matrix : tissue digest that fills it, or "buffer"
    dilution : factor by which the digest was diluted before it was read, at least 1
    fraction : part of the organ's digest that was read, before dilution
    """

    plate: str
    well: str
    role: Role
    matrix: str = "buffer"
    nominal: float | None = None
    unit: str = ""
    group: str = ""
    animal: str = ""
    organ: str = ""
    hours: float | None = None
    dilution: float = 1.0
    fraction: float = 1.0

    @property
    def reach(self) -> float:
        """Part of what the organ's digest holds that is in the well."""
        return self.fraction / self.dilution

    @property
    def held(self) -> float:
        """What was put in, as far as it is in the well [unit]; 0 where nothing was."""
        return (self.nominal or 0.0) * self.reach


@dataclass(frozen=True)
class Trace:
    """One well's samples; NaN where a sample is missing.

    seconds, light, field : (sample,) [s], [reading], [mT]; laser : (sample,) [reading] or None
    """

    well: Well
    setup: Setup
    seconds: Array
    light: Array
    field: Array
    laser: Array | None = None


def field_response(field_mt: Array, half_field_mt: float) -> Array:
    """Share of the full loss of light at a field (sample,) [mT]: quadratic when weak, half at `half_field_mt`.

    Source: closed form of the powder-averaged seven-level model; 6 % too steep between 50 and 100 mT.
    """
    squared = np.square(field_mt)
    return np.asarray(squared / (squared + half_field_mt**2))

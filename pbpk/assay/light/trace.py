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


@dataclass(frozen=True)
class Usable:
    """Which samples may be used, and how many may not, by reason.

    good : (sample,); lost : reason -> samples
    """

    good: NDArray[np.bool_]
    lost: dict[str, int]

    def without(self, bad: NDArray[np.bool_], reason: str) -> "Usable":
        """Return the same with some more samples left out."""
        return Usable(self.good & ~bad, self.lost | {reason: int((bad & self.good).sum())})


def usable(trace: Trace) -> Usable:
    """Find the samples that may be used; each bad one is counted once, under the first reason that holds.

    missing : light, field, laser or time is not a number; out of order : earlier than a sample before it; repeated :
    at the time of the sample before it; clipped : at an end of the converter; dropout : samples that should have come
    between two others, counted by the clock (they are not in the arrays)
    """
    columns = [trace.seconds, trace.light, trace.field, *([] if trace.laser is None else [trace.laser])]
    good = np.ones(trace.seconds.size, dtype=bool)
    found = Usable(good, {})
    found = found.without(~np.all([np.isfinite(column) for column in columns], axis=0), "missing")
    latest = np.fmax.accumulate(np.concatenate([[-np.inf], trace.seconds[:-1]]))
    with np.errstate(invalid="ignore"):
        found = found.without(trace.seconds < latest, "out of order")
        found = found.without(trace.seconds == latest, "repeated")
        clipped = trace.light <= 0.0
        if trace.setup.full_scale is not None:
            clipped = clipped | (trace.light >= trace.setup.full_scale)
    found = found.without(clipped, "clipped")
    clock = np.sort(trace.seconds[np.isfinite(trace.seconds)])
    gaps = np.round(np.diff(clock) * trace.setup.sampling_hz) - 1.0
    return Usable(found.good, found.lost | {"dropout": int(gaps[gaps > 0].sum())})

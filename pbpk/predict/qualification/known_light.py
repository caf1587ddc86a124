"""Light whose modulated part is known, given to the estimator of amplitudes: without noise, with noise, and empty.

The light is made here from its formula and not by the package's virtual instrument, so that one checks the other.
"""

from collections.abc import Iterator

import numpy as np

from pbpk.assay.light.amplitude import Amplitude, demodulate
from pbpk.assay.light.trace import Setup, Trace, Well
from pbpk.predict.qualification.checks import Check, at_most

SETUP = Setup(sampling_hz=2000.0, modulation_hz=7.0)
SECONDS = 30.0  # [s]
LEVEL, DELTA = 1.0e4, 25.0  # light and its fall under the field [reading]
FIELD_MT = 50.0  # [mT]
BLEACHED, TIME_S = 0.15, 6.0  # share of the light that bleaches, and its time constant, one that is fitted [1], [s]
NOISE = 40.0  # SD of a sample of white noise [reading]
EXACT = 1e-6  # relative: what is lost where there is no noise at all
ERRORS = 4.0  # standard errors; chance alone passes it in 6 of 100 000 signals
SPREAD = 0.25  # relative: 29 or so blocks tell a standard error to 1 / sqrt(2 x 29) = 13 %, two of which are allowed
SEED = 11
SOURCE = "least squares of a known signal: light = level (bleaching) - delta s(t), s a square wave of the field"


def of_light() -> Iterator[Check]:
    """Check what the estimator finds in light whose modulated amplitude is known."""
    about = "modulated amplitude of a signal that is known"
    silent = demodulate(trace(DELTA, 0.0))
    yield at_most("oracles", "amplitude without noise", about, abs(silent.delta / DELTA - 1.0), EXACT, "1", SOURCE)
    turned = demodulate(trace(-DELTA, 0.0))
    yield at_most("oracles", "amplitude that rises with the field", f"{about}; its sign is kept",
                  abs(turned.delta / -DELTA - 1.0), EXACT, "1", SOURCE)  # fmt: skip
    for name, delta in (("amplitude in noise", DELTA), ("amplitude of an empty well", 0.0)):
        found = demodulate(trace(delta, NOISE))
        yield at_most("oracles", name, f"{about}, in standard errors", abs(found.delta - delta) / found.se, ERRORS,
                      "standard errors", SOURCE, f"{found.delta:.4g} of {delta:g}")  # fmt: skip
        yield at_most("oracles", f"standard error of the {name}", "against 2 SD / sqrt(samples) of white noise",
                      abs(_error(found) - 1.0), SPREAD, "1", SOURCE)  # fmt: skip


def trace(delta: float, noise: float) -> Trace:
    """Light of one well: bleaching light that falls by `delta` while the field is on, and white noise [reading]."""
    seconds = np.arange(int(SECONDS * SETUP.sampling_hz)) / SETUP.sampling_hz
    on = (seconds * SETUP.modulation_hz) % 1.0 < SETUP.duty
    light = LEVEL * (1.0 - BLEACHED + BLEACHED * np.exp(-seconds / TIME_S)) - delta * on
    light += noise * np.random.default_rng(SEED).standard_normal(seconds.size)
    return Trace(Well("known", "A1", "standard"), SETUP, seconds, light, np.where(on, FIELD_MT, 0.0))


def _error(found: Amplitude) -> float:
    """Standard error over that of a square wave in white noise, half of the samples on."""
    return found.se / (2.0 * NOISE / np.sqrt(SECONDS * SETUP.sampling_hz))

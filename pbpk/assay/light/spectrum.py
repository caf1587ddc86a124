"""What the fit leaves of a well's light: its spectrum, and light, fit and residual side by side for a figure."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import spectrogram
from scipy.signal.windows import hann

from pbpk.assay.light.amplitude import BLOCK_S, Reference, regress, whole
from pbpk.assay.light.regression import residual
from pbpk.assay.light.trace import HALF_FIELD_MT, Array, Trace
from pbpk.errors import AssayError

WHOLE = 0.9  # of the window's power must fall on samples that are there
FEWEST = 16  # samples of a segment


@dataclass(frozen=True)
class Explained:
    """The samples that were used, beside what the fit says of them, each (sample,).

    name : plate and well
    seconds : since the first sample [s]; light : at constant laser power, fitted, residual : [reading]
    hertz : samples a second [Hz]; drive_hz : frequency of the field's drive [Hz]
    """

    name: str
    seconds: Array
    light: Array
    fitted: Array
    residual: Array
    hertz: float
    drive_hz: float


def explain(
    trace: Trace, most: int | None = None, reference: Reference = "field", half_field_mt: float = HALF_FIELD_MT
) -> Explained:
    """Light, fit and residual of one well.

    most : samples to return; of more, every so many-th is kept

    Raises
    ------
    AssayError
        if the light cannot be fitted; the reason is that of the amplitude's flag
    """
    name = f"{trace.well.plate} {trace.well.well}"
    fit = regress(trace.well, trace.setup, whole(trace), reference, half_field_mt)
    if fit.terms is None or fit.first is None or fit.last is None:
        raise AssayError(f"{name}: {fit.amplitude.flags[0]}.")
    (part,) = fit.parts()
    near = np.abs(residual(*part, fit.terms, fit.first.weights)) <= fit.limit
    left = residual(*part, fit.terms, fit.last.weights)[near]
    seconds, light = part[0][near], part[1][near] + fit.level
    every = slice(None, None, 1 if most is None else max(-(-seconds.size // max(most, 1)), 1))
    hertz, drive = 1.0 / fit.terms.step, trace.setup.modulation_hz
    return Explained(name, seconds[every], light[every], (light - left)[every], left[every], hertz, drive)


def residual_spectrum(found: Explained, segment_s: float | None = None) -> tuple[Array, Array]:
    """One-sided power spectral density of what the fit leaves: (frequency,) [Hz], (frequency,) [reading^2/Hz].

    Welch's mean over segments of `segment_s` that overlap by half, under a Hann window; two blocks of time long if not
    said. A sample that is not used counts as no residual, and the power is divided by the share of the window that
    fell on samples that are: white noise keeps its level, but a share m of samples missing here and there fills
    valleys with m times the mean density. Segments that lack more than a tenth of the window's power are left out.

    found : all samples of a well, not every so many-th

    Raises
    ------
    AssayError
        if no segment is whole enough

    Source: Welch 1967, doi 10.1109/TAU.1967.1161901
    """
    if segment_s is None:
        segment_s = 2.0 * max(BLOCK_S, 1.0 / found.drive_hz)
    tick = np.rint(found.seconds * found.hertz).astype(np.int64)
    size = int(np.clip(round(segment_s * found.hertz), FEWEST, tick[-1] + 1))
    window = hann(size, sym=False)
    clock, present = np.zeros((2, tick[-1] + 1))
    clock[tick], present[tick] = found.residual, 1.0
    hertz, _, power = spectrogram(clock, found.hertz, window, noverlap=size // 2, detrend=False)
    places = np.lib.stride_tricks.sliding_window_view(present, size)[:: size - size // 2]
    seen = places @ np.square(window) / np.square(window).sum()
    kept = seen >= WHOLE
    if not kept.any():
        raise AssayError(f"{found.name}: no {segment_s:g} s have {WHOLE:.0%} of their samples; take shorter segments.")
    return hertz, power[:, kept].sum(axis=1) / seen[kept].sum()

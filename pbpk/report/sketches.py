"""A well's light, small enough to stand beside all others of its plate: its reach, the fit, what that leaves.

A trace has thousands of samples and a box of a contact sheet a hundred dots: the light is told by its lowest and
highest sample in each part of the time, so that a single bad sample is still seen.
"""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from pbpk.assay.light.spectrum import explain, residual_spectrum
from pbpk.assay.light.trace import Array, Trace, Well
from pbpk.errors import AssayError

BINS = 72  # parts of the time in a box
LINES = 90  # points of a spectrum, evenly spaced in its logarithm


@dataclass(frozen=True)
class Sketch:
    """One well's light, thinned.

    seconds : (part,) [s]; lowest, highest : of the light in each part, at constant laser power (part,) [reading]
    fit_low, fit_high : of the fit, the field on and off (part,) [reading], NaN where there is no fit
    hertz, density : (line,) spectrum of what the fit leaves [Hz], [reading^2/Hz]; empty where there is none
    drive, mains : frequencies [Hz]; why : there is no fit, else empty
    """

    well: Well
    seconds: Array
    lowest: Array
    highest: Array
    fit_low: Array
    fit_high: Array
    hertz: Array
    density: Array
    drive: float
    mains: float
    why: str = ""


def sketch(trace: Trace) -> Sketch:
    """Thin one well's light, fit it, and look at what is left."""
    seconds, light = steady(trace)
    edges = parts(seconds, trace.setup.modulation_hz, BINS)
    lowest, highest = envelope(seconds, light, edges)
    none = np.full(lowest.size, np.nan)
    hertz = density = np.zeros(0)
    fit_low = fit_high = none
    why = ""
    try:
        found = explain(trace)
    except AssayError as problem:
        why = str(problem)
    else:
        fit_low, fit_high = envelope(found.seconds + edges[0], found.fitted, edges)
        with suppress(AssayError):  # too many samples may be missing for a spectrum, and few enough for a fit
            hertz, density = thinned(*residual_spectrum(found))
    middle = (edges[:-1] + edges[1:]) / 2.0
    return Sketch(trace.well, middle - edges[0], lowest, highest, fit_low, fit_high, hertz, density,
                  trace.setup.modulation_hz, trace.setup.mains_hz, why)  # fmt: skip


def steady(trace: Trace) -> tuple[Array, Array]:
    """Time and light of the samples that are numbers, the light at constant laser power where that was recorded."""
    light = trace.light
    if trace.laser is not None and trace.well.role != "laser_off":
        laser = np.where(trace.laser > 0.0, trace.laser, np.nan)
        if np.isfinite(laser).any():
            light = light * (np.nanmean(laser) / laser)
    good = np.isfinite(trace.seconds) & np.isfinite(light)
    order = np.argsort(trace.seconds[good], kind="stable")
    return trace.seconds[good][order], light[good][order]


def parts(seconds: Array, cycle_hz: float, most: int) -> Array:
    """Edges of at most so many equal parts of the time, none shorter than a cycle, (edge,) [s]."""
    begin, end = (float(seconds[0]), float(seconds[-1])) if seconds.size else (0.0, 1.0)
    length = max(end - begin, 1e-9)
    return np.linspace(begin, begin + length, int(np.clip(length * cycle_hz, 1, most)) + 1)


def envelope(seconds: Array, light: Array, edges: Array) -> tuple[Array, Array]:
    """Lowest and highest light between neighbouring edges, each (part,); NaN where there is no sample. Time ascends."""
    starts = np.searchsorted(seconds, edges)
    starts[-1] = seconds.size
    some = starts[:-1] < starts[1:]
    low, high = np.full((2, edges.size - 1), np.nan)
    if some.any():
        begin = starts[:-1][some]
        low[some] = np.minimum.reduceat(light, begin)
        high[some] = np.maximum.reduceat(light, begin)
    return low, high


def thinned(hertz: Array, density: Array) -> tuple[Array, Array]:
    """A spectrum at logarithmic steps: the highest density in each, so that no line is lost."""
    kept = (hertz > 0.0) & (density > 0.0)
    hertz, density = hertz[kept], density[kept]
    if hertz.size <= LINES:
        return hertz, density
    step = np.floor(LINES * np.log(hertz / hertz[0]) / np.log(hertz[-1] / hertz[0]) * (1.0 - 1e-12)).astype(int)
    starts = np.flatnonzero(np.diff(step, prepend=-1))
    highest = np.maximum.reduceat(density, starts)
    ends = np.append(starts[1:], hertz.size)
    return np.sqrt(hertz[starts] * hertz[ends - 1]), highest

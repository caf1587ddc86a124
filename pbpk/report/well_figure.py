"""The light of one well and what its fit makes of it, large enough to judge it by eye."""

from contextlib import suppress
from pathlib import Path
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from pbpk.assay.light.amplitude import Amplitude, demodulate
from pbpk.assay.light.regression import HARMONICS
from pbpk.assay.light.spectrum import Explained, explain, residual_spectrum
from pbpk.assay.light.trace import Trace
from pbpk.errors import AssayError
from pbpk.report.ink import ALERT, INK, WIDTH, inked, plain
from pbpk.report.sketches import envelope, parts, steady, thinned
from pbpk.report.wording import named, number

FIT, FIELD = "#0072B2", "#D55E00"
CYCLES = 4  # of the field that the second panel shows
PARTS = 300  # of the time, at most, in the panels that show all of it
LETTERS = 118  # of a line of the title


def write_well_figure(trace: Trace, path: Path) -> Path:
    """Draw one well into a file; its suffix says the kind: png, svg or pdf."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_well(trace).savefig(path, dpi=160)
    return path


@inked
def draw_well(trace: Trace, found: Amplitude | None = None) -> Figure:
    """Light with its fit, a few cycles beside the field, what the fit leaves over time, and its spectrum.

    found : amplitude if it is known already
    """
    found = found or demodulate(trace)
    lines = _title(trace, found)
    figure = Figure(figsize=(WIDTH, 4.85 + 0.15 * len(lines)), dpi=160)
    height = figure.get_size_inches()[1]
    low, middle, gap = 0.5 / height, 2.8 / height, 1.6 / height
    whole, cycles = figure.add_axes((0.085, middle, 0.405, gap)), figure.add_axes((0.59, middle, 0.335, gap))
    left, spectrum = figure.add_axes((0.085, low, 0.405, gap)), figure.add_axes((0.59, low, 0.395, gap))
    try:
        fit: Explained | None = explain(trace)
    except AssayError:
        fit = None
    seconds, light = steady(trace)
    _whole(whole, trace, seconds, light, fit)
    _cycles(cycles, trace, seconds, light, fit)
    _left(left, seconds, fit)
    _spectrum(spectrum, trace, fit)
    top = 1.0 - 0.1 / height
    for i, (line, shade, weight) in enumerate(lines):
        figure.text(0.012, top - 0.165 * i / height, plain(line), va="top", color=shade, fontweight=weight,
                    fontsize=8.5 if i == 0 else 7.5)  # fmt: skip
    return figure


def _title(trace: Trace, found: Amplitude) -> list[tuple[str, str, str]]:
    """Lines above the panels, each with its colour and weight."""
    well = trace.well
    holds = f", {number(well.nominal)} {well.unit}" if well.nominal is not None else ""
    holds += f", {named(well.organ)} of {well.animal or well.group}" if well.organ else ""
    share = ", ".join(f"{value:.2f}" if np.isfinite(value) else "none" for value in found.harmonics)
    lines = [
        (f"Plate {well.plate}, well {well.well}: {named(well.role)} in {named(well.matrix)}{holds}", INK, "bold"),
        (f"amplitude {number(found.delta)} ± {number(found.se)} (SE), quadrature {number(found.quadrature)} ± "
         f"{number(found.quadrature_se)}, level {number(found.level)} [reading]", INK, "normal"),
        (f"harmonics 1 to {len(found.harmonics)} over the amplitude: {share}; {found.used} of {found.samples} samples "
         "used", INK, "normal"),
    ]  # fmt: skip
    for sentence in found.flags:
        lines += [(line, ALERT, "bold") for line in wrap(f"Left out: {sentence}", LETTERS)]
    for sentence in found.notes:
        lines += [(line, "#444444", "normal") for line in wrap(f"Note: {sentence}", LETTERS)]
    return lines


def _whole(axes: Axes, trace: Trace, seconds: np.ndarray, light: np.ndarray, fit: Explained | None) -> None:
    """All of the light: its lowest and highest in each part of the time, and those of the fit."""
    axes.set_title("light, all of it")
    axes.set(xlabel="time [s]", ylabel="light [reading]")
    if not seconds.size:
        return
    edges = parts(seconds, trace.setup.modulation_hz, PARTS)
    middle = (edges[:-1] + edges[1:]) / 2.0 - edges[0]
    axes.fill_between(middle, *envelope(seconds, light, edges), color="#bdbdbd", lw=0, rasterized=True,
                      label="light, lowest to highest")  # fmt: skip
    if fit is not None:
        low, high = envelope(fit.seconds + edges[0], fit.fitted, edges)
        axes.plot(middle, low, color=FIT, lw=0.8, label="fit, lowest and highest")
        axes.plot(middle, high, color=FIT, lw=0.8)
    axes.set_xlim(0.0, float(edges[-1] - edges[0]))
    axes.margins(y=0.18)
    axes.legend(loc="upper right", fontsize=6.5, ncols=2, handlelength=1.2, borderaxespad=0.1, columnspacing=1.0)


def _cycles(axes: Axes, trace: Trace, seconds: np.ndarray, light: np.ndarray, fit: Explained | None) -> None:
    """A few cycles from the middle, with the field on an axis of its own."""
    axes.set_title(f"{CYCLES} cycles of the field")
    axes.set(xlabel="time [s]", ylabel="light [reading]")
    if not seconds.size:
        return
    first = seconds[0]
    start = first + (seconds[-1] - first) / 2.0
    end = start + CYCLES / trace.setup.modulation_hz
    field = axes.twinx()
    known = np.isfinite(trace.seconds) & np.isfinite(trace.field)
    inside = known & (trace.seconds >= start) & (trace.seconds <= end)
    field.plot(trace.seconds[inside] - first, trace.field[inside], color=FIELD, lw=0.8, alpha=0.7)
    field.set_ylabel("field [mT]", color=FIELD)
    field.tick_params(axis="y", colors=FIELD)
    field.spines["right"].set_visible(True)
    field.grid(visible=False)
    field.margins(y=0.12)
    inside = (seconds >= start) & (seconds <= end)
    axes.plot(seconds[inside] - first, light[inside], ".", ms=2.2, color="#6f6f6f")
    if fit is not None:
        inside = (fit.seconds >= start - first) & (fit.seconds <= end - first)
        axes.plot(fit.seconds[inside], fit.fitted[inside], color=FIT, lw=1.2)
    axes.set_xlim(start - first, end - first)
    axes.set_zorder(field.get_zorder() + 1)
    axes.patch.set_visible(False)


def _left(axes: Axes, seconds: np.ndarray, fit: Explained | None) -> None:
    """What the fit leaves over time."""
    axes.set_title("what the fit leaves")
    axes.set(xlabel="time [s]", ylabel="light less fit [reading]")
    if fit is None:
        axes.text(0.5, 0.5, "no fit", transform=axes.transAxes, ha="center", color=ALERT)
        return
    edges = parts(fit.seconds, fit.hertz / 8.0, PARTS)
    middle = (edges[:-1] + edges[1:]) / 2.0
    axes.fill_between(middle, *envelope(fit.seconds, fit.residual, edges), color="#6f6f6f", lw=0, rasterized=True)
    axes.axhline(0.0, color=FIT, lw=0.8)
    axes.set_xlim(0.0, max(float(seconds[-1] - seconds[0]), 1e-9))


def _spectrum(axes: Axes, trace: Trace, fit: Explained | None) -> None:
    """Spectrum of what the fit leaves, with the harmonics of the drive and the mains."""
    axes.set_title("its spectrum")
    axes.set(xlabel="frequency [Hz]", ylabel="density [reading²/Hz]", xscale="log", yscale="log")
    thin = highest = np.zeros(0)
    if fit is not None:
        with suppress(AssayError):  # too many samples may be missing for a spectrum, and few enough for a fit
            thin, highest = thinned(*residual_spectrum(fit))
    if not thin.size:
        axes.text(0.5, 0.5, "no spectrum", transform=axes.transAxes, ha="center", color=ALERT)
        return
    axes.plot(thin, highest, color="#444444", lw=0.9)
    lines = [(h * trace.setup.modulation_hz, FIELD, "-", "drive" if h == 1 else "") for h in range(1, HARMONICS + 1)]
    lines += [(h * trace.setup.mains_hz, FIT, ":", "mains" if h == 1 else "") for h in (1, 2, 3)]
    for at, shade, dashes, name in lines:
        if at <= thin[-1]:
            axes.axvline(at, color=shade, lw=0.7, ls=dashes, zorder=1)
            if name:
                axes.annotate(name, (at, 1.0), (-2, -1), xycoords=("data", "axes fraction"), fontsize=6.5,
                              textcoords="offset points", rotation=90, ha="right", va="top", color=shade)  # fmt: skip
    axes.set_xlim(thin[0], thin[-1])
    middle = float(np.sqrt(highest.min() * highest.max()))
    reach = max(float(np.sqrt(highest.max() / highest.min())) * 1.5, 12.0)
    axes.set_ylim(middle / reach, middle * reach)
    axes.yaxis.set_minor_locator(NullLocator())

"""Contact sheets: all wells of a plate where they stand, each a small picture of its light or of its residual."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from pbpk.assay.light.regression import HARMONICS
from pbpk.assay.light.trace import Array
from pbpk.report.ink import ALERT, FAINT, inked, plain
from pbpk.report.sketches import Sketch
from pbpk.report.wording import named, number

FORMATS = ((8, 12), (16, 24), (32, 48))  # rows and columns of plates with 96, 384 and 1536 wells
PLAIN_COLUMNS = 12  # of a grid of wells whose names tell no place
BOX_IN, HIGH_IN = 0.76, 0.62  # a well's width and height [in]
SMALLEST_IN = 0.5  # width below which a box would hold no words [in]
INNER = (0.05, 0.95, 0.27, 0.93)  # part of its box that a well's picture takes: left, right, top, bottom
ROLES = {
    "blank": "#7A7A7A",
    "standard": "#0072B2",
    "qc": "#D55E00",
    "reference_cells": "#009E73",
    "spike": "#882255",
    "sample": "#222222",
    "carry_over": "#56B4E9",
    "laser_off": "#B9A46B",
}
MAINS = "#0072B2"
QUANTILE = 0.98  # of the wells' heights that fit the box whole; what is higher is cut at its edge


@dataclass(frozen=True)
class Layout:
    """Where wells stand: rows and columns, the place (row, column) of each by name, and whether names told it."""

    rows: int
    columns: int
    places: Mapping[str, tuple[int, int]]
    told: bool


def layout(names: Sequence[str]) -> Layout:
    """Geometry of the smallest usual plate that has these wells, else a plain grid in the order given.

    >>> layout(["A1", "H12"]).places["H12"], layout(["x", "y"]).told
    ((7, 11), False)
    """
    places = {}
    for name in names:
        parts = re.fullmatch(r"([A-Z]|A[A-F])0*([1-9]\d?)", name.strip().upper())
        if parts is None:
            break
        letters, column = parts.groups()
        places[name] = (26 * (len(letters) - 1) + ord(letters[-1]) - ord("A"), int(column) - 1)
    if names and len(set(places.values())) == len(names):
        for rows, columns in FORMATS:
            if all(row < rows and column < columns for row, column in places.values()):
                return Layout(rows, columns, places, True)
    columns = max(min(PLAIN_COLUMNS, len(names)), 1)
    return Layout(-(-len(names) // columns), columns, {n: divmod(i, columns) for i, n in enumerate(names)}, False)


@inked
def light_sheet(sketches: Sequence[Sketch], words: Mapping[str, tuple[str, str]], out: Mapping[str, str]) -> Figure:
    """Light over time of every well, all on one scale, each about its own middle.

    words : well -> what it holds, what it reads; out : well -> why it is left out
    """
    figure, axes, grid = _empty_sheet([each.well.well for each in sketches])
    middles, spans = [], []
    for each in sketches:
        low, high = (np.nanmin(each.lowest), np.nanmax(each.highest)) if np.isfinite(each.lowest).any() else (0.0, 0.0)
        middles.append((low + high) / 2.0)
        spans.append(high - low)
    scale = float(np.quantile([span for span in spans if span > 0.0] or [1.0], QUANTILE, method="higher")) * 1.06
    longest = max((float(each.seconds[-1]) for each in sketches if each.seconds.size), default=1.0)
    for each, middle in zip(sketches, middles, strict=True):
        shade = ROLES[each.well.role]
        x = each.seconds / longest

        def height(light: Array, middle: float = middle) -> Array:
            return np.asarray(0.5 + (light - middle) / scale)

        _band(axes, grid, each, x, height(each.lowest), height(each.highest), shade)
        _lines(axes, grid, each, [(x, height(each.fit_low)), (x, height(each.fit_high))], shade, 0.8)
    _frames(axes, grid, sketches, words, out)
    about = f"a box is {number(longest)} s wide and {number(scale)} [reading] high; bands: light, lowest to highest"
    _finish(figure, axes, grid, sketches, about + "; lines: the fit, field on and off", bool(out))
    return figure


@inked
def spectrum_sheet(sketches: Sequence[Sketch], out: Mapping[str, str]) -> Figure:
    """Spectrum of what the fit leaves of every well, all on the same logarithmic scales; out : well -> why left out."""
    figure, axes, grid = _empty_sheet([each.well.well for each in sketches])
    known = [each for each in sketches if each.hertz.size]
    if known:
        hertz = np.array([[each.hertz[0], each.hertz[-1]] for each in known])
        low, high = np.log(hertz[:, 0].min()), np.log(hertz[:, 1].max())
        density = np.log(np.concatenate([each.density for each in known]))
        bottom, top = float(np.quantile(density, 0.002)) - 0.7, float(density.max()) + 0.7
        marks: dict[str, list[tuple[float, float]]] = {"drive": [], "mains": []}
        for each in known:
            x, y = (np.log(each.hertz) - low) / (high - low), (np.log(each.density) - bottom) / (top - bottom)
            _lines(axes, grid, each, [(x, np.clip(y, 0.0, 1.0))], ROLES[each.well.role], 0.8)
            marks["drive"] += [(at, 0.0) for at in _within(each.drive, HARMONICS, low, high)]
            marks["mains"] += [(at, 0.0) for at in _within(each.mains, 3, low, high)]
        for name, shade, dashes in (("drive", FAINT, "-"), ("mains", MAINS, (0, (1, 1.5)))):
            places = [(each, at) for each in known for at, _ in dict.fromkeys(marks[name])]
            segments = [_placed(grid, each, np.array([at, at]), np.array([0.0, 1.0])) for each, at in places]
            axes.add_collection(LineCollection(segments, colors=shade, lw=0.5, ls=[dashes], zorder=1, rasterized=True))
        about = (f"a box spans {number(np.exp(low))} to {number(np.exp(high))} Hz and {number(np.exp(bottom))} to "
                 f"{number(np.exp(top))} reading²/Hz, both logarithmic")  # fmt: skip
    else:
        about = "no well of this plate could be fitted"
    _frames(axes, grid, sketches, {}, out, spectra=True)
    _finish(figure, axes, grid, sketches, about, bool(out), spectra=True)
    return figure


def _within(first: float, many: int, low: float, high: float) -> list[float]:
    """Where multiples of a frequency stand between two logarithms of frequencies, as parts of the way."""
    at = np.log(first * np.arange(1, many + 1))
    return [float(x) for x in (at[(at > low) & (at < high)] - low) / (high - low)]


def _empty_sheet(names: Sequence[str]) -> tuple[Figure, Axes, Layout]:
    """A figure of one axes in which each well is a box of size 1."""
    grid = layout(names)
    box = BOX_IN if grid.columns <= 12 else max(BOX_IN * 18 / grid.columns, SMALLEST_IN)
    wide, high = 0.3 + box * grid.columns, 0.3 + HIGH_IN * box / BOX_IN * grid.rows
    foot = 0.62
    figure = Figure(figsize=(max(wide, 6.0), high + foot), dpi=200)
    axes = figure.add_axes((0.25 / figure.get_figwidth(), foot / (high + foot), box * grid.columns /
                            figure.get_figwidth(), (high - 0.3) / (high + foot)))  # fmt: skip
    axes.set_xlim(0.0, grid.columns)
    axes.set_ylim(grid.rows, 0.0)
    axes.set_axis_off()
    return figure, axes, grid


def _placed(grid: Layout, each: Sketch, x: Array, y: Array) -> Array:
    """Points of a well's picture, x to the right and y upwards from 0 to 1, on the sheet (point, 2)."""
    row, column = grid.places[each.well.well]
    left, right, top, bottom = INNER
    return np.column_stack([column + left + (right - left) * x, row + bottom - (bottom - top) * y])


def _band(axes: Axes, grid: Layout, each: Sketch, x: Array, low: Array, high: Array, shade: str) -> None:
    good = np.isfinite(low)
    if good.sum() < 2:
        return
    outline = np.concatenate([low[good], high[good][::-1]])
    points = _placed(grid, each, np.concatenate([x[good], x[good][::-1]]), np.clip(outline, 0.0, 1.0))
    axes.add_collection(PolyCollection([points], facecolors=shade, alpha=0.28, lw=0, rasterized=True))


def _lines(
    axes: Axes, grid: Layout, each: Sketch, curves: Sequence[tuple[Array, Array]], shade: str, width: float
) -> None:
    segments = [_placed(grid, each, x, np.clip(y, 0.0, 1.0)) for x, y in curves if np.isfinite(y).any()]
    axes.add_collection(LineCollection(segments, colors=shade, lw=width, rasterized=True))


def _frames(
    axes: Axes,
    grid: Layout,
    sketches: Sequence[Sketch],
    words: Mapping[str, tuple[str, str]],
    out: Mapping[str, str],
    spectra: bool = False,
) -> None:
    """Frames of the wells, red where one is left out, the words in them, and places that hold none."""
    small = grid.columns > 24
    taken = set(grid.places.values())
    empty = [(r, c) for r in range(grid.rows) for c in range(grid.columns) if grid.told and (r, c) not in taken]
    for row, column in empty:
        axes.add_patch(Rectangle((column + 0.025, row + 0.03), 0.95, 0.94, fill=False, edgecolor="#eeeeee", lw=0.5))
    for each in sketches:
        name = each.well.well
        row, column = grid.places[name]
        bad = name in out
        edge, width = (ALERT, 1.6) if bad else ("#c9c9c9", 0.5)
        axes.add_patch(Rectangle((column + 0.025, row + 0.03), 0.95, 0.94, fill=bad, facecolor="#fdf1f0", zorder=0.5,
                                 edgecolor=edge, lw=width))  # fmt: skip
        if small:
            continue
        holds, reads = words.get(name, ("", ""))
        above, below = (holds, reads) if grid.told else (name, f"{reads}, {holds}" if reads else "")
        shade = ALERT if bad else ROLES[each.well.role]
        said = "no fit" if each.why else "left out" if bad else ""
        size = 5.6 if grid.columns <= 12 else 4.4
        axes.text(column + 0.05, row + 0.17, plain(_short(above)), fontsize=size, color=shade, va="center")
        axes.text(column + 0.05, row + 0.89, plain(said or _short(below)), fontsize=size, va="center",
                  color=ALERT if said else shade, fontweight="bold" if said else "normal")  # fmt: skip
        if spectra and not each.hertz.size:
            axes.text(column + 0.5, row + 0.5, "no spectrum", fontsize=size, color=ALERT, va="center", ha="center")


def _short(text: str, letters: int = 16) -> str:
    return text if len(text) <= letters else text[: letters - 1] + "…"


def _finish(
    figure: Figure, axes: Axes, grid: Layout, sketches: Sequence[Sketch], about: str, bad: bool, spectra: bool = False
) -> None:
    """Names of rows and columns, what the colours are, what a box is."""
    if grid.told:
        for column in range(grid.columns):
            axes.text(column + 0.5, -0.08, str(column + 1), ha="center", va="bottom", fontsize=7.5, color="#444444")
        for row in range(grid.rows):
            letter = chr(ord("A") + row) if row < 26 else "A" + chr(ord("A") + row - 26)
            axes.text(-0.06, row + 0.5, letter, ha="right", va="center", fontsize=7.5, color="#444444")
    present = {each.well.role for each in sketches}
    handles: list[Patch | Line2D] = [Patch(color=shade, label=named(r)) for r, shade in ROLES.items() if r in present]
    if spectra:
        handles += [Line2D([], [], color=FAINT, lw=0.8, label="harmonics of the drive"),
                    Line2D([], [], color=MAINS, lw=0.8, ls=(0, (1, 1.5)), label="mains")]  # fmt: skip
    if bad:
        handles.append(Patch(facecolor="#fdf1f0", edgecolor=ALERT, lw=1.4, label="left out"))
    figure.legend(handles=handles, loc="lower left", ncols=11, fontsize=7, handlelength=1.0, columnspacing=1.1,
                  bbox_to_anchor=(0.012, 0.0), borderaxespad=0.0)  # fmt: skip
    figure.text(0.016, 0.32 / figure.get_figheight(), plain(about), fontsize=7, color="#444444")

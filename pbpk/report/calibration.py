"""Figures of a calibration: rank histograms, and how far the ECDF of ranks leaves the diagonal."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pbpk.infer.calibration.uniformity import ecdf_band, histogram
from pbpk.report.ink import ALERT, FAINT, INK, WIDTH, inked, plain, svg

if TYPE_CHECKING:
    from pbpk.infer.calibration.calibrate import Calibrated

COLUMNS = 6
STRETCH = 5.0  # of the difference between ECDF and diagonal, so that a hundred fits leave a band that is seen whole
SHORT = 22  # most letters of a title


@inked
def rank_figure(found: "Calibrated") -> Figure:
    """One small panel for each quantity: histogram of its ranks, and the ECDF less the diagonal with its 95 % band.

    The histogram is grey, in units of what uniform ranks would give (the line at 1); the ECDF's difference is the line,
    times five, about the same line, with the band that uniform ranks leave in one of twenty samples. Quantities
    that are not uniform are red.
    """
    names = list(found.table["quantity"])
    rows = -(-len(names) // COLUMNS)
    figure = Figure(figsize=(WIDTH, 1.05 * rows + 0.5), layout="constrained")
    panels = figure.subplots(rows, COLUMNS, squeeze=False, sharex=True, sharey=True).ravel().tolist()
    for axes, name in zip(panels, names, strict=False):
        _panel(axes, found.places[name].dropna().to_numpy(float), ALERT if name in found.suspects else INK)
        axes.set_title(plain(name if len(name) <= SHORT else name[: SHORT - 1] + "…"), fontsize=6.0)
    for unused in panels[len(names) :]:
        unused.set_axis_off()
    panels[0].set_ylim(0.0, 3.0)
    figure.supxlabel("rank of the truth among the draws", fontsize=7.5)
    figure.suptitle(plain(f"{found.model}, {len(found.places)} fits: {found.study}")[:110], fontsize=8.0)
    return figure


def _panel(axes: Axes, ranks: np.ndarray, shade: str) -> None:
    counts = histogram(ranks)
    edges = np.linspace(0.0, 1.0, len(counts) + 1)
    axes.stairs(counts * len(counts) / len(ranks), edges, fill=True, color=FAINT, alpha=0.45, linewidth=0.0)
    points, low, high = ecdf_band(len(ranks))
    ecdf = np.searchsorted(np.sort(ranks), points, side="right") / len(ranks)
    axes.fill_between(points, 1.0 + STRETCH * (low - points), 1.0 + STRETCH * (high - points), color=shade, alpha=0.10,
                      linewidth=0.0)  # fmt: skip
    axes.plot(points, 1.0 + STRETCH * (ecdf - points), color=shade, linewidth=0.9)
    axes.axhline(1.0, color=FAINT, linewidth=0.5)
    axes.set_xticks([0.0, 0.5, 1.0], ["0", "½", "1"])
    axes.set_yticks([])
    axes.grid(visible=False)


def write_rank_figure(found: "Calibrated", path: Path) -> Path:
    """Write the figure of ranks as SVG; returns its path."""
    about = f"Rank histograms of {len(found.table)} quantities over {len(found.places)} fits of {found.model}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(svg(rank_figure(found), about, "ranks"), encoding="utf-8")
    return path

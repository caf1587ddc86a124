"""A body as a map: living cells and label of the dead in each organ at chosen hours, as colour and as a number."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, FancyBboxPatch, Patch, PathPatch
from matplotlib.path import Path

from pbpk.predict.contrast import HOURS
from pbpk.report.ink import FAINT, INK, WIDTH, inked, plain
from pbpk.report.shares import kinds_of, shares_at
from pbpk.report.wording import KINDS, named, number, span

LEAST, MOST = 0.01, 100.0  # % of the dose: ends of the colours
PALETTE = "cividis_r"  # reads the same with any colour vision and in grey print
GROUND = "#f4f4f4"
# Where each organ lies in a body seen from the front, its head up: centre, width, height, tilt [degree]; not to scale
LUNGS = ((0.36, 1.20, 0.19, 0.40, 8.0), (0.64, 1.20, 0.19, 0.40, -8.0))
KIDNEYS = ((0.30, 0.66, 0.11, 0.19, 10.0), (0.70, 0.66, 0.11, 0.19, -10.0))
PLACES: Mapping[str, tuple[tuple[float, float, float, float, float], ...]] = {
    "lung": LUNGS,
    "lung_left": LUNGS[1:],
    "lung_right": LUNGS[:1],
    "heart": ((0.52, 1.13, 0.14, 0.19, -20.0),),
    "liver": ((0.40, 0.88, 0.36, 0.19, 12.0),),
    "spleen": ((0.70, 0.88, 0.10, 0.17, -25.0),),
    "kidney": KIDNEYS,
    "kidney_left": KIDNEYS[1:],
    "kidney_right": KIDNEYS[:1],
    "gut": ((0.50, 0.50, 0.34, 0.26, 0.0),),
    "tumor": ((0.62, 0.28, 0.12, 0.10, 0.0),),
    "muscle": ((0.10, 0.95, 0.09, 0.34, 5.0),),
    "brain": ((0.50, 1.72, 0.17, 0.13, 0.0),),
    "thyroid": ((0.50, 1.48, 0.10, 0.05, 0.0),),
}
LABELS: Mapping[str, tuple[float, float]] = {  # where a number stands, beside the body
    "brain": (0.84, 1.72), "thyroid": (0.84, 1.56), "lung": (1.06, 1.30), "lung_left": (1.06, 1.30),
    "lung_right": (-0.06, 1.30), "heart": (1.06, 1.10), "liver": (-0.06, 0.92), "spleen": (1.06, 0.90),
    "kidney": (1.06, 0.68), "kidney_left": (1.06, 0.68), "kidney_right": (-0.06, 0.66), "gut": (-0.06, 0.46),
    "tumor": (1.06, 0.34), "muscle": (-0.06, 1.14),
}  # fmt: skip
BELOW = 0.0  # height from which on lines of text stand for what has no place


@inked
def body_map_figure(forecast_table: pd.DataFrame, scenario: str, hours: Sequence[float] = HOURS) -> Figure:
    """One body for each kind of cell and hour: the median share of the dose in each organ, percent.

    Organs without a place in the picture stand in words below it; what is not in any organ is in none of them.
    """
    own = forecast_table[forecast_table["scenario"] == scenario]
    shares, kinds = shares_at(own, tuple(hours)), kinds_of(own)
    shown = [hour for hour in hours if (shares["hours"] == hour).any()]
    organs = list(dict.fromkeys(shares["organ"]))
    unplaced = [organ for organ in organs if organ not in PLACES]
    height = 2.1 + 0.13 * len(unplaced)
    figure = Figure(figsize=(WIDTH, height * len(kinds) + 0.6))
    tall = figure.get_figheight()
    gaps = {"left": 0.0, "right": 1.0, "top": 1.0 - 0.22 / tall, "bottom": 0.62 / tall, "hspace": 0.14, "wspace": 0.0}
    panels = figure.subplots(len(kinds), len(shown), squeeze=False, gridspec_kw=gaps)
    norm, colours = LogNorm(LEAST, MOST), mpl.colormaps[PALETTE]
    for row, kind in zip(panels, kinds, strict=True):
        for axes, hour in zip(row, shown, strict=True):
            part = shares[(shares["state"] == kind) & (shares["hours"] == hour)]
            held = dict(zip(part["organ"], part["q50"].astype(float), strict=True))
            _body(axes, held, unplaced, norm, colours)
            axes.set_title(plain(f"{KINDS.get(kind, kind)}, {span(hour)}"))
    told = "% of the dose in the organ, median"
    strip = figure.add_axes((0.25, 0.42 / tall, 0.5, 0.1 / tall))
    bar = figure.colorbar(mpl.cm.ScalarMappable(norm, colours), cax=strip, orientation="horizontal", label=told)
    bar.set_ticks([0.01, 0.1, 1, 10, 100], labels=["0.01 or less", "0.1", "1", "10", "100"])
    return figure


def _body(axes: Axes, held: Mapping[str, float], unplaced: Sequence[str], norm: LogNorm, colours: Any) -> None:
    """One body with its organs, their numbers beside it."""
    axes.set_axis_off()
    axes.set(xlim=(-0.42, 1.42), ylim=(BELOW - 0.14 * len(unplaced) - 0.02, 1.86), aspect="equal")
    for patch in outline():
        patch.set(facecolor=GROUND, edgecolor=FAINT, linewidth=0.7)
        axes.add_patch(patch)
    for organ, share in held.items():
        shade = colours(norm(np.clip(share, LEAST, MOST)))
        for x, y, wide, high, tilt in PLACES.get(organ, ()):
            axes.add_patch(Ellipse((x, y), wide, high, angle=tilt, fc=shade, ec=INK, lw=0.5, label=organ))
        if organ in LABELS:
            x, y = LABELS[organ]
            near = min(PLACES[organ], key=lambda place: abs(place[0] - x))
            side = "left" if x > 0.5 else "right"
            axes.plot([x, near[0]], [y, near[1]], color=FAINT, lw=0.4)
            axes.text(x + (0.02 if side == "left" else -0.02), y, told(organ, share), fontsize=6, va="center", ha=side)
    for line, organ in enumerate(unplaced):
        axes.text(0.5, BELOW - 0.14 * (line + 0.6), plain(told(organ, held.get(organ, 0.0))), fontsize=6, ha="center",
                  va="center")  # fmt: skip


def told(organ: str, share: float) -> str:
    """Organ and its share of the dose, as it stands beside the body."""
    return plain(f"{named(organ)} {number(share) if share >= LEAST else '<0.01'}")


def outline() -> list[Patch]:
    """Head and trunk of a body seen from the front, as one schematic figure for every species."""
    trunk = [(0.38, 1.56), (0.20, 1.50), (0.06, 1.42), (0.08, 1.05), (0.10, 0.62), (0.06, 0.24), (0.24, 0.06),
             (0.50, 0.06), (0.76, 0.06), (0.94, 0.24), (0.90, 0.62), (0.92, 1.05), (0.94, 1.42), (0.80, 1.50),
             (0.62, 1.56)]  # fmt: skip
    rounded = np.array([*trunk, trunk[0]])
    for _ in range(4):  # Chaikin's corner cutting
        rounded = np.concatenate([[0.75 * p + 0.25 * q, 0.25 * p + 0.75 * q] for p, q in pairwise(rounded)])
        rounded = np.vstack([rounded, rounded[:1]])
    smooth = PathPatch(Path(rounded))
    head = Ellipse((0.5, 1.69), 0.30, 0.30)
    neck = FancyBboxPatch((0.43, 1.50), 0.14, 0.10, boxstyle="round,pad=0.01")
    return [smooth, neck, head]

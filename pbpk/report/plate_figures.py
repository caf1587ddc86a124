"""Figures of a panel: the curve through its controls, and how far each control lies off what was put in."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullLocator
from scipy import stats

from pbpk.assay.light.amplitude import Reading
from pbpk.assay.plates.acceptance import PRESETS
from pbpk.assay.plates.panel import Panel
from pbpk.quantity import NORMAL_95
from pbpk.report.ink import ALERT, FAINT, INK, WIDTH, inked, plain
from pbpk.report.plate_tables import checked, kind, title

CURVE = "#0072B2"
STANDARD, QC = "#0072B2", "#D55E00"
POINTS = 80
FURTHEST = 45.0  # % off nominal that the strip shows; what lies beyond is an arrow at its edge
LINEAR = 0.6  # decades that the part around zero takes of a symmetric logarithmic axis


@inked
def calibration_figure(panel: Panel) -> Figure:
    """Amplitude against amount, both logarithmic, blanks on their own; below it what each control reads of nominal."""
    figure = Figure(figsize=(WIDTH, 4.6))
    main = figure.add_axes((0.195, 0.46, 0.79, 0.47))
    zero = figure.add_axes((0.075, 0.46, 0.112, 0.47), sharey=main)
    strip = figure.add_axes((0.195, 0.165, 0.79, 0.165), sharex=main)
    low, high = _reach(panel)
    _curve(main, panel, low, high)
    _amplitude_axis(main, panel, blanks=True)
    _blanks(zero, panel)
    _range_lines(main, panel)
    main.tick_params(labelleft=False, labelbottom=False)
    zero.set_ylabel("amplitude [reading]")
    main.set_title(plain(title(panel)))
    _accuracy(strip, panel)
    figure.legend(handles=_legend(panel), loc="lower center", ncols=6, columnspacing=1.4, handletextpad=0.5)
    return figure


@inked
def calibrations_figure(panels: Sequence[Panel]) -> Figure:
    """The curves of all panels side by side, without their blanks."""
    columns = min(len(panels), 4)
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(WIDTH, 1.55 * rows + 0.55), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for each, panel in zip(axes, panels, strict=False):
        known = _points([*panel.of(panel.role, "qc"), *panel.rejected])[0]
        _curve(each, panel, known[known > 0.0].min() / 1.6, known.max() * 1.6, size=2.8)
        _amplitude_axis(each, panel, blanks=False)
        each.set_title(plain(title(panel)), fontsize=7.5)
        each.tick_params(labelsize=6.5)
        ticks = _decades(*each.get_xlim())
        each.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        each.xaxis.set_minor_locator(NullLocator())
    for unused in axes[len(panels) :]:
        unused.set_axis_off()
    for first in axes[: len(panels) : columns]:
        first.set_ylabel("amplitude [reading]", fontsize=7)
    for last in axes[max(len(panels) - columns, 0) : len(panels)]:
        last.set_xlabel(f"in the well [{plain(panels[0].unit)}]", fontsize=7)
    handles = [handle for panel in panels for handle in _legend(panel, limits=False)]
    once = {str(handle.get_label()): handle for handle in handles}
    figure.legend(handles=list(once.values()), loc="outside lower center", ncols=4)
    return figure


def _points(readings: Sequence[Reading]) -> tuple[np.ndarray, np.ndarray]:
    """Amounts and amplitudes, each (well,)."""
    return np.array([r.well.held for r in readings]), np.array([r.amplitude.delta for r in readings])


def _limits(panel: Panel) -> list[tuple[float, str, str]]:
    """Where detection and quantification begin and end: amount, name, dashes."""
    table = panel.limits.table.set_index("method")
    lines = [(float(table["lod"]["ich_q2"]), "LOD", ":"), (float(table["loq"]["ich_q2"]), "LOQ", "--")]
    if panel.acceptance is not None:
        lines += [(panel.acceptance.lloq, "LLOQ", "-"), (panel.acceptance.uloq, "ULOQ", "-")]
    return [line for line in lines if np.isfinite(line[0]) and line[0] > 0.0]


def _reach(panel: Panel) -> tuple[float, float]:
    """Amounts from and to which a panel is drawn."""
    seen = _points([*panel.of(panel.role, "qc"), *panel.rejected])[0]
    seen = seen[seen > 0.0]
    low = min(seen.min() / 1.6, *(x / 1.35 for x, _, _ in _limits(panel)))
    return max(low, seen.min() / 50.0), float(seen.max()) * 1.6


def _curve(axes: Axes, panel: Panel, low: float, high: float, size: float = 4.5) -> None:
    """Curve with the band of a new well, and the wells of known content."""
    amount = np.geomspace(low, high, POINTS)
    se = float(np.median([reading.amplitude.se for reading in panel.of("blank", panel.role)]))
    told = panel.curve.predict(amount, se)
    degrees = np.array([panel.curve.degrees_at(float(x), se) for x in amount])
    reach = np.asarray(stats.t.ppf(0.975, degrees)) * told.well_sd
    axes.fill_between(amount, told.amplitude - reach, told.amplitude + reach, color=CURVE, alpha=0.18, lw=0)
    axes.plot(amount, told.amplitude, color=CURVE, lw=1.1)
    axes.plot(*_points(panel.of(panel.role)), "o", ms=size, mfc="white", mec=STANDARD, mew=1.0)
    axes.plot(*_points(panel.of("qc")), "D", ms=size * 0.85, mfc=QC, mec="white", mew=0.4)
    axes.plot(*_points(panel.rejected), "X", ms=size * 1.35, mfc=ALERT, mec="white", mew=0.5)
    axes.set_xscale("log")
    axes.set_xlim(low, high)


def _amplitude_axis(axes: Axes, panel: Panel, blanks: bool) -> None:
    """Logarithmic both ways from the limit of detection, linear around zero: blanks may read less than nothing."""
    threshold = 3.3 * panel.limits.sigma
    shown = [*panel.of(panel.role, "qc"), *panel.rejected]
    shown += panel.of("blank", "carry_over", "laser_off") if blanks else []
    drawn = [reading.amplitude.delta for reading in shown]
    low = min(-1.6 * threshold, 1.3 * min(drawn)) if blanks else min(0.6 * min(drawn), threshold)
    high = max(1.8 * max(drawn), 3.0 * threshold)
    axes.set_yscale("symlog", linthresh=threshold, linscale=LINEAR)
    axes.set_ylim(low, high)
    up = _decades(1.5 * threshold, high)
    ticks = [*(-x for x in _decades(1.5 * threshold, -low)), *([0.0] if low <= 0.0 else []), *up]
    axes.set_yticks(ticks, [f"{tick:g}".replace("-", "−") for tick in ticks])
    axes.yaxis.set_minor_locator(NullLocator())


def _decades(low: float, high: float) -> list[float]:
    """Powers of ten between two numbers."""
    if not 0.0 < low < high:
        return []
    return [10.0**power for power in range(int(np.ceil(np.log10(low))), int(np.floor(np.log10(high))) + 1)]


def _blanks(axes: Axes, panel: Panel) -> None:
    """Blanks, wells after the highest standard and wells without laser, beside the curve at amount 0."""
    for roles, place, shape, face in (("blank", 0.0, "o", FAINT), ("carry_over", 1.0, "s", "white"),
                                      ("laser_off", 2.0, "^", "white")):  # fmt: skip
        wells = panel.of(roles)  # type: ignore[arg-type]
        spread = np.linspace(-0.3, 0.3, len(wells)) if len(wells) > 1 else np.zeros(len(wells))
        axes.errorbar(place + spread, [r.amplitude.delta for r in wells], [NORMAL_95 * r.amplitude.se for r in wells],
                      fmt=shape, ms=3.4, mfc=face, mec=INK, mew=0.7, ecolor=FAINT, elinewidth=0.6)  # fmt: skip
    sigma, zero = panel.limits.sigma, float(panel.curve.curve.mean(0.0))
    axes.axhspan(zero - 3.3 * sigma, zero + 3.3 * sigma, color="#ececec", lw=0, zorder=0)
    axes.set_xlim(-0.7, 2.7)
    axes.set_xticks([0.0, 1.0, 2.0], ["blanks", "after highest", "laser off"], rotation=90, fontsize=6.5)
    axes.grid(axis="x", visible=False)


def _range_lines(axes: Axes, panel: Panel) -> None:
    """Where quantification begins and ends, and where detection does."""
    low, high = axes.get_xlim()
    for x, name, dashes in _limits(panel):
        if low <= x <= high:
            axes.axvline(x, color=INK, lw=0.7, ls=dashes, zorder=1)
            last = name == "ULOQ"
            axes.annotate(name, (x, 0.99 if not last else 0.06), (-2.0 if last else 2.0, 0.0), rotation=90,
                          xycoords=("data", "axes fraction"), textcoords="offset points", fontsize=6.5,
                          ha="right" if last else "left", va="bottom" if last else "top", color="#444444")  # fmt: skip


def _accuracy(axes: Axes, panel: Panel) -> None:
    """What each control reads in percent of nominal, between the limits that hold there."""
    judged = panel.acceptance
    if judged is not None:
        limits = PRESETS[judged.preset]
        inner, ends = 100.0 * limits["standard deviation"].value, 100.0 * limits["LLOQ deviation"].value
        axes.fill_between([judged.lloq, judged.uloq], 100.0 - inner, 100.0 + inner, color="#ececec", lw=0, zorder=0)
        top = 100.0 * limits["ULOQ deviation"].value
        for at, reach in ((judged.lloq, ends), (judged.uloq, top)):
            axes.plot([at, at], [100.0 - reach, 100.0 + reach], color=FAINT, lw=5, alpha=0.45, solid_capstyle="butt")
    axes.axhline(100.0, color=INK, lw=0.7)
    for role, shape, face, edge in ((panel.role, "o", "white", STANDARD), ("qc", "D", QC, "white")):
        table = checked(panel, role)
        x, y = table["nominal"].to_numpy(float), 100.0 * (1.0 + table["deviation"].to_numpy(float))
        bad = np.array([within is not None and not within for within in table["within"]], dtype=bool)
        for rows, mark, fill, rim in ((~bad, shape, face, edge), (bad, "X" if role != "qc" else shape, ALERT, "white")):
            inside = np.abs(y - 100.0) <= FURTHEST
            size = 6.0 if mark == "X" else 4.2
            axes.plot(x[rows & inside], y[rows & inside], mark, ms=size, mfc=fill, mec=rim, mew=0.7)
            for edge_at, beyond, arrow in ((100.0 + FURTHEST, y > 100.0, "^"), (100.0 - FURTHEST, y < 100.0, "v")):
                far = rows & ~inside & beyond
                axes.plot(x[far], np.full(far.sum(), edge_at), arrow, ms=5, color=ALERT, clip_on=False)
    axes.set_ylim(100.0 - FURTHEST, 100.0 + FURTHEST)
    axes.set_yticks([60.0, 80.0, 100.0, 120.0, 140.0])
    axes.set_title("found in it, % of nominal", fontsize=7.5, fontweight="normal", pad=4)
    axes.set_xlabel(plain(f"amount in the well [{panel.unit}]"))
    ticks = [x for x in sorted(set(checked(panel, panel.role)["nominal"])) if x > 0.0]
    spaced = [x for i, x in enumerate(ticks) if i == 0 or x / ticks[i - 1] > 1.25]
    axes.set_xticks(spaced, [f"{x:g}" for x in spaced])
    axes.xaxis.set_minor_locator(NullLocator())


def _legend(panel: Panel, limits: bool = True) -> list[Any]:
    """Only what is drawn."""
    handles: list[Any] = [
        Line2D([], [], marker="o", ls="", ms=4.5, mfc="white", mec=STANDARD, label=f"{kind(panel)}"),
        Line2D([], [], color=CURVE, lw=1.1, label="curve"),
        Patch(color=CURVE, alpha=0.18, lw=0, label="95 % of a new well"),
    ]
    if panel.of("qc"):
        handles.insert(1, Line2D([], [], marker="D", ls="", ms=4, mfc=QC, mec="white", label="QC"))
    if panel.rejected:
        handles.append(Line2D([], [], marker="X", ls="", ms=6, mfc=ALERT, mec="white", label="left out of the curve"))
    if limits:
        about = "below 3.3 σ of blanks" + ("; allowed deviation" if panel.acceptance is not None else "")
        handles.append(Patch(color="#ececec", lw=0, label=about))
    return handles

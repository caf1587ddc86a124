"""Values that an instrument read, in a figure of the fit: each with its own doubt, and honest where it is faint.

Such a value can be zero or less, since blanks scatter on both sides of nothing. On a logarithmic axis it has no place:
it is an open mark at the lower edge, from which its interval rises.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from pbpk.quantity import NORMAL_95
from pbpk.report.ink import FAINT, INK

SPREAD = 0.06  # of the width of a panel, over which the animals of one hour are laid out, at most
WIDE = 30.0  # times from the lowest clear value to the highest, from which the axis is logarithmic

type Array = NDArray[np.float64]


def errors(rows: pd.DataFrame) -> Array:
    """SD of each measurement itself (row,), NaN where a value is a plain number."""
    return rows["error"].to_numpy(float) if "error" in rows else np.full(len(rows), np.nan)


def draw_read(axes: Axes, rows: pd.DataFrame, shade: str, first: float, last: float, logarithmic: bool) -> None:
    """Draw the values of one panel with 95 % of their measurement, and one predictive bar for each hour.

    shade : of the fit; first, last, logarithmic : hours of the panel
    """
    bars = rows.groupby("hours")[["p2.5", "p97.5"]].median().reset_index()
    single = rows[rows["value"].notna()].sort_values("hours", kind="stable")
    value, reach = single["value"].to_numpy(float), NORMAL_95 * np.nan_to_num(errors(single))
    low, high = _value_axis(axes, rows, value, reach)
    axes.vlines(bars["hours"], np.maximum(bars["p2.5"], low), bars["p97.5"], color=FAINT, alpha=0.38, lw=7)
    x = _beside(single["hours"].to_numpy(float), first, last, logarithmic)
    axes.vlines(x, np.clip(value - reach, low, high), np.clip(value + reach, low, high), color=INK, lw=0.6)
    beyond = value <= low
    axes.plot(x[~beyond], value[~beyond], "o", ms=2.8, mfc="white", mec=INK, mew=0.7)
    if beyond.any():
        edge = np.full(beyond.sum(), low)
        marks = axes.plot(x[beyond], edge, "v", ms=3.6, mfc="white", mec=shade, mew=0.8, clip_on=False, zorder=5)
        marks[0].set_in_layout(False)
    ranges = rows[rows["value"].isna() & rows["high"].notna()] if "high" in rows else rows.iloc[:0]
    axes.vlines(ranges["hours"], np.maximum(ranges["low"].fillna(0.0), low), ranges["high"], color=INK, lw=1.2)


def _value_axis(axes: Axes, rows: pd.DataFrame, value: Array, reach: Array) -> tuple[float, float]:
    """Settle the axis of the values; its lower and upper end."""
    clear = value[value > reach]
    told = np.concatenate([clear, rows["q2.5"].to_numpy(float)])
    told = told[told > 0.0]
    top = float(np.nanmax(np.concatenate([value + reach, rows["p97.5"].to_numpy(float), told])))
    if len(clear) and len(told) and top > WIDE * told.min():
        low, high = float(told.min()) / 1.5, top * 1.5
        axes.set_yscale("log")
    else:
        below = float(np.nanmin(np.concatenate([value - reach, [0.0]])))
        low, high = 1.08 * below, top * 1.08
        if below < 0.0:
            axes.axhline(0.0, color=INK, lw=0.6)
    axes.set_ylim(low, high)
    return low, high


def _beside(hours: Array, first: float, last: float, logarithmic: bool) -> Array:
    """Hours with the values of one hour laid out beside each other (row,); hours ascend."""
    step = np.zeros(len(hours))
    for hour in np.unique(hours):
        here = hours == hour
        n = int(here.sum())
        step[here] = np.linspace(-0.5, 0.5, n) * min(SPREAD, 0.014 * n) if n > 1 else 0.0
    if logarithmic:
        return np.asarray(hours * np.exp(step * np.log(last / first)))
    return np.asarray(hours + step * (last - first))


def read_legend() -> list[Any]:
    """What the marks of such values mean."""
    return [
        Line2D([], [], marker="o", ls="-", lw=0.6, ms=3.2, color=INK, mfc="white", label="animal, 95 % of its reading"),
        Line2D([], [], marker="v", ls="", ms=4, mfc="white", mec=INK, label="at or below the lower edge"),
    ]

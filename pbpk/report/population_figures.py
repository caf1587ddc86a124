"""Figures of virtual populations: bands of subjects over hours, with a few subjects drawn one by one."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pbpk.report.figures import columns_of, drawable, grid, share_axis
from pbpk.report.ink import INK, colour, hours_axis, inked, plain
from pbpk.report.wording import named

BANDS = ((("q2.5", "q97.5"), 0.18, "95 % of subjects"), (("q25", "q75"), 0.38, "50 % of subjects"))
LEAST = 0.1  # % of the dose that 97.5 % of subjects must stay below at all hours for an organ to be left out
FEW = 8  # subjects drawn one by one
THIN = 0.45  # line of one subject


@inked
def population_figure(curves: pd.DataFrame, some: pd.DataFrame) -> Figure:
    """One state of every organ, percent of the dose of the median subject, against hours; both axes logarithmic.

    curves, some : rows of one scenario and one state, as `Answered` has them
    """
    dose = float(curves["dose"].iloc[0])
    held = 100.0 * curves.groupby("organ", sort=False)["q97.5"].max() / dose
    organs = [str(organ) for organ, most in held.items() if most >= LEAST]
    figure, panels = grid(max(len(organs), 1), 1.6)
    hours = curves.loc[curves["hours"] > 0.0, "hours"]
    for axes, organ in zip(panels, organs, strict=False):
        own = curves[(curves["organ"] == organ) & (curves["hours"] > 0.0)].sort_values("hours")
        _bands(axes, own, 100.0 / dose, colour(organ))
        few = some[(some["organ"] == organ) & (some["hours"] > 0.0) & (some["subject"] < FEW)]
        for _, one in few.groupby("subject"):
            axes.plot(one["hours"], drawable(one["amount"] * 100.0 / dose), color=INK, lw=THIN, alpha=0.55)
        hours_axis(axes, float(hours.min()), float(hours.max()), True, most=4)
        share_axis(axes)
        axes.set_title(plain(named(organ)))
    columns = columns_of(panels)
    for i, axes in enumerate(panels):
        axes.tick_params(labelleft=i % columns == 0, labelbottom=i + columns >= len(panels))
        axes.set_ylabel("% of the dose" if i % columns == 0 else "")
    figure.legend(handles=_legend(), loc="outside lower center", ncols=4)
    return figure


def _bands(axes: Axes, rows: pd.DataFrame, share: float, shade: str) -> None:
    t = rows["hours"].to_numpy(float)
    for (low, high), alpha, _ in BANDS:
        axes.fill_between(t, drawable(rows[low] * share), drawable(rows[high] * share), color=shade, alpha=alpha, lw=0)
    axes.plot(t, drawable(rows["q50"] * share), color=shade, lw=1.8)


def _legend() -> list[Line2D | Patch]:
    bands = [Patch(color=INK, alpha=alpha, lw=0, label=label) for _, alpha, label in reversed(BANDS)]
    return [Line2D([], [], color=INK, lw=1.8, label="median"), *bands,
            Line2D([], [], color=INK, lw=THIN, alpha=0.55, label="single subjects")]  # fmt: skip

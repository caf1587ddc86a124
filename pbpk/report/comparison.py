"""Models side by side: how each predicts what it was not told of, as a figure and a page."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pbpk.report.document.blocks import Table
from pbpk.report.ink import ALERT, FAINT, INK, WIDTH, inked, plain, svg
from pbpk.report.rendering import rendered, write_whole
from pbpk.report.wording import MISSING, whole

if TYPE_CHECKING:
    from pbpk.infer.comparison.compare import Comparison

ERRORS = 2.0  # standard errors that a bar reaches to either side


@inked
def comparison_figure(comparison: "Comparison") -> Figure:
    """Difference of each model to the best with two standard errors, animals one by one, and weights by stacking."""
    table, each = comparison.table, comparison.by_unit
    figure = Figure(figsize=(WIDTH, 0.42 * len(table) + 1.25), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3.0, 1.0))
    ruled = ~np.isfinite(table["elpd"].to_numpy(float))
    left.axvline(0.0, color=FAINT, lw=0.8, zorder=1)
    for row, model in enumerate(table.to_dict("records")):
        if ruled[row]:
            left.text(0.02, row, "ruled out", color=ALERT, va="center", fontsize=7.0,
                      transform=left.get_yaxis_transform())  # fmt: skip
            continue
        shade = INK if model["converged"] else ALERT
        _units(left, each[each["model"] == model["model"]], row)
        reach = ERRORS * model["difference_se"]
        left.plot([model["difference"] - reach, model["difference"] + reach], [row, row], color=shade, lw=1.5,
                  solid_capstyle="butt", zorder=3)  # fmt: skip
        left.plot(model["difference"], row, "o", ms=5.5, color=shade, zorder=4)
    right.barh(range(len(table)), table["weight"].to_numpy(float), height=0.5, color=INK)
    for row, weight in enumerate(table["weight"]):
        right.text(min(float(weight), 1.0) + 0.03, row, f"{weight:.2f}", va="center", fontsize=7.0)
    left.set_yticks(range(len(table)), [plain(name) for name in table["model"]])
    left.set_ylim(len(table) - 0.4, -0.6)
    left.set_xlabel("log predictive density of what was left out, less that of the best")
    right.set(xlim=(0.0, 1.25), xlabel="weight by stacking")
    right.set_xticks([0.0, 0.5, 1.0], ["0", "0.5", "1"])
    for axes in (left, right):
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
    figure.legend(handles=_legend(table, each), loc="outside lower center", ncols=4)
    return figure


def _units(axes: Axes, rows: pd.DataFrame, at: int) -> None:
    """Differences of single animals, below the bar of their model; hollow where a weight cannot be trusted."""
    doubtful = rows["doubtful"].to_numpy(bool)
    off = rows["difference"].to_numpy(float)
    for which, mark, size in ((~doubtful, "|", 5.0), (doubtful, "D", 3.5)):
        below = np.full(int(which.sum()), at + 0.26)
        axes.plot(off[which], below, mark, ms=size, mew=0.9, mec=FAINT, mfc="white", zorder=2)


def _legend(table: pd.DataFrame, each: pd.DataFrame) -> list[Line2D]:
    handles = [
        Line2D([], [], marker="o", ls="-", lw=1.5, ms=5.5, color=INK, label=f"sum ± {ERRORS:g} standard errors"),
        Line2D([], [], marker="|", ls="", ms=5, color=FAINT, label="one animal, or group at an hour"),
    ]
    if each["doubtful"].any():
        handles.append(Line2D([], [], marker="D", ls="", ms=3.5, mec=FAINT, mfc="white", label="not to be trusted"))
    if not table["converged"].all():
        handles.append(Line2D([], [], marker="o", ls="-", lw=1.5, ms=5.5, color=ALERT, label="chains disagree"))
    return handles


def comparison_table(comparison: "Comparison") -> Table:
    """The table of a comparison as text."""
    rows = [
        [
            row["model"],
            row["about"],
            _one(row["elpd"]),
            _one(row["se"]),
            _one(row["difference"]),
            _one(row["difference_se"]) if row["difference"] != 0.0 else MISSING,
            _one(row["effective"]),
            whole(row["high_k"]),
            whole(row["refitted"]),
            f"{row['weight']:.2f}",
            "yes" if row["converged"] else "no",
            _one(row["against"]) if row["verdict"] != "best" else MISSING,
            row["verdict"],
        ]
        for row in comparison.table.to_dict("records")
    ]
    head = ["Model", "What it says", "elpd", "SE", "Difference", "SE", "Effective parameters", "k > 0.7",
            "Fitted again", "Weight", "Chains agree", "Evidence against", "Verdict"]  # fmt: skip
    caption = (
        "Models, best first; elpd is the log predictive density of each hour, or animal, left out, summed over all; "
        "evidence against: logarithm of the mean over them of the best one's density over its own"
    )
    return Table(caption, head, "llrrrrrrrrlrl", rows)


def _one(value: float) -> str:
    """Number with one decimal, a true minus, a dash for none."""
    if np.isnan(value):
        return MISSING
    return ("−∞" if value < 0.0 else "∞") if np.isinf(value) else f"{value:.1f}".replace("-", "−")


def comparison_html(comparison: "Comparison", title: str) -> str:
    """The page as text; the same comparison gives the same bytes."""
    about = "Difference of each model to the best with two standard errors, and weights; the numbers are in the table."
    return rendered(
        "comparison.html.j2",
        cells=False,
        title=title,
        sentences=comparison.sentences,
        figure=svg(comparison_figure(comparison), about, "comparison"),
        models=comparison_table(comparison),
        units=_units_table(comparison),
    )


def _units_table(comparison: "Comparison") -> Table:
    """What each animal says of each model."""
    each = comparison.by_unit
    names = comparison.table["model"].tolist()
    wide = each.pivot_table(index="unit", columns="model", values="elpd", sort=False)
    doubtful = each[each["doubtful"]].groupby("unit")["model"].agg(list).to_dict()
    again = each[each["refitted"]].groupby("unit")["model"].agg(list).to_dict()
    rows = [
        [unit, *(_one(float(row.get(name, np.nan))) for name in names), ", ".join(doubtful.get(unit, [])) or MISSING,
         ", ".join(again.get(unit, [])) or MISSING]
        for unit, row in wide.iterrows()
    ]  # fmt: skip
    caption = "Log predictive density of each animal, or group at an hour, by a fit without it"
    return Table(
        caption, ["Left out", *names, "Not to be trusted", "Fitted again"], "l" + "r" * len(names) + "ll", rows
    )


def write_comparison_page(comparison: "Comparison", title: str, path: Path) -> Path:
    """Write a comparison as a page that needs nothing else.

    Parameters
    ----------
    title : what was compared, "Models of Khot 2019"
    """
    return write_whole(comparison_html(comparison, title), path)

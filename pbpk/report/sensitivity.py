"""The page of a sensitivity analysis: tornado, Morris' plane, Sobol' bars, and their tables."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from pbpk.predict.lineage.source import source
from pbpk.report.document.blocks import Table
from pbpk.report.document.inline import Code, with_code
from pbpk.report.ink import FAINT, INK, WIDTH, inked, plain, svg
from pbpk.report.rendering import rendered, write_whole
from pbpk.report.wording import interval, number

MOST = 12  # parameters that a figure and a table show of each endpoint; the CSV has all
GRADES = {"high": "#0072B2", "medium": "#56B4E9", "low": "#b9d9ea", "negligible": "#dddddd"}
FIRST, TOTAL = "#0072B2", "#E69F00"
NAMED = 6  # parameters that are named in Morris' plane
TITLES = {
    "local": "Near the middle of what is believed",
    "morris": "Over all that is believed: elementary effects",
    "sobol": "Over all that is believed: shares of the variance",
}
CAPTIONS = {
    "local": "Percent that the endpoint moves for a percent of the parameter, with its range over draws. High from "
    "0.5, medium from 0.2, low from 0.1 (WHO/IPCS 2010).",
    "morris": "Mean size and SD of the effects on the logarithm of the endpoint. High up: it hangs on others, or is "
    "not linear.",
    "sobol": "Share of the variance of the logarithm of the endpoint: of the parameter alone, and with all it does "
    "together with others; 95 % bootstrap intervals.",
}

HEADS = {
    "local": (("Endpoint", "Parameter", "Coefficient", "Range over draws", "Grade", "By log-odds", "Share of variance"),
              "llrrlrr"),
    "morris": (("Endpoint", "Parameter", "Mean size", "95 % interval", "Mean", "SD"), "llrrrr"),
    "sobol": (("Endpoint", "Parameter", "First order", "95 % interval", "Total", "95 % interval"), "llrrrr"),
}  # fmt: skip


def write_sensitivity_page(tables: Mapping[str, pd.DataFrame], said: tuple[str, ...], title: str, path: Path) -> Path:
    """Write the page.

    tables : method -> its table, of local, morris and sobol; said : what was found, in sentences
    """
    return write_whole(sensitivity_html(tables, said, title), path)


def sensitivity_html(tables: Mapping[str, pd.DataFrame], said: tuple[str, ...], title: str) -> str:
    """The page as text."""
    drawn = {"local": tornado_figure, "morris": morris_figure, "sobol": sobol_figure}
    parts = [
        {
            "anchor": name,
            "title": TITLES[name],
            "figure": svg(drawn[name](table), f"{TITLES[name]}; the numbers are in the table.", name),
            "caption": CAPTIONS[name],
            "table": sensitivity_table(name, table),
        }
        for name, table in tables.items()
    ]
    return rendered("sensitivity.html.j2", False, title=f"Sensitivity: {title}", parts=parts,
                    sentences=[with_code(sentence) for sentence in said])  # fmt: skip


def _panels(table: pd.DataFrame, height: float) -> tuple[Figure, list[tuple[Axes, str, pd.DataFrame]]]:
    """A panel for each endpoint, with the rows that it shows, the largest first."""
    endpoints = list(dict.fromkeys(table["endpoint"]))
    columns = min(len(endpoints), 3)
    lines = -(-len(endpoints) // columns)
    figure = Figure(figsize=(WIDTH, height * lines + 0.5), layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False).ravel().tolist()
    for unused in axes[len(endpoints) :]:
        unused.set_axis_off()
    found = []
    for each, endpoint in zip(axes, endpoints, strict=False):
        each.set_title(plain(endpoint))
        found.append((each, endpoint, table[table["endpoint"] == endpoint].head(MOST)))
    return figure, found


def _below(panels: list[tuple[Axes, str, pd.DataFrame]], text: str) -> None:
    """What the horizontal axes are, once: under the middle of the last line."""
    last = panels[3 * ((len(panels) - 1) // 3) :]
    last[len(last) // 2][0].set_xlabel(text)


def _rows(axes: Axes, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), [plain(name) for name in names], fontsize=6.5)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)


@inked
def tornado_figure(table: pd.DataFrame) -> Figure:
    """Normalised coefficients, largest first, coloured by grade, with their range over draws."""
    figure, panels = _panels(table, 2.6)
    for axes, _, own in panels:
        for at, row in enumerate(own.to_dict("records")):
            axes.barh(at, row["coefficient"], color=GRADES[row["grade"]], height=0.72)
            axes.plot([row["least"], row["most"]], [at, at], color=INK, lw=0.8)
        axes.axvline(0.0, color=INK, lw=0.6)
        _rows(axes, list(own["parameter"]))
    _below(panels, "d ln(endpoint) / d ln(parameter)")
    handles = [Patch(color=shade, label=name) for name, shade in GRADES.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


@inked
def morris_figure(table: pd.DataFrame) -> Figure:
    """SD against mean size of elementary effects; the largest are named, each at a height of its own."""
    figure, panels = _panels(table, 2.5)
    for axes, _, own in panels:
        x, y = own["mu_star"].to_numpy(float), own["sigma"].to_numpy(float)
        right, top = max(float(x.max()) * 1.55, 1e-12), max(float(y.max()) * 1.15, 1e-12)
        half = np.maximum(own["mu_star_high"].to_numpy(float) - x, 0.0)
        axes.errorbar(x, y, xerr=half, fmt="o", ms=4, color=FIRST, lw=0.7, mec="white", mew=0.4)
        axes.plot([0.0, right], [0.0, right], color=FAINT, lw=0.6, ls=":")
        named = own.head(NAMED).sort_values("sigma")
        heights = _apart(named["sigma"].to_numpy(float), 0.075 * top, top)
        for row, height in zip(named.to_dict("records"), heights, strict=True):
            axes.plot([row["mu_star"], 0.99 * right], [row["sigma"], height], color=FAINT, lw=0.4)
            axes.text(right, height, plain(row["parameter"]), fontsize=6, va="center", ha="right",
                      bbox={"fc": "white", "ec": "none", "pad": 0.5})  # fmt: skip
        axes.set(xlim=(0.0, right), ylim=(0.0, top))
    figure.supxlabel("mean size of the effects on ln(endpoint)", fontsize=8)
    figure.supylabel("their SD", fontsize=8)
    return figure


def _apart(values: Any, least: float, top: float) -> list[float]:
    """Heights in ascending order that keep so much distance, as near to the values as that allows, below the top."""
    heights: list[float] = []
    for value in values:
        heights.append(max(float(value), heights[-1] + least if heights else least / 2.0))
    over = max(heights[-1] - top + least / 2.0, 0.0) if heights else 0.0
    for i in reversed(range(len(heights))):
        limit = top - least / 2.0 if i == len(heights) - 1 else heights[i + 1] - least
        heights[i] = min(heights[i], limit) if over else heights[i]
    return heights


@inked
def sobol_figure(table: pd.DataFrame) -> Figure:
    """First-order and total shares beside each other, with their intervals."""
    figure, panels = _panels(table, 2.8)
    for axes, _, own in panels:
        for offset, name, shade in ((-0.19, "first", FIRST), (0.19, "total", TOTAL)):
            middle = own[name].to_numpy(float)
            ends = np.abs(np.stack([middle - own[f"{name}_low"], own[f"{name}_high"] - middle]))
            places = np.arange(len(own)) + offset
            axes.barh(places, np.maximum(middle, 0.0), height=0.36, color=shade)
            axes.errorbar(middle, places, xerr=ends, fmt="none", ecolor=INK, lw=0.7)
        axes.set_xlim(0.0, max(1.0, float(own["total_high"].max())))
        _rows(axes, list(own["parameter"]))
    _below(panels, "share of the variance of ln(endpoint)")
    handles = [Patch(color=FIRST, label="first order"), Patch(color=TOTAL, label="total")]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def sensitivity_table(method: str, table: pd.DataFrame) -> Table:
    """The largest of each endpoint by one method; the CSV beside the page has all."""
    head, aligned = HEADS[method]
    shown = table.groupby("endpoint", sort=False).head(MOST)
    rows = [(row["endpoint"], Code(row["parameter"]), *_told(method, row)) for row in shown.to_dict("records")]
    if method == "local":
        places = [source("sensitivity.csv", endpoint=row["endpoint"], parameter=row["parameter"])
                  for row in shown.to_dict("records")]  # fmt: skip
        return Table("Normalised coefficients", head, aligned, rows, places)
    what = "Elementary effects" if method == "morris" else "Shares of variance"
    flags = list(dict.fromkeys(flag for flag in table["flag"] if flag)) if "flag" in table else []
    caption = "; ".join([f"{what}, {table['evaluations'].iloc[0]} evaluations", *flags])
    return Table(caption, head, aligned, rows)


def _told(method: str, row: Mapping[Any, Any]) -> tuple[str, ...]:
    """Numbers of one row as a reader sees them."""
    if method == "local":
        return (number(row["coefficient"]), interval(row["least"], row["most"]), row["grade"],
                number(row["per_log_odds"]), f"{row['variance_share']:.1%}")  # fmt: skip
    if method == "morris":
        ends = interval(row["mu_star_low"], row["mu_star_high"])
        return number(row["mu_star"]), ends, number(row["mu"]), number(row["sigma"])
    pairs = [
        (f"{row[name]:.3f}", f"{row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f}") for name in ("first", "total")
    ]
    return (*pairs[0], *pairs[1])

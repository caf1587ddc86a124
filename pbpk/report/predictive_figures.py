"""Figures of values beside their predictions: before the fit by the prior, after it by the posterior."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullLocator

from pbpk.infer.design.prior_check import PriorCheck
from pbpk.infer.draws.predictive_check import ecdf, uniform_band
from pbpk.quantity import NORMAL_95
from pbpk.report.diagnostic_figures import marked
from pbpk.report.figures import columns_of, grid
from pbpk.report.ink import ALERT, FAINT, INK, WIDTH, colour, hours_axis, inked, marker, plain
from pbpk.report.wording import named, span

PANELS = 12  # that one figure shows
KEYS = ["group", "organ", "readout"]
MOST_HOURS = 10  # that stand side by side; more are put on an axis of time
FOLDS = 100.0  # a value further off its prediction stands at the edge
ANIMALS = 40  # that the figure of influence shows
STRONG_K = 0.7  # Vehtari et al. 2024, J Mach Learn Res 25:72


@inked
def prior_figure(check: PriorCheck) -> Figure:
    """What the prior expects of each value, 99 % and 50 %, with the values on top, one panel for each organ."""
    keys = chosen(check.table)
    figure, panels = grid(len(keys), 1.75)
    for axes, key in zip(panels, keys, strict=True):
        rows = _of(check.table, key).sort_values("hours", kind="stable")
        bands = rows.drop_duplicates("hours")
        hours = bands["hours"].to_numpy(float)
        shade = colour(key[1])
        least = max(float(rows["p0.5"].clip(lower=0.0).max()) * 1e-6, 1e-12)
        levels = {name: np.maximum(bands[name].to_numpy(float), least) for name in check.table.filter(regex="^p[0-9]")}
        for low, high, alpha in (("p0.5", "p99.5", 0.16), ("p25", "p75", 0.34)):
            if hours.size > 1:
                axes.fill_between(hours, levels[low], levels[high], color=shade, alpha=alpha, lw=0)
            if hours.size <= MOST_HOURS:
                axes.vlines(hours, levels[low], levels[high], color=shade, alpha=alpha, lw=5)
        axes.plot(hours, levels["p50"], "-" if hours.size > 1 else "_", color=shade, lw=1.2, ms=9)
        _marks(axes, rows["hours"].to_numpy(float), rows, 1.0, (rows["side"] != "").to_numpy())
        positive = hours[hours > 0.0]
        early = bool(positive.size == hours.size and hours.max() > 20.0 * hours.min())
        hours_axis(axes, *_ends(hours, early), early, most=4)
        shown = rows[["value", "high"]].to_numpy(float).ravel()
        shown = np.concatenate([shown[np.isfinite(shown) & (shown > 0.0)], levels["p99.5"], levels["p25"]])
        _decades(axes, max(shown.min() / 4.0, levels["p0.5"].min() / 1.5), shown.max() * 2.0)
        axes.set_title(plain(_title(check.table, key)), fontsize=8)
    for axes in panels[:: columns_of(panels)]:
        axes.set_ylabel("% of the dose" + (" per mL" if (check.table["per"] != "").all() else ""))
    handles: list[Any] = [
        Line2D([], [], marker="o", ls="", ms=4.5, mfc="white", mec=INK, label="observed"),
        Line2D([], [], marker="o", ls="", ms=4.5, color=ALERT, label="outside the prior's 99 %"),
        Patch(color=INK, alpha=0.16, lw=0, label="prior, 99 % of values"),
        Patch(color=INK, alpha=0.42, lw=0, label="50 %"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def _decades(axes: Axes, low: float, high: float) -> None:
    """A logarithmic axis with at most five ticks, powers of ten written out."""
    powers = np.arange(np.ceil(np.log10(low)), np.floor(np.log10(high)) + 1.0)
    ticks = 10.0 ** powers[:: -(-powers.size // 5) or 1]
    if ticks.size < 2:
        below = 10.0 ** np.floor(np.log10(low))
        ticks = np.array([below * step for step in (1, 2, 5, 10, 20, 50) if low <= below * step <= high])
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.set_yticks(ticks, [f"{tick:.3g}" for tick in ticks])
    axes.yaxis.set_minor_locator(NullLocator())


def chosen(table: pd.DataFrame, most: int = PANELS) -> list[tuple[str, str, str]]:
    """Panels to draw: all, or those whose values lie furthest off, in the order of the table."""
    keys = list(dict.fromkeys(table[KEYS].itertuples(index=False, name=None)))
    if len(keys) <= most:
        return keys
    far = table["quantile"].sub(0.5).abs() if "quantile" in table else table["residual"].abs()
    worst = far.groupby([table[name] for name in KEYS]).max().sort_values(ascending=False).index[:most]
    return [key for key in keys if key in set(worst)]


def _of(table: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    return table[(table[KEYS] == list(key)).all(axis=1)]


def _title(table: pd.DataFrame, key: tuple[str, str, str]) -> str:
    group, organ, readout = key
    title = named(organ) + (f", {readout}" if len(set(table["readout"])) > 1 else "")
    return title + (f"\n{group}" if len(set(table["group"])) > 1 else "")


def _ends(hours: np.ndarray[Any, Any], early: bool) -> tuple[float, float]:
    if early:
        return float(hours.min()) / 1.6, float(hours.max()) * 1.5
    gap = max(float(np.ptp(hours)), 1.0)
    return float(hours.min()) - 0.08 * gap, float(hours.max()) + 0.08 * gap


def _marks(axes: Axes, at: Any, rows: pd.DataFrame, scale: Any, wrong: Any) -> None:
    """Values as rings, ranges as bars, limits as arrows; those that are wrong filled and red."""
    low, high = (rows[name].to_numpy(float) * scale for name in ("low", "high"))
    single, limit = low == high, np.isneginf(low)
    for flag, shade in ((False, INK), (True, ALERT)):
        some = single & (wrong == flag) & (high > 0.0)
        axes.plot(at[some], high[some], "o", ms=4, mfc="white" if not flag else shade, mec=shade, mew=0.9, zorder=4)
        bars = ~single & ~limit & (wrong == flag)
        axes.vlines(at[bars], np.maximum(low[bars], high[bars] * 1e-3), high[bars], color=shade, lw=1.3, zorder=4)
        for ends in (high[bars], low[bars]):
            axes.plot(at[bars][ends > 0.0], ends[ends > 0.0], "_", color=shade, ms=7, mew=1.2, zorder=4)
        limits = limit & (wrong == flag)
        axes.plot(at[limits], high[limits], "v", ms=4, mfc="white", mec=shade, mew=0.9, zorder=4)


@inked
def predictive_figure(table: pd.DataFrame) -> Figure:
    """Observed over predicted median with the predictive interval about it, one panel for each organ.

    table : that of a `PredictiveCheck`
    """
    keys = chosen(table)
    figure, panels = grid(len(keys), 1.6)
    edges = [1.5]
    for axes, key in zip(panels, keys, strict=True):
        rows = _of(table, key).sort_values(["hours", "animal"], kind="stable").reset_index(drop=True)
        edges.append(_ratios(axes, rows, colour(key[1])))
        axes.set_title(plain(_title(table, key)), fontsize=8)
    _fold_axis(panels, max(edges))
    for axes in panels[:: columns_of(panels)]:
        axes.set_ylabel("observed / predicted")
    handles: list[Any] = [
        Line2D([], [], marker="o", ls="", ms=4.5, mfc="white", mec=INK, label="observed"),
        Line2D([], [], marker="o", ls="", ms=4.5, color=ALERT, label="outside its interval"),
        Patch(color=INK, alpha=0.38, lw=0, label="95 % of values by the fit"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _ratios(axes: Axes, rows: pd.DataFrame, shade: str) -> float:
    """Values of one organ over their medians, hours side by side; how large a factor the axis must hold."""
    hours, every = rows["hours"].to_numpy(float), sorted(set(rows["hours"]))
    scale = 1.0 / rows["p50"].to_numpy(float)
    low, high = np.maximum(rows["p2.5"] * scale, 1.0 / FOLDS), rows["p97.5"] * scale
    most = int(rows.groupby("hours")["hours"].transform("size").max())
    if len(every) > MOST_HOURS:
        at, width = hours, 1.4
        early = bool(hours.min() > 0.0 and hours.max() > 20.0 * hours.min())
        hours_axis(axes, *_ends(hours, early), early, most=4)
    else:
        place = np.searchsorted(every, hours)
        turn, of = rows.groupby("hours").cumcount().to_numpy(), rows.groupby("hours")["hours"].transform("size")
        at, width = place + 0.7 * ((turn + 0.5) / of.to_numpy(float) - 0.5), max(5.0 / np.sqrt(most), 1.4)
        axes.set_xlim(-0.6, len(every) - 0.4)
        step = -(-len(every) // 5)
        axes.set_xticks(range(0, len(every), step), [span(hour) for hour in every[::step]], fontsize=6.5)
    axes.axhline(1.0, color=FAINT, lw=0.7)
    axes.vlines(at, low, high, color=shade, alpha=0.38, lw=width)
    wrong = ((rows["low"] > rows["p97.5"]) | (rows["high"] < rows["p2.5"])).to_numpy()
    ends = rows[["low", "high"]].mul(scale, axis=0).clip(1.0 / FOLDS, FOLDS).where(np.isfinite(rows[["low", "high"]]))
    shown = rows.assign(low=ends["low"].where(np.isfinite(rows["low"]), -np.inf), high=ends["high"])
    _marks(axes, at, shown, 1.0, wrong)
    known = np.abs(np.log(shown["high"].to_numpy(float)))
    return float(np.exp(max(np.nanmax(known), np.quantile(np.abs(np.log(np.concatenate([low, high]))), 0.8))))


def _fold_axis(panels: list[Axes], edge: float) -> None:
    """One logarithmic axis of factors for all panels, ticks at round ones."""
    edge *= 1.25
    ticks = [t for t in (0.01, 0.1, 0.25, 0.5, 1, 2, 4, 10, 100) if 1.0 / edge <= t <= edge]
    if edge > 30.0:
        ticks = [t for t in ticks if t not in (0.25, 0.5, 2, 4)]
    elif edge > 6.0:
        ticks = [t for t in ticks if t not in (0.5, 2)]
    for axes in panels:
        axes.set_yscale("log")
        axes.set_ylim(1.0 / edge, edge)
        axes.set_yticks(ticks, [f"{t:g}" for t in ticks])
        axes.yaxis.set_minor_locator(NullLocator())


@inked
def pit_figure(pit: Any) -> Figure:
    """Histogram of the probability integral transforms, and their ECDF less that of uniform numbers, in its band."""
    figure = Figure(figsize=(WIDTH, 2.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    bins = int(np.clip(round(np.sqrt(pit.size)), 4, 20))
    edges = np.linspace(0.0, 1.0, bins + 1)
    sd = np.sqrt(pit.size / bins * (1.0 - 1.0 / bins))
    left.axhspan(max(pit.size / bins - NORMAL_95 * sd, 0.0), pit.size / bins + NORMAL_95 * sd, color="#ececec", lw=0)
    left.stairs(np.histogram(pit, edges)[0], edges, fill=True, color="#7f9fb3")
    left.axhline(pit.size / bins, color=FAINT, lw=0.8)
    left.set(xlabel="where the value lies in its predictive distribution", ylabel="values", xlim=(0.0, 1.0))
    left.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    left.grid(visible=False)
    places, low, high = uniform_band(pit.size)
    off = ecdf(pit, places) - places
    right.fill_between(places, low - places, high - places, color="#ececec", lw=0)
    right.axhline(0.0, color=FAINT, lw=0.8)
    outside = (off < low - places) | (off > high - places)
    right.plot(places, off, color="#0b5c7a", lw=1.4, drawstyle="steps-post")
    right.plot(places[outside], off[outside], ".", color=ALERT, ms=5)
    right.set(xlabel="the same", ylabel="share up to here, less expected", xlim=(0.0, 1.0))
    return figure


@inked
def residual_figure(table: pd.DataFrame) -> Figure:
    """Logarithmic residuals in predictive SDs against time, organ and prediction. table : of a `PredictiveCheck`."""
    rows = table[table["residual"].notna()]
    residual, organs = rows["residual"].to_numpy(float), list(dict.fromkeys(rows["organ"]))
    figure = Figure(figsize=(WIDTH, 2.75), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    hours, middle = rows["hours"].to_numpy(float), rows["p50"].to_numpy(float)
    spread = np.random.default_rng(0).uniform(-0.25, 0.25, len(rows))
    place = np.array([organs.index(organ) for organ in rows["organ"]]) + spread
    early = bool(hours.min() > 0.0 and hours.max() > 20.0 * hours.min())
    reach = max(2.6, float(np.abs(residual).max()) * 1.1)
    for axes, x in zip(panels, (hours, place, middle), strict=True):
        axes.axhspan(-NORMAL_95, NORMAL_95, color="#f0f0f0", lw=0, zorder=0)
        axes.axhline(0.0, color=FAINT, lw=0.8)
        for organ in organs:
            own = (rows["organ"] == organ).to_numpy()
            axes.plot(x[own], residual[own], marker(organ), ms=4.2, color=colour(organ), mec="white", mew=0.4,
                      label=named(organ))  # fmt: skip
        far = np.abs(residual) > NORMAL_95
        axes.plot(x[far], residual[far], "o", ms=7.5, mfc="none", mec=ALERT, mew=0.9)
        axes.set_ylim(-reach, reach)
    hours_axis(panels[0], *_ends(hours, early), early, most=4)
    panels[0].set_ylabel("residual [predictive SDs]")
    panels[0].set_xlabel("time after the dose")
    panels[1].set_xticks(range(len(organs)), [named(organ) for organ in organs], rotation=45, ha="right")
    panels[1].set_xlim(-0.6, len(organs) - 0.4)
    panels[1].grid(axis="x", visible=False)
    for i, organ in enumerate(organs):
        mean = float(residual[(rows["organ"] == organ).to_numpy()].mean())
        panels[1].plot([i - 0.35, i + 0.35], [mean, mean], color=INK, lw=1.4)
    panels[2].set_xscale("log")
    panels[2].set_xlabel("predicted median [% of the dose]")
    return figure


@inked
def influence_figure(influence: pd.DataFrame) -> Figure:
    """Pareto k of each animal left out, the most influential first. influence : columns group, animal, hours, k."""
    shown = influence.sort_values("k", ascending=False, kind="stable").head(ANIMALS)
    figure = Figure(figsize=(WIDTH, 0.17 * len(shown) + 0.9), layout="constrained")
    axes = figure.subplots()
    k, y = shown["k"].to_numpy(float), np.arange(len(shown))
    strong = ~(k <= STRONG_K)  # no tail could be fitted to what is not finite
    finite = k[np.isfinite(k)]
    k = np.where(np.isfinite(k), k, max(1.0, *finite) if len(finite) else 1.0)
    axes.hlines(y, np.minimum(0.0, k), k, color="#d5d5d5", lw=1.0)
    axes.plot(k[~strong], y[~strong], "o", ms=4.5, color="#0b5c7a")
    axes.plot(k[strong], y[strong], "o", ms=4.5, color=ALERT)
    marked(axes, STRONG_K, f"above {STRONG_K}: the fit leans on this one")
    axes.set_yticks(y, [plain(_who(row)) for row in shown.to_dict("records")], fontsize=6.5)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(min(0.0, float(k.min()) - 0.05), max(1.0, float(k.max()) * 1.05))
    axes.set_xlabel("Pareto k of leaving it out")
    axes.grid(axis="y", visible=False)
    return figure


def _who(row: dict[Any, Any]) -> str:
    """An animal, or what stands for several, with its group and hour; of an animal seen often the first and last."""
    name = str(row.get("animal") or row.get("unit") or "")
    hours = row.get("hours")
    seen = str(hours).split(", ") if hours is not None and pd.notna(hours) else []
    when = f", {' to '.join(dict.fromkeys(span(float(hour)) for hour in (seen[0], seen[-1])))}" if seen else ""
    return ", ".join(part for part in (str(row.get("group") or ""), name) if part) + when

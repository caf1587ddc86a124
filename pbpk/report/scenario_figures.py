"""Figures of answers to scenarios: curves of every organ, the organs stacked over hours, one scenario beside others."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pbpk.predict.contrast import HOURS
from pbpk.report.figures import FLOOR, columns_of, drawable, grid, share_axis
from pbpk.report.ink import FAINT, INK, WIDTH, colour, hours_axis, inked, plain
from pbpk.report.shares import kinds_of, shares_at
from pbpk.report.wording import KINDS, named, span

HATCHES = ("/////", None, "....")
STYLES: tuple[tuple[Any, float], ...] = (("-", 0.30), ((0, (3.2, 1.6)), 0.14), (":", 0.10))  # of the kinds, in order
BEYOND = "#efefef"  # ground of hours that no data reach
FAINTEST = 1e-3  # of the largest area, below which a ratio says little and is left to the table
SURE = 0.95  # of draws that agree which scenario holds more, from which a ratio is drawn filled


def _visible(forecast: pd.DataFrame) -> list[str]:
    """Organs that ever hold enough to be drawn, in the order of the table."""
    share = 100.0 * forecast["q97.5"] / forecast["dose_cells"]
    held = set(forecast.loc[(share >= FLOOR) & (forecast["state"] != "total"), "organ"])
    return [organ for organ in dict.fromkeys(forecast["organ"]) if organ in held]


@inked
def scenario_figure(forecast_table: pd.DataFrame, title: str) -> Figure:
    """Live cells and label of the dead, percent of the dose, against hours on a logarithmic axis.

    One scenario fills a grid with one panel for each organ; several make one row each, one column for each organ.
    All panels share their axes, so organs and scenarios can be compared; organs that hold next to nothing are left out.
    """
    scenarios = list(dict.fromkeys(forecast_table["scenario"]))
    organs, kinds = _visible(forecast_table), kinds_of(forecast_table)
    if len(scenarios) == 1:
        figure, panels = grid(len(organs), 1.45)
    else:
        figure = Figure(figsize=(max(WIDTH, 1.35 * len(organs)), 1.15 * len(scenarios) + 0.8), layout="constrained")
        panels = figure.subplots(len(scenarios), len(organs), squeeze=False).ravel().tolist()
    hours = forecast_table.loc[forecast_table["hours"] > 0.0, "hours"]
    late = False
    for axes, (scenario, organ) in zip(panels, [(s, o) for s in scenarios for o in organs], strict=True):
        rows = forecast_table[(forecast_table["scenario"] == scenario) & (forecast_table["organ"] == organ)]
        _scenario_panel(axes, rows, colour(organ), kinds)
        hours_axis(axes, float(hours.min()), float(hours.max()), True, most=5 if len(scenarios) == 1 else 3)
        late = _shade_beyond(axes, rows) or late
        share_axis(axes)
        axes.label_outer(remove_inner_ticks=False)
        if scenario == scenarios[0]:
            axes.set_title(plain(named(organ)))
    for axes, name in zip(panels[:: columns_of(panels)], scenarios if len(scenarios) > 1 else [""] * 99, strict=False):
        axes.set_ylabel(plain(f"{name}\n% of dose" if name else "% of the dose"))
    if title:
        figure.suptitle(plain(title), x=0.01, ha="left", fontsize=9, fontweight="bold")
    handles = _state_legend(kinds) + ([Patch(color=BEYOND, lw=0, label="after the last value")] if late else [])
    figure.legend(handles=handles, loc="outside lower center", ncols=3 if late else 4)
    return figure


def _shade_beyond(axes: Axes, rows: pd.DataFrame) -> bool:
    """Shade the hours after the last value of the study; false where there are none, or where nothing was studied."""
    late = rows.loc[rows["beyond"].str.split("; ").map(lambda words: "hours" in words), "hours"]
    early = rows.loc[~rows["hours"].isin(late) & (rows["hours"] > 0.0), "hours"]
    if not len(late):
        return False
    begin = float(early.max()) if len(early) else axes.get_xlim()[0]
    axes.axvspan(begin, axes.get_xlim()[1], color=BEYOND, lw=0, zorder=0)
    return True


def _scenario_panel(axes: Axes, rows: pd.DataFrame, shade: str, kinds: list[str]) -> None:
    for state, (dashes, alpha) in zip(kinds, STYLES, strict=False):
        part = rows[(rows["state"] == state) & (rows["hours"] > 0.0)].sort_values("hours")
        if not len(part):
            continue
        share = 100.0 / part["dose_cells"].to_numpy(float)
        t = part["hours"].to_numpy(float)
        low, middle, high = (drawable(part[q].to_numpy(float) * share) for q in ("q2.5", "q50", "q97.5"))
        axes.fill_between(t, low, high, color=shade, alpha=alpha, lw=0)
        axes.plot(t, middle, color=shade, ls=dashes, lw=1.5)


def _state_legend(kinds: list[str]) -> list[Any]:
    styled = [(KINDS.get(kind, kind), *style) for kind, style in zip(kinds, STYLES, strict=False)]
    return [
        *(Line2D([], [], color=INK, ls=dashes, lw=1.5, label=f"{name}, median") for name, dashes, _ in styled),
        *(Patch(color=INK, alpha=alpha, lw=0, label="95 %, " + name) for name, _, alpha in styled),
    ]


@inked
def scenario_bars_figure(forecast_table: pd.DataFrame) -> Figure:
    """Share of the dose in each organ at 1 h, 24 h and 7 d of each scenario, mean over the posterior, stacked."""
    shares = shares_at(forecast_table)
    shares, kinds = shares[shares["state"] != "total"], kinds_of(forecast_table)
    scenarios = list(dict.fromkeys(shares["scenario"]))
    organs = list(dict.fromkeys(shares["organ"]))
    figure = Figure(figsize=(WIDTH, 0.72 * max(len(scenarios), 1) + 1.2), layout="constrained")
    axes = figure.subplots()
    ticks, labels = [], []
    for block, scenario in enumerate(scenarios):
        own = shares[shares["scenario"] == scenario]
        first = own.iloc[0]
        note = f" ({first['evidence']})" if first["evidence"] != "data" else ""
        axes.text(
            0.0,
            4.6 * block - 0.85,
            plain(f"{first['title']}{note}"),
            fontweight="bold",
            fontsize=7.5,
            va="center",
        )
        for line, hour in enumerate(HOURS):
            ticks.append(4.6 * block + line)
            labels.append(span(hour))
            _stack(axes, own[own["hours"] == hour], organs, kinds, ticks[-1])
    axes.set_yticks(ticks, labels)
    axes.set_ylim(4.6 * max(len(scenarios), 1) - 1.1, -1.6)
    axes.set_xlim(0.0, max(100.0, axes.dataLim.x1))
    axes.set_xlabel("% of the dose, mean of the posterior; what is missing to 100 is in the blood or has left the body"
                    if "blood" not in organs else "% of the dose, mean of the posterior")  # fmt: skip
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    figure.legend(handles=_stack_legend(organs, kinds), loc="outside lower center", ncols=5)
    return figure


def _stack_legend(organs: list[str], kinds: list[str]) -> list[Patch]:
    """Colours of organs, and hatches of kinds where there are several."""
    found = [Patch(fc=colour(organ), label=named(organ)) for organ in organs]
    for kind, hatch in zip(kinds, HATCHES, strict=False) if len(kinds) > 1 else ():
        found.append(Patch(fc="white", ec=INK, hatch=hatch, label=KINDS.get(kind, kind)))
    return found


def _stack(axes: Axes, rows: pd.DataFrame, organs: list[str], kinds: list[str], at: float) -> None:
    left = 0.0
    for organ in organs:
        for state, hatch in zip(kinds, HATCHES if len(kinds) > 1 else (None,), strict=False):
            part = rows.loc[(rows["organ"] == organ) & (rows["state"] == state), "mean"]
            width = float(part.iloc[0]) if len(part) else 0.0
            axes.barh(at, width, left=left, height=0.82, color=colour(organ), ec="white", lw=0.4,
                      hatch=hatch)  # fmt: skip
            left += width


@inked
def contrast_figure(contrasts: pd.DataFrame) -> Figure:
    """Ratio of each scenario to the one it is compared with, area of every organ and state, on a logarithmic axis."""
    rows = contrasts[(contrasts["endpoint"] == "AUC") & contrasts["ratio"].notna() & (contrasts["ratio"] > 0.0)]
    larger = rows[["value", "value_against"]].max(axis=1)
    rows = rows[larger > FAINTEST * larger.max()]
    states = [state for state in dict.fromkeys(rows["state"]) if state != "total"] or ["total"]
    organs, scenarios = list(dict.fromkeys(rows["organ"])), list(dict.fromkeys(rows["scenario"]))
    figure = Figure(figsize=(WIDTH, 0.17 * len(organs) * len(scenarios) + 0.9), layout="constrained")
    panels = figure.subplots(1, len(states), sharey=True, sharex=True, squeeze=False).ravel().tolist()
    for axes, state in zip(panels, states, strict=True):
        axes.axvline(1.0, color=FAINT, lw=0.8, zorder=1)
        for at, (scenario, organ) in enumerate((s, o) for s in scenarios for o in organs):
            own = rows[(rows["scenario"] == scenario) & (rows["organ"] == organ) & (rows["state"] == state)]
            for row in own.to_dict("records"):
                sure = max(row["probability_above"], 1.0 - row["probability_above"]) >= SURE
                ends = [row["ratio_low"], row["ratio_high"]]
                axes.plot(ends, [at, at], color=colour(organ), lw=1.5, solid_capstyle="butt")
                axes.plot(row["ratio"], at, "o", ms=4, color=colour(organ), mfc=colour(organ) if sure else "white")
        axes.set(xscale="log", title=KINDS.get(state, state).capitalize())
        axes.grid(axis="y", visible=False)
    evidence = rows.groupby("scenario", sort=False)["evidence"].first()
    for block, scenario in enumerate(scenarios):
        note = "" if evidence[scenario] == "data" else f" ({evidence[scenario]})"
        panels[0].text(0.01, len(organs) * block - 0.42, plain(scenario + note), fontsize=6.5, fontweight="bold",
                       transform=panels[0].get_yaxis_transform(), va="center", ha="left")  # fmt: skip
        for axes in panels:
            axes.axhline(len(organs) * block - 0.5, color="#cccccc", lw=0.6)
    labels = [plain(named(organ)) for _ in scenarios for organ in organs]
    panels[0].set_yticks(range(len(labels)), labels, fontsize=6.5)
    panels[0].set_ylim(len(labels) - 0.4, -0.8)
    against = plain(str(rows["against"].iloc[0])) if len(rows) else ""
    figure.supxlabel(f"area under the curve over that of {against}, median and 95 % credible interval", fontsize=8)
    return figure


@inked
def stack_figure(forecast_table: pd.DataFrame, scenario: str) -> Figure:
    """Organs stacked over hours, mean share of the dose, living cells hatched: where all of it is at each moment."""
    own = forecast_table[(forecast_table["scenario"] == scenario) & (forecast_table["hours"] > 0.0)]
    kinds = kinds_of(own)
    organs = [organ for organ in dict.fromkeys(own["organ"]) if organ in _visible(own)]
    figure = Figure(figsize=(WIDTH, 3.0), layout="constrained")
    axes = figure.subplots()
    hours = np.sort(own["hours"].unique())
    below = np.zeros(hours.size)
    for kind, hatch in zip(kinds, HATCHES if len(kinds) > 1 else (None,), strict=False):
        for organ in organs:
            part = own[(own["organ"] == organ) & (own["state"] == kind)].sort_values("hours")
            share = 100.0 * part["mean"].to_numpy(float) / part["dose_cells"].to_numpy(float)
            axes.fill_between(hours, below, below + share, facecolor=colour(organ), edgecolor="white", lw=0.3,
                              hatch=hatch, label=f"{organ} {kind}")  # fmt: skip
            below = below + share
    hours_axis(axes, float(hours.min()), float(hours.max()), True, most=8)
    axes.set_ylim(0.0, max(100.0, float(below.max())))
    axes.set_ylabel("% of the dose, mean")
    figure.legend(handles=_stack_legend(organs, kinds), loc="outside lower center", ncols=6)
    return figure

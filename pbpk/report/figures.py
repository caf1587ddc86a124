"""Figures: each takes the tables of a run and returns a `Figure`; nothing is computed that a table does not hold."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pbpk.quantity import NORMAL_95
from pbpk.report.ink import ALERT, FAINT, INK, WIDTH, colour, hours_axis, inked, marker, plain
from pbpk.report.instrument_rows import draw_read, errors, read_legend
from pbpk.report.lessons import TENSION, prior_scores
from pbpk.report.wording import CREDIBLE, PREDICTIVE, READINGS, named

if TYPE_CHECKING:
    from pbpk.predict.run import Run

FLOOR = 0.01  # % of the dose; what is below is not drawn
CEILING = 130.0  # % of the dose, where its axis ends
SHARES = (0.01, 0.1, 1.0, 10.0, 100.0)  # % of the dose, where ticks stand
FILLS: dict[str, Any] = {"learned": "full", "half learned": "left", "not learned": "none"}


def grid(panels: int, height: float) -> tuple[Figure, list[Axes]]:
    """Figure of the page's width with panels in as many rows as they need."""
    columns = panels if panels <= 4 else 3 if panels in (5, 6, 9) else 4
    rows = -(-panels // columns)
    figure = Figure(figsize=(WIDTH, rows * height + 0.5), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for unused in axes[panels:]:
        unused.set_axis_off()
    return figure, axes[:panels]


def share_axis(axes: Axes) -> None:
    """Give an axis shares of the dose, by the logarithm, alike in every figure."""
    axes.set(yscale="log", ylim=(FLOOR, CEILING))
    axes.set_yticks(SHARES, [f"{share:g}" for share in SHARES])


def drawable(shares: Any) -> Any:
    """Shares as that axis can draw them: what is below it lies at one place below it."""
    return np.maximum(np.asarray(shares, float), FLOOR / 10.0)


def _ranked(organs: list[str], run: "Run") -> list[str]:
    """Organs in the order of the model."""
    known = list(run.joint.model.observed)
    return sorted(organs, key=lambda organ: known.index(organ) if organ in known else len(known))


# ---- the fit ----------------------------------------------------------------------------------------------------


@inked
def fit_figure(run: "Run") -> Figure:
    """Observed against hours, one panel for each organ (of each group and readout), with the fit's bands."""
    shown = run.predictions
    reading = "dose" if (shown["reading"] == "dose").any() else str(shown["reading"].iloc[0])
    shown = shown[shown["reading"] == reading]
    keys = list(shown[["group", "organ", "readout"]].drop_duplicates().itertuples(index=False, name=None))
    groups = list(dict.fromkeys(group for group, _, _ in keys))
    order = _ranked(sorted({organ for _, organ, _ in keys}), run)
    keys.sort(key=lambda key: (groups.index(key[0]), order.index(key[1]), key[2]))
    readouts = {readout for _, _, readout in keys}
    figure, panels = grid(len(keys), 1.75)
    for axes, (group, organ, readout) in zip(panels, keys, strict=True):
        rows = shown[(shown["group"] == group) & (shown["organ"] == organ) & (shown["readout"] == readout)]
        curves = run.curves
        curve = curves[(curves["group"] == group) & (curves["organ"] == organ) & (curves["readout"] == readout)]
        _fit_panel(axes, rows, curve if reading == "dose" else curve.iloc[:0], colour(organ))
        title = named(organ) + (f", {readout}" if len(readouts) > 1 else "")
        title += ", per mL" if (rows["per"] != "").all() and (shown["per"] == "").any() else ""
        axes.set_title(plain(title + (f"\n{group}" if len(groups) > 1 else "")))
    for axes in panels[:: columns_of(panels)]:
        axes.set_ylabel(READINGS.get(reading, reading) + (" per mL" if (shown["per"] != "").all() else ""))
    figure.legend(handles=_fit_legend(bool((errors(shown) >= 0.0).any())), loc="outside lower center", ncols=3)
    return figure


def columns_of(panels: list[Axes]) -> int:
    """Number of columns that panels stand in."""
    spec = panels[0].get_gridspec()
    return spec.ncols if spec is not None else 1


def _fit_panel(axes: Axes, rows: pd.DataFrame, curve: pd.DataFrame, shade: str) -> None:
    hours = rows["hours"].to_numpy(float)
    early = bool(hours.min() > 0.0 and hours.max() > 20.0 * hours.min())
    low, high = (hours.min() / 1.6, hours.max() * 1.3) if early else (0.0, max(hours.max() * 1.08, 1.0))
    curve = curve[(curve["hours"] >= low) & (curve["hours"] <= high)]
    own = [part for _, part in curve.groupby("animal", sort=False)]  # animals in a body of their own each have a curve
    for part in own:
        t, low_end, high_end = (part[name].to_numpy(float) for name in ("hours", "q2.5", "q97.5"))
        axes.fill_between(t, low_end, high_end, color=shade, alpha=0.32 / len(own), lw=0)
        axes.plot(t, part["q50"].to_numpy(float), color=shade, lw=1.4 if len(own) == 1 else 0.7)
    if not len(curve):
        axes.vlines(hours, rows["q2.5"], rows["q97.5"], color=shade, alpha=0.5, lw=4)
        axes.plot(hours, rows["q50"].to_numpy(float), "_", color=shade, ms=8)
    read = errors(rows) >= 0.0
    if read.any():
        draw_read(axes, rows, shade, low, high, early)
        hours_axis(axes, low, high, early, most=4)
        return
    unlike = rows.drop_duplicates(["hours", "n", "p2.5"])
    axes.vlines(unlike["hours"], unlike["p2.5"], unlike["p97.5"], color=FAINT, alpha=0.38, lw=6)
    single, ranges = rows[rows["value"].notna()], rows[rows["value"].isna() & rows["high"].notna()]
    axes.plot(
        single["hours"].to_numpy(float),
        single["value"].to_numpy(float),
        "o",
        ms=4,
        mfc="white",
        mec=INK,
        mew=1,
    )
    lows = ranges["low"].fillna(0.0).to_numpy(float)
    axes.vlines(ranges["hours"], lows, ranges["high"], color=INK, lw=1.2)
    for ends in (lows, ranges["high"].to_numpy(float)):
        axes.plot(ranges["hours"].to_numpy(float), ends, "_", color=INK, ms=7, mew=1.2)
    hours_axis(axes, low, high, early, most=4)
    seen = np.concatenate([single["value"].to_numpy(float), lows, ranges["high"].to_numpy(float)])
    everything = np.concatenate([seen, rows["p2.5"].to_numpy(float), rows["p97.5"].to_numpy(float)])
    if everything.min() > 0.0 and everything.max() > 30.0 * everything.min():
        axes.set_yscale("log")
        axes.set_ylim(everything.min() / 1.5, everything.max() * 1.5)
    else:
        axes.set_ylim(0.0, everything.max() * 1.08)


def _fit_legend(read: bool) -> list[Any]:
    values = [
        Line2D([], [], marker="o", ls="", ms=4, mfc="white", mec=INK, label="observed value"),
        Line2D([], [], marker="$\\mathrm{I}$", ls="", ms=8, color=INK, label="observed range"),
    ]
    return [
        *(read_legend() if read else values),
        Line2D([], [], color=INK, lw=1.4, label="median of the fit"),
        Patch(color=INK, alpha=0.32, lw=0, label=f"{CREDIBLE}, median animal"),
        Patch(color=FAINT, alpha=0.38, lw=0, label=f"{PREDICTIVE} of the value"),
    ]


@inked
def observed_predicted_figure(run: "Run") -> Figure:
    """Observed against median predicted on equal logarithmic axes, one panel for each reading of the percentages."""
    readings = list(dict.fromkeys(run.predictions["reading"]))
    wide = WIDTH if len(readings) > 1 else 0.64 * WIDTH
    figure = Figure(figsize=(wide, 3.3), layout="compressed")
    panels = figure.subplots(1, len(readings), squeeze=False).ravel().tolist()
    for axes, reading in zip(panels, readings, strict=True):
        rows = run.predictions[run.predictions["reading"] == reading]
        _scatter(axes, rows, _ranked(sorted(set(rows["organ"])), run))
        axes.set(xlabel=f"predicted median [{READINGS.get(reading, reading)}]", ylabel="observed [same unit]")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center")
    return figure


def _scatter(axes: Axes, rows: pd.DataFrame, organs: list[str]) -> None:
    clear = ~(rows["value"] <= NORMAL_95 * np.nan_to_num(errors(rows)))  # a faint value tells no axis where to begin
    values = np.concatenate([rows["value"][clear], rows[["low", "high", "q50"]].to_numpy(float).ravel()])
    values = values[np.isfinite(values) & (values > 0.0)]
    low, high = (values.min() / 2.5, values.max() * 2.5) if len(values) else (0.1, 100.0)
    ends = np.array([low, high])
    axes.fill_between(ends, ends / 2.0, ends * 2.0, color="#ececec", lw=0, label="within a factor 2", zorder=0)
    axes.plot(ends, ends, color=INK, lw=0.8, label="equal")
    for organ in organs:
        own = rows[rows["organ"] == organ]
        single, ranges = own[own["value"] > 0.0], own[own["value"].isna() & own["high"].notna()]
        faint = own["value"] <= NORMAL_95 * np.nan_to_num(errors(own))
        single = single[~faint.reindex(single.index)]
        for some, shape in ((own[faint & (own["value"] > low)], marker(organ)), (own[own["value"] <= low], "v")):
            axes.plot(some["q50"].to_numpy(float), np.maximum(some["value"].to_numpy(float), low * 1.08), shape, ms=4,
                      mfc="white", mec=colour(organ), mew=0.7)  # fmt: skip
        x, bottom = ranges["q50"].to_numpy(float), ranges["low"].fillna(0.0).to_numpy(float)
        axes.vlines(x, np.maximum(bottom, low), ranges["high"], color=colour(organ), lw=2)
        axes.plot(x[bottom < low], np.full(int((bottom < low).sum()), low * 1.12), "v", color=colour(organ), ms=4)
        at = np.concatenate([single["q50"].to_numpy(float), np.repeat(x, 2)])
        y = np.column_stack([np.maximum(bottom, low), ranges["high"].to_numpy(float)]).ravel()
        marks = ["_" if i >= len(single) else marker(organ) for i in range(len(at))]
        axes.plot(at[: len(single)], single["value"].to_numpy(float), marker(organ), color=colour(organ), ms=5.5,
                  mec="white", mew=0.4, label=named(organ))  # fmt: skip
        if "_" in marks:
            axes.plot(at[len(single) :], y, "_", color=colour(organ), ms=6, mew=1.4)
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high), aspect="equal")


# ---- the parameters ------------------------------------------------------------------------------------------------


@inked
def parameters_figure(run: "Run") -> Figure:
    """Posterior interval of each parameter in prior SDs, on the scale on which its prior is normal."""
    scores = prior_scores(run)
    figure = Figure(figsize=(WIDTH, 0.158 * len(scores) + 1.1), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(-NORMAL_95, NORMAL_95, color="#ececec", lw=0, zorder=0)
    axes.axvline(0.0, color=FAINT, lw=0.8, zorder=1)
    for row, score in enumerate(scores.to_dict("records")):
        strained = abs(score["middle"]) > TENSION
        shade = ALERT if strained else FAINT if score["learned"] == "not learned" else INK
        axes.plot([score["low"], score["high"]], [row, row], color=shade, lw=1.3, solid_capstyle="butt")
        axes.plot(score["middle"], row, "o", ms=5, color=shade, fillstyle=FILLS.get(score["learned"], "none"),
                  markerfacecoloralt="white", mfc=shade if score["learned"] in FILLS else "white")  # fmt: skip
        if score["learned"] == "not learned":
            axes.plot(score["middle"], row, "o", ms=5, mfc="white", mec=shade)
    axes.set_yticks(range(len(scores)), [plain(name) for name in scores["parameter"]], fontsize=6.5)
    axes.set_ylim(len(scores) - 0.4, -0.6)
    edge = max(3.0, float(np.abs(scores[["low", "high"]].to_numpy()).max()) + 0.2) if len(scores) else 3.0
    axes.set_xlim(-edge, edge)
    axes.set_xlabel("posterior in prior standard deviations from the prior median")
    axes.grid(axis="y", visible=False)
    figure.legend(handles=_parameter_legend(), loc="outside lower center", ncols=5)
    return figure


def _parameter_legend() -> list[Any]:
    marks = {"learned": INK, "half learned": INK, "not learned": FAINT}
    handles: list[Any] = [Patch(color="#ececec", lw=0, label="prior, 95 %")]
    for name, shade in marks.items():
        face = "white" if name == "not learned" else shade
        handles.append(Line2D([], [], marker="o", ls="-", lw=1.3, ms=5, color=shade, mfc=face,
                              fillstyle=FILLS[name] if name != "not learned" else "full",
                              markerfacecoloralt="white", label=name))  # fmt: skip
    handles.append(Line2D([], [], marker="o", ls="-", lw=1.3, ms=5, color=ALERT, label=f"beyond {TENSION:g} prior SDs"))
    return handles

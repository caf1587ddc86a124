"""Figures of the chains: how they walk, which parameters hide each other, what the data did to each prior."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from pbpk.body.solve import Array
from pbpk.infer.draws.convergence import LEAST_BFMI, LEAST_ESS
from pbpk.infer.draws.mixing import bfmi, rank_band, rank_counts
from pbpk.report.figures import FILLS
from pbpk.report.ink import ALERT, FAINT, INK, WIDTH, inked, plain

CHAINS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#332288", "#999933")
TRACE_POINTS = 200  # of each chain; a page is to be opened on a tablet
CLOUD = 1200  # draws in a cloud
EDGE = 4.0  # prior SDs to either side in small panels
COLUMNS, STRIDE = 6, 2.0 * EDGE + 1.0  # of small panels, and how far apart they stand
TOP, TALL = 1.6, 2.25  # highest density drawn, and from foot to foot
CIRCLE = 2.447746830680816  # radius that holds 95 % of two independent normals


def chain_colour(chain: int) -> str:
    """Colour of a chain, the same in every figure."""
    return CHAINS[chain % len(CHAINS)]


@inked
def trace_rank_figure(scores: Mapping[str, Array], effective: Mapping[str, float]) -> Figure:
    """Draws against their number, and how the ranks of each chain fill equal bins, one row for each parameter.

    Parameters
    ----------
    scores : name -> (chain, draw) in prior SDs
    effective : effective draws of all chains, each about its own mean
    """
    height = 0.66 * len(scores) + 1.05
    figure = Figure(figsize=(WIDTH, height))  # margins by hand: a layout of so many panels takes a second
    panels = figure.subplots(len(scores), 2, squeeze=False, width_ratios=(1.7, 1.0))
    figure.subplots_adjust(
        left=0.16, right=0.99, top=1.0 - 0.25 / height, bottom=0.75 / height, hspace=0.3, wspace=0.12
    )
    for (trace, bars), (name, values) in zip(panels, scores.items(), strict=True):
        chains, draws = values.shape
        step = max(draws // TRACE_POINTS, 1)
        counts = rank_counts(values)
        low, high = rank_band(draws, effective[name] / chains)
        edges = np.linspace(0.0, 1.0, counts.shape[1] + 1)
        bars.axhspan(low, high, color="#ececec", lw=0, zorder=0)
        for chain in range(chains):
            trace.plot(np.arange(draws)[::step], values[chain, ::step], color=chain_colour(chain), lw=0.5, alpha=0.8)
            bars.stairs(counts[chain], edges, color=chain_colour(chain), lw=0.8)
        trace.set_ylabel(plain(name), rotation=0, ha="right", va="center", fontsize=7, labelpad=4)
        trace.set_xlim(0, draws)
        trace.yaxis.set_major_locator(_few())
        bars.set_xlim(0.0, 1.0)
        bars.set_ylim(0.0, max(float(counts.max()), high) * 1.1)
        bars.set_yticks([0, round(draws / counts.shape[1])])
        bars.grid(visible=False)
        if trace is not panels[-1, 0]:
            trace.tick_params(labelbottom=False)
            bars.tick_params(labelbottom=False)
    panels[0, 0].set_title("draws of each chain [prior SDs]")
    panels[0, 1].set_title("ranks among all draws")
    panels[-1, 0].set_xlabel("draw")
    panels[-1, 1].set_xlabel("rank, as a share")
    chains = next(iter(scores.values())).shape[0]
    handles: list[Any] = [Line2D([], [], color=chain_colour(c), lw=1.2, label=f"chain {c + 1}") for c in range(chains)]
    handles.append(Patch(color="#ececec", lw=0, label="99 % of bins if chains agree"))
    figure.legend(handles=handles, loc="lower center", ncols=5, borderaxespad=0.1)
    return figure


def _few(most: int = 3) -> MaxNLocator:
    return MaxNLocator(most, steps=[1, 2, 5, 10])


@inked
def energy_figure(energy: Array) -> Figure:
    """Energies about their mean beside the steps between them, and E-BFMI of each chain. energy : (chain, draw)."""
    figure = Figure(figsize=(WIDTH, 2.3), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.7, 1.0))
    marginal = (energy - energy.mean(axis=1, keepdims=True)).ravel()
    steps = np.diff(energy, axis=1).ravel()
    low, high = np.quantile(np.concatenate([marginal, steps]), [0.001, 0.999])
    edges = np.linspace(low, high, 50)
    left.hist(marginal, edges, density=True, color="#bdbdbd", label="energy about its mean")
    left.hist(steps, edges, density=True, histtype="step", color=CHAINS[0], lw=1.3, label="steps from draw to draw")
    left.set(xlabel="energy", yticks=[], ylabel="density")
    left.set_ylim(0.0, left.get_ylim()[1] * 1.35)
    left.legend(loc="upper left", ncols=2)
    left.grid(visible=False)
    each = bfmi(energy)
    right.barh(np.arange(each.size) + 1, each, height=0.6, color=[_flag(v >= LEAST_BFMI) for v in each])
    right.axvline(LEAST_BFMI, color=ALERT, lw=1, ls="--")
    right.text(LEAST_BFMI, each.size + 0.75, f" at least {LEAST_BFMI}", color=ALERT, fontsize=7, va="center")
    right.set(xlabel="E-BFMI", ylabel="chain", yticks=np.arange(each.size) + 1, ylim=(0.4, each.size + 1.1))
    right.set_xlim(0.0, max(1.2, float(each.max()) * 1.1))
    right.grid(axis="y", visible=False)
    return figure


def _flag(good: bool) -> str:
    return "#9a9a9a" if good else ALERT


@inked
def pairs_figure(pairs: Sequence[tuple[str, str, float]], scores: Mapping[str, Array], diverging: Array) -> Figure:
    """Draws of two parameters against each other in prior SDs, divergent ones on top.

    scores : name -> (chain, draw) in prior SDs; diverging : (chain, draw)
    """
    columns = min(len(pairs), 3)
    rows = -(-len(pairs) // columns)
    figure = Figure(figsize=(WIDTH * columns / 3.0, 2.55 * rows + 0.35), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    angle = np.linspace(0.0, 2.0 * np.pi, 90)
    wrong = diverging.ravel()
    for axes, (one, other, tie) in zip(panels, pairs, strict=False):
        x, y = scores[one].ravel(), scores[other].ravel()
        step = max(x.size // CLOUD, 1)
        axes.plot(CIRCLE * np.cos(angle), CIRCLE * np.sin(angle), color=FAINT, lw=0.8, ls="--")
        axes.plot(x[::step], y[::step], ".", ms=2.4, color=INK, alpha=0.3, mew=0, rasterized=True)
        axes.plot(x[wrong], y[wrong], "x", ms=4.5, color=ALERT, mew=1.0)
        reach = max(3.0, float(np.quantile(np.abs(np.concatenate([x, y])), 0.999)) + 0.3)
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        axes.xaxis.set_major_locator(_few())
        axes.yaxis.set_major_locator(_few())
        axes.set_xlabel(plain(one))
        axes.set_ylabel(plain(other))
        axes.set_title(f"rank correlation {tie:+.2f}".replace("-", "−"), fontweight="normal", fontsize=7.5)
    for unused in panels[len(pairs) :]:
        unused.set_axis_off()
    handles: list[Any] = [
        Line2D([], [], color=INK, marker=".", ls="", ms=5, alpha=0.5, label="draws"),
        Line2D([], [], color=FAINT, lw=0.8, ls="--", label="prior, 95 %"),
    ]
    if wrong.any():
        handles.append(Line2D([], [], color=ALERT, marker="x", ls="", ms=5, label="divergent"))
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.06)  # type: ignore[union-attr,call-arg]
    return figure


@inked
def growth_figure(grown: Mapping[str, tuple[Array, Array, Array]]) -> Figure:
    """Effective draws in bulk and tail as the chains grow, one line for each parameter."""
    figure = Figure(figsize=(WIDTH, 2.5), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for column, (panel, word) in enumerate(zip(axes, ("bulk", "tail"), strict=True), start=1):
        for i, (name, found) in enumerate(grown.items()):
            panel.plot(found[0], found[column], marker="o", ms=2.5, lw=1.1, color=CHAINS[i % len(CHAINS)],
                       label=plain(name))  # fmt: skip
        panel.axhline(LEAST_ESS, color=ALERT, lw=1, ls="--", label=f"{LEAST_ESS} asked")
        panel.set_title(word)
        panel.set_xlabel("draws of all chains")
        panel.set_xlim(left=0)
        panel.xaxis.set_major_locator(_few(5))
        panel.set_ylim(bottom=0)
    axes[0].set_ylabel("effective draws")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center")
    return figure


@inked
def densities_figure(scores: Mapping[str, Array], learned: Mapping[str, str]) -> Figure:
    """Posterior of each parameter over its prior, both in prior SDs; what lies beyond the axis is marked at its edge.

    scores : name -> draws in prior SDs; learned : name -> learned, half learned, not learned
    """
    rows = -(-len(scores) // COLUMNS)
    height = 0.72 * rows + 0.75
    figure = Figure(figsize=(WIDTH, height))
    # one axis for all: fifty small ones take seconds
    axes = figure.add_axes((0.0, 0.5 / height, 1.0, 1.0 - 0.5 / height), frameon=False)
    axes.set(xlim=(-EDGE - 0.3, COLUMNS * STRIDE - EDGE - 0.6), ylim=(-(rows - 1) * TALL - 0.55, TALL - 0.1))
    axes.set_axis_off()
    for i, (name, values) in enumerate(scores.items()):
        foot = (STRIDE * (i % COLUMNS), -TALL * (i // COLUMNS))
        _density(axes, foot, values.ravel(), _shade(values, learned.get(name, "")))
        axes.text(foot[0] - EDGE, foot[1] + TOP + 0.08, plain(name), fontsize=6.3, va="bottom")
        if i + COLUMNS >= len(scores):
            for tick in (-2, 0, 2):
                axes.text(
                    foot[0] + tick, foot[1] - 0.1, f"{tick}".replace("-", "−"), fontsize=6.3, ha="center", va="top"
                )
    handles: list[Any] = [Patch(color="#dcdcdc", lw=0, label="prior")]
    handles += [Line2D([], [], color=_word_shade(word), lw=1.3, label=word) for word in FILLS]
    handles.append(Line2D([], [], color=ALERT, lw=1.3, label="median beyond 2 prior SDs"))
    figure.legend(handles=handles, loc="lower center", ncols=5)
    return figure


def _density(axes: Axes, foot: tuple[float, float], values: Array, shade: str) -> None:
    """One posterior over its prior, its zero at `foot`."""
    x, (right, up) = np.linspace(-EDGE, EDGE, 81), foot
    axes.fill_between(x + right, up, up + np.exp(-(x**2) / 2.0) / np.sqrt(2.0 * np.pi), color="#dcdcdc", lw=0)
    edges = np.linspace(-EDGE, EDGE, 41)
    heights = np.histogram(values, edges)[0] / values.size / (edges[1] - edges[0])
    axes.vlines(right + np.array([-2.0, 0.0, 2.0]), up, up + TOP, color="#e4e4e4", lw=0.5, zorder=0)
    axes.plot([right - EDGE, right + EDGE], [up, up], color="#555555", lw=0.6)
    axes.stairs(up + np.minimum(heights, TOP), right + edges, baseline=None, color=shade, lw=1.1)
    for side, out in ((-1, (values < -EDGE).mean()), (1, (values > EDGE).mean())):
        if out > 0.05:
            axes.plot(right + 0.94 * side * EDGE, up + 0.8, ">" if side > 0 else "<", color=ALERT, ms=5)


def _word_shade(word: str) -> str:
    return {"learned": "#0b5c7a", "half learned": "#D98A00"}.get(word, FAINT)


def _shade(values: Array, word: str) -> str:
    return ALERT if abs(float(np.median(values))) > 2.0 else _word_shade(word)


def marked(axes: Axes, at: float, words: str) -> None:
    """A dashed limit with its words, on a horizontal axis."""
    axes.axvline(at, color=ALERT, lw=1, ls="--")
    axes.annotate(words, (at, 1.0), xycoords=("data", "axes fraction"), xytext=(2, 2), textcoords="offset points",
                  color=ALERT, fontsize=7)  # fmt: skip

"""The page of a choice of dose, split and route: the frontier, the table of ways, what it rests on."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pbpk.report.document.blocks import Table
from pbpk.report.ink import ALERT, FAINT, INK, SPARE, WIDTH, inked, plain, svg
from pbpk.report.rendering import rendered, write_whole
from pbpk.report.wording import CREDIBLE, interval, named, number, unit, with_powers

if TYPE_CHECKING:
    from pbpk.predict.dose_choice import Choice

LINES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))  # by number of doses
ROUTE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", *SPARE)


def write_choice_page(choice: "Choice", origin: str, path: Path) -> Path:
    """Write the page.

    origin : "the fit of …" or "the prior of …"
    """
    return write_whole(choice_html(choice, origin), path)


def choice_html(choice: "Choice", origin: str) -> str:
    """The page as text."""
    about = "What each way of giving reaches in the target against what the organ at risk holds; numbers in the table."
    return rendered(
        "choice.html.j2",
        choice.target.state == "live",
        title=f"Dose and route from {origin}",
        sentences=[with_powers(sentence) for sentence in choice.sentences],
        figure=svg(frontier_figure(choice), about, "frontier"),
        ways=choice_table(choice),
        organ=choice.limit.organ,
        share=f"{100.0 * choice.limit.probability:g} %",
    )


@inked
def frontier_figure(choice: "Choice") -> Figure:
    """Target against burden of every way, at all doses up to the most; the best of all drawn thick."""
    table, limit = choice.frontier, choice.limit
    figure = Figure(figsize=(WIDTH, 3.9), layout="constrained")
    axes = figure.subplots()
    routes = list(dict.fromkeys(choice.table["route"]))
    counts = sorted(set(choice.table["doses"]))
    for way, own in table.groupby("way", sort=False):
        shade = ROUTE_COLOURS[routes.index(own["route"].iloc[0]) % len(ROUTE_COLOURS)]
        dashes = LINES[counts.index(own["doses"].iloc[0]) % len(LINES)]
        x, y = own["burden_at_probability"].to_numpy(float), own["target"].to_numpy(float)
        axes.plot(x, y, color=shade, ls=dashes, lw=0.9, alpha=0.55)
        best = own["best"].to_numpy(bool)
        axes.plot(np.where(best, x, np.nan), np.where(best, y, np.nan), color=shade, ls="-", lw=2.4, alpha=0.9)
        row = choice.table[choice.table["way"] == way].iloc[0]
        ends = [[row["target"] - row["target_low"]], [row["target_high"] - row["target"]]]
        edge, fill = ("white", shade) if row["evidence"] == "data" else (shade, "white")
        axes.errorbar([row["burden_at_probability"]], [row["target"]], yerr=ends, fmt="o", ms=4.5, color=shade, lw=1.0,
                      mec=edge, mfc=fill, mew=0.7)  # fmt: skip
    burdens = table["burden_at_probability"].to_numpy(float)
    right = max(float(burdens.max()) * 1.3, limit.cells * 2.0)
    axes.axvline(limit.cells, color=ALERT, lw=1.0)
    axes.axvspan(limit.cells, right, color=ALERT, alpha=0.06, lw=0)
    first = choice.table.iloc[0]
    axes.plot(first["burden_at_probability"], first["target"], "*", ms=12, color=INK, mec="white", mew=0.6, zorder=5)
    axes.set(xscale="log", yscale="log", xlim=(float(burdens.min()) * 0.8, right))
    axes.set_xlabel(plain(f"most arrested {choice.amount} at once in {named(limit.organ)}, "
                          f"{100.0 * limit.probability:g} % of the draws below"))  # fmt: skip
    axes.set_ylabel(plain(f"{choice.target} [{unit(choice.unit)}], median"))
    handles: list[Any] = [Line2D([], [], color=ROUTE_COLOURS[i % len(ROUTE_COLOURS)], lw=2, label=plain(named(route)))
                          for i, route in enumerate(routes)]  # fmt: skip
    handles += [Line2D([], [], color=FAINT, ls=LINES[i % len(LINES)], lw=1.2, label=f"{n} dose{'s' if n > 1 else ''}")
                for i, n in enumerate(counts)]  # fmt: skip
    handles += [Line2D([], [], color=ALERT, lw=1.0, label="limit"),
                Line2D([], [], color=INK, marker="*", ls="", ms=9, label="most under the limit")]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=5)
    return figure


def choice_table(choice: "Choice") -> Table:
    """Every way at its most cells, best first."""
    rows = [
        (
            named(row["route"]),
            row["way"].partition(", ")[2],
            number(row["cells"]),
            number(row["target"]),
            interval(row["target_low"], row["target_high"]),
            number(row["burden"]),
            interval(row["burden_low"], row["burden_high"]),
            f"{row['probability_under']:.2f}",
            row["held_back_by"],
            f"{row['probability_above_best']:.2f}",
            row["evidence"] + (f": {row['beyond']}" if row["beyond"] else ""),
        )
        for row in choice.table.to_dict("records")
    ]
    held = f"Most at once in {choice.limit.organ}"
    head = ("Route", "How", f"Most {choice.amount}", f"{choice.target}", CREDIBLE, held, CREDIBLE, "P(under limit)",
            "Held back by", "P(above best)", "Evidence")  # fmt: skip
    return Table(f"Each way of giving at its most cells; {choice.target} in {unit(choice.unit)}, medians",
                 head, "llrrrrrrlrl", rows)  # fmt: skip

"""The page of the next study: animals by hour in each design, what each is expected to teach, the ranking of hours."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pbpk.report.document.blocks import Table
from pbpk.report.document.inline import Code, with_code
from pbpk.report.ink import FAINT, INK, WIDTH, hours_axis, inked, plain, svg
from pbpk.report.rendering import rendered, write_whole
from pbpk.report.wording import number, span, with_powers

if TYPE_CHECKING:
    from pbpk.predict.planned_study import Plan

SHADES = ("#7A7A7A", "#56B4E9", "#E69F00", "#0072B2", "#009E73")  # of designs, the recommended one last of those drawn
MARKS = ("o", "s", "D", "^", "v")
SIZE = 26.0  # area of the dot of one animal [points^2]
SHOWN = 12  # hours of the ranking on the page; the CSV has all


def write_plan_page(plan: "Plan", said: tuple[str, ...], path: Path) -> Path:
    """Write the page; said : the plan in sentences."""
    return write_whole(plan_html(plan, said), path)


def plan_html(plan: "Plan", said: tuple[str, ...]) -> str:
    """The page as text."""
    return rendered(
        "plan.html.j2",
        False,
        title=f"The next study: {plan.start.joint.study.name}",
        sentences=[with_code(with_powers(sentence)) for sentence in said],
        timeline=svg(
            timeline_figure(plan), "Animals at each hour in each design; the numbers are in the table.", "hours"
        ),
        taught=svg(
            contraction_figure(plan), "Expected SD after over SD before, for each quantity and design.", "taught"
        ),
        tables=[design_table(plan.design), quantities_table(plan), ranking_table(plan.ranking)],
    )


def _designs(plan: "Plan") -> list[str]:
    return list(dict.fromkeys(plan.quantities["design"]))


@inked
def timeline_figure(plan: "Plan") -> Figure:
    """A line for each design and group, a dot for each hour, as large as there are animals."""
    table, designs = plan.timeline, _designs(plan)
    groups = list(dict.fromkeys(table["group"]))
    keys = [(design, group) for group in groups for design in designs
            if ((table["design"] == design) & (table["group"] == group)).any()]  # fmt: skip
    figure = Figure(figsize=(WIDTH, 0.34 * len(keys) + 0.8), layout="constrained")
    axes = figure.subplots()
    for row, (design, group) in enumerate(keys):
        own = table[(table["design"] == design) & (table["group"] == group)]
        shade = SHADES[designs.index(design) % len(SHADES)]
        axes.axhline(row, color="#e4e4e4", lw=0.8, zorder=0)
        axes.scatter(own["hours"], np.full(len(own), row), s=SIZE * own["animals"], color=shade, alpha=0.85, lw=0)
        for hour, animals in zip(own["hours"], own["animals"], strict=True):
            axes.text(hour, row, str(animals), fontsize=5.5, color="white", ha="center", va="center")
    hours = table["hours"].to_numpy(float)
    early = bool(hours.min() > 0.0 and hours.max() > 20.0 * hours.min())
    low, high = (hours.min() / 1.5, hours.max() * 1.5) if early else (-0.05 * hours.max(), 1.08 * hours.max())
    hours_axis(axes, float(low), float(high), early, most=8)
    labels = [f"{design}" + (f", {group}" if len(groups) > 1 else "") for design, group in keys]
    axes.set_yticks(range(len(keys)), [plain(label) for label in labels])
    axes.set_ylim(len(keys) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("hours; the number of animals killed stands in each dot")
    return figure


@inked
def contraction_figure(plan: "Plan") -> Figure:
    """SD after over SD before of each quantity, one dot for each design; further left is more learned."""
    table, designs = plan.quantities, _designs(plan)
    names = list(dict.fromkeys(table["quantity"]))
    figure = Figure(figsize=(WIDTH, 0.3 * len(names) + 1.1), layout="constrained")
    axes = figure.subplots()
    for row, name in enumerate(names):
        own = table[table["quantity"] == name]
        axes.plot([own["contraction"].min(), own["contraction"].max()], [row, row], color=FAINT, lw=0.8, zorder=1)
        for design, contraction in zip(own["design"], own["contraction"].astype(float), strict=True):
            at = designs.index(design) % len(SHADES)
            axes.plot(contraction, row, MARKS[at], color=SHADES[at], ms=6, mec="white", mew=0.6, zorder=2)
    axes.set_yticks(range(len(names)), [plain(name) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0.0, 1.05)
    axes.axvline(1.0, color=INK, lw=0.6)
    axes.set_xlabel("expected SD after the study over SD before it")
    axes.grid(axis="y", visible=False)
    sizes = table.groupby("design")["animals"].first()
    handles: list[Any] = []
    for i, design in enumerate(designs):
        shade, mark = SHADES[i % len(SHADES)], MARKS[i % len(MARKS)]
        handles.append(Line2D([], [], ls="", marker=mark, color=shade, label=f"{design} ({sizes[design]} animals)"))
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def design_table(design: pd.DataFrame) -> Table:
    """The recommended animals, by group and hour."""
    rows = [(row["group"], span(row["hours"]), row["animals"], row["readouts"], row["organs"].replace(" ", ", "),
             number(row["least"])) for row in design.to_dict("records")]  # fmt: skip
    head = ("Group", "Killed at", "Animals", "Readouts", "Organs", "Least to be measured, % of dose")
    return Table("Recommended", head, "llrllr", rows)


def quantities_table(plan: "Plan") -> Table:
    """What every design is expected to leave of the SD of each quantity."""
    designs = _designs(plan)
    wide = plan.quantities.pivot_table(index="quantity", columns="design", values="contraction", sort=False)
    before = plan.quantities.groupby("quantity", sort=False)["sd_before"].first()
    rows = [(Code(str(name)), number(before[name]), *(f"{wide.loc[name, design]:.0%}" for design in designs))
            for name in wide.index]  # fmt: skip
    head = ("Quantity", "SD before (of z, or of the logarithm)", *designs)
    return Table("Expected SD after the study, of the SD before it", head, "lr" + "r" * len(designs), rows)


def ranking_table(ranking: pd.DataFrame) -> Table:
    """Hours by what three animals there would teach alone, and by what they add to the recommended ones."""
    rows = [(row["rank"], row["group"], span(row["hours"]), row["readouts"], row["animals"], f"{row['gain_alone']:.1%}",
             f"{row['gain_given_design']:.1%}") for row in ranking.head(SHOWN).to_dict("records")]  # fmt: skip
    head = ("Rank", "Group", "Killed at", "Readouts", "Recommended", "Three animals alone", "On top of the design")
    return Table("Hours by what animals there take away of the SD", head, "rlllrrr", rows)

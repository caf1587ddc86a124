"""The page of a virtual population: what the bands mean, curves of every organ, endpoints of subjects."""

from pathlib import Path

import pandas as pd

from pbpk.report.document.blocks import Table
from pbpk.report.ink import svg
from pbpk.report.population_figures import population_figure
from pbpk.report.rendering import rendered, write_whole
from pbpk.report.shares import kinds_of
from pbpk.report.wording import KINDS, beyond, interval, number, unit


def write_population_page(
    curves: pd.DataFrame, endpoints: pd.DataFrame, some: pd.DataFrame, title: str, meaning: str, path: Path
) -> Path:
    """Write the answers of a population.

    Parameters
    ----------
    curves, endpoints, some : of all scenarios, as `Answered` has them; meaning : what the bands are, in words
    """
    return write_whole(population_html(curves, endpoints, some, title, meaning), path)


def population_html(
    curves: pd.DataFrame, endpoints: pd.DataFrame, some: pd.DataFrame, title: str, meaning: str
) -> str:  # fmt: skip
    """The page as text."""
    each = []
    for i, (name, part) in enumerate(curves.groupby("scenario", sort=False), start=1):
        kinds = kinds_of(part)
        figures = [
            {
                "state": KINDS.get(kind, kind) if len(kinds) > 1 else "",
                "figure": svg(
                    population_figure(part[part["state"] == kind], some[(some["scenario"] == name)
                                                                        & (some["state"] == kind)]),
                    f"Bands of subjects against time, one panel for each organ, {KINDS.get(kind, kind)}.",
                    f"population{i}-{j}",
                ),
            }
            for j, kind in enumerate(kinds)
        ]  # fmt: skip
        each.append(
            {
                "anchor": f"scenario-{i}",
                "title": str(part["title"].iloc[0]),
                "evidence": str(part["evidence"].iloc[0]),
                "given": _given(part),
                "reach": beyond(part["beyond"].iloc[0]),
                "figures": figures,
                "table": endpoints_table(endpoints[endpoints["scenario"] == name]),
            }
        )
    error = f"{100.0 * float(curves['quantile_error'].iloc[0]):.2g}"
    cells = set(KINDS) <= set(curves["state"])
    return rendered("population.html.j2", cells, title=title, meaning=meaning, each=each, error=error)


def _given(rows: pd.DataFrame) -> str:
    """What the median subject was given, in a sentence; empty where nobody said."""
    if rows["unit"].iloc[0] == "percent of dose":
        return ""
    return f"The subject of median weight was given {number(rows['dose'].iloc[0])} {rows['unit'].iloc[0]}."


def endpoints_table(endpoints: pd.DataFrame) -> Table:
    """Endpoints over subjects."""
    rows = [
        (
            row["endpoint"],
            unit(str(row["unit"])),
            number(row["q50"]),
            interval(row["q25"], row["q75"]),
            interval(row["q2.5"], row["q97.5"]),
            number(row["mean"]),
            f"{100.0 * row['sd'] / row['mean']:.0f} %" if row["mean"] else "",
        )
        for row in endpoints.to_dict("records")
    ]
    head = ("Endpoint", "Unit", "Median", "50 % of subjects", "95 % of subjects", "Mean", "CV")
    return Table("Endpoints over subjects", head, "llrrrrr", rows)

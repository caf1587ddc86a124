"""The page of answers to scenarios alone: a figure and a table of each, and each against one of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pbpk.report import scenario_figures, scenario_tables, wording
from pbpk.report.body_map import body_map_figure
from pbpk.report.ink import svg
from pbpk.report.rendering import rendered, write_whole
from pbpk.report.shares import MOST, most_held

if TYPE_CHECKING:
    from pbpk.predict.extrapolation import Extrapolation

REACH = {
    "hypothesis": "This scenario changes something whose size no data of this study gave: read it as a hypothesis.",
    "prior": "No data stand behind this answer, only the priors of the model.",
}
ELSEWHERE = "Nothing was measured in this animal: what another one taught is carried here, as the table above says."


def write_scenario_page(
    forecast: pd.DataFrame,
    origin: str,
    path: Path,
    moved: "Extrapolation | None" = None,
    contrasts: pd.DataFrame | None = None,
) -> Path:
    """Write the answers to scenarios alone.

    Parameters
    ----------
    origin : where the parameters came from, "the fit of …" or "the prior of …"
    moved : how they came to another animal; contrasts : the scenarios against one of them
    """
    return write_whole(scenario_html(forecast, origin, moved, contrasts), path)


def scenario_html(
    forecast: pd.DataFrame, origin: str, moved: "Extrapolation | None" = None, contrasts: pd.DataFrame | None = None
) -> str:
    """The answers to scenarios as text."""
    words = {} if moved is None else {"extrapolation": ELSEWHERE}
    return rendered(
        "scenarios.html.j2",
        set(wording.KINDS) <= set(forecast["state"]),
        title=f"Scenarios from {origin}",
        scenarios=_scenarios(forecast, words, whole=True),
        contrasts=_contrasts(contrasts),
        moved=moved,
        carried=None if moved is None else scenario_tables.carried_table(moved),
    )


def _filled(table: pd.DataFrame | None) -> bool:
    return table is not None and len(table) > 0


def _scenarios(forecast: pd.DataFrame, reach: Mapping[str, str] | None = None, whole: bool = False) -> dict[str, Any]:
    """A bar figure of all, and a figure and a table of each.

    reach : other words for how far an answer reaches; whole : with the organs stacked and as a map of the body
    """
    words = REACH | dict(reach or {})
    if not _filled(forecast):
        return {"bars": None, "each": []}
    each = []
    for i, (name, part) in enumerate(forecast.groupby("scenario", sort=False), start=1):
        title, evidence = str(part["title"].iloc[0]), str(part["evidence"].iloc[0])
        about = f"What each organ holds against time in the scenario {title}, one panel for each."
        each.append(
            {
                "anchor": f"scenario-{i}",
                "title": title,
                "evidence": evidence,
                "reach": words.get(evidence, "") or wording.beyond(part["beyond"].iloc[0]),
                "surplus": surplus(part),
                "figure": svg(scenario_figures.scenario_figure(part, ""), about, f"scenario{i}"),
                "more": _more(part, str(name), title, i) if whole else [],
                "table": scenario_tables.scenario_table(part),
            }
        )
    about = "Share of the dose in each organ at 1 h, 24 h and 7 d of each scenario; the numbers are in the tables."
    return {"bars": svg(scenario_figures.scenario_bars_figure(forecast), about, "bars"), "each": each}


def _more(part: pd.DataFrame, name: str, title: str, i: int) -> list[dict[str, Any]]:
    """Organs stacked over hours, and the body as a map, with their captions."""
    stacked, mapped = scenario_figures.stack_figure(part, name), body_map_figure(part, name)
    told = [
        (stacked, "stack", "Organs stacked over hours: all of the dose that is in the body or has left it, mean."),
        (mapped, "map", "Median share of the dose in each organ; the figure is not to scale."),
    ]
    return [{"figure": svg(figure, f"{words} Scenario {title}.", f"{key}{i}"), "caption": words}
            for figure, key, words in told]  # fmt: skip


def _contrasts(contrasts: pd.DataFrame | None) -> dict[str, Any] | None:
    """Scenarios against one of them: a figure of ratios and a table of areas and peaks."""
    if contrasts is None or not len(contrasts):
        return None
    against = str(contrasts["against"].iloc[0])
    about = f"Ratio of the area under the curve of each scenario to that of {against}; the numbers are in the table."
    return {
        "against": against,
        "figure": svg(scenario_figures.contrast_figure(contrasts), about, "contrasts"),
        "table": scenario_tables.contrasts_table(contrasts),
    }


def surplus(forecast: pd.DataFrame) -> str:
    """A sentence where a scenario holds more than was given, empty where it does not."""
    held = most_held(forecast)
    if held <= MOST:
        return ""
    return (
        f"All organs together hold up to {wording.number(held)} % of the dose in this scenario, which cannot be: the "
        "equations were solved outside the range in which passing cells are in balance. Do not use its numbers."
    )

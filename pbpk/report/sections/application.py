"""Section 14: answers to scenarios of dose and route, each with its doubt and how far it reaches beyond the data."""

from typing import Any

import pandas as pd

from pbpk.predict.lineage.source import source
from pbpk.report import scenario_figures, scenario_tables, wording
from pbpk.report.document.blocks import Block, Figure, Heading, Paragraph
from pbpk.report.document.inline import Line, Mark
from pbpk.report.dossier import Dossier
from pbpk.report.scenario_page import REACH, surplus

NOT_ASKED = "No scenario was asked."
NOT_ANSWERED = "No scenario was answered, since the fit did not pass its checks."
SURE = "Filled: at least 95 % of the draws agree which of the two holds more. Each draw answers both scenarios."


def application(dossier: Dossier) -> list[Block]:
    """All scenarios in one figure, then each with its own, then against each other."""
    run = dossier.run
    if not len(run.forecast):
        return [Paragraph(NOT_ASKED if run.diagnostics.passed else NOT_ANSWERED)]
    about = "Share of the dose in each organ at 1 h, 24 h and 7 d of each scenario; the numbers are in the tables."
    caption = "Share of the dose in each organ, mean of the posterior."
    caption += " Hatched: live cells. Plain: label of cells that died." if dossier.of_cells else ""
    blocks: list[Block] = [
        Figure(scenario_figures.scenario_bars_figure(run.forecast), about, caption, source("forecast.csv"))
    ]
    for i, (name, part) in enumerate(run.forecast.groupby("scenario", sort=False), start=1):
        blocks += _scenario(str(name), part, i, dossier.of_cells)
    return [*blocks, *_contrasts(dossier)]


def _scenario(name: str, part: pd.DataFrame, i: int, cells: bool) -> list[Block]:
    title, evidence = str(part["title"].iloc[0]), str(part["evidence"].iloc[0])
    reach = REACH.get(evidence, "") or wording.beyond(part["beyond"].iloc[0])
    held = surplus(part)
    place = source("forecast.csv", scenario=name)
    what = "Live cells (solid) and label of cells that died (dashed), median" if cells else "Median"
    caption = f"{title}. {what} and 95 % credible interval. Organs that never hold 0.01 % of the dose are not drawn."
    about = f"What each organ holds against time in the scenario {title}, one panel for each."
    mark: Any = Line((Mark(f"{evidence[:1].upper()}{evidence[1:]}.", "open"), f" {reach}")) if reach else ""
    return [
        Heading(title, 2, f"scenario-{i}"),
        *([Paragraph(held, "alert", place)] if held else []),
        *([Paragraph(mark, source=place)] if reach else []),
        Figure(scenario_figures.scenario_figure(part, ""), about, caption, place),
        scenario_tables.scenario_table(part),
    ]


def _contrasts(dossier: Dossier) -> list[Block]:
    contrasts = dossier.run.contrasts
    if not len(contrasts):
        return []
    against = str(contrasts["against"].iloc[0])
    about = f"Ratio of the area under the curve of each scenario to that of {against}; the numbers are in the table."
    caption = f"Areas under the curve over those of {against}. {SURE}"
    return [
        Heading(f"Each scenario against {against}", 2, "contrasts"),
        Figure(scenario_figures.contrast_figure(contrasts), about, caption, source("contrasts.csv")),
        scenario_tables.contrasts_table(contrasts),
    ]

"""What a page gives to take away: the tables, figure, scenarios and report that the command line would write."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg

from pbpk.predict.forecast import forecast_table
from pbpk.predict.scenario import scenario_toml
from pbpk.report.explore.answer import Answer, file_name
from pbpk.report.explore.shown import Shown
from pbpk.report.ink import bare_svg
from pbpk.report.rendering import write_whole
from pbpk.report.scenario_figures import scenario_figure
from pbpk.report.scenario_page import write_scenario_page

type WriteTable = Callable[[pd.DataFrame, Path], Path]
NAMES = {
    "forecast": "forecast.csv",
    "differences": "contrasts.csv",
    "exposure": "exposure.csv",
    "figure_svg": "curves.svg",
    "figure_png": "curves.png",
    "scenarios": "scenarios.zip",
    "report": "scenarios.html",
}
DOTS = 200  # of a picture, an inch
BEGAN = (1980, 1, 1, 0, 0, 0)  # of files in a zip: nothing of the clock


def write_takeaway(what: str, answer: Answer, shown: Shown, folder: Path, write_table: WriteTable) -> Path:
    """Write one thing to take away, as `pbpk simulate` writes it of the same scenarios in a folder.

    what : key of `NAMES`; write_table : how tables are written
    """
    path = folder / NAMES[what]
    if answer.filed is None:
        return write_whole("Nothing was asked.\n", path)
    if what == "scenarios":
        return _write_zip(answer, path)
    if what == "differences":
        contrasts = answer.contrasts(shown.against)
        alone = "Two scenarios make a difference.\n"
        return write_whole(alone, path) if contrasts is None else write_table(contrasts, path)
    if what == "exposure":
        return write_table(answer.exposure, path)
    table = forecast_table(answer.filed)
    if what == "forecast":
        return write_table(table, path)
    if what == "report":
        return write_scenario_page(
            table, answer.origin.words, path, answer.origin.moved, answer.contrasts(shown.against)
        )
    seen = answer.table[answer.table["hours"] <= shown.last_of(table["hours"].to_numpy(float)) * 1.001]
    titles = {scenario.name: scenario.title for scenario in answer.scenarios}
    figure = scenario_figure(seen.assign(scenario=seen["scenario"].map(_unlike(titles))), answer.origin.words)
    if what == "figure_svg":
        return write_whole(bare_svg(figure), path)
    figure.set_dpi(DOTS)
    FigureCanvasAgg(figure).print_png(path, metadata={"Software": None})
    return path


def _unlike(titles: dict[str, str]) -> dict[str, str]:
    """Titles by which scenarios can be told apart; the name where two are called alike."""
    alike = list(titles.values())
    return {name: title if alike.count(title) == 1 else f"{title} ({name})" for name, title in titles.items()}


def _write_zip(answer: Answer, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for scenario in answer.scenarios:
            packed.writestr(zipfile.ZipInfo(file_name(scenario), BEGAN), scenario_toml(scenario))
    return path

"""Scenarios answered from a run, in its animal or in another, or from a model's prior: tables, a page, the terminal."""

from pathlib import Path

import pandas as pd
import xarray as xr
from rich.markup import escape

from pbpk.commands.whom import Whom
from pbpk.predict.contrast import contrast_scenarios
from pbpk.predict.forecast import forecast_table
from pbpk.predict.origin import Origin, simulate
from pbpk.predict.record import write_folder, write_manifest
from pbpk.predict.scenario import read_scenarios
from pbpk.share.tables import write_table
from pbpk.terminal import console, say_against, say_carried, say_forecast


def tell_scenarios(
    whom: Whom, out: Path, scenarios: Path | None, cells: float | None, against: str | None, force: bool
) -> None:
    """Answer scenarios and write what was found: tables, draws and a page.

    against : scenario the others are compared with
    """
    origin = whom.read()
    asked = read_scenarios(scenarios, origin.model)
    with write_folder(out, force) as folder:
        forecast = simulate(origin, asked, cells)
        table = forecast_table(forecast)
        if origin.moved is not None:
            say_carried(origin.moved, cells)
        say_forecast(table, f"Scenarios from {origin.words}")
        contrasts = contrast_scenarios(forecast, against) if len(asked) > 1 or against is not None else None
        if contrasts is not None:
            say_against(contrasts)
        _write(origin, forecast, table, contrasts, folder)
        write_manifest({"origin": origin.words, "seed": whom.seed, "scenarios": [s.name for s in asked]}, folder)
        written = sorted(path.name for path in folder.iterdir())
    console.print(f"Written: {escape(str(out))} ({', '.join(written)})")


def _write(
    origin: Origin, forecast: xr.Dataset, table: pd.DataFrame, contrasts: pd.DataFrame | None, folder: Path
) -> None:
    """Write tables, draws and the page."""
    from pbpk.report.scenario_page import write_scenario_page  # draws: nobody waits for it before the answer is there

    forecast.to_netcdf(folder / "forecast.nc", engine="h5netcdf")
    write_table(table, folder / "forecast.csv")
    if contrasts is not None:
        write_table(contrasts, folder / "contrasts.csv")
    if origin.moved is not None:
        write_table(origin.moved.table, folder / "carried.csv")
    write_scenario_page(table, origin.words, folder / "scenarios.html", origin.moved, contrasts)

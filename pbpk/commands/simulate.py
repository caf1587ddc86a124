"""Scenarios answered from a run, in its animal or in another, or from a model's prior: tables, a page, the terminal."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import xarray as xr
from rich.markup import escape

from pbpk.body.physiology import chosen
from pbpk.errors import InputError
from pbpk.predict.contrast import contrast_scenarios
from pbpk.predict.extrapolation import animal_of
from pbpk.predict.forecast import DRAWS, forecast_table
from pbpk.predict.origin import Origin, read_prior, read_run, simulate
from pbpk.predict.record import write_folder, write_manifest
from pbpk.predict.scenario import read_scenarios
from pbpk.share.tables import write_table
from pbpk.terminal import console, say_against, say_carried, say_forecast


@dataclass(frozen=True)
class Whom:
    """Whom a command asks: a run folder, or a model's prior, in its own animal or in another.

    run : folder, or the name or file of a model
    """

    run: str
    species: str | None = None
    body_weight: float | None = None
    sex: str | None = None
    rates: str = "carried"
    label: str | None = None
    physiology: str | None = None
    seed: int = 1

    def read(self, draws: int | None = DRAWS) -> Origin:
        """Read or draw it.

        Raises
        ------
        InputError
            if there is no such run, model or animal, or an option has no meaning for it
        """
        free = chosen(self.physiology or "fixed")
        elsewhere = any(given is not None for given in (self.species, self.body_weight, self.sex))
        if not Path(self.run).is_dir():
            animal = animal_of(self.species or "mouse", self.body_weight, self.sex)
            return read_prior(self.run, animal, self.label, free, draws or DRAWS, self.seed)
        if self.label is not None:
            raise InputError("--label is for a model's prior; a run has the label of its study. Leave it out.")
        origin = read_run(self.run, draws, self.seed)
        if not elsewhere:
            if self.rates != "carried" or self.physiology is not None:
                name = "--physiology" if self.rates == "carried" else "--rates"
                raise InputError(f"{name} is for another animal than that of the fit; name it with --species, or leave "
                                 "it out.")  # fmt: skip
            return origin
        to = animal_of(self.species or origin.model.species, self.body_weight, self.sex)
        return origin.elsewhere(to, self.rates, free)


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
    from pbpk.report.page import write_scenario_page  # draws: nobody waits for it before the answer is there

    forecast.to_netcdf(folder / "forecast.nc", engine="h5netcdf")
    write_table(table, folder / "forecast.csv")
    if contrasts is not None:
        write_table(contrasts, folder / "contrasts.csv")
    if origin.moved is not None:
        write_table(origin.moved.table, folder / "carried.csv")
    write_scenario_page(table, origin.words, folder / "scenarios.html", origin.moved, contrasts)

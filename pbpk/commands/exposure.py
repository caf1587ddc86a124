"""Exposure of a study, a run or a forecast: tables on disk, the areas in the terminal."""

from pathlib import Path

import pandas as pd
import xarray as xr

from pbpk.assay.counts import OrganCounts, count_cells
from pbpk.commands.reading import read_with_bar, words
from pbpk.errors import InputError
from pbpk.infer.draws.posterior import Posterior
from pbpk.predict.exposure import compare_exposure, exposure
from pbpk.predict.noncompartmental.dataset import as_dataset
from pbpk.predict.noncompartmental.rules import Rules
from pbpk.predict.record import write_folder
from pbpk.predict.run import read_fit
from pbpk.share.tables import EXACT, write_table
from pbpk.terminal import say_contrasts, say_exposure

WRITTEN = ("exposure.csv",)


def tell_exposure(folder: Path, out: Path | None, rules: Rules, groups: str | None, force: bool) -> None:
    """Exposure of what a folder holds: a study, a run with its fit, or the answers to scenarios.

    groups : two of the study, apart by a comma, whose areas are compared
    """
    table, contrasts = _found(folder, rules, groups)
    if out is not None:
        with write_folder(out, force, WRITTEN) as beside:
            write_table(table, beside / "exposure.csv", EXACT)
            as_dataset(table).to_netcdf(beside / "exposure.nc", engine="h5netcdf")
            if contrasts is not None:
                write_table(contrasts, beside / "contrasts.csv", EXACT)
    say_exposure(table, out)
    if contrasts is not None:
        say_contrasts(contrasts)


def _found(folder: Path, rules: Rules, groups: str | None) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    counts, posterior = _read(folder)
    if counts is None:
        if groups is not None:
            raise InputError("--compare takes two groups of a study; scenarios stand beside each other in the table.")
        with xr.open_dataset(folder / "forecast.nc", engine="h5netcdf") as forecast:
            return exposure(forecast.load(), rules=rules), None
    table = exposure(counts, posterior, rules)
    if groups is None:
        return table, None
    names = words(groups)
    if len(names) != 2:
        raise InputError(f"--compare takes two groups apart by a comma; `{groups}` names {len(names)}.")
    return table, compare_exposure(counts, names[0], names[1], rules)


def _read(folder: Path) -> tuple[OrganCounts | None, Posterior | None]:
    """Counts, and the fit where the folder is a run; neither where it holds a forecast alone."""
    if (folder / "posterior.nc").is_file():
        _, posterior, _ = read_fit(folder)
        return posterior.joint.counts, posterior
    if (folder / "forecast.nc").is_file():
        return None, None
    return count_cells(read_with_bar(folder)), None

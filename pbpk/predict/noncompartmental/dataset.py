"""Exposure as labelled arrays: the long table on the axes that tell its rows apart."""

import pandas as pd
import xarray as xr

AXES = ("scenario", "group", "organ", "readout", "state", "animal", "parameter")
TOLD = ("unit", "flag", "evidence")


def as_dataset(table: pd.DataFrame) -> xr.Dataset:
    """Put a table of exposure on axes: every column that tells rows apart is one, every other a variable.

    Returns
    -------
    value, se, low, high, ... (group, organ, readout, animal, parameter) or (scenario, organ, state, parameter); unit
    (parameter) where one parameter has one unit, else on all axes; what no row holds is NaN, or no text
    """
    axes = [name for name in AXES if name in table.columns]
    told = [name for name in TOLD if name in table.columns]
    numbers = [name for name in table.columns if name not in (*axes, *told)]
    indexed = table.assign(**{name: table[name].fillna("").astype(str) for name in axes}).set_index(axes)
    dataset = indexed[numbers].apply(pd.to_numeric).to_xarray()
    for name in told:
        dataset[name] = indexed[name].fillna("").astype(object).to_xarray().fillna("")
    if "unit" in told and not table[["parameter", "unit"]].drop_duplicates()["parameter"].duplicated().any():
        units = table.groupby("parameter")["unit"].first()
        dataset["unit"] = ("parameter", [str(units[name]) for name in dataset["parameter"].to_numpy()])
    return dataset

"""Results as tidy CSV: one value a row, names and units that others can read."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pbpk.assay.balance import mass_balance, recovered_shares
from pbpk.assay.counts import OrganCounts
from pbpk.assay.doses import known_dose
from pbpk.quantity import NORMAL_95

if TYPE_CHECKING:
    from pbpk.predict.run import Run

PARAMETER_COLUMNS = ["parameter", "unit", "mean", "sd", "q2.5", "q50", "q97.5", "rhat", "ess_bulk", "ess_tail",
                     "learned", "prior_q2.5", "prior_q50", "prior_q97.5", "contraction", "shift", "about",
                     "source"]  # fmt: skip

EXACT = 15  # digits of what others may compute again from the same values
PERCENT = {
    "dose": "percent of dose",
    "recovered": "percent of recovered",
    "unknown": "percent, denominator not stated",
}


def write_tables(run: "Run", folder: Path) -> list[Path]:
    """Write counts, parameters, predictions, exposure; deviates of animals and the forecast where there are any."""
    tables = {
        "counts": counts_table(run.joint.counts),
        "parameters": run.parameters[PARAMETER_COLUMNS],
        "predictions": run.predictions,
        "exposure": run.exposure,
    }
    if len(run.animals):
        tables["deviates"] = run.animals
    if len(run.forecast):
        tables["forecast"] = run.forecast
    if len(run.contrasts):
        tables["contrasts"] = run.contrasts
    return [write_table(table, folder / f"{name}.csv", EXACT if name == "exposure" else 6)
            for name, table in tables.items()]  # fmt: skip


def write_table(table: pd.DataFrame, path: Path, digits: int = 6) -> Path:
    """Write one table with so many significant digits and Unix line ends."""
    table.to_csv(path, index=False, float_format=f"%.{digits}g", lineterminator="\n")
    return path


def counts_table(counts: OrganCounts) -> pd.DataFrame:
    """Measured values in cells where they are shares of a known dose, else in percent as they are.

    Where an instrument tells its own doubt, sd is all of it and low and high are the 95 % interval; else they are what
    the study wrote.
    """
    table, known = counts.table, _doses(counts)
    scale = (known / 100.0).fillna(1.0)
    out = table[["group", "animal", "organ", "hours", "readout"]].copy()
    out["cells"] = table["percent"] * scale
    read = table["error"].notna()
    for name, reach in (("sd", None), ("low", -NORMAL_95), ("high", NORMAL_95)):
        told = table["error"] if reach is None else table["percent"] + reach * table["error"]
        out[name] = table[name].where(~read, told) * scale
    out["below_limit"] = table["below_lloq"] | (read & (table["percent"] < table["lloq"]))
    out["unit"] = ["cells" if there else PERCENT[counts.denominator] for there in known.notna()]
    return out


def _doses(counts: OrganCounts) -> pd.Series:
    """Dose of each row's animal (row,) [cells]; NaN where it or the denominator is not known."""
    table = counts.table
    where = zip(table["group"], table["animal"], strict=True)
    given = [known_dose(counts.study, group, animal) for group, animal in where]
    doses = pd.Series(given, index=table.index, dtype=float)
    return doses if counts.denominator == "dose" else doses * float("nan")


def write_counts(counts: OrganCounts, folder: Path) -> list[Path]:
    """Write what was measured by itself: counts, and where instruments were read all that goes with them.

    counts.csv with percent of the dose and percent of what was recovered in columns of their own; covariance.csv of the
    counts, in the unit of counts.csv, each named with its row there; shared.csv, the unknowns behind it; balance.csv,
    the sum of each animal's organs; flags.csv, wells that are not used and what to know of plates, each with its why.
    """
    table = counts_table(counts)
    table["percent_dose"] = counts.table["percent"] if counts.denominator == "dose" else float("nan")
    shares = recovered_shares(counts).rename(columns={"sd": "percent_recovered_sd"})
    tables = {"counts": table.merge(shares, how="left", on=["group", "animal", "organ", "hours", "readout"])}
    tables["balance"] = mass_balance(counts)
    if counts.signals is not None:
        order = np.argsort(counts.signals.rows)
        read = counts.table.iloc[counts.signals.rows[order]]
        scale = (_doses(counts)[read.index] / 100.0).fillna(1.0).to_numpy()
        covariance = counts.signals.covariance()[np.ix_(order, order)] * np.outer(scale, scale)
        names = [f"{row['group']} {row['animal']} {row['organ']} {row['hours']:g} h {row['readout']}, row {i + 2}"
                 for i, row in zip(read.index, read.to_dict("records"), strict=True)]  # fmt: skip
        tables["covariance"] = pd.DataFrame(covariance, columns=names)
        tables["covariance"].insert(0, "value", names)
        shared = counts.signals.shared
        sd = np.sqrt(np.diag(shared.covariance))
        tables["shared"] = pd.DataFrame({"unknown": shared.names, "mean": shared.mean, "sd": sd})
    if counts.panels:
        tables["flags"] = flags_table(counts)
    return [write_table(each, folder / f"{name}.csv") for name, each in tables.items()]


def flags_table(counts: OrganCounts) -> pd.DataFrame:
    """Wells that are not used, then what to know of whole plates, each with its sentence: one row each."""
    rows: list[dict[str, object]] = []
    for known, why in counts.quantified.left_out if counts.quantified else ():
        well = known.reading.well
        rows.append({"plate": well.plate, "well": well.well, "role": well.role, "group": well.group,
                     "animal": well.animal, "organ": well.organ, "hours": well.hours,
                     "flag": f"left out: {why}"})  # fmt: skip
    rows += [
        {"plate": panel.plate, "flag": f"{panel.matrix}: {note}"} for panel in counts.panels for note in panel.notes
    ]
    return pd.DataFrame(rows, columns=["plate", "well", "role", "group", "animal", "organ", "hours", "flag"])

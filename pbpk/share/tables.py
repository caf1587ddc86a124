"""Results as tidy CSV: one value a row, names and units that others can read."""

from pathlib import Path

import pandas as pd

from pbpk.predict.run import Run

PARAMETER_COLUMNS = ["parameter", "unit", "mean", "sd", "q2.5", "q50", "q97.5", "rhat", "ess_bulk", "ess_tail",
                     "learned", "prior_q2.5", "prior_q50", "prior_q97.5", "contraction", "shift", "about",
                     "source"]  # fmt: skip

PERCENT = {
    "dose": "percent of dose",
    "recovered": "percent of recovered",
    "unknown": "percent, denominator not stated",
}


def write_tables(run: Run, folder: Path) -> list[Path]:
    """Write counts, parameters, predictions, exposure and, where there are scenarios, the forecast."""
    tables = {
        "counts": counts_table(run),
        "parameters": run.parameters[PARAMETER_COLUMNS],
        "predictions": run.predictions,
        "exposure": run.exposure,
    }
    if len(run.forecast):
        tables["forecast"] = run.forecast
    return [write_table(table, folder / f"{name}.csv") for name, table in tables.items()]


def write_table(table: pd.DataFrame, path: Path) -> Path:
    """Write one table with six significant digits and Unix line ends."""
    table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
    return path


def counts_table(run: Run) -> pd.DataFrame:
    """Measured values in cells where they are shares of a known dose, else in percent as they are."""
    counts = run.joint.counts
    table = counts.table
    doses: dict[tuple[str, str], float] = {}
    for dose in run.study.doses:
        place = (dose.group, dose.animal)
        doses[place] = doses.get(place, 0.0) + (dose.cells or float("nan"))
    where = zip(table["group"], table["animal"], strict=True)
    given = [doses.get((group, animal), doses.get((group, ""), float("nan"))) for group, animal in where]
    known = pd.Series(given, index=table.index) if counts.denominator == "dose" else table["percent"] * float("nan")
    scale = (known / 100.0).fillna(1.0)
    out = table[["group", "animal", "organ", "hours", "readout"]].copy()
    out["cells"] = table["percent"] * scale
    for name in ("sd", "low", "high"):
        out[name] = table[name] * scale
    out["below_limit"] = table["below_lloq"]
    out["unit"] = ["cells" if there else PERCENT[counts.denominator] for there in known.notna()]
    return out

"""Values of a study beside each other: as percentages, as amounts, as they were measured; and one cell of a table."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pbpk.assay.doses import doses_of
from pbpk.assay.measurements import COUNTED, MeasurementRow, per_of
from pbpk.errors import InputError
from pbpk.quantity import convert, inside
from pbpk.report.ctd.analyte import amount_unit, is_cells, share_unit
from pbpk.report.wording import MISSING, interval, number, whole

if TYPE_CHECKING:
    from pbpk.predict.run import Run

COLUMNS = ["group", "animal", "organ", "readout", "unit", "hours", "value", "sd", "n", "low", "high", "lloq", "below",
           "read"]  # fmt: skip
BLOOD = ("blood", "plasma", "serum")
PLAIN = ("percent_dose", "cells", *COUNTED)  # units of which the tables in % and in cells say all
WRITTEN = {"percent_dose_per_g": "% of dose/g", "cells_per_g": "cells/g"}


def shares(run: "Run") -> pd.DataFrame:
    """Every value of an organ of the model, in percent.

    Returns
    -------
    one row each: value, sd, low, high, lloq [unit]; n, NaN where it is not stated; below: stated as below the limit, or
    read below it; read: by an instrument that tells its own doubt, so that a value stands below the limit too
    """
    table = run.joint.counts.table
    read = table["error"].notna()
    found = table[["group", "animal", "organ", "readout", "hours", "sd", "low", "high", "lloq"]].copy()
    found["value"], found["read"] = table["percent"], read
    found["unit"] = [share_unit(run, str(per)) for per in table["per"]]
    found["below"] = table["below_lloq"] | (read & (table["percent"] < table["lloq"]))
    counted = _counted(run)
    found["n"] = [
        1.0 if row["animal"] else counted.get((row["group"], row["organ"], row["readout"], row["hours"]), np.nan)
        for row in table.to_dict("records")
    ]
    return found[COLUMNS]


def is_blood_only(run: "Run") -> bool:
    """Whether nothing but blood was measured, so that there is no organ to tell of."""
    return set(run.joint.counts.table["organ"]) <= set(BLOOD)


def told_apart(values: pd.Index, most: int) -> list[list[Any]]:
    """Columns in as few tables as hold `most` each, and about as many in each.

    >>> told_apart(pd.Index([1, 2, 3, 4, 5]), 4)
    [[1, 2, 3], [4, 5]]
    """
    parts = np.array_split(np.array(values), -(-len(values) // most))
    return [part.tolist() for part in parts]


def _counted(run: "Run") -> dict[tuple[Any, ...], float]:
    """Animals behind each value that stands for several, where the study says how many: the fewest of its tissues."""
    tissues = run.study.about.tissues
    found: dict[tuple[Any, ...], float] = {}
    for row in run.study.measurements:
        if not row.animal:
            key = (row.group, tissues.get(row.organ, row.organ), row.readout, row.hours)
            n = np.nan if row.n is None else float(row.n)
            found[key] = float(np.minimum(found.get(key, n), n))
    return found


def amounts(run: "Run") -> pd.DataFrame:
    """The same as amounts of what was given, such as cells; none where the dose or the denominator is not known.

    A concentration of a substance stands as it was measured, and not here.
    """
    found, pers = shares(run), run.joint.counts.table["per"]
    if run.joint.counts.denominator != "dose":
        return found.iloc[:0]
    if not is_cells(run):
        found, pers = found[pers == ""], pers[pers == ""]
    doses = {
        key: dose_of(run, str(key[0]), str(key[1])) for key in set(zip(found["group"], found["animal"], strict=True))
    }
    given = [doses[key] for key in zip(found["group"], found["animal"], strict=True)]
    factor = pd.Series([np.nan if each is None else each[0] / 100.0 for each in given], index=found.index)
    for name in ("value", "sd", "low", "high", "lloq"):
        found[name] = found[name] * factor
    found["unit"] = [
        "" if each is None else amount_unit(each[1]) + (f"/{per}" if per else "")
        for each, per in zip(given, pers, strict=True)
    ]
    return found[factor.notna()]


def dose_of(run: "Run", group: str, animal: str) -> tuple[float, str] | None:
    """What an animal was given in all, and its unit; None where the study does not say."""
    given = [dose.in_all for dose in doses_of(run.study, group, animal)]
    known = [each for each in given if each is not None]
    if not known or len(known) < len(given):
        return None
    unit = known[0][1]
    try:
        return sum(convert(amount, each, unit) for amount, each in known), inside_name(unit)
    except InputError:
        return None


def inside_name(unit: str) -> str:
    """Unit as written, cells by one name."""
    return "cell" if inside(unit)[0] == "cell" else unit


def as_measured(run: "Run") -> pd.DataFrame:
    """Values of each tissue in the unit of the study, where that is neither a percentage nor a number of cells."""
    rows = [_written(row) for row in run.study.measurements if row.unit not in PLAIN]
    return pd.DataFrame(rows, columns=COLUMNS)


def _written(row: MeasurementRow) -> dict[str, Any]:
    n = 1.0 if row.animal else np.nan if row.n is None else float(row.n)
    told = {"value": row.value, "sd": row.sd, "low": row.low, "high": row.high, "lloq": row.lloq}
    told = {name: np.nan if value is None else value for name, value in told.items()}
    return {"group": row.group, "animal": row.animal, "organ": row.organ, "readout": row.readout, "hours": row.hours,
            "unit": written(row.unit), "n": n, "below": row.below_lloq, "read": False, **told}  # fmt: skip


def written(unit: str) -> str:
    """Unit of a measurement, for print."""
    if unit in WRITTEN:
        return WRITTEN[unit]
    return "% of dose" if unit == "percent_dose" else unit if per_of(unit) else amount_unit(unit)


def ordered(run: "Run", organs: Sequence[str]) -> list[str]:
    """Organs in the order of the model, then what it does not have."""
    places = [*run.joint.model.places]
    return sorted(
        dict.fromkeys(organs), key=lambda organ: (places.index(organ) if organ in places else len(places), organ)
    )


def groups_of(frame: pd.DataFrame) -> Iterator[tuple[str, str, str, pd.DataFrame]]:
    """Group, readout and unit, with their values."""
    for (group, readout, unit), rows in frame.groupby(["group", "readout", "unit"], sort=False):
        yield str(group), str(readout), str(unit), rows


# ---- one cell of a table ----------------------------------------------------------------------------------------


def cell(rows: pd.DataFrame) -> str:
    """What was seen of an organ at an hour: mean ± SD (n), a range, or what is below the limit.

    A value stated to be below the limit counts as zero in a mean, unless most are; one that an instrument read there
    counts as it was read.
    """
    if rows.empty:
        return MISSING
    below = rows["below"].to_numpy(bool)
    limit = f"BLQ (< {number(rows['lloq'].max())})"
    n = rows["n"].sum(min_count=len(rows))
    if below.all():
        return f"{limit} {_n(n)}"
    stated = below & ~rows["read"].to_numpy(bool)
    if stated.sum() * 2 > len(rows):
        some = rows.loc[~below, "value"]
        return f"{limit} in {whole(stated.sum())} of {whole(len(rows))}, else {_reach(some)}"
    ranged = rows["value"].isna().to_numpy() & ~stated
    if ranged.any():
        return "; ".join(f"{interval(row['low'], row['high'])} {_n(row['n'])}" for row in rows.to_dict("records"))
    told = f"{_mean(rows.assign(value=rows['value'].mask(stated, 0.0)))} {_n(n)}"
    return told + (f", {whole(below.sum())} BLQ" if below.any() else "")


def _mean(rows: pd.DataFrame) -> str:
    """Mean of animals with their SD, or a printed mean with its own."""
    if len(rows) == 1:
        sd = rows["sd"].iloc[0]
        return number(rows["value"].iloc[0]) + ("" if pd.isna(sd) else f" ± {number(sd)}")
    if (rows["n"] == 1.0).all():
        return f"{number(rows['value'].mean())} ± {number(rows['value'].std(ddof=1))}"
    weights = rows["n"].fillna(1.0)
    return number(np.average(rows["value"], weights=weights))


def _n(n: Any) -> str:
    return f"({whole(n)})"


def _reach(values: pd.Series) -> str:
    low, high = float(values.min()), float(values.max())
    return number(low) if low == high else interval(low, high)

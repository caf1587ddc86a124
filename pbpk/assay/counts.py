"""Measured values as shares of the dose: one row per value, tissues pooled into the model's organs.

Everything the kinetics see is a percentage of the dose (or of what was recovered) held by one organ. Cells and
per-gram values are brought there with the dose and the organ weight; a range stays a range.
"""

from dataclasses import dataclass

import pandas as pd

from pbpk.assay.study import DROPPED, MeasurementRow, Study, WeightRow
from pbpk.errors import StudyError

COLUMNS = ["group", "animal", "organ", "hours", "readout", "percent", "sd", "n", "low", "high", "lloq",
           "below_lloq", "weight_g", "weight_cv", "source"]  # fmt: skip


@dataclass(frozen=True)
class OrganCounts:
    """What was measured, ready for a model.

    study : the folder it came from
    table : one row per value; percent, sd, low, high, lloq [% of the denominator], weight_g [g],
        weight_cv: relative doubt of the weight that brought a per-gram value here, 0 where none was needed
    denominator : "dose", "recovered" or "unknown"
    harvested : organs whose sum is what was recovered
    left_out : sentences on rows that were not used, and why
    """

    study: Study
    table: pd.DataFrame
    denominator: str
    harvested: tuple[str, ...]
    left_out: tuple[str, ...]


def count_cells(study: Study) -> OrganCounts:
    """Bring every measurement of a study to percent of the dose in one organ.

    Raises
    ------
    StudyError
        if a per-gram value has no organ weight, or a count of cells no dose
    """
    rows = []
    left_out: dict[str, int] = {}
    for line, row in enumerate(study.measurements, start=2):
        organ = study.about.tissues.get(row.organ, row.organ)
        if organ == DROPPED:
            left_out[row.organ] = left_out.get(row.organ, 0) + 1
            continue
        factor, weight = _to_percent(study, row, line)
        rows.append(_percent_row(row, organ, factor, weight))
    if not rows:
        raise StudyError(f"{study.folder / 'measurements.csv'}: no row is left to fit; see [tissues] in study.toml.")
    sentences = [
        f"{tissue}: {count} values left out, as [tissues] in study.toml says" for tissue, count in left_out.items()
    ]
    pooled, notes = _pool(study, pd.DataFrame(rows))
    table = pooled.sort_values(["group", "organ", "readout", "hours", "animal"], kind="stable")
    return OrganCounts(
        study,
        table.reset_index(drop=True)[COLUMNS],
        study.about.denominator,
        tuple(study.about.harvested),
        (*sentences, *notes),
    )


def _to_percent(study: Study, row: MeasurementRow, line: int) -> tuple[float, WeightRow | None]:
    """Factor from the written unit to percent of the dose, and the row of the organ's weight if there is one."""
    place = f"{study.folder / 'measurements.csv'}: row {line}"
    weight = _weight(study, row)
    factor = 1.0
    if row.unit.endswith("_per_g"):
        if weight is None:
            raise StudyError(f"{place}: `{row.organ}` is per gram but has no weight; add it to organ_weights.csv.")
        factor *= weight.weight_g
    if row.unit.startswith("cells"):
        doses = [d for d in study.doses if d.group == row.group]
        own = [d for d in doses if row.animal and d.animal == row.animal]  # an animal's own doses replace its group's
        given = [d.cells for d in own or [d for d in doses if not d.animal]]
        total = sum(cells for cells in given if cells is not None)
        if None in given or total == 0.0:
            raise StudyError(f"{place}: the value is in {row.unit} but the dose of `{row.group}` is not known; "
                             "fill `cells` in doses.csv.")  # fmt: skip
        factor *= 100.0 / total
    return factor, weight


def _weight(study: Study, row: MeasurementRow) -> WeightRow | None:
    """Weight of a row's tissue: the animal's own, else its group's, else anybody's."""
    for group, animal in ((row.group, row.animal), ("", row.animal), (row.group, ""), ("", "")):
        for weight in study.weights:
            if (weight.organ, weight.group, weight.animal) == (row.organ, group, animal):
                return weight
    return None


def _percent_row(row: MeasurementRow, organ: str, factor: float, weight: WeightRow | None) -> dict[str, object]:
    def scaled(value: float | None) -> float:
        return float("nan") if value is None else value * factor

    return {
        "group": row.group,
        "animal": row.animal,
        "organ": organ,
        "tissue": row.organ,
        "hours": row.hours,
        "readout": row.readout,
        "percent": scaled(row.value),
        "sd": scaled(row.sd),
        "n": 1 if row.animal else (row.n or 1),
        "low": scaled(row.low),
        "high": scaled(row.high),
        "lloq": scaled(row.lloq),
        "below_lloq": row.below_lloq,
        "weight_g": float("nan") if weight is None else weight.weight_g,
        "weight_cv": weight.cv if weight is not None and row.unit.endswith("_per_g") else 0.0,
        "source": row.source,
    }


def _pool(study: Study, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Sum tissues that make one organ; a time at which one of them is missing is left out, never filled."""
    notes: list[str] = []
    parts = []
    keys = ["group", "animal", "organ", "hours", "readout"]
    needed = table.groupby(["group", "organ"])["tissue"].unique().to_dict()
    for (group, _animal, organ, hours, _readout), rows in table.groupby(keys, sort=False):
        expected = set(needed[group, organ])
        if len(expected) == 1:
            parts.append(rows)
            continue
        missing = expected - set(rows["tissue"])
        if missing:
            notes.append(f"{organ} at {hours:g} h: left out, {', '.join(sorted(missing))} was not measured then")
            continue
        if rows["percent"].isna().any() or rows["below_lloq"].any() or rows["tissue"].duplicated().any():
            raise StudyError(
                f"{study.folder / 'measurements.csv'}: the tissues that make `{organ}` at {hours:g} h must be one "
                "plain value each; ranges, limits and repeats cannot be summed."
            )
        one = rows.iloc[[0]].copy()
        one["percent"] = rows["percent"].sum()
        one["sd"] = (rows["sd"] ** 2).sum() ** 0.5 if rows["sd"].notna().all() else float("nan")
        one["weight_g"] = rows["weight_g"].sum(skipna=False)
        one["weight_cv"] = rows["weight_cv"].max()
        one["source"] = ";".join(rows["source"])
        parts.append(one)
    if not parts:
        raise StudyError(
            f"{study.folder / 'measurements.csv'}: no row is left to fit: the tissues that make one organ were never "
            "measured at the same hour; see [tissues] in study.toml."
        )
    return pd.concat(parts), notes

"""Measured values as shares of the dose: one row per value, tissues pooled into the model's organs.

Everything the kinetics see is a percentage of the dose (or of what was recovered) held by one organ. Cells and
per-gram values are brought there with the dose and the organ weight; a range stays a range.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pbpk.assay.animals import of_subject
from pbpk.assay.doses import dose_amount, dose_cells
from pbpk.assay.measurements import COUNTED, DROPPED, UNITS, MeasurementRow, per_of
from pbpk.assay.signals import Signals, merge
from pbpk.assay.study import Study, WeightRow
from pbpk.errors import InputError, StudyError
from pbpk.quantity import convert, inside

if TYPE_CHECKING:  # plates need scipy; a study of plain numbers does not
    from pbpk.assay.plates.panel import Panel
    from pbpk.assay.plates.quantify import Quantified

COLUMNS = ["group", "animal", "organ", "hours", "readout", "percent", "sd", "n", "low", "high", "lloq",
           "below_lloq", "error", "per", "weight_g", "weight_cv", "source"]  # fmt: skip


@dataclass(frozen=True)
class OrganCounts:
    """What was measured, ready for a model.

    study : the folder it came from
    table : one row per value; percent, sd, low, high, lloq, error [% of the denominator, or of the dose in each mL
        where per is "mL"], weight_g [g], weight_cv: relative doubt of the weight that brought a per-gram value here, 0
        where none was needed; error: SD of the measurement itself where an instrument's readings tell it, shared doubt
        included
    denominator : "dose", "recovered" or "unknown"
    harvested : organs whose sum is what was recovered
    left_out : sentences on rows that were not used, and why
    signals : what instruments read, for the rows that have an `error`; None where all rows are plain numbers
    panels : the plates behind raw light, judged; quantified : their organs, in cells
    """

    study: Study
    table: pd.DataFrame
    denominator: str
    harvested: tuple[str, ...]
    left_out: tuple[str, ...]
    signals: Signals | None = None
    panels: tuple["Panel", ...] = ()
    quantified: "Quantified | None" = None

    def file_of(self, organ: str) -> Path:
        """File that the values of an organ of the model stand in."""
        tissues = self.study.about.tissues
        lit = {reading.well.organ for reading in self.study.readings}
        wells = organ in {tissues.get(tissue, tissue) for tissue in lit}
        return self.study.folder / "wells.csv" if wells else self.study.measurements_file


def count_cells(study: Study) -> OrganCounts:
    """Bring every measurement of a study to percent of the dose in one organ.

    Raises
    ------
    StudyError
        if a per-gram value has no organ weight, or a count of cells no dose
    AssayError
        if a plate of raw light must not be used
    """
    rows, counted = [], []
    left_out: dict[str, int] = {}
    limits = _limits(study)
    for line, row in enumerate(study.measurements, start=2):
        organ = study.about.tissues.get(row.organ, row.organ)
        if organ == DROPPED:
            left_out[row.organ] = left_out.get(row.organ, 0) + 1
        elif line in limits:
            rows.append(_percent_row(row, organ, float("nan"), None) | {"lloq": limits[line]})
        elif row.unit in COUNTED:
            counted.append((line, row))
        else:
            factor, weight = _to_percent(study, row, line)
            rows.append(_percent_row(row, organ, factor, weight))
    pooled, notes = _pool(study, pd.DataFrame(rows)) if rows else (pd.DataFrame(), [])
    panels, quantified = _plates(study, left_out)
    if (quantified or counted or limits) and study.about.denominator != "dose":
        place = study.folder / "study.toml"
        raise StudyError(f'{place}: instruments tell cells, and so percent of the dose; say denominator = "dose".')
    parts = [_light(study, quantified)] if quantified and quantified.organs else []
    if counted:
        parts.append(_counted(study, counted))
    read = pd.concat([part for part, _ in parts], ignore_index=True) if parts else pd.DataFrame()
    if pooled.empty and read.empty:
        file = "wells.csv" if study.readings else study.measurements_file.name
        raise StudyError(f"{study.folder / file}: no row is left to fit; see [tissues] in study.toml.")
    _check_apart(study, read, pooled)
    sentences = [f"{tissue}: {count} values left out, as [tissues] in study.toml says"
                 for tissue, count in left_out.items()]  # fmt: skip
    whole = pd.concat([part for part in (read, pooled) if not part.empty], ignore_index=True)
    order = whole.sort_values(["group", "organ", "readout", "hours", "animal"], kind="stable").index
    signals = merge([signals for _, signals in parts])
    if signals is not None:
        signals = replace(signals, rows=np.argsort(order)[: len(read)])
    return OrganCounts(
        study,
        whole.loc[order].reset_index(drop=True).reindex(columns=COLUMNS).astype({"below_lloq": bool}),
        study.about.denominator,
        tuple(study.about.harvested),
        (*sentences, *notes, *(quantified.notes if quantified else ())),
        signals,
        panels,
        quantified,
    )


def refused_plates(study: Study) -> OrganCounts:
    """The plates of a study that must not be counted, judged and without counts: to see why.

    Raises
    ------
    AssayError
        if a plate has no curve to show
    """
    from pbpk.assay.plates.panel import judge

    panels = tuple(judge(study.readings, study.about.plates.preset, refuse=False))
    return OrganCounts(study, pd.DataFrame(columns=COLUMNS), study.about.denominator, (), (), panels=panels)


def _check_apart(study: Study, read: pd.DataFrame, plain: pd.DataFrame) -> None:
    """Refuse tissues that an instrument read apart but that make one organ, and readings beside plain numbers."""
    if read.empty:
        return
    for organ, tissues in read.groupby("organ")["tissue"].unique().items():
        if len(tissues) > 1:
            raise StudyError(
                f"{study.folder}: `{organ}` is made of {', '.join(sorted(tissues))}, each read by an instrument; "
                "read them together, or give each its own organ under [tissues]."
            )
    keys = ["group", "organ", "readout", "hours"]
    if not plain.empty:
        both = read[keys].drop_duplicates().merge(plain[~plain["below_lloq"]][keys], on=keys)
        if len(both):
            first = both.iloc[0]
            raise StudyError(
                f"{study.folder}: {first['organ']} at {first['hours']:g} h in `{first['group']}` is there as plain "
                "numbers and as readings of an instrument; keep one of them."
            )


def _plates(study: Study, left_out: dict[str, int]) -> tuple[tuple["Panel", ...], "Quantified | None"]:
    """Plates of raw light, judged, and the cells in their organs; tissues that are not used are counted."""
    if not study.readings:
        return (), None
    from pbpk.assay.plates.panel import judge
    from pbpk.assay.plates.quantify import quantify

    panels = tuple(judge(study.readings, study.about.plates.preset))
    found = quantify(panels, study.about.plates)
    dropped = [study.about.tissues.get(organ.organ, organ.organ) == DROPPED for organ in found.organs]
    for organ in (organ.organ for organ, away in zip(found.organs, dropped, strict=True) if away):
        left_out[organ] = left_out.get(organ, 0) + 1
    return panels, found.part(np.flatnonzero(~np.array(dropped, dtype=bool)))


def _light(study: Study, quantified: "Quantified") -> tuple[pd.DataFrame, Signals]:
    """One row for each organ whose light was read, and its signals in percent of the dose."""
    place = f"{study.folder / 'wells.csv'}"
    organs = quantified.organs
    names = [study.about.tissues.get(each.organ, each.organ) for each in organs]
    seen = pd.DataFrame({"group": [o.group for o in organs], "animal": [o.animal for o in organs], "organ": names,
                         "tissue": [o.organ for o in organs]})  # fmt: skip
    cells = np.array([dose_cells(study, o.group, o.animal, place) for o in organs])
    response = quantified.signals.response
    signals = replace(
        quantified.signals, response=replace(response, log_scale=response.log_scale + np.log(cells / 100.0))
    )
    percent, _, _ = signals.estimates()
    table = seen.assign(hours=[o.hours for o in organs], readout="label", percent=percent, n=1, below_lloq=False,
                        per="", error=np.sqrt(np.diag(signals.covariance())), lloq=quantified.lloq() * 100.0 / cells,
                        weight_cv=0.0, source=[o.panel.name for o in organs])  # fmt: skip
    return table, signals


def _limits(study: Study) -> dict[int, float]:
    """Percentage of the dose below which each censored count of an instrument lies, by its row."""
    place = f"{study.measurements_file}"
    rows = [(i, row) for i, row in enumerate(study.measurements, start=2) if row.unit in COUNTED and row.below_lloq]
    if not rows:
        return {}
    from pbpk.assay.readouts.tally import count_limits

    def grams(row: MeasurementRow) -> float | None:
        weight = _weight(study, row)
        return None if weight is None else weight.weight_g

    return count_limits(study.about.readouts, rows, place, lambda r: dose_cells(study, r.group, r.animal, place), grams)


def _counted(study: Study, rows: list[tuple[int, MeasurementRow]]) -> tuple[pd.DataFrame, Signals]:
    """One row for each count of an instrument, and its signals in percent of the dose."""
    from pbpk.assay.readouts.tally import count_signals

    place = f"{study.measurements_file}"
    signals = count_signals(
        study.about.readouts, rows, place, lambda row: dose_cells(study, row.group, row.animal, place)
    )
    percent, _, _ = signals.estimates()
    error = np.sqrt(np.diag(signals.covariance()))
    table = pd.DataFrame([
        _percent_row(row, study.about.tissues.get(row.organ, row.organ), float("nan"), None) for _, row in rows
    ])  # fmt: skip
    return table.assign(percent=percent, error=error), signals


def _to_percent(study: Study, row: MeasurementRow, line: int) -> tuple[float, WeightRow | None]:
    """Factor from the written unit to percent of the dose, and the row of the organ's weight if there is one."""
    place = study.place_of(row, line)
    weight = _weight(study, row)
    factor = 1.0
    amount, _, below = row.unit.partition("/")
    if row.unit not in UNITS:
        given, unit = dose_amount(study, row.group, row.animal, place)
        try:
            factor = 100.0 * convert(1.0, amount, unit) / given / (inside(below)[1] if below else 1.0)
        except InputError as problem:
            raise StudyError(f"{place}: column `unit`: the dose is in `{unit}`, and {problem}") from None
    if per_of(row.unit) == "g":
        if weight is None:
            raise StudyError(f"{place}: `{row.organ}` is per gram but has no weight; add it to organ_weights.csv.")
        factor *= weight.weight_g
    if row.unit in ("cells", "cells_per_g"):
        factor *= 100.0 / dose_cells(study, row.group, row.animal, place)
    return factor, weight


def _weight(study: Study, row: MeasurementRow) -> WeightRow | None:
    """Weight of a row's tissue: the animal's own, else its group's, else anybody's."""
    subject = of_subject(row.animal)
    for group, animal in ((row.group, subject), ("", subject), (row.group, ""), ("", "")):
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
        "error": float("nan"),
        "per": "mL" if per_of(row.unit) == "mL" else "",
        "weight_g": float("nan") if weight is None else weight.weight_g,
        "weight_cv": weight.cv if weight is not None and per_of(row.unit) == "g" else 0.0,
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
                f"{study.measurements_file}: the tissues that make `{organ}` at {hours:g} h must be one "
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
            f"{study.measurements_file}: no row is left to fit: the tissues that make one organ were never "
            "measured at the same hour; see [tissues] in study.toml."
        )
    return pd.concat(parts), notes

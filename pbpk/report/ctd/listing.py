"""Listing: one row for each animal, organ and hour, with its limit, whether it was used, and where it is written."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from pbpk.assay.measurements import DROPPED, MeasurementRow
from pbpk.assay.records import FILE as NONMEM
from pbpk.predict.lineage.source import source
from pbpk.report.ctd.analyte import amount_unit, footnote, is_cells, share_unit
from pbpk.report.ctd.observations import amounts, dose_of, written
from pbpk.report.ctd.sources import in_study, measured
from pbpk.report.document.blocks import Block, Paragraph, Table
from pbpk.report.wording import MISSING, counted, interval, listed, named, number, span

if TYPE_CHECKING:
    from pbpk.assay.plates.quantify import Known, Organ
    from pbpk.predict.run import Run

type Key = tuple[str, str, str, float, str]
USED = "no"


def listing_blocks(run: "Run") -> list[Block]:
    """Every value of the study, used or not, group by group; then wells of samples that are not used."""
    amount = "Cells" if is_cells(run) else f"Amount [{amount_unit(run.joint.model.amount)}]"
    head = ("Animal", "Organ", "Time", "Value", "Unit", amount, "Limit", "Excluded", "File: row")
    notes = [
        f"{amount.partition(' ')[0]}: what the value is of the dose, for the whole organ; {MISSING} where the dose is "
        "not known or several tissues were pooled. SD stands behind ±.",
        footnote(run),
    ]
    blocks: list[Block] = []
    known = _amounts(run)
    for group in run.study.about.groups:
        lines = [*_numbers(run, group.name, known), *_organs(run, group.name, known), *_wells(run, group.name)]
        if lines:
            rows, sources = zip(*lines, strict=True)
            caption = f"{counted(len(rows), 'value')} of group {group.name}"
            blocks.append(Table(caption, head, "llrrlrrll", rows, sources, notes, folded=True))
    return [*_what_was_left_out(run), *blocks]


def _what_was_left_out(run: "Run") -> list[Block]:
    """How many values were not used, told first."""
    notes = run.joint.counts.left_out
    if not notes:
        return [Paragraph("Every value of the study was used.")]
    place = source("counts.csv")
    return [Paragraph(f"Not used, in words: {'; '.join(notes)}.", "note", place)]


def _amounts(run: "Run") -> dict[Key, list[float]]:
    """Amounts of the model's organs by what they were measured in."""
    found: dict[Key, list[float]] = {}
    for row in amounts(run).to_dict("records"):
        key = (str(row["group"]), str(row["animal"]), str(row["organ"]), float(row["hours"]), str(row["readout"]))
        found.setdefault(key, []).append(row["value"])
    return found


# ---- numbers ----------------------------------------------------------------------------------------------------


def _numbers(run: "Run", group: str, known: dict[Key, list[float]]) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Rows of the study's table of measurements."""
    left = _left_out(run)
    tissues = run.study.about.tissues
    pooled = pd.Series(tissues, dtype=object).value_counts()
    for line, row in enumerate(run.study.measurements, start=2):
        if row.group != group:
            continue
        organ = tissues.get(row.organ, row.organ)
        held = known.get((group, row.animal, organ, row.hours, row.readout), [])
        alone = len(held) == 1 and int(pooled.get(organ, 1)) == 1
        why = "yes: no organ of the model" if organ == DROPPED else USED
        why = next((f"yes: {said}" for start, said in left.items() if f"{organ} at {row.hours:g} h" == start), why)
        yield (
            (row.animal or f"mean of {row.n}" if row.n or row.animal else "not stated", _organ(row, organ),
             span(row.hours), _value(row), written(row.unit), number(held[0]) if alone else MISSING,
             MISSING if row.lloq is None else number(row.lloq), why, _place(run, row, line)),
            measured(run, group=group, animal=row.animal, organ=row.organ, hours=row.hours),
        )  # fmt: skip


def _left_out(run: "Run") -> dict[str, str]:
    """Organs and hours that were left out as one of their tissues was missing, as "gut at 1 h", and why."""
    found = {}
    for note in run.joint.counts.left_out:
        start, sign, why = note.partition(": left out, ")
        if sign and " at " in start:
            found[start] = why
    return found


def _organ(row: MeasurementRow, organ: str) -> str:
    """Tissue, and the organ of the model that it belongs to."""
    return named(row.organ) if organ in (row.organ, DROPPED) else f"{named(row.organ)} ({named(organ)})"


def _value(row: MeasurementRow) -> str:
    """Value, range, or that it is below the limit."""
    if row.below_lloq:
        return "BLQ"
    if row.value is None:
        return interval(row.low, row.high)
    return number(row.value) + ("" if row.sd is None else f" ± {number(row.sd)}")


def _place(run: "Run", row: MeasurementRow, line: int) -> str:
    file = run.study.measurements_file.name
    return row.source.rpartition("/")[2] if file == NONMEM else f"{file}: {line}"


# ---- light ------------------------------------------------------------------------------------------------------


def _organs(run: "Run", group: str, known: dict[Key, list[float]]) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Organs whose light was read."""
    quantified = run.joint.counts.quantified
    if quantified is None:
        return
    tissues = run.study.about.tissues
    for organ, limit in zip(quantified.organs, quantified.lloq().tolist(), strict=True):
        if organ.group != group:
            continue
        name = tissues.get(organ.organ, organ.organ)
        held = known.get((group, organ.animal, name, organ.hours, "label"), [])
        dose = dose_of(run, group, organ.animal)
        share = 100.0 / dose[0] if dose else float("nan")
        value = held[0] if held else float("nan")
        below = " (BLQ)" if value < limit else ""
        yield (
            (organ.animal, named(organ.organ), span(organ.hours), number(value * share) + below, share_unit(run),
             number(value), number(limit * share), USED, _wells_of(organ)),
            in_study(run, "wells.csv", role="sample", group=group, animal=organ.animal, organ=organ.organ,
                     hours=organ.hours),
        )  # fmt: skip


def _wells_of(organ: "Organ") -> str:
    wells = listed(reading.well.well for reading in organ.wells)
    return f"wells.csv: {organ.panel.plate} {wells}"


def _wells(run: "Run", group: str) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Wells of samples that are not used."""
    quantified = run.joint.counts.quantified
    for known, why in quantified.left_out if quantified else ():
        well = known.reading.well
        if well.role == "sample" and well.group == group:
            yield (
                (well.animal, named(well.organ), span(float(well.hours or 0.0)), MISSING, MISSING, MISSING, MISSING,
                 f"yes: {why}", _well(known)),
                in_study(run, "wells.csv", plate=well.plate, well=well.well),
            )  # fmt: skip


def _well(known: "Known") -> str:
    return f"wells.csv: {known.reading.well.plate} {known.reading.well.well}"

"""Organ distribution (2.6.5.5): tissues as rows, hours as columns; areas; what the model predicts stands apart."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from pbpk.predict.lineage.source import source
from pbpk.report.ctd.analyte import amount_unit, analyte, footnote, is_cells
from pbpk.report.ctd.areas import area_tables
from pbpk.report.ctd.design import MOST_HOURS, header_table, one_of
from pbpk.report.ctd.lettering import lettered
from pbpk.report.ctd.observations import (
    amounts,
    as_measured,
    cell,
    groups_of,
    is_blood_only,
    ordered,
    shares,
    told_apart,
)
from pbpk.report.ctd.panel import panel_table
from pbpk.report.ctd.predicted import predicted_tables
from pbpk.report.ctd.sources import given, measured, stated
from pbpk.report.document.blocks import Block, Bullets, Heading, Paragraph, Table
from pbpk.report.dossier import Dossier
from pbpk.report.wording import counted, named, number, span, whole

if TYPE_CHECKING:
    from pbpk.predict.run import Run

ABREAST = 6  # hours beside each other in one table
HOW = "mean ± SD (n)"


@dataclass(frozen=True)
class _Values:
    """Values of one kind, and how a table of them is told.

    source : of the row of one group, organ and readout
    """

    frame: pd.DataFrame
    what: str
    order: Callable[[Sequence[str]], list[str]]
    source: Callable[[str, str, str], str]


def distribution_blocks(dossier: Dossier) -> list[Block]:
    """2.6.5.5: head, values in percent, in amounts and as measured, areas, then what the model predicts."""
    run = dossier.run
    heading = Heading("Organ distribution (CTD 2.6.5.5)", 2, "ctd-distribution")
    if is_blood_only(run):
        return [heading, Paragraph("Not studied: only blood was measured, see 2.6.5.3.", "", source("counts.csv"))]
    blocks: list[Block] = [header_table(dossier, "Organ distribution: test article, animals, dose and samples")]
    blocks += observed_blocks(run)
    panel = panel_table(run)
    blocks += [panel] if panel else []
    blocks += area_tables(run)
    blocks += predicted_tables(run)
    return [heading, *lettered("2.6.5.5", blocks)]


def observed_blocks(run: "Run") -> list[Block]:
    """Values in percent, in amounts and as measured, and why one of these is missing."""
    notes = _notes(run)
    first, *others = _observed_tables(run)
    return [replace(first, notes=[*notes, *first.notes]), *others, *_amounts_missing(run), *_additional(run)]


def _additional(run: "Run") -> list[Block]:
    """What the study says of its values that no column holds."""
    told = run.study.about.assumptions
    if not told:
        return []
    words = "Additional information, as the study states it:"
    return [Paragraph(words), Bullets(told, stated(run, "assumptions"))]


def _observed_tables(run: "Run") -> Iterator[Table]:
    for values in _kinds(run):
        for group, readout, unit, rows in groups_of(values.frame):
            yield from _tables(run, values, group, readout, unit, rows)


def _kinds(run: "Run") -> Iterator[_Values]:
    def by_model(organs: Sequence[str]) -> list[str]:
        return ordered(run, organs)

    def as_counted(group: str, organ: str, readout: str) -> str:
        return source("counts.csv", group=group, organ=organ, readout=readout)

    yield _Values(shares(run), "Observed", by_model, as_counted)
    yield _Values(amounts(run), "Observed", by_model, as_counted)
    yield _Values(
        as_measured(run),
        "As measured, by tissue",
        lambda organs: list(dict.fromkeys(organs)),
        lambda group, organ, _: measured(run, group=group, organ=organ),
    )


def _tables(
    run: "Run", values: _Values, group: str, readout: str, unit: str, rows: pd.DataFrame
) -> Iterator[Table]:  # fmt: skip
    """One readout of one group, in as many tables as its hours need."""
    title = f"{values.what}: {analyte(run, readout)} in {unit}, group {group}"
    organs = values.order([str(organ) for organ in rows["organ"]])
    sources = [values.source(group, organ, readout) for organ in organs]
    hours = sorted(rows["hours"].unique())
    if len(hours) > MOST_HOURS:
        yield replace(_own_hours(title, organs, rows, sources), notes=[footnote(run, readout)])
        return
    for some in told_apart(pd.Index(hours), ABREAST):
        told = [
            (named(organ), *(cell(rows[(rows["organ"] == organ) & (rows["hours"] == hour)]) for hour in some))
            for organ in organs
        ]
        part = "" if len(hours) <= ABREAST else f", {span(some[0])} to {span(some[-1])}"
        head = ("Tissue", *(span(hour) for hour in some))
        caption = f"{title}{part}; {HOW}"
        yield Table(caption, head, "l" + "r" * len(some), told, sources, [footnote(run, readout)])


def _own_hours(title: str, organs: list[str], rows: pd.DataFrame, sources: list[str]) -> Table:
    """Animals that were sampled at hours of their own: how many values, and the highest of each animal."""
    told = []
    for organ in organs:
        own = rows[rows["organ"] == organ]
        peaks = own.loc[own.groupby("animal", sort=True)["value"].idxmax()]
        at = peaks["hours"]
        told.append((
            named(organ), whole(own["animal"].nunique()), whole(len(own)),
            f"{span(own['hours'].min())} to {span(own['hours'].max())}", cell(peaks.assign(below=False)),
            f"{number(at.mean())} ± {number(at.std(ddof=1))}" if len(at) > 1 else number(at.mean()),
        ))  # fmt: skip
    head = ("Tissue", "Animals", "Values", "First to last", f"Highest value, {HOW}", "Its hour [h], mean ± SD")
    caption = f"{title}; each sampled at hours of its own, single values in the listing"
    return Table(caption, head, "lrrrrr", told, sources)


def _notes(run: "Run") -> list[str]:
    """What the cells of the tables mean, as far as they occur."""
    every = pd.concat([frame for frame in (shares(run), as_measured(run)) if not frame.empty])
    ranged = every["low"].notna() & every["value"].isna()
    notes = [
        f"Numbers have three significant digits. SD is the standard deviation between {one_of(run)}s; where a mean is "
        f"printed without one, the source gives none; (–): the source does not say how many {one_of(run)}s."
    ]
    if ranged.any():
        notes.append(
            "a to b (n): only a range is known; the smallest and the largest of n, or the bounds as the source "
            "states them where it gives no n."
        )
    if every["below"].any():
        notes.append(
            "BLQ: below the limit of quantification, which stands in brackets. In a mean, a value stated to be below "
            "the limit counts as zero, unless most are; one that the instrument read below it counts as it was read."
        )
    pooled = _pooled(run)
    if pooled:
        notes.append(f"Tissues pooled into organs of the model: {'; '.join(pooled)}.")
    notes += [_denominator(run)] if run.joint.counts.denominator != "dose" else []
    return notes


def _denominator(run: "Run") -> str:
    sum_of = ", ".join(named(organ) for organ in run.joint.counts.harvested)
    if run.joint.counts.denominator == "recovered":
        return f"Percentages are of what was recovered in {sum_of}, not of the dose."
    return (
        "The source does not say whether its percentages are of the dose or of what was recovered; recovered is taken "
        f"as the sum over {sum_of}."
    )


def _pooled(run: "Run") -> list[str]:
    """Organs of the model that several tissues make, or one of another name."""
    parts: dict[str, list[str]] = {}
    for tissue, organ in run.study.about.tissues.items():
        parts.setdefault(organ, []).append(named(tissue))
    measured_organs = set(run.joint.counts.table["organ"])
    return [f"{named(organ)} is {' + '.join(tissues)}" for organ, tissues in parts.items()
            if organ in measured_organs and (len(tissues) > 1 or tissues != [named(organ)])]  # fmt: skip


def _amounts_missing(run: "Run") -> list[Block]:
    """Why some or all values are not told as amounts too."""
    every = len(shares(run)) if is_cells(run) else int((run.joint.counts.table["per"] == "").sum())
    missing = every - len(amounts(run))
    if not missing:
        return []
    what = "cells" if is_cells(run) else amount_unit(run.joint.model.amount)
    of = f"No table in {what}" if missing == every else f"Not in {what}, {whole(missing)} of {counted(every, 'value')}"
    why = "the dose is not stated" if run.joint.counts.denominator == "dose" else _unknown(run)
    return [Paragraph(f"{of}: {why}.", "note", given(run))]


def _unknown(run: "Run") -> str:
    no_dose = all(row.in_all is None for row in run.study.doses if row.is_dose)
    why = "the source does not say that its percentages are of the dose"
    return f"{why}, nor what the dose was" if no_dose else why

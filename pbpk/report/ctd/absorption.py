"""Absorption (2.6.5.3, 2.6.5.4): what circulates, where blood was measured; else that nobody measured it."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from pbpk.predict.lineage.source import source
from pbpk.report.ctd.analyte import analyte, footnote, is_cells
from pbpk.report.ctd.areas import against, areas_of, with_error
from pbpk.report.ctd.design import header_table, is_repeated
from pbpk.report.ctd.distribution import observed_blocks
from pbpk.report.ctd.lettering import lettered
from pbpk.report.ctd.observations import BLOOD, is_blood_only
from pbpk.report.ctd.predicted import at_hours_tables
from pbpk.report.ctd.sources import given
from pbpk.report.document.blocks import Block, Heading, Paragraph, Table
from pbpk.report.dossier import Dossier
from pbpk.report.wording import CREDIBLE, MISSING, interval, listed, named, number, unit

if TYPE_CHECKING:
    from pbpk.predict.run import Run

SHOWN = {
    "Cmax": "Cmax",
    "Tmax": "Tmax",
    "AUClast": "AUC(0–t)",
    "Tlast": "t, last hour above the limit",
    "half_life": "Terminal half-life",
    "CL": "Clearance",
    "CL_F": "Apparent clearance",
    "Vss": "Volume at steady state",
}
FITTED = ("Cmax", "Tmax", "AUClast", "half_life", "CL", "CL_F")


def in_blood(run: "Run") -> list[tuple[str, str]]:
    """Organ and readout of everything measured in blood."""
    table = run.joint.counts.table
    own = table[table["organ"].isin(BLOOD)]
    return list(dict.fromkeys(zip(own["organ"].astype(str), own["readout"].astype(str), strict=True)))


def absorption_blocks(dossier: Dossier) -> list[Block]:
    """2.6.5.3 and 2.6.5.4; the second only where an animal was dosed more than once."""
    run = dossier.run
    repeated = is_repeated(run)
    first = "Absorption after a single dose (CTD 2.6.5.3)"
    again = "Absorption after repeated doses (CTD 2.6.5.4)"
    own = _blocks(dossier, "2.6.5.4" if repeated else "2.6.5.3")
    once: list[Block] = [Paragraph("Not studied: animals were dosed more than once, see 2.6.5.4.", "", given(run))]
    never: list[Block] = [Paragraph("Not studied: each was given one dose.", "", given(run))]
    return [
        Heading(first, 2, "ctd-absorption"),
        *(once if repeated else own),
        Heading(again, 2, "ctd-absorption-repeated"),
        *(own if repeated else never),
    ]


def _blocks(dossier: Dossier, number_of_table: str) -> list[Block]:
    run = dossier.run
    seen = in_blood(run)
    if not seen:
        what = f"{analyte(run)} in blood were" if is_cells(run) else f"{analyte(run)} in blood was"
        words = f"Not studied: {what} not measured. What the model says of the blood is a prediction, see 2.6.5.16."
        return [Paragraph(words, "", source("counts.csv"))]
    blocks: list[Block] = []
    if is_cells(run):
        blocks.append(Paragraph(
            "Cells given into a vessel are in the circulation at once: there is no absorption to measure. The table "
            "tells what circulates."
        ))  # fmt: skip
    caption = "Circulating cells" if is_cells(run) else "Absorption"
    table = header_table(
        dossier, f"{caption}: animals, dose, sample and kinetic parameters of what was observed", BLOOD
    )
    for organ, readout in seen:
        table = _with_parameters(run, table, organ, readout)
    told: list[Block] = [table, *(observed_blocks(run) if is_blood_only(run) else []), *_fitted(run, seen)]
    told += at_hours_tables(run) if is_blood_only(run) else []
    return [*blocks, *lettered(number_of_table, told), *_no_parameters(run, seen)]


def _with_parameters(run: "Run", table: Table, organ: str, readout: str) -> Table:
    """Head of the table with a row for each parameter below it."""
    groups = run.study.about.groups
    found = {group.name: areas_of(run, group.name, readout).get((group.name, organ, readout), {}) for group in groups}
    sample = f"{named(organ)}; {analyte(run, readout)}"
    rows: list[tuple[Any, ...]] = [("Sample; analyte", *(sample for _ in groups))]
    sources = [source("counts.csv", organ=organ, readout=readout)]
    for name, words in SHOWN.items():
        told = [found[group.name].get(name) for group in groups]
        if any(row is not None and pd.notna(row["value"]) for row in told):
            rows.append((words, *(_parameter(row) for row in told)))
            sources.append(source("exposure.csv", organ=organ, readout=readout, animal="", parameter=name))
    notes = [*(_remarks(found) if len(rows) > 1 else []), footnote(run, readout)]
    return Table(table.caption, table.head, table.align, [*table.rows, *rows], [*table.sources, *sources], notes)


def _parameter(row: dict[Any, Any] | None) -> str:
    if row is None or pd.isna(row["value"]):
        return MISSING
    told = f"{with_error(row)} {unit(str(row['unit']))}".strip()
    return told if pd.isna(row["low"]) else f"{told}; 95 % confidence interval {interval(row['low'], row['high'])}"


def _remarks(found: dict[str, dict[str, dict[Any, Any]]]) -> list[str]:
    said: dict[str, list[str]] = {}
    for group, told in found.items():
        for name in ("AUClast", "half_life"):
            if name in told and against(told[name]):
                said.setdefault(f"{SHOWN[name]}: {against(told[name])}", []).append(group)
    notes = ["± is the standard error; of subjects that were each sampled throughout, that of their mean."]
    return notes + [f"{remark} (group {listed(groups)})." for remark, groups in said.items()]


def _fitted(run: "Run", seen: list[tuple[str, str]]) -> list[Table]:
    """What the model says of the same parameters, apart."""
    groups = run.study.about.groups
    rows, sources = [], []
    for organ, readout in seen:
        for name in FITTED:
            told = [areas_of(run, group.name, readout).get((group.name, organ, readout), {}).get(name)
                    for group in groups]  # fmt: skip
            if any(row is not None and pd.notna(row["q50"]) for row in told):
                of = f"{named(organ)}, {analyte(run, readout)}: " if len(seen) > 1 else ""
                rows.append((of + SHOWN[name], *(_median(row) for row in told)))
                sources.append(source("exposure.csv", organ=organ, readout=readout, animal="", parameter=name))
    head = ("", *(group.name for group in groups))
    caption = f"MODEL-PREDICTED, not observed: kinetic parameters in blood, median ({CREDIBLE})"
    return (
        [Table(caption, head, "l" * len(head), rows, sources, [footnote(run, *(readout for _, readout in seen))])]
        if rows
        else []
    )


def _median(row: dict[Any, Any] | None) -> str:
    if row is None or pd.isna(row["q50"]):
        return MISSING
    return f"{number(row['q50'])} ({interval(row['q2.5'], row['q97.5'])}) {unit(str(row['unit']))}".strip()


def _no_parameters(run: "Run", seen: list[tuple[str, str]]) -> list[Block]:
    names = [
        group.name
        for group in run.study.about.groups
        if not any((group.name, *pair) in areas_of(run, group.name) for pair in seen)
    ]
    if not names:
        return []
    return [Paragraph(
        f"No kinetic parameters in group {listed(names)}: blood has no values, as percent of the dose, at three or "
        "more hours.", "note", source("counts.csv"),
    )]  # fmt: skip

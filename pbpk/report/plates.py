"""Plates of raw light, as a page of their own and as a section of the report: what lets a reader trust or refuse one.

The page is written while the light is at hand, since a run keeps amplitudes and no traces; the section needs only what
the counts hold.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pbpk.assay.balance import balance_by_hour, recovered_by_hour
from pbpk.assay.counts import OrganCounts
from pbpk.assay.light.amplitude import Reading
from pbpk.assay.light.trace import Trace, Well
from pbpk.assay.plates.acceptance import BORROWED
from pbpk.assay.plates.panel import Panel
from pbpk.assay.study import Study
from pbpk.report.document.blocks import Table
from pbpk.report.document.inline import with_code
from pbpk.report.ink import svg
from pbpk.report.plate_figures import calibration_figure
from pbpk.report.plate_sheets import light_sheet, spectrum_sheet
from pbpk.report.plate_tables import (
    cell_load,
    cells_table,
    checked_table,
    content,
    left_out,
    left_out_table,
    mark,
    overview_tables,
    rules_table,
    spikes_table,
    with_sd,
)
from pbpk.report.rendering import rendered, write_whole
from pbpk.report.sketches import Sketch, sketch
from pbpk.report.well_figure import draw_well
from pbpk.report.wording import MISSING, counted, interval, listed, named, number, span, whole

MOST_DETAILS = 24  # wells left out that are drawn large; a page is to be read
SYNTHETIC = "SYNTHETIC: this light was computed by a virtual instrument; no animal and no instrument was involved."


@dataclass(frozen=True)
class Light:
    """What is kept of the traces: a sketch of each well, and the traces of those drawn large."""

    sketches: Mapping[str, list[Sketch]]
    large: Mapping[Well, Trace]


def write_plate_page(
    study: Study, counts: OrganCounts, path: str | Path, light: str | Path | Iterable[Trace] | None = None
) -> Path:
    """Write the page of a study's plates; an interrupted write leaves no half of it.

    light : traces of the wells in any order, gone through once; or the folder that has them, the study's own if left
        out. A folder without traces makes a page without pictures of wells, which says so.
    """
    if light is None or isinstance(light, str | Path):
        light = _read_traces(Path(light or study.folder))
    return write_whole(plate_html(study, counts, light), Path(path))


def _read_traces(folder: Path) -> Iterable[Trace] | None:
    """Traces of a study folder, None where it holds a table of amplitudes in their stead."""
    from pbpk.assay.light.wells import read_traces_in_turn

    return read_traces_in_turn(folder) if (folder / "traces").is_dir() else None


def plate_html(study: Study, counts: OrganCounts, light: Iterable[Trace] | None = None) -> str:
    """The page as text; the same study gives the same bytes."""
    readings = {reading.well: reading for reading in study.readings}
    chosen = _chosen(counts)
    seen = _seen(light or (), chosen)
    plates = list(dict.fromkeys(panel.plate for panel in counts.panels))
    each = [_plate(i, name, counts, seen.sketches.get(name, []), readings) for i, name in enumerate(plates, start=1)]
    large = [
        {
            "title": f"{well.plate} {well.well}, {named(well.role)}",
            "figure": svg(draw_well(seen.large[well], readings[well].amplitude),
                          f"Light of well {well.well} of plate {well.plate}, its fit, and what the fit leaves.",
                          f"well{i}"),
            "bad": bad,
        }
        for i, (well, bad) in enumerate(chosen.items(), start=1)
        if well in seen.large
    ]  # fmt: skip
    bad = sum(len(left_out(panel, counts.quantified)) for panel in counts.panels)
    return rendered(
        "plates.html.j2",
        title=f"Plates of raw light: {study.about.title}",
        about=study.about,
        facts=_facts(study, counts),
        synthetic_sentence=SYNTHETIC if study.about.kind == "synthetic" else "",
        all_plates=overview(counts),
        left_out=left_out_table(counts.panels, counts.quantified),
        notes=[f"{panel.name}: {note}" for panel in counts.panels for note in panel.notes],
        plates=each,
        wells=large,
        has_light=bool(seen.sketches),
        unseen=max(bad - MOST_DETAILS, 0),
    )


@dataclass(frozen=True)
class Overview:
    """Tables of all plates, where their limits are borrowed from, the label of a cell in words."""

    tables: list[Table]
    borrowed: str
    load: str


def overview(counts: OrganCounts) -> Overview:
    """What all plates of a study say together."""
    load = cell_load(counts.quantified)
    sentence = ""
    if load is not None:
        sentence = (
            f"One cell carries {number(load[0])} ng of label (95 % interval {interval(*load[1:])} ng), learned from "
            "the reference cells of all plates together; its doubt is shared by every organ."
        )
    judged = [panel.acceptance for panel in counts.panels if panel.acceptance is not None]
    borrowed = judged[0].note if judged else f"{BORROWED} This study asked for none: no plate was judged."
    return Overview(overview_tables(counts.panels, counts.quantified), borrowed, sentence)


def _facts(study: Study, counts: OrganCounts) -> dict[str, str]:
    roles = pd.Series([named(reading.well.role) for reading in study.readings]).value_counts(sort=False)
    plates = {panel.plate for panel in counts.panels}
    return {
        "Plates": whole(len(plates)),
        "Curves": whole(len(counts.panels)),
        "Wells": f"{whole(len(study.readings))}: {listed(f'{n} {role}' for role, n in roles.items())}",
        "Rules": f"preset {study.about.plates.preset}",
        "Label": study.about.label,
    }


def _chosen(counts: OrganCounts) -> dict[Well, bool]:
    """Wells to draw large and whether each was left out: those, then the first of each role that was not."""
    out = [reading.well for panel in counts.panels for reading, _ in left_out(panel, counts.quantified)]
    chosen = dict.fromkeys(out[:MOST_DETAILS], True)
    roles: dict[str, Well] = {}
    for panel in counts.panels:
        for reading in panel.used:
            if reading.well not in out:
                roles.setdefault(reading.well.role, reading.well)
    return chosen | dict.fromkeys(roles.values(), False)


def _seen(light: Iterable[Trace], chosen: Mapping[Well, bool]) -> Light:
    """Go through the traces once."""
    sketches: dict[str, list[Sketch]] = {}
    large = {}
    for trace in light:
        sketches.setdefault(trace.well.plate, []).append(sketch(trace))
        if trace.well in chosen:
            large[trace.well] = trace
    return Light(sketches, large)


def _plate(
    i: int, name: str, counts: OrganCounts, sketches: list[Sketch], readings: Mapping[Well, Reading]
) -> dict[str, Any]:
    """Contact sheets of a plate and what its panels say."""
    panels = [panel for panel in counts.panels if panel.plate == name]
    out = {r.well.well: why for panel in panels for r, why in left_out(panel, counts.quantified)}
    sheets = []
    if sketches:
        words = {each.well.well: _words(readings.get(each.well)) for each in sketches}
        light, spectra = light_sheet(sketches, words, out), spectrum_sheet(sketches, out)
        sheets = [svg(light, f"Light of all wells of plate {name}.", f"light{i}"),
                  svg(spectra, f"Spectra of what the fits leave on plate {name}.", f"spectra{i}")]  # fmt: skip
    return {
        "anchor": f"plate-{i}",
        "name": name,
        "out": counted(len(out), "well") if out else "",
        "sheets": sheets,
        "panels": [_panel(panel, counts, f"{i}x{j}") for j, panel in enumerate(panels, start=1)],
    }


def _words(reading: Reading | None) -> tuple[str, str]:
    """What a well holds and reads, short enough for its box."""
    if reading is None:
        return "", ""
    well = reading.well
    holds = content(reading) if well.nominal is not None else well.animal or well.group or named(well.role)
    return holds, f"{reading.amplitude.delta:.3g}".replace("-", "−")


def _panel(panel: Panel, counts: OrganCounts, key: str) -> dict[str, Any]:
    about = f"Calibration of plate {panel.plate}, {panel.matrix}: amplitude against amount; the numbers are below."
    rows = [
        [rules_table(panel)],
        [checked_table(panel, panel.role), checked_table(panel, "qc") if panel.of("qc") else None],
        [spikes_table(panel, counts.quantified), cells_table(panel, counts.quantified)],
    ]
    return {
        "title": f"Controls in {named(panel.matrix)}",
        "sentence": with_code(panel.acceptance.sentence if panel.acceptance else "No rules were asked of this plate."),
        "good": panel.acceptance.passed if panel.acceptance else None,
        "figure": svg(calibration_figure(panel), about, f"curve{key}"),
        "tables": [[table for table in beside if table is not None] for beside in rows],
        "notes": panel.notes,
    }


def balance_table(counts: OrganCounts) -> Table | None:
    """Mass balance: the organs of an animal together, in percent of the dose, by group and hour."""
    rows = []
    for row in balance_by_hour(counts).to_dict("records"):
        flag = mark(row["flag"], False) if row["flag"] else ""
        lacking = f"{row['lacking']} of {row['animals']}" if row["lacking"] else "none"
        some = mark(f"{row['flagged']} of {row['animals']}", False) if row["flagged"] else "none"
        rows.append((
            row["group"], span(row["hours"]), row["readout"], whole(row["animals"]), whole(row["organs"]),
            with_sd(row["percent_dose"], row["sd"]), number(row["between"]), interval(row["lowest"], row["highest"]),
            lacking, some, flag,
        ))  # fmt: skip
    head = ("Group", "Time", "Readout", "Animals", "Organs", "Sum, mean ± SD of the measurement [% of the dose]",
            "SD between animals", "Lowest to highest", "Animals lacking an organ",
            "Animals above 100 %", "Mean")  # fmt: skip
    return Table("Mass balance, percent of the dose given", head, "lrlrrrrrrrl", rows) if rows else None


def recovered_table(counts: OrganCounts) -> Table | None:
    """Shares of what was recovered, by group and hour; they sum to 100 whatever was lost."""
    found = recovered_by_hour(counts)
    if found.empty:
        return None
    organs = list(dict.fromkeys(found["organ"]))
    rows = []
    for (group, hours, readout), own in found.groupby(["group", "hours", "readout"], sort=False):
        shares = {row["organ"]: with_sd(row["percent_recovered"], row["sd"]) for row in own.to_dict("records")}
        rows.append((group, span(float(str(hours))), readout, *(shares.get(organ, MISSING) for organ in organs)))
    head = ("Group", "Time", "Readout", *(named(str(organ)) for organ in organs))
    caption = "Percent of what was recovered, mean of the animals ± SD of the measurement; not percent of the dose"
    return Table(caption, head, "lrl" + "r" * len(organs), rows)

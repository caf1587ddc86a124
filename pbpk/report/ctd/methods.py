"""Analytical methods (2.6.5.2): analyte, matrix, method, range, LLOQ, precision, accuracy; what nobody says is said."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from pbpk.assay.measurements import COUNTED, MeasurementRow
from pbpk.assay.plates.acceptance import BORROWED
from pbpk.report.author import NOT_APPLICABLE, cell, said
from pbpk.report.ctd.analyte import NOT_STATED, analyte, footnote
from pbpk.report.ctd.lettering import lettered
from pbpk.report.ctd.observations import written
from pbpk.report.ctd.sources import in_study, measured
from pbpk.report.document.blocks import Block, Heading, Table
from pbpk.report.document.inline import Inline
from pbpk.report.dossier import Dossier
from pbpk.report.plate_tables import cell_load, checked, recovery
from pbpk.report.wording import interval, listed, named, number

if TYPE_CHECKING:
    from pbpk.assay.plates.panel import Panel
    from pbpk.predict.run import Run

LIGHT = "light under a modulated magnetic field, demodulated by regression; calibration on the same plate"
HEAD = ("Study no.", "Analyte", "Matrix", "Method", "Range", "LLOQ", "Precision", "Accuracy", "Stability", "Location")
PRECISION = (
    "Precision: coefficient of variation of the QCs of one level within the plate; accuracy: mean deviation of a "
    "level's QCs from nominal; both as the lowest and the highest of the levels. Range: from the LLOQ to the highest "
    "accepted standard, as amount in a well."
)


def methods_blocks(dossier: Dossier) -> list[Block]:
    """2.6.5.2: one row for each matrix on each plate, and for each kind of value that came as a number."""
    tables = [table for table in (_light_table(dossier), _numbers_table(dossier)) if table]
    heading = Heading("Analytical methods and validation (CTD 2.6.5.2)", 2, "ctd-methods")
    return [heading, *lettered("2.6.5.2", tables), *said(dossier, "study.method_validation")]


# ---- raw light --------------------------------------------------------------------------------------------------


def _light_table(dossier: Dossier) -> Table | None:
    run = dossier.run
    panels = run.joint.counts.panels
    if not panels:
        return None
    rows = [_light_row(run, panel) for panel in panels]
    sources = [in_study(run, "wells.csv", plate=panel.plate, matrix=panel.matrix) for panel in panels]
    notes = [PRECISION, *_load_note(run)]
    notes += [BORROWED] if any(panel.acceptance is not None for panel in panels) else []
    head = ("Analyte", "Matrix, plate", "Range", "LLOQ", "Precision (CV)", "Accuracy", "Recovery (95 % interval)")
    study = str(cell(dossier, "study.study_number", brief=True))
    caption = f"Methods: {LIGHT}" + (f"; study number: {study}" if study != NOT_APPLICABLE else "")
    return Table(caption, head, "llrrrrr", rows, sources, [*notes, footnote(run)])


def _light_row(run: "Run", panel: "Panel") -> Sequence[Inline]:
    lowest = lloq_of(panel)
    quality = qualities(panel)
    return (
        analyte(run), named(panel.matrix) if panel.matrix == panel.plate else f"{named(panel.matrix)}, {panel.plate}",
        f"{interval(lowest, panel.top)} {panel.unit}", f"{number(lowest)} {panel.unit}",
        _reach(quality["cv"]), _reach(quality["deviation"]), recovery(panel, run.joint.counts.quantified),
    )  # fmt: skip


def lloq_of(panel: "Panel") -> float:
    """Lowest amount in a well that a panel quantifies [its unit]: ten sigma, or its lowest accepted standard."""
    table = panel.limits.table
    least = float(table.loc[table["method"] == "ich_q2", "loq"].iloc[0])
    return least if panel.acceptance is None else max(least, float(panel.acceptance.lloq))


def qualities(panel: "Panel") -> pd.DataFrame:
    """Levels of a panel's QCs with their coefficient of variation and mean deviation [1]; none without QCs."""
    wells = checked(panel, "qc").astype({"nominal": float, "found": float, "deviation": float})
    levels = wells.groupby("nominal")
    return pd.DataFrame({"cv": levels["found"].std(ddof=1) / levels["found"].mean(),
                         "deviation": levels["deviation"].mean()})  # fmt: skip


def _reach(shares: pd.Series) -> str:
    """Least and most of some shares, in percent."""
    known = 100.0 * shares.dropna()
    return f"{interval(known.min(), known.max())} %" if len(known) else "no QCs on the plate"


def _load_note(run: "Run") -> list[str]:
    load = cell_load(run.joint.counts.quantified)
    if load is None:
        return []
    low, high = load[1:]
    return [f"Label of one cell, from all plates: {number(load[0])} ng, 95 % interval {interval(low, high)} ng."]


# ---- numbers ----------------------------------------------------------------------------------------------------


def _numbers_table(dossier: Dossier) -> Table | None:
    """Values that came as numbers, by readout and unit."""
    run = dossier.run
    kinds: dict[tuple[str, str], list[MeasurementRow]] = {}
    for row in run.study.measurements:
        kinds.setdefault((row.readout, row.unit), []).append(row)
    if not kinds:
        return None
    rows = [_numbers_row(dossier, readout, unit, some) for (readout, unit), some in kinds.items()]
    sources = [measured(run, unit=unit) for _, unit in kinds]
    head = HEAD
    return Table("Methods of the values that came as numbers", head, "l" * len(head), rows, sources, [footnote(run)])


def _numbers_row(dossier: Dossier, readout: str, unit: str, rows: list[MeasurementRow]) -> Sequence[Inline]:
    run = dossier.run
    limits = sorted({row.lloq for row in rows if row.lloq is not None})
    told = {"range": NOT_STATED, "lloq": NOT_STATED, "precision": NOT_STATED} | _instrument(run, unit)
    if limits:
        reach = number(limits[0]) if len(limits) == 1 else interval(limits[0], limits[-1])
        told["lloq"] = f"{reach} {written(unit)}"
    tissues = dict.fromkeys(named(row.organ) for row in rows)
    return (
        cell(dossier, "study.study_number", brief=True), f"{analyte(run, readout)}, in {written(unit)}",
        listed(tissues), told.get("method", NOT_STATED), told["range"], told["lloq"], told["precision"],
        NOT_STATED, NOT_STATED, cell(dossier, "study.location_in_ctd", brief=True),
    )  # fmt: skip


def _instrument(run: "Run", unit: str) -> dict[str, str]:
    """What the settings of a counting instrument say of the method."""
    asked = run.study.about.readouts
    if unit not in COUNTED:
        return {}
    settings: dict[str, Any] = dict(zip(COUNTED, (asked.qpcr, asked.gamma, asked.flow, asked.sections), strict=True))
    own = settings[unit]
    if unit == "copies" and own is not None:
        per_g = own.detection_limit_cells_per_g
        return {"method": f"quantitative PCR, {number(own.copies_per_cell.median)} copies per cell",
                "lloq": f"{number(per_g)} cells/g (limit of detection)",
                "precision": f"{number(100.0 * own.cv.median)} % between extracts"}  # fmt: skip
    if unit == "counts" and own is not None:
        return {"method": f"gamma counting of {own.isotope}"}
    return {"method": {"events": "flow cytometry", "profiles": "counting of profiles in sections"}.get(unit, "")}

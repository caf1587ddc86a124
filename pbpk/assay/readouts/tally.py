"""Every count of an instrument in measurements.csv as readings of organs, with what each instrument's rows share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pbpk.assay.measurements import COUNTED, MeasurementRow
from pbpk.assay.readouts.affine import Written, affine_signals
from pbpk.assay.readouts.cytometry import flow_signals
from pbpk.assay.readouts.isotope import gamma_signals
from pbpk.assay.readouts.qpcr import qpcr_limit, qpcr_signals
from pbpk.assay.readouts.sections import sections_signals
from pbpk.assay.readouts.settings import Readouts
from pbpk.assay.signals import Signals, merge
from pbpk.errors import StudyError

Rows = Sequence[tuple[int, MeasurementRow]]
CellsGiven = Callable[[MeasurementRow], float]


@dataclass(frozen=True)
class Instrument:
    """Where the settings of a unit stand, what its rows tell, and how they become readings.

    signals : takes the rows and the settings
    """

    block: str
    readout: str
    why: str
    signals: Callable[[Sequence[Written], Any], Signals]


INSTRUMENTS = {
    "copies": Instrument("qpcr", "dna", "copies are DNA, of live and of lately dead cells", qpcr_signals),
    "counts": Instrument("gamma", "label", "a counter sees the isotope wherever it went", gamma_signals),
    "events": Instrument("flow", "live", "a cytometer sees cells that came alive through dissociation", flow_signals),
    "profiles": Instrument("sections", "label", "sections show the label wherever it is", sections_signals),
}


def count_signals(readouts: Readouts, rows: Rows, place: str, cells_given: CellsGiven) -> Signals:
    """All counts as one set of readings of percent of the dose, in the order of `rows`.

    Rows below a limit are left to `count_limits`: a censored value has no place among readings.

    rows : each with its number, which its reading keeps and which sentences name
    place : file of the rows
    cells_given : cells of the dose of a row's animal; asked of all but isotope counts, which are parts of the dose

    Raises
    ------
    StudyError
        one sentence: which row, what is missing, where to add it
    """
    written = _checked(readouts, rows, place, cells_given)
    parts = []
    for unit in COUNTED:
        mine = [each for each in written if each.row.unit == unit and not each.row.below_lloq]
        if mine:
            instrument = INSTRUMENTS[unit]
            parts.append(instrument.signals(mine, getattr(readouts, instrument.block)))
    signals = merge(parts) or affine_signals([], [], {})
    order = {number: i for i, (number, _) in enumerate(rows)}
    sort = np.argsort([order[number] for number in signals.rows.tolist()]).astype(int)
    return replace(signals, response=signals.response.part(sort), rows=signals.rows[sort])


def count_limits(
    readouts: Readouts,
    rows: Rows,
    place: str,
    cells_given: CellsGiven,
    weight_g: Callable[[MeasurementRow], float | None],
) -> dict[int, float]:
    """Amount [% of the dose] below which each censored row in copies lies, by the number of its row.

    It is taken at the medians of yield and copies per cell.

    weight_g : weight of a row's organ [g], None where it is not known

    Raises
    ------
    StudyError
        one sentence, if the settings are missing or the limit is per gram of an organ without weight
    """
    censored = [(number, row) for number, row in rows if row.unit in INSTRUMENTS and row.below_lloq]
    written = _checked(readouts, censored, place, cells_given)
    qpcr = readouts.qpcr
    return {} if qpcr is None else {each.number: qpcr_limit(each, qpcr, weight_g(each.row)) for each in written}


def _checked(readouts: Readouts, rows: Rows, place: str, cells_given: CellsGiven) -> list[Written]:
    """The rows, if an instrument can have given them."""
    written = []
    for number, row in rows:
        each = Written(number, row, f"{place}: row {number}", cells_given)
        instrument = INSTRUMENTS[row.unit]
        if getattr(readouts, instrument.block) is None:
            raise StudyError(f"{each.place}: the value is in {row.unit}, but study.toml does not say what a cell "
                             f"gives; add [readouts.{instrument.block}] there.")  # fmt: skip
        if row.readout != instrument.readout:
            raise StudyError(f"{each.place}: the readout is `{row.readout}`, but {instrument.why}; write "
                             f"`{instrument.readout}`.")  # fmt: skip
        if row.low is not None or row.sd is not None or (row.n or 1) > 1:
            raise StudyError(f"{each.place}: a count is that of one animal; give each animal its own row, without "
                             "`sd`, `n`, `low` and `high`.")  # fmt: skip
        if row.unit != "copies" and row.below_lloq:
            raise StudyError(f"{each.place}: a count needs no limit, for few are seen as few; give the count itself, "
                             "0 included, and leave below_lloq empty.")  # fmt: skip
        if row.unit != "copies" and each.value % 1.0:
            raise StudyError(f"{each.place}: {row.value:g} is not a whole number; give what was counted, neither a "
                             "rate nor corrected.")  # fmt: skip
        written.append(each)
    return written

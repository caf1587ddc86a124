"""Tables of plates: what each panel of controls holds, as rows of finished text; the numbers are the panels' own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pbpk.assay.light.amplitude import Reading
from pbpk.assay.plates.matrix_effects import carry_over
from pbpk.assay.plates.panel import Panel
from pbpk.assay.plates.quantify import CELLS, Known, Quantified
from pbpk.assay.signals import Shared
from pbpk.quantity import NORMAL_95, convert
from pbpk.report.document.blocks import Table
from pbpk.report.document.inline import Mark
from pbpk.report.wording import MISSING, counted, interval, named, number, span

ABREAST = 7  # plates that stand beside each other in the overview
METHODS = {"ich_q2": "ICH Q2", "currie": "Currie", "blank": "blanks alone"}
GOOD, BAD, OPEN = "accepted", "refused", "not judged"


def mark(text: str, good: bool | None) -> Mark:
    """A verdict that stands out: good, bad, or neither."""
    kind = "open" if good is None else "good" if good else "bad"
    return Mark(text, kind)


def yes(good: Any) -> Mark:
    """Yes or no, the no in red."""
    return mark("yes" if good else "no", bool(good))


def with_sd(value: float, sd: float, unit: str = "") -> str:
    """Value and its standard deviation, in one unit."""
    return f"{number(value)} ± {number(sd)}" + (f" {unit}" if unit else "")


def percent(share: float) -> str:
    """A share [1] in percent, to three digits."""
    return f"{number(100.0 * share)} %"


def verdict(panel: Panel) -> Mark:
    """Whether a panel may be used."""
    if panel.acceptance is None:
        return mark(OPEN, None)
    return mark(GOOD if panel.acceptance.passed else BAD, panel.acceptance.passed)


def left_out(panel: Panel, quantified: Quantified | None) -> list[tuple[Reading, str]]:
    """Wells of a panel that are not used, and why."""
    if quantified is None:
        return list(panel.left_out)
    return [(known.reading, why) for known, why in quantified.left_out if known.panel is panel]


# ---- all panels -------------------------------------------------------------------------------------------------


def overview_tables(panels: Sequence[Panel], quantified: Quantified | None) -> list[Table]:
    """One line for each question and one column for each panel; as many tables as the columns need."""
    tables = []
    for first in range(0, len(panels), ABREAST):
        some = panels[first : first + ABREAST]
        columns = [_answers(panel, quantified) for panel in some]
        rows = [(question, *(column[question] for column in columns)) for question in columns[0]]
        caption = "Verdicts, curves, limits and controls"
        caption += "" if len(panels) <= ABREAST else f", {first + 1} to {first + len(some)} of {len(panels)}"
        tables.append(Table(caption, ("", *(panel.plate for panel in some)), "l" + "l" * len(some), rows))
    return tables


def _answers(panel: Panel, quantified: Quantified | None) -> dict[str, Any]:
    """Everything that the overview says of one panel."""
    known, blanks = panel.of(panel.role), panel.of("blank")
    out = left_out(panel, quantified)
    curve, unit = panel.curve, panel.unit
    intercept, slope = (float(value) for value in curve.curve.parameters[:2])
    doubt = np.sqrt(np.diag(curve.covariance))
    judged = panel.acceptance
    zero = np.array([reading.amplitude.delta for reading in blanks])
    answers: dict[str, Any] = {
        "Matrix": named(panel.matrix),
        "Verdict": verdict(panel),
        "Rules kept": MISSING
        if judged is None
        else f"{int(judged.rules['passed'].sum())} of {len(judged.rules)} by {judged.preset}",
        "Curve through": f"{counted(len(known), kind(panel))}, {counted(len(blanks), 'blank')}",
        f"Slope [reading/{unit}] ± SD": with_sd(slope, doubt[1]),
        "Intercept [reading] ± SD": with_sd(intercept, doubt[0]),
        "Scatter about the curve, share of the rise": percent(curve.cv),
        "LLOQ": MISSING
        if judged is None
        else f"{number(judged.lloq)} {unit}" + (" (raised)" if judged.lloq_raised else ""),
        "ULOQ": f"{number(panel.top)} {unit}" + (" (highest standard)" if judged is None else ""),
    }
    answers |= _limits(panel)
    answers |= {
        "Blanks, mean [reading] ± SD": with_sd(zero.mean(), panel.limits.between_blanks),
        "Blanks scatter between digests [reading]": number(panel.limits.between_blanks),
        "Blanks scatter within their traces [reading]": number(panel.limits.within_trace),
        "Limits rest on the scatter": panel.limits.sigma_from,
        "Recovery of label, 95 % interval": recovery(panel, quantified),
        "Carry-over, of the response at the lowest standard": carried(panel),
        "Light without laser [reading] ± SE": laser_off(panel),
        "Wells used": f"{len(panel.used) + len(panel.left_out) - len(out)} of {len(panel.used) + len(panel.left_out)}",
        "Wells left out": mark(counted(len(out), "well"), False) if out else "none",
        "Notes": counted(len(panel.notes), "note") if panel.notes else "none",
    }
    return answers


def kind(panel: Panel) -> str:
    """What a panel's curve is made of, one of them."""
    return {"standard": "standard", "reference_cells": "well of reference cells"}[panel.role]


def _limits(panel: Panel) -> dict[str, str]:
    """LOD and LOQ by each method."""
    table = panel.limits.table.set_index("method")
    found = {
        f"LOD, LOQ by {METHODS[str(method)]}": f"{number(row['lod'])}, {number(row['loq'])} {panel.unit}"
        for method, row in table.iterrows()
    }
    return found | {"Said to be there from, by Currie": f"{number(table['critical']['currie'])} {panel.unit}"}


def _learned(shared: Shared, name: str) -> tuple[float, float] | None:
    """Mean and SD of a shared unknown, if there is such a one."""
    if name not in shared.names:
        return None
    i = shared.names.index(name)
    return float(shared.mean[i]), float(np.sqrt(shared.covariance[i, i]))


def lognormal(mean: float, sd: float) -> tuple[float, float, float]:
    """Median and ends of the 95 % interval of a number whose logarithm has this mean and SD."""
    return float(np.exp(mean)), float(np.exp(mean - NORMAL_95 * sd)), float(np.exp(mean + NORMAL_95 * sd))


def recovery(panel: Panel, quantified: Quantified | None) -> str:
    """Part of the label that reaches the well, from all spikes in this matrix."""
    known = _learned(quantified.signals.shared, f"log_recovery: {panel.matrix}") if quantified else None
    if known is None:
        return MISSING
    middle, low, high = lognormal(*known)
    source = "" if panel.of("spike") else ", no spikes here"
    return f"{percent(middle)} ({interval(100.0 * low, 100.0 * high)} %{source})"


def cell_load(quantified: Quantified | None) -> tuple[float, float, float] | None:
    """Label of one cell [ng], median and ends of its 95 % interval; None where standards are cells themselves."""
    known = _learned(quantified.signals.shared, "log_load") if quantified else None
    if quantified is None or known is None or all(organ.panel.unit in CELLS for organ in quantified.organs):
        return None
    return lognormal(known[0] + np.log(quantified.load), known[1])


def carried(panel: Panel) -> str:
    """Carry-over as the rule found it, or by the same arithmetic where no rule was asked."""
    if panel.acceptance is not None:
        rule = panel.acceptance.rules.set_index("rule")
        return percent(float(rule["found"]["carry-over"])) if "carry-over" in rule.index else "not measured"
    after, known = panel.of("carry_over"), panel.of(panel.role)
    if not after:
        return "not measured"
    amounts = np.array([reading.well.held for reading in known])
    lowest = [known[i].amplitude.delta for i in np.flatnonzero(amounts == amounts.min())]
    blanks = [reading.amplitude.delta for reading in panel.of("blank")]
    return percent(carry_over([reading.amplitude.delta for reading in after], lowest, blanks).share)


def laser_off(panel: Panel) -> str:
    """Amplitude of the wells without laser: anything here is not light of the label."""
    wells = [reading.amplitude for reading in panel.of("laser_off")]
    return "; ".join(with_sd(found.delta, found.se) for found in wells) or "not measured"


# ---- one panel --------------------------------------------------------------------------------------------------


def title(panel: Panel) -> str:
    """Plate and matrix, once if they have one name."""
    return named(panel.matrix) if panel.plate == panel.matrix else f"{panel.plate}, {named(panel.matrix)}"


def checked(panel: Panel, role: str) -> pd.DataFrame:
    """Wells of known content with what was found in them: well, nominal, found, deviation, within (None: no limits).

    Standards and QCs as the rules saw them, by the curve of acceptance; without rules by the panel's own curve.
    """
    columns = ["well", "nominal", "found", "deviation", "within"]
    known = [reading for reading in panel.used if reading.well.role == role]
    judged = panel.acceptance
    if judged is None or role not in (panel.role, "qc"):
        rows = []
        for reading in known:
            nominal, held = reading.well.held, float(panel.curve.curve.inverse(reading.amplitude.delta))
            rows.append((reading.well.well, nominal, held, held / nominal - 1.0 if nominal else np.nan, None))
        return pd.DataFrame(rows, columns=columns)
    table = judged.qcs if role == "qc" else judged.standards
    found = table["measured" if role == "qc" else "back_calculated"]
    rejected = [reading for reading in panel.rejected if reading.well.role == role]
    names: list[str] = []
    for within in table["within"]:
        kept = known if within or role == "qc" else rejected
        names.append(kept.pop(0).well.well if kept else MISSING)
    whole = table.assign(well=names, found=found, within=table["within"].astype(object))
    return whole[columns].reset_index(drop=True)


def checked_table(panel: Panel, role: str) -> Table:
    """Standards or QCs: nominal, found, deviation, within its limits or not."""
    rows = []
    for row in checked(panel, role).to_dict("records"):
        within = MISSING if row["within"] is None else yes(row["within"])
        rows.append((row["well"], number(row["nominal"]), number(row["found"]), signed(row["deviation"]), within))
    what = "QCs" if role == "qc" else f"{kind(panel).capitalize()}s" if role == "standard" else "Reference cells"
    by = "the curve of acceptance, weighted 1/x²" if panel.acceptance is not None else "the curve of this plate"
    head = ("Well", f"Nominal [{panel.unit}]", f"Found [{panel.unit}]", "Deviation", "Within limits")
    return Table(f"{what}, read off {by}", head, "lrrrl", rows)


def signed(share: float) -> str:
    """A deviation [1] in percent with its sign."""
    return MISSING if not np.isfinite(share) else f"{'+' * (share >= 0.0)}{number(100.0 * share)} %"


def rules_table(panel: Panel) -> Table | None:
    """Each rule with its limit, what was found, and where it stands; None where no rules were asked."""
    if panel.acceptance is None:
        return None
    rows = [
        (row["rule"], number(row["limit"]), number(row["found"]), yes(row["passed"]), row["section"], row["sentence"])
        for row in panel.acceptance.rules.to_dict("records")
    ]
    head = ("Rule", "Limit", "Found", "Passed", "ICH M10 section", "In words")
    return Table(f"Rules of the preset {panel.acceptance.preset}, borrowed from ICH M10", head, "lrrlll", rows)


def spikes_table(panel: Panel, quantified: Quantified | None) -> Table | None:
    """Spiked wells and the part of the label that each found again."""
    return _known_table(panel, quantified, "spike", f"Spikes; recovery from all of them: {recovery(panel, quantified)}")


def cells_table(panel: Panel, quantified: Quantified | None) -> Table | None:
    """Reference cells and the label of a cell that each tells."""
    if panel.role == "reference_cells":
        return None
    load = cell_load(quantified)
    caption = "Reference cells"
    if load is not None:
        caption += f"; label of a cell from all plates: {number(load[0])} ng (95 % {interval(*load[1:])} ng)"
    return _known_table(panel, quantified, "reference_cells", caption)


def _known_table(panel: Panel, quantified: Quantified | None, role: str, caption: str) -> Table | None:
    """Controls of known amount: what was put in, what the curve reads in the well, and the one over the other."""
    out = {reading.well: why for reading, why in left_out(panel, quantified)}
    wells = [reading for reading in panel.used if reading.well.role == role]
    if not wells:
        return None
    rows = []
    for reading in wells:
        unit = reading.well.unit
        held = float(panel.curve.curve.inverse(reading.amplitude.delta))
        used = mark("no: " + out[reading.well], False) if reading.well in out else mark("yes", True)
        put = f"{number(reading.well.nominal or 0.0)} {unit}"
        rows.append((reading.well.well, put, f"{number(reading.well.held)} {unit}", f"{number(held)} {panel.unit}",
                     found_again(panel, reading), used))  # fmt: skip
    head = ("Well", "Put in", "Of it in the well", "Found in the well", "Found over put in", "Used")
    return Table(caption, head, "lrrrrl", rows)


def found_again(panel: Panel, reading: Reading) -> str:
    """Amount that a control reads over the amount put in: a share, or label per cell."""
    each = Known(panel, reading)
    if not each.amount > 0.0:
        return MISSING
    if each.in_cells != (panel.unit in CELLS):
        return f"{number(each.found)} {panel.unit}/{'cell' if each.in_cells else 'ng'}"
    return percent(each.found if each.in_cells else each.found * convert(1.0, panel.unit, "ng"))


def left_out_table(panels: Sequence[Panel], quantified: Quantified | None) -> Table | None:
    """Every well that is not used, and why; None where all are."""
    rows = [
        (panel.plate, reading.well.well, named(reading.well.role), content(reading), why)
        for panel in panels
        for reading, why in left_out(panel, quantified)
    ]
    return Table("Wells left out", ("Plate", "Well", "Role", "Holds", "Why"), "lllll", rows) if rows else None


def content(reading: Reading) -> str:
    """What is in a well, in a few words."""
    well = reading.well
    if well.role == "sample":
        when = f" at {span(well.hours)}" if well.hours is not None else ""
        return f"{named(well.organ)} of {well.animal or well.group}{when}"
    return f"{number(well.nominal)} {well.unit}" if well.nominal is not None else ""

"""Tables of the report: rows of finished text, ready for the page."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pbpk.predict.lineage.source import source
from pbpk.report.document.blocks import Table
from pbpk.report.document.inline import Code, Mark, Strong
from pbpk.report.references import Reference, cited
from pbpk.report.wording import (
    CREDIBLE,
    MISSING,
    PREDICTIVE,
    READINGS,
    ROUTES,
    counted,
    interval,
    named,
    number,
    span,
    unit,
    whole,
)

if TYPE_CHECKING:
    from pbpk.assay.doses import DoseRow
    from pbpk.predict.run import Run

LIMITED = "below the limit"
LONG = 24  # rows from which a page folds a table
AREA = "AUClast"
EXPOSED = {"Cmax": "peak", "Tmax": "hour of the peak", "half_life": "terminal half-life", "AUCinf_obs":
           "area to infinity", "residence_last": "residence to the last value", "residence_inf": "residence", "CL":
           "clearance", "CL_F": "apparent clearance", "Vss": "volume at steady state"}  # fmt: skip
CONSTANT = ("Group", "Readout", "Unit", "Parameter")


def from_file(table: Table, *sources: str) -> Table:
    """Same table with the source of each row, or one for all."""
    return replace(table, sources=sources)


def _told_once(table: Table, heads: Sequence[str]) -> Table:
    """Same table with the columns among `heads` that never change told in the caption instead."""
    once = [i for i, head in enumerate(table.head) if head in heads and len({str(row[i]) for row in table.rows}) == 1]
    if not once:
        return table
    keep = [i for i in range(len(table.head)) if i not in once]
    told = "; ".join(f"{table.head[i].lower()}: {table.rows[0][i]}" for i in once)
    return Table(
        f"{table.caption} ({told})",
        [table.head[i] for i in keep],
        "".join(table.align[i] for i in keep),
        [[row[i] for i in keep] for row in table.rows],
        table.sources,
    )


def _amount(dose: "DoseRow") -> str:
    """What was given, in its unit."""
    if dose.cells is not None:
        return f"{number(dose.cells)} cells"
    return "amount not stated" if dose.amount is None else f"{number(dose.amount)} {dose.unit}"


def _given(dose: "DoseRow", several: bool) -> str:
    """One row of the table of doses, in words."""
    if not dose.is_dose:
        return f"emptied at {span(dose.hours)}"
    words = f"infused since ever at {number(dose.rate_per_h)} {dose.unit or 'cells'}/h until {span(dose.hours)}"
    if not dose.is_since_ever:
        how = f" over {number(dose.duration_min)} min" if dose.duration_min else ", bolus"
        how = f" at {number(dose.rate_per_h)} {dose.unit or 'cells'}/h" if dose.rate_per_h else how
        words = f"{_amount(dose)} at {span(dose.hours)}{how}"
    words += f", {ROUTES.get(dose.route, dose.route)}" if several else ""
    words += f", {dose.addl} more every {span(dose.interval_h)}" if dose.addl else ""
    words += f", at steady state every {span(dose.interval_h)}" if dose.ss and not dose.is_since_ever else ""
    words += f", after a lag of {span(dose.lag_h)}" if dose.lag_h else ""
    words += f", of which {number(100 * dose.bioavailability)} % is available" if dose.bioavailability != 1.0 else ""
    words += ", after the samples of that hour" if dose.after_samples else ""
    return words + (", the animal emptied before" if dose.reset else "")


def _who(animals: list[str]) -> str:
    """Animals that were dosed alike, where they were dosed by themselves."""
    named = [animal for animal in animals if animal]
    return f" (animal{'s' if len(named) > 1 else ''} {', '.join(named)})" if named else ""


def groups_table(run: "Run") -> Table:
    """Groups with what they were given."""
    rows = []
    given_in = "doses.csv" if "doses.csv" in run.study.hashes else "nonmem.csv"
    places = [source(f"study/{run.name}/{given_in}", group=group.name) for group in run.study.about.groups]
    for group in run.study.about.groups:
        doses = [dose for dose in run.study.doses if dose.group == group.name]
        alike: dict[str, list[str]] = {}
        for dose in doses:
            alike.setdefault(_given(dose, several=len(group.routes) > 1), []).append(dose.animal)
        given = [words + _who(animals) for words, animals in alike.items()]
        route = ", ".join(ROUTES.get(route, route) for route in group.routes)
        rows.append((group.name, route, "; ".join(given), group.treatment, named(group.injured or "none")))
    head = ("Group", "Route", "Doses", "Treatment", "Injured organ")
    return Table("Groups and doses", head, "lllll", rows, places)


def design_table(run: "Run") -> Table:
    """Values by group, organ and readout, with their hours."""
    rows, places = [], []
    for (group, organ, readout), own in run.joint.counts.table.groupby(["group", "organ", "readout"], sort=False):
        limited = int(own["below_lloq"].astype(bool).sum())
        places.append(source("counts.csv", group=group, organ=organ, readout=readout))
        ranges = int((own["percent"].isna() & own["high"].notna()).sum())
        rows.append((
            group, named(str(organ)), readout, ", ".join(span(h) for h in sorted(set(own["hours"]))),
            whole(len(own) - ranges - limited), whole(ranges), whole(limited),
            _animals(run, str(group), str(organ), str(readout)),
        ))  # fmt: skip
    head = (
        "Group",
        "Organ",
        "Readout",
        "Hours after the first dose",
        "Values",
        "Ranges",
        "Below limit",
        "Animals in each",
    )
    return Table("What was fitted: organs and times", head, "llllrrrr", rows, places)


def _animals(run: "Run", group: str, organ: str, readout: str) -> str:
    """Animals behind each value of an organ, as the study states them."""
    tissues = run.study.about.tissues
    told = [
        1 if row.animal else row.n
        for row in run.study.measurements
        if (row.group, tissues.get(row.organ, row.organ), row.readout) == (group, organ, readout)
    ]
    values = run.joint.counts.table
    light = (values["group"] == group) & (values["organ"] == organ) & values["error"].notna()
    told += [1] * bool((light & (values["readout"] == readout) & (values["animal"] != "")).any())
    stated = sorted({n for n in told if n is not None})
    if not stated:
        return "not stated"
    return whole(stated[0]) if len(stated) == 1 else f"{whole(stated[0])} to {whole(stated[-1])}"


def model_file(run: "Run") -> str:
    """File of the model as a source names it."""
    return next((name for name in run.manifest["inputs"] if name.startswith("model/")), "manifest.json")


def arrows_table(run: "Run") -> Table:
    """Arrows of the model, one line for each family."""
    rows = []
    for family in run.joint.model.families:
        arrow, _, rate = family.line.partition(":")
        source, _, target = arrow.partition("->")
        organs = "" if family.organs == ("",) else ", ".join(named(organ) for organ in family.organs)
        rows.append((Code(source.strip()), Code(target.strip()), Code(rate.strip()), organs))
    place = model_file(run)
    head = ("From", "To", "Rate [1/h]", "For")
    return Table("Arrows: a rate times the cells in the state it leaves", head, "llll", rows, (place,))


def animal_table(run: "Run", known: dict[str, Reference]) -> Table:
    """Numbers of the animal, each with its source."""
    rows = [
        (Code(name), number(q.value), q.unit, interval(q.low, q.high), q.note, cited(q.source, known))
        for name, q in run.joint.model.quantities.items()
    ]
    head = ("Quantity", "Value", "Unit", "Other sources", "Note", "Source")
    places = [source(species_file(run), key=name) for name in run.joint.model.quantities]
    return Table("Numbers of the animal", head, "lrllll", rows, places, folded=True)


def species_file(run: "Run") -> str:
    """File of the animal in the folder of a run."""
    file = run.joint.model.species.file
    return "manifest.json" if file is None else f"species/{file.name}"


def parameters_table(run: "Run", known: dict[str, Reference]) -> Table:
    """Every parameter, prior beside posterior."""
    rows = []
    for row in run.parameters.to_dict("records"):
        kind = str(row["learned"])
        fixed = kind == "fixed"
        rows.append((
            Code(str(row["parameter"])), row["about"], unit(str(row["unit"])),
            number(row["prior_q50"]), MISSING if fixed else interval(row["prior_q2.5"], row["prior_q97.5"]),
            MISSING if fixed else number(row["q50"]),
            MISSING if fixed else interval(row["q2.5"], row["q97.5"]), Mark(kind, kind),
            cited(str(row["source"]), known),
        ))  # fmt: skip
    head = (
        "Parameter",
        "Meaning",
        "Unit",
        "Prior median",
        "Prior 95 %",
        "Posterior median",
        CREDIBLE,
        "Learned",
        "Source",
    )
    caption = "Parameters, prior and posterior; a parameter without a unit is a plain number"
    return Table(caption, head, "lllrrrrll", rows, _by_parameter(run.parameters))


def _by_parameter(table: pd.DataFrame) -> list[str]:
    return [source("parameters.csv", parameter=name) for name in table["parameter"]]


def observed(row: Mapping[Any, Any]) -> str:
    """What was measured, as a value, a range or a limit."""
    if not pd.isna(row["value"]):
        return number(row["value"])
    return interval(row["low"], row["high"]) if not pd.isna(row["high"]) else LIMITED


def predictions_table(run: "Run", known: dict[str, Reference]) -> Table:
    """Each value beside what the fit says."""
    rows = []
    keys = [key for key in ("group", "animal", "organ", "readout", "hours") if key in run.predictions]
    places = _places("predictions.csv", run.predictions, keys)
    for row in run.predictions.to_dict("records"):
        inside = MISSING if pd.isna(row["inside"]) else "yes" if row["inside"] else Strong("no")
        who = (
            f"{row['group']}, animal {row['animal']}" if row["animal"] and not pd.isna(row["animal"]) else row["group"]
        )
        rows.append((
            who, named(str(row["organ"])), row["readout"], span(float(row["hours"])),
            _reading(row["reading"], row["per"]),
            observed(row), number(row["q50"]), interval(row["q2.5"], row["q97.5"]),
            interval(row["p2.5"], row["p97.5"]), inside, cited(str(row["source"]), known),
        ))  # fmt: skip
    head = ("Group", "Organ", "Readout", "Time", "Unit", "Observed", "Predicted median", CREDIBLE, PREDICTIVE,
            "Inside", "Source")  # fmt: skip
    made = Table("Observed values and their predictions", head, "lllrlrrrrll", rows, places, folded=len(rows) > LONG)
    return _told_once(made, CONSTANT)


def _places(file: str, table: pd.DataFrame, keys: Sequence[str]) -> list[str]:
    """Source of each row of a table, by the columns that tell it apart; an empty one tells nothing."""
    told = [{key: value for key, value in zip(keys, row, strict=True) if not pd.isna(value) and value != ""}
            for row in table[list(keys)].itertuples(index=False)]  # fmt: skip
    return [source(file, **row) for row in told]


def _reading(name: Any, per: Any = "") -> str:
    """Unit of a value: the denominator, and the volume of a concentration."""
    return READINGS.get(str(name), str(name)) + (f" per {per}" if per else "")


def checks_table(run: "Run") -> Table:
    """Posterior predictive checks by organ."""
    rows, places = [], []
    for (reading, organ, readout), own in run.predictions.groupby(["reading", "organ", "readout"], sort=False):
        judged = own[own["inside"].notna()]
        places.append(source("predictions.csv", reading=reading, organ=organ, readout=readout))
        single = own[(own["value"] > 0.0) & (own["q50"] > 0.0)]
        logs = np.log(single["value"].to_numpy(float) / single["q50"].to_numpy(float))
        fold = f"{number(np.exp(logs.mean()))}" if len(single) else MISSING
        near = f"{int((np.abs(logs) <= np.log(2.0)).sum())} of {len(single)}" if len(single) else MISSING
        inside = f"{int(judged['inside'].astype(bool).sum())} of {len(judged)}"
        rows.append((named(str(organ)), readout, _reading(reading), inside, fold, near))
    head = ("Organ", "Readout", "Unit", f"Inside the {PREDICTIVE}", "Observed over predicted, geometric mean",
            "Within a factor of two")  # fmt: skip
    return _told_once(Table("Posterior predictive checks by organ", head, "lllrrr", rows, places), CONSTANT)


def exposure_table(run: "Run") -> Table:
    """Areas under the curves to the last value, of the values and of the fit."""
    rows = []
    for row in _together(run.exposure, (AREA,)):
        printed = number(row["published"])
        if not pd.isna(row["published_error"]) and not pd.isna(row["published"]):
            printed += f" ± {number(row['published_error'])}"
        rows.append((
            row["group"], named(str(row["organ"])), row["readout"], unit(str(row["unit"])), whole(row["n"]),
            number(row["value"]), number(row["se"]), number(row["df"]), number(row["q50"]),
            interval(row["q2.5"], row["q97.5"]), number(row["arrows_q50"]), printed,
        ))  # fmt: skip
    head = ("Group", "Organ", "Readout", "Unit", "n", "From the values", "Standard error", "Degrees of freedom",
            "From the fit, median", CREDIBLE, "From its arrows alone", "Printed in the source")  # fmt: skip
    places = _exposed(_together(run.exposure, (AREA,)))
    return _told_once(Table("Exposure: areas under the curves", head, "llllrrrrrrrr", rows, places), CONSTANT)


def _exposed(rows: Sequence[Mapping[Any, Any]]) -> list[str]:
    keys = ("group", "organ", "readout", "parameter")
    return [source("exposure.csv", **{key: row[key] for key in keys}) for row in rows]


def tails_table(run: "Run") -> Table:
    """Peaks, terminal half-lives, areas to infinity and residence, with what speaks against them."""
    rows = [
        (row["group"], named(str(row["organ"])), row["readout"], EXPOSED[str(row["parameter"])], number(row["value"]),
         interval(row["low"], row["high"]), number(row["q50"]), interval(row["q2.5"], row["q97.5"]),
         unit(str(row["unit"])), row["flag"] or MISSING)
        for row in _together(run.exposure, tuple(EXPOSED))
    ]  # fmt: skip
    head = ("Group", "Organ", "Readout", "Parameter", "From the values", "95 % confidence interval",
            "From the fit, median", CREDIBLE, "Unit", "Notes")  # fmt: skip
    places = _exposed(_together(run.exposure, tuple(EXPOSED)))
    made = Table("Exposure: peaks, tails and residence", head, "llllrrrrll", rows, places)
    return _told_once(made, ("Group", "Readout"))


def _together(exposure: pd.DataFrame, names: Sequence[str]) -> list[dict[Any, Any]]:
    """Rows of some parameters for all animals together."""
    kept = (exposure["animal"] == "") & exposure["parameter"].isin(names) & exposure["value"].notna()
    return exposure[kept].to_dict("records")


def convergence_table(run: "Run") -> Table:
    """Diagnostics of each parameter that was sampled."""
    sampled = run.parameters[run.parameters["rhat"].notna()]
    rows = [
        (Code(str(row["parameter"])), f"{row['rhat']:.3f}", whole(row["ess_bulk"]), whole(row["ess_tail"]))
        for row in sampled.to_dict("records")
    ]
    head = ("Parameter", "R-hat", "Effective draws, bulk", "Effective draws, tail")
    caption = f"Diagnostics of {counted(len(rows), 'parameter')}"
    return Table(caption, head, "lrrr", rows, _by_parameter(sampled), folded=True)


def pairs_table(caption: str, head: Sequence[str], pairs: dict[str, Any]) -> Table:
    """Names and what they hold, as in a manifest."""
    return Table(caption, head, "ll", [(Code(str(key)), Code(str(value))) for key, value in pairs.items()])

"""What the model predicts of the organs, apart from what was observed: medians with 95 % credible intervals."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from pbpk.predict.lineage.source import source
from pbpk.report.ctd.analyte import analyte, footnote, share_unit
from pbpk.report.ctd.areas import source_of
from pbpk.report.ctd.design import MOST_HOURS
from pbpk.report.ctd.observations import ordered, told_apart
from pbpk.report.document.blocks import Block, Table
from pbpk.report.document.inline import Doubtful
from pbpk.report.wording import CREDIBLE, MISSING, READINGS, interval, named, number, span, unit

if TYPE_CHECKING:
    from pbpk.predict.run import Run

ABREAST = 4  # hours beside each other, so that a table stands upright
WHAT = "MODEL-PREDICTED, not observed"
MEDIANS = ("q50", "q2.5", "q97.5")


def predicted_tables(run: "Run") -> list[Block]:
    """The median animal at the hours that were sampled; areas and half-lives by the same rules as those observed."""
    found = at_hours_tables(run)
    pairs = dict.fromkeys((str(group), str(readout)) for group, readout in
                          zip(run.exposure["group"], run.exposure["readout"], strict=True))  # fmt: skip
    for group, readout in pairs:
        made = _areas(run, group, readout)
        found += [made] if made else []
    return found


def at_hours_tables(run: "Run") -> list[Block]:
    """The median animal at the hours that were sampled, unless each animal was sampled at hours of its own."""
    found: list[Block] = []
    table = run.predictions
    for (reading, group, readout, per), rows in table.groupby(["reading", "group", "readout", "per"], sort=False):
        if rows["hours"].nunique() <= MOST_HOURS:
            found += _at_hours(run, str(reading), str(group), str(readout), str(per), rows)
    return found


def _at_hours(run: "Run", reading: str, group: str, readout: str, per: str, rows: pd.DataFrame) -> list[Block]:
    told = READINGS.get(reading, share_unit(run)) + (f"/{per}" if per else "")
    title = f"{WHAT}: {analyte(run, readout)} in {told}, group {group}"
    organs = ordered(run, [str(organ) for organ in rows["organ"]])
    sources = [
        source("predictions.csv", group=group, organ=organ, readout=readout, reading=reading) for organ in organs
    ]
    hours = sorted(rows["hours"].unique())
    tables: list[Block] = []
    for some in told_apart(pd.Index(hours), ABREAST):
        body = [
            (named(organ), *(_median(rows[(rows["organ"] == organ) & (rows["hours"] == hour)]) for hour in some))
            for organ in organs
        ]
        part = "" if len(hours) <= ABREAST else f", {span(some[0])} to {span(some[-1])}"
        caption = f"{title}{part}; median ({CREDIBLE})"
        head = ("Tissue", *(span(hour) for hour in some))
        tables.append(Table(caption, head, "l" + "r" * len(some), body, sources, _notes(run, readout)))
    return tables


def _notes(run: "Run", readout: str) -> list[str]:
    return [
        "Of the median animal of the fitted model at the hours that were sampled; where animals have bodies of their "
        "own, the mean over them.",
        footnote(run, readout),
    ]


def _median(rows: pd.DataFrame) -> Any:
    if rows.empty:
        return MISSING
    middle, low, high = (float(rows[name].mean()) for name in MEDIANS)
    return Doubtful(number(middle), interval(low, high))


def _areas(run: "Run", group: str, readout: str) -> Table | None:
    """Areas and half-lives from the fit, by the same rules; None where the fit gives none."""
    table = run.exposure
    own = table[(table["group"] == group) & (table["readout"] == readout) & (table["animal"] == "")]
    own = own[own["q50"].notna()]
    found = {(str(row["organ"]), str(row["parameter"])): row for row in own.to_dict("records")}
    organs = [organ for organ in ordered(run, [str(organ) for organ in own["organ"]]) if (organ, "AUClast") in found]
    if not organs:
        return None
    rows = []
    for organ in organs:
        area, tail = found[organ, "AUClast"], found.get((organ, "half_life"))
        rows.append((named(organ), _told(area), _told(tail), number(area["arrows_q50"]), unit(str(area["unit"]))))
    head = ("Tissue", "AUC(0–t)", "Half-life [h]", "AUC(0–t) from the arrows alone", "Unit of AUC")
    notes = [
        "By the rules of the observed areas, at the same hours. The model is its arrows and their misfit; what the "
        "arrows alone say stands beside it and tells how much of the agreement is theirs.",
        footnote(run, readout),
    ]
    caption = f"{WHAT}: areas under the curve of {analyte(run, readout)}, group {group}; median ({CREDIBLE})"
    return Table(caption, head, "lrrrl", rows, [source_of((group, organ, readout)) for organ in organs], notes)


def _told(row: dict[Any, Any] | None) -> Any:
    if row is None or pd.isna(row["q50"]):
        return MISSING
    return Doubtful(number(row["q50"]), interval(row["q2.5"], row["q97.5"]))

"""Excretion (2.6.5.13): what was measured of it, else what the model predicts, and what that rests on."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from pbpk.predict.lineage.source import source
from pbpk.predict.studied import TOTAL
from pbpk.report.ctd.analyte import analyte, footnote, is_cells
from pbpk.report.ctd.lettering import lettered
from pbpk.report.ctd.observations import cell, groups_of, shares
from pbpk.report.ctd.scenarios import evidence, marks, together
from pbpk.report.document.blocks import Block, Heading, Paragraph, Table
from pbpk.report.document.inline import Doubtful, Inline
from pbpk.report.shares import shares_at
from pbpk.report.wording import CREDIBLE, MISSING, interval, named, number, span

if TYPE_CHECKING:
    from pbpk.predict.run import Run

HOURS = (24.0, 168.0, 336.0)
PARAMETERS = ("excretion", "clearance")


def excretion_blocks(run: "Run") -> list[Block]:
    """2.6.5.13: observed, else that nobody measured it; predicted, apart."""
    heading = Heading("Excretion (CTD 2.6.5.13)", 2, "ctd-excretion")
    seen = _observed(run)
    tables = [*seen, *_predicted(run)]
    opening: list[Block] = []
    if not seen:
        what = "label in urine and faeces" if is_cells(run) else f"{analyte(run)} in urine and faeces"
        opening = [Paragraph(f"Not studied: {what} was not measured.")]
    return [heading, *opening, *lettered("2.6.5.13", tables), *_rests_on(run, bool(tables))]


def _observed(run: "Run") -> list[Table]:
    frame = shares(run)
    tables = []
    for group, readout, unit, rows in groups_of(frame[frame["organ"].isin(run.joint.model.outside)]):
        hours = sorted(rows["hours"].unique())
        organs = list(dict.fromkeys(str(organ) for organ in rows["organ"]))
        told = [(named(organ), *(cell(rows[(rows["organ"] == organ) & (rows["hours"] == hour)]) for hour in hours))
                for organ in organs]  # fmt: skip
        sources = [source("counts.csv", group=group, organ=organ, readout=readout) for organ in organs]
        caption = f"Observed: {analyte(run, readout)}, {unit}, group {group}; mean ± SD (n)"
        head = ("Excreted", *(f"up to {span(hour)}" for hour in hours))
        tables.append(Table(caption, head, "l" + "r" * len(hours), told, sources, [footnote(run, readout)]))
    return tables


def excreted(run: "Run") -> pd.DataFrame:
    """Shares of the dose that have left the body, by scenario and hour; none where the forecast has no such place."""
    own = run.forecast[run.forecast["organ"].isin(run.joint.model.outside)]
    return shares_at(own[own["state"] == TOTAL], HOURS) if len(own) else own


def _predicted(run: "Run") -> list[Table]:
    found = excreted(run)
    if found.empty:
        return []
    hours = [hour for hour in HOURS if (found["hours"] == hour).any()]
    rows, sources = [], []
    for (scenario, organ), part in found.groupby(["scenario", "organ"], sort=False):
        at = {row["hours"]: row for row in part.to_dict("records")}
        title = part["title"].iloc[0] + (f", {named(str(organ))}" if len(set(found["organ"])) > 1 else "")
        rows.append((title, evidence(part["evidence"].iloc[0]), *(_share(at.get(hour)) for hour in hours)))
        sources.append(source("forecast.csv", scenario=scenario, organ=organ, state=TOTAL))
    head = ("Scenario", "Evidence", *(f"up to {span(hour)}" for hour in hours))
    what = "label that has left the body" if is_cells(run) else f"{analyte(run)} that has left the body or is no more"
    caption = f"MODEL-PREDICTED, not observed: {what}, % of the dose, median ({CREDIBLE})"
    return [Table(caption, head, "ll" + "r" * len(hours), rows, sources, [*marks(found["evidence"]), together(run)])]


def _share(row: dict[Any, Any] | None) -> Inline:
    return MISSING if row is None else Doubtful(number(row["q50"]), interval(row["q2.5"], row["q97.5"]))


def _rests_on(run: "Run", told: bool) -> list[Block]:
    """What the data taught of the rate at which the body is left."""
    own = run.parameters[run.parameters["parameter"].isin(PARAMETERS)] if told else run.parameters.iloc[:0]
    blocks: list[Block] = []
    for row in own.to_dict("records"):
        how = str(row["learned"])
        words = "was fixed" if how == "fixed" else f"was {how} from the data"
        rest = "" if how == "learned" else " The prediction rests on its prior."
        name = row["parameter"]
        words = f"The rate that decides it, `{name}`, {words}.{rest}"
        blocks.append(Paragraph(words.replace("`", ""), "note", source("parameters.csv", parameter=name)))
    return blocks

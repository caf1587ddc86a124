"""Written summary (2.6.4): its ten parts with the numbers of the run; what only the author can say is left open."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from pbpk.predict.lineage.source import source
from pbpk.predict.studied import TOTAL
from pbpk.report.author import said
from pbpk.report.ctd.absorption import in_blood
from pbpk.report.ctd.analyte import NOT_STATED, analyte, analytes, caveat, is_cells, product
from pbpk.report.ctd.areas import areas_of, source_of
from pbpk.report.ctd.design import dose, species
from pbpk.report.ctd.excretion import excreted
from pbpk.report.ctd.observations import BLOOD, shares
from pbpk.report.ctd.panel import missing
from pbpk.report.ctd.scenarios import EVIDENCE, probability
from pbpk.report.ctd.sources import given, in_study, measured, stated
from pbpk.report.document.blocks import Block, Heading, Paragraph
from pbpk.report.document.inline import Line, Link
from pbpk.report.dossier import Dossier
from pbpk.report.lessons import confounding, unlearned
from pbpk.report.wording import (
    CREDIBLE,
    PREDICTIVE,
    READINGS,
    ROUTES,
    counted,
    interval,
    listed,
    named,
    number,
    span,
    unit,
    whole,
)

if TYPE_CHECKING:
    from pbpk.predict.run import Run

MOST_TOLD = 3  # organs or scenarios told in words; tables have all
TITLES = ("Brief summary", "Methods of analysis", "Absorption", "Distribution", "Metabolism", "Excretion",
          "Pharmacokinetic drug interactions", "Other pharmacokinetic studies", "Discussion and conclusions",
          "Tables and figures")  # fmt: skip
# what the author says at the end of a part, by its number: fields of report.toml
OF_CELLS = "study.label_effect"  # asked where there are any
SAID = {
    1: ("introduction.rationale", "study.comparability"),
    2: ("study.method_validation", OF_CELLS),
    4: ("discussion.interpretation",),
    9: ("discussion.limitations", "conclusions.conclusions"),
}


def narrative_blocks(dossier: Dossier) -> list[Block]:
    """2.6.4.1 to 2.6.4.10."""
    parts = (_brief, _methods, _absorption, _distribution, _metabolism, _excretion, _interactions, _other, _discussion,
             _tables)  # fmt: skip
    blocks: list[Block] = [Heading("Written summary, structured after 2.6.4", 2, "ctd-summary")]
    for i, (title, part) in enumerate(zip(TITLES, parts, strict=True), start=1):
        blocks += [Heading(f"2.6.4.{i} {title}", 3, f"ctd-2-6-4-{i}"), *part(dossier.run)]
        fields = [field for field in SAID.get(i, ()) if field != OF_CELLS or is_cells(dossier.run)]
        blocks += [block for field in fields for block in said(dossier, field)]
    return blocks


def _brief(run: "Run") -> Iterator[Block]:
    about, table = run.study.about, run.joint.counts.table
    several = len(about.groups) > 1
    yield Paragraph(f"Product: {product(run.study)}.", "", stated(run, "product", "cell_type"))
    yield Paragraph(
        f"Animals: {species(run)}; {counted(len(about.groups), 'group')}."
        if about.species != "human"
        else f"Subjects: {species(run)}; {counted(len(about.groups), 'group')}.", "", in_study(run, "study.toml"),
    )  # fmt: skip
    for group in about.groups:
        routes = listed(ROUTES.get(route, named(route)) for route in group.routes)
        who = f"Dose in group {group.name}" if several else "Dose"
        yield Paragraph(f"{who}: {dose(run, group.name)}; route: {routes}.", "", given(run))
    organs = listed(named(str(organ)) for organ in dict.fromkeys(table["organ"]))
    first, last = (span(float(hour)) for hour in (table["hours"].min(), table["hours"].max()))
    when = f"at {first}" if first == last else f"from {first} to {last}"
    were = "were" if is_cells(run) or len(analytes(run)) > 1 else "was"
    yield Paragraph(
        f"{_upper(listed(analytes(run)))} {were} measured in {organs}: {counted(len(table), 'value')} {when} after the "
        "first dose.", "", source("counts.csv"),
    )  # fmt: skip
    yield Paragraph(caveat(run), "", stated(run, "label"))


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]


def _methods(run: "Run") -> Iterator[Block]:
    counts = run.joint.counts
    if counts.panels:
        yield Paragraph(
            f"Light of {run.study.about.label} was read in wells beside {counted(len(counts.panels), 'panel')} of "
            "standards, blanks and QCs; ranges, limits of quantification, precision and accuracy are in 2.6.5.2.",
            "", in_study(run, "wells.csv"),
        )  # fmt: skip
    if run.study.measurements:
        limits = any(row.lloq is not None or row.unit == "copies" for row in run.study.measurements)
        told = "in 2.6.5.2" if limits else f"{NOT_STATED} in the study"
        units = listed(dict.fromkeys(row.unit.replace("_", " ") for row in run.study.measurements))
        yield Paragraph(
            f"{_upper(counted(len(run.study.measurements), 'value'))} came as numbers, in {units}; limits of "
            f"quantification are {told}.", "", measured(run),
        )  # fmt: skip
    if counts.table["lloq"].notna().any():
        below = int(shares(run)["below"].sum())
        yield Paragraph(f"Below the limit of quantification (BLQ): {whole(below)} of "
                        f"{counted(len(counts.table), 'value')}.", "", source("counts.csv"))  # fmt: skip


def _absorption(run: "Run") -> Iterator[Block]:
    if is_cells(run):
        yield Paragraph("Cells that are given into a vessel are not absorbed; what circulates is told instead.")
    told = False
    for key, rows in areas_of(run).items():
        if key[1] in BLOOD:
            told = True
            yield Paragraph(f"{_upper(named(key[1]))}, group {key[0]}, observed: {_peak(rows)}.", "", source_of(key))
    if not told:
        seen = "at fewer than three hours, from which no area is told" if in_blood(run) else ""
        words = f"Blood was measured {seen}" if seen else "Blood was not measured"
        yield Paragraph(f"{words} (2.6.5.3).", "", source("counts.csv"))


def _peak(rows: dict[str, dict[Any, Any]]) -> str:
    area = rows["AUClast"]
    parts = [f"AUC(0–t) {_with_df(area)}"]
    for name, words in (("Cmax", "highest mean"), ("Tmax", "at"), ("half_life", "terminal half-life")):
        if name in rows and pd.notna(rows[name]["value"]):
            parts.append(f"{words} {number(rows[name]['value'])} {unit(str(rows[name]['unit']))}")
    return ", ".join(parts)


def _with_df(row: dict[Any, Any]) -> str:
    """Value with standard error and degrees of freedom, in its unit."""
    told = unit(str(row["unit"]))
    if pd.isna(row["se"]):
        return f"{number(row['value'])} {told} (no standard error: the source gives no scatter)"
    return f"{number(row['value'])} {told} (standard error {number(row['se'])}, {number(row['df'])} degrees of freedom)"


def _distribution(run: "Run") -> Iterator[Block]:
    frame = shares(run)
    frame = frame[~frame["organ"].isin((*BLOOD, *run.joint.model.outside))]
    if frame.empty:
        yield Paragraph("No organ was measured, only blood.", "", source("counts.csv"))
    for (group, readout, unit_of), rows in frame.groupby(["group", "readout", "unit"], sort=False):
        hours = sorted(rows["hours"].unique())
        for hour in dict.fromkeys((hours[0], hours[-1])):
            yield _highest(run, str(group), str(readout), str(unit_of), float(hour), rows)
    for key, told in _largest_areas(run):
        yield Paragraph(
            f"Area under the curve, {named(key[1])}, group {key[0]}, observed: {_with_df(told['AUClast'])}.", "",
            source_of(key),
        )  # fmt: skip
        area = told["AUClast"]
        if pd.notna(area["q50"]):
            yield Paragraph(
                f"The same, predicted by the model: {number(area['q50'])} {unit(str(area['unit']))} ({CREDIBLE} "
                f"{interval(area['q2.5'], area['q97.5'])}).", "", source_of(key),
            )  # fmt: skip
    yield from _agreement(run)
    if is_cells(run) and missing(run):
        yield Paragraph(f"Of the core panel of tissues (ICH S12) not collected: {listed(missing(run))}.", "",
                        source("counts.csv"))  # fmt: skip


def _highest(run: "Run", group: str, readout: str, unit_of: str, hour: float, rows: pd.DataFrame) -> Paragraph:
    """Organ that held most at an hour; where only ranges are known, the one whose range reaches highest."""
    at = rows[rows["hours"] == hour]
    level = at["value"].mask(_is_blq(at), 0.0).fillna(at["high"]).groupby(at["organ"]).mean()
    if at["below"].all():
        return Paragraph(f"Group {group} at {span(hour)}: every value is below the limit of quantification.", "",
                         source("counts.csv", group=group, readout=readout, hours=hour))  # fmt: skip
    organ = str(level.idxmax())
    own = at[at["organ"] == organ]
    among = f"of {counted(len(level), 'organ')} the {named(organ)} held most" if len(level) > 1 else (
        f"only the {named(organ)} was measured")  # fmt: skip
    return Paragraph(
        f"{_upper(analyte(run, readout))}, observed at {span(hour)} in group {group}: {among}, {_seen(own, unit_of)}.",
        "", source("counts.csv", group=group, organ=organ, readout=readout, hours=hour),
    )  # fmt: skip


def _is_blq(rows: pd.DataFrame) -> pd.Series:
    """Values that are only stated to be below the limit; they count as zero."""
    return rows["below"].astype(bool) & ~rows["read"].astype(bool)


def _seen(rows: pd.DataFrame, unit_of: str) -> str:
    """Mean with its SD, or the range, of one organ at one hour, in words."""
    n = rows["n"].sum(min_count=len(rows))
    values = rows["value"].mask(_is_blq(rows), 0.0)
    of = "; n not stated" if pd.isna(n) else f"; n = {whole(n)}"
    if values.isna().any():
        return f"{interval(rows['low'].min(), rows['high'].max())} {unit_of} (range{of})"
    sd = rows["sd"].iloc[0] if len(rows) == 1 else values.std(ddof=1)
    scatter = "" if pd.isna(sd) else f"; SD {number(sd)}"
    below = int(rows["below"].sum())
    return f"{number(values.mean())} {unit_of} (mean{scatter}{of}{f'; {whole(below)} BLQ' if below else ''})"


def _largest_areas(run: "Run") -> list[tuple[tuple[str, str, str], dict[str, dict[Any, Any]]]]:
    """The organs of each group and readout with the largest residence."""
    found = {key: rows for key, rows in areas_of(run).items() if key[1] not in BLOOD}
    kept = []
    for pair in dict.fromkeys((key[0], key[2]) for key in found):
        own = [(key, rows) for key, rows in found.items() if (key[0], key[2]) == pair]
        own.sort(key=lambda each: -_residence(each[1]))
        kept += own[:MOST_TOLD]
    return kept


def _residence(rows: dict[str, dict[Any, Any]]) -> float:
    row = rows.get("residence_last", rows["AUClast"])
    return float(row["value"])


def _agreement(run: "Run") -> Iterator[Block]:
    """How many values the model holds, reading by reading."""
    for reading, rows in run.predictions.groupby("reading", sort=False):
        judged = rows[rows["inside"].notna()]
        if judged.empty:
            continue
        of = f", read as {READINGS.get(str(reading), reading)}" if len(run.joint.readings) > 1 else ""
        inside = int(judged["inside"].astype(bool).sum())
        yield Paragraph(
            f"Of {counted(len(judged), 'value')}{of}, {whole(inside)} lie inside the {PREDICTIVE} of the model.", "",
            source("predictions.csv", reading=reading),
        )  # fmt: skip


def _metabolism(run: "Run") -> Iterator[Block]:
    if is_cells(run):
        yield Paragraph(
            "Not applicable to a cellular product: cells have no metabolites. Cells die where they are held; their "
            f"label ({run.study.about.label}) stays, moves or leaves with what takes it up, and is followed apart in "
            "the model.", "", stated(run, "label"),
        )  # fmt: skip
    else:
        yield Paragraph("Not studied.")


def _excretion(run: "Run") -> Iterator[Block]:
    outside = set(run.joint.model.outside)
    observed = bool(set(run.joint.counts.table["organ"]) & outside)
    yield Paragraph("Excretion was measured; see 2.6.5.13." if observed else "Excretion was not measured.")
    found = excreted(run)
    if len(found):
        row = found[found["scenario"] == found["scenario"].iloc[0]].sort_values("hours").to_dict("records")[-1]
        word = EVIDENCE.get(str(row["evidence"]), row["evidence"])
        yield Paragraph(
            f"The model predicts that {number(row['q50'])} % of the dose ({CREDIBLE} "
            f"{interval(row['q2.5'], row['q97.5'])} %) has left the body by {span(row['hours'])}, in the scenario "
            f"{row['scenario']} ({word}).", "",
            source("forecast.csv", scenario=row["scenario"], organ=row["organ"], state=TOTAL),
        )  # fmt: skip


def _interactions(run: "Run") -> Iterator[Block]:
    if is_cells(run):
        yield Paragraph("Not applicable to a cellular product: cells share no elimination pathway with drugs.")
    else:
        yield Paragraph("Not studied.")


def _other(run: "Run") -> Iterator[Block]:
    found = run.diagnostics
    passed = "passed its checks of convergence" if found.passed else "did not pass its checks of convergence"
    yield Paragraph(
        f"A compartment model was fitted to the values; the fit {passed} (largest R-hat {found.max_rhat:.3f}). The "
        "model report belongs in 4.2.2.7.", "alert" if not found.passed else "", source("parameters.csv"),
    )  # fmt: skip
    kinds = run.parameters["learned"].value_counts()
    taught, half, left = (int(kinds.get(kind, 0)) for kind in ("learned", "half learned", "not learned"))
    yield Paragraph(
        f"Of its {counted(taught + half + left, 'estimated parameter')} the data taught {taught}, half taught {half}, "
        f"and left {left} where the prior had put them.", "", source("parameters.csv"),
    )  # fmt: skip
    yield from _contrasts(run)


def _contrasts(run: "Run") -> Iterator[Block]:
    """The scenarios that move an organ most, in words; a hypothesis is called one."""
    table = run.contrasts
    own = table[(table["endpoint"] == "AUC") & (table["state"] == TOTAL) & (table["ratio"] > 0.0)]
    if own.empty:
        return
    sure = (own["probability_above"] - 0.5).abs()
    for row in own.loc[sure.sort_values(ascending=False, kind="stable").index[:MOST_TOLD]].to_dict("records"):
        word, chance = EVIDENCE.get(str(row["evidence"]), row["evidence"]), probability(row["probability_above"])
        yield Paragraph(
            f"{_upper(word)}: in the scenario {row['scenario']} the area under the curve of the "
            f"{named(str(row['organ']))} is {number(row['ratio'])} times that in {row['against']} ({CREDIBLE} "
            f"{interval(row['ratio_low'], row['ratio_high'])}; probability of more {chance}).",
            "",
            source("contrasts.csv", scenario=row["scenario"], organ=row["organ"], state=TOTAL, endpoint="AUC"),
        )  # fmt: skip


def _discussion(run: "Run") -> Iterator[Block]:
    for sentence in confounding(run):
        yield Paragraph(sentence, "", source("parameters.csv"))
    left = unlearned(run)
    if left:
        yield Paragraph(
            f"What rests on the {counted(len(left), 'parameter')} that the data did not teach is an assumption.", "",
            source("parameters.csv", learned="not learned"),
        )  # fmt: skip


def _tables(run: "Run") -> Sequence[Block]:
    places: tuple[tuple[str, str], ...] = (
        ("overview", "ctd-overview"), ("analytical methods", "ctd-methods"), ("absorption", "ctd-absorption"),
        ("organ distribution", "ctd-distribution"), ("other distribution", "ctd-other-distribution"),
        ("excretion", "ctd-excretion"), ("other", "ctd-other"),
    )  # fmt: skip
    pieces: list[Any] = ["Tables: "]
    for i, (name, anchor) in enumerate(places):
        pieces += [", " if i else "", Link(name, f"#{anchor}")]
    return [Paragraph(Line((*pieces, ".")))]

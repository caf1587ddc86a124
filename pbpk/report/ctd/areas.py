"""Areas, half-lives and residence of each organ by noncompartmental analysis of what was observed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from pbpk.predict.lineage.source import source
from pbpk.report.ctd.analyte import analyte, footnote, is_cells
from pbpk.report.ctd.observations import ordered, shares
from pbpk.report.document.blocks import Block, Paragraph, Table
from pbpk.report.wording import MISSING, interval, listed, named, number, unit, whole

if TYPE_CHECKING:
    from pbpk.predict.run import Run

CONFIDENCE = "95 % confidence interval"
NO_AREA = (
    "No area under the curve: none of the organs has values, as percent of the dose, at three or more hours, which the "
    "linear trapezoid needs here."
)
RULES = (
    "AUC(0–t) by the linear trapezoid on arithmetic means, up to the last mean above the limit. SE and degrees of "
    "freedom (df): of animals killed at their hour the variance of that sum (Bailer 1988) with Satterthwaite's df "
    "(Nedelman 1995); of animals sampled through the whole course those of the mean of their areas. –: without SD or "
    "single animals there is none. n: animals behind the area, – where not stated. Residence is AUC(0–t) over the dose."
)
ORGANS = "Clearance and volumes have no meaning for counts of an organ and are not given."
AS_READ = (
    "A value that the instrument read below its limit enters the area as it was read; mind the areas of organs of "
    "which most values are BLQ"
)


def areas_of(run: "Run", group: str = "", readout: str = "") -> dict[tuple[str, str, str], dict[str, dict[Any, Any]]]:
    """Rows of exposure for all animals together: (group, organ, readout) -> parameter -> row."""
    table = run.exposure
    found: dict[tuple[str, str, str], dict[str, dict[Any, Any]]] = {}
    for row in table[table["animal"] == ""].to_dict("records"):
        key = (str(row["group"]), str(row["organ"]), str(row["readout"]))
        if group in ("", key[0]) and readout in ("", key[2]):
            found.setdefault(key, {})[str(row["parameter"])] = row
    return {key: rows for key, rows in found.items() if "AUClast" in rows and pd.notna(rows["AUClast"]["value"])}


def source_of(key: tuple[str, str, str]) -> str:
    """Rows of exposure.csv of one group, organ and readout, all animals together."""
    return source("exposure.csv", group=key[0], organ=key[1], readout=key[2], animal="")


def area_tables(run: "Run") -> list[Block]:
    """One table for each group and readout, or why there is none."""
    found = areas_of(run)
    if not found:
        return [Paragraph(NO_AREA, "note")]
    pairs = dict.fromkeys((group, readout) for group, _, readout in found)
    return [_table(run, group, readout) for group, readout in pairs]


def _table(run: "Run", group: str, readout: str) -> Table:
    found = areas_of(run, group, readout)
    keys = [(group, organ, readout) for organ in ordered(run, [organ for _, organ, _ in found])]
    frame = shares(run)
    silent = set(frame.loc[(frame["group"] == group) & (frame["readout"] == readout) & frame["n"].isna(), "organ"])
    rows = [_row(key[1], found[key], key[1] not in silent) for key in keys]
    head = ("Tissue", "n", "AUC(0–t) ± SE", "df", CONFIDENCE, "Unit", "t [h]", "Half-life [h]", "Residence [h]")
    caption = f"Observed: areas under the curve of {analyte(run, readout)}, group {group}"
    own = {key: found[key] for key in keys}
    notes = [RULES, *([ORGANS] if is_cells(run) else []), *flags(own), *_below(run, group, readout)]
    return Table(caption, head, "lrrrrlrrr", rows, [source_of(key) for key in keys], [*notes, footnote(run, readout)])


def _below(run: "Run", group: str, readout: str) -> list[str]:
    """How values below the limit enter areas, and the organs of which most are."""
    frame = shares(run)
    own = frame[(frame["group"] == group) & (frame["readout"] == readout) & frame["read"]]
    if not own["below"].any():
        return []
    parts = own.groupby("organ", sort=False)["below"].mean()
    mostly = ordered(run, [str(organ) for organ in parts.index[parts > 0.5]])
    return [f"{AS_READ}: {listed(named(organ) for organ in mostly)}." if mostly else f"{AS_READ}."]


def _row(organ: str, told: dict[str, dict[Any, Any]], is_stated: bool) -> Sequence[str]:
    """One organ; is_stated: whether the study says how many animals stand behind each value."""
    area = told["AUClast"]
    return (
        named(organ), whole(area["n"]) if is_stated else MISSING, with_error(area), number(area["df"]),
        interval(area["low"], area["high"]),
        unit(str(area["unit"])), value_of(told, "Tlast"), _half_life(told), value_of(told, "residence_last"),
    )  # fmt: skip


def with_error(row: dict[Any, Any]) -> str:
    """Value ± its standard error, where there is one."""
    return number(row["value"]) + (f" ± {number(row['se'])}" if pd.notna(row["se"]) else "")


def value_of(told: dict[str, dict[Any, Any]], name: str) -> str:
    """Value of a parameter, a dash where there is none."""
    return number(told[name]["value"]) if name in told else MISSING


def _half_life(told: dict[str, dict[Any, Any]]) -> str:
    """Half-life, marked where something speaks against it."""
    if "half_life" not in told or pd.isna(told["half_life"]["value"]):
        return "not reported"
    return number(told["half_life"]["value"]) + ("*" if against(told["half_life"]) else "")


def against(row: dict[Any, Any]) -> str:
    """What speaks against a number, in words; how many subjects were averaged does not."""
    flag = "" if pd.isna(row["flag"]) else str(row["flag"])
    return ", ".join(each for each in flag.split("; ") if each and not each.startswith("mean of "))


def flags(found: dict[tuple[str, str, str], dict[str, dict[Any, Any]]]) -> list[str]:
    """What speaks against areas and half-lives, each with the organs of which it is said."""
    said: dict[str, dict[str, list[str]]] = {"AUC(0–t)": {}, "* Half-life": {}}
    for (_, organ, _), told in found.items():
        tail = told.get("half_life", told.get("lambda_z"))
        for name, row in zip(said, (told["AUClast"], tail), strict=True):
            if row is not None and against(row):
                said[name].setdefault(against(row), []).append(named(organ))
    return [
        f"{name}: " + "; ".join(f"{listed(organs)}: {flag}" for flag, organs in own.items()) + "."
        for name, own in said.items()
        if own
    ]

"""Tables of answers to scenarios: shares of the dose at a few hours, one against others, what was carried over."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from pbpk.predict.contrast import HOURS
from pbpk.predict.lineage.source import source
from pbpk.predict.studied import TOTAL
from pbpk.report.document.blocks import Table
from pbpk.report.document.inline import Code, Doubtful
from pbpk.report.shares import kinds_of, shares_at
from pbpk.report.wording import CREDIBLE, KINDS, MISSING, interval, named, number, span, unit

if TYPE_CHECKING:
    from pbpk.predict.extrapolation import Extrapolation

TOLD = "AUC"  # what the page shows; contrasts.csv has all


def scenario_table(forecast: pd.DataFrame) -> Table:
    """One scenario at a few hours, live cells and label side by side."""
    shares = shares_at(forecast)
    hours = [hour for hour in HOURS if (shares["hours"] == hour).any()]
    kinds = [(kind, KINDS.get(kind, kind)) for kind in kinds_of(forecast)]
    found = {(row["organ"], row["state"], row["hours"]): row for row in shares.to_dict("records")}
    rows = []
    organs = list(dict.fromkeys(shares.loc[shares["q97.5"] > 0.0, "organ"]))  # depots of other scenarios hold nothing
    for organ in organs:
        cells: list[Any] = [named(str(organ))]
        for hour in hours:
            for state, _ in kinds:
                at = (organ, state, hour)
                row = found.get(at)
                cells.append(MISSING if row is None else _with_doubt(row))
        rows.append(cells)
    dose, unit_given = float(forecast["dose_cells"].iloc[0]), str(forecast["unit"].iloc[0])
    head = ("Organ", *(f"{span(hour)}: {name}" for hour in hours for _, name in kinds))
    of = "of the dose" if unit_given == "percent of dose" else f"of the {number(dose)} {unit_given} given"
    name = str(forecast["scenario"].iloc[0])
    places = [source("forecast.csv", scenario=name, organ=organ) for organ in organs]
    return Table(f"% {of}: median ({CREDIBLE})", head, "l" + "r" * (len(head) - 1), rows, places)


def _with_doubt(row: Mapping[Any, Any]) -> Doubtful:
    """Median with its interval below."""
    return Doubtful(number(row["q50"]), interval(row["q2.5"], row["q97.5"]))


def carried_table(moved: "Extrapolation") -> Table:
    """What became of each number on the way to another animal."""
    rows = [(Code(row.name), row.how, number(row.factor), row.words) for row in moved.rows]
    head = ("Number", "How", "Factor", "In words")
    return Table("What is carried over, what is scaled, and what is the animal's own", head, "llrl", rows)


def contrasts_table(contrasts: pd.DataFrame) -> Table:
    """Areas of each scenario against those of one: ratio, difference, and how sure its sign is."""
    apart = contrasts["state"] != TOTAL if (contrasts["state"] != TOTAL).any() else contrasts["state"] == TOTAL
    shown = contrasts[apart & (contrasts["endpoint"] == TOLD)]
    rows = [
        (
            row["scenario"],
            named(str(row["organ"])),
            KINDS.get(row["state"], "both"),
            _pair(row["ratio"], row["ratio_low"], row["ratio_high"]),
            _pair(row["difference"], row["difference_low"], row["difference_high"]),
            unit(str(row["unit"])),
            f"{row['probability_above']:.2f}",
        )
        for row in shown.to_dict("records")
    ]
    against = str(contrasts["against"].iloc[0])
    head = ("Scenario", "Organ", "State", f"Over {against}", f"Less {against}", "Unit", f"P(above {against})")
    caption = f"Areas under the curve against those of {against}, draw by draw: median ({CREDIBLE})"
    keys = ("scenario", "organ", "state", "endpoint")
    places = [source("contrasts.csv", **{key: row[key] for key in keys}) for row in shown.to_dict("records")]
    return Table(caption, head, "lllrrlr", rows, places)


def exposure_table(exposure: pd.DataFrame, organs: Sequence[str]) -> Table:
    """Peak, area and residence of living cells and of label in some organs of one scenario.

    exposure : rows of one scenario of `exposure_of_forecast`
    """
    apart = exposure["state"] != TOTAL if (exposure["state"] != TOTAL).any() else exposure["state"] == TOTAL
    rows, amount = [], ""
    for (organ, state), own in exposure[apart].groupby(["organ", "state"], sort=False):
        if organ not in organs:
            continue
        of = {row["parameter"]: row for row in own.to_dict("records")}
        amount = str(of["Cmax"]["unit"])
        told = (of[name] for name in ("Cmax", "Tmax", "AUClast", "residence_last"))
        rows.append([named(str(organ)), KINDS.get(str(state), str(state)),
                     *(_pair(row["value"], row["low"], row["high"]) for row in told)])  # fmt: skip
    given = unit(amount.replace("percent_of_dose", "percent_dose"))
    head = ("Organ", "State", f"Peak [{given}]", "at [h]", f"Area [{given} · h]", "Residence [h]")
    return Table(f"Exposure to the last hour: median ({CREDIBLE})", head, "llrrrr", rows)


def _pair(middle: Any, low: Any, high: Any) -> Doubtful:
    return Doubtful(number(middle), interval(low, high))

"""Where the cells are a day after the first dose, in a few numbers a scenario: what is told first of every forecast."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pbpk.predict.forecast import before_dose
from pbpk.predict.studied import TOTAL

DAY = 24.0  # after the first dose [h]
SEEN = {TOTAL: "label + live", "live": "live only"}


@dataclass(frozen=True)
class Told:
    """One number: percent of the dose, three digits, and its 95 % credible interval, two."""

    middle: str
    interval: str


@dataclass(frozen=True)
class Headline:
    """What is told of every scenario, alike on the command line and in the browser.

    columns : organ and state of each number; rows : scenario -> its numbers
    evidence : scenario -> what it rests on; beyond : scenario -> what it has that the study had not
    inferred : true where living cells were not measured by themselves
    """

    columns: tuple[tuple[str, str], ...]
    rows: dict[str, tuple[Told, ...]]
    evidence: dict[str, str]
    beyond: dict[str, tuple[str, ...]]
    inferred: bool

    def heads(self, between: str) -> list[str]:
        """What stands above each column; the state only where there are several."""
        alone = all(state == TOTAL for _, state in self.columns)
        return [organ if alone else f"{organ},{between}{SEEN[state]}" for organ, state in self.columns]


def headline(table: pd.DataFrame) -> Headline:
    """Lung and liver of cells, else the first organs of the forecast, 24 h after the first dose.

    table : that of `forecast_table`
    """
    organs = list(dict.fromkeys(table["organ"]))
    columns = [("lung", TOTAL), ("liver", TOTAL), ("lung", "live"), ("liver", "live")]
    if "live" not in set(table["state"]):
        columns = [(organ, TOTAL) for organ in organs[:4]]
    columns = [(organ, state) for organ, state in columns if organ in organs]
    hours = table["hours"].unique()
    hour = before_dose(hours, min(hours, key=lambda h: abs(h - DAY)))
    rows_of_day = table[table["hours"] == hour].to_dict("records")
    day = {(row["scenario"], row["organ"], row["state"]): row for row in rows_of_day}
    rows, evidence, beyond = {}, {}, {}
    for name in dict.fromkeys(table["scenario"]):
        rows[name] = tuple(_told(day[name, organ, state]) for organ, state in columns)
        first = day[(name, *columns[0])]
        evidence[name] = str(first["evidence"])
        beyond[name] = tuple(word for word in str(first["beyond"]).split("; ")
                             if word not in ("", "hours", "not measured"))  # fmt: skip
    living = [str(row["beyond"]) for (_, _, state), row in day.items() if state == "live"]
    inferred = any(state == "live" for _, state in columns) and all("not measured" in words for words in living)
    return Headline(tuple(columns), rows, evidence, beyond, inferred)


def _told(row: Mapping[Any, Any]) -> Told:
    low, middle, high = (row[q] * 100.0 / row["dose_cells"] for q in ("q2.5", "q50", "q97.5"))
    return Told(f"{middle:.3g}", f"[{low:.2g}, {high:.2g}]")

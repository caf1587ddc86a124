"""What of an answer a page shows: the view, up to which hour, at which hour, against what, under which limit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pbpk.body.solve import Array
from pbpk.errors import InputError
from pbpk.predict.contrast import HOURS
from pbpk.predict.dose_choice import Limit
from pbpk.predict.forecast import JUST
from pbpk.report.explore.curves import FIRST
from pbpk.report.explore.form import number_of
from pbpk.report.wording import named

VIEWS = {"curves": "Curves", "body": "Body", "differences": "Differences", "exposure": "Exposure", "limit": "Limit"}
SPANS = (6.0, 24.0, 72.0, 168.0, 336.0)  # hours that can be shown [h]; beyond them all there are
NOON = HOURS[1]  # at which the body is shown first [h]


@dataclass(frozen=True)
class Shown:
    """Settings of the page that no scenario has.

    last : hours shown, infinite for all; hour : at which the body is [h]
    against : name of a scenario, empty for the one the command line would take
    organ, cells, probability : a limit as it is written
    """

    view: str = "curves"
    last: float = np.inf
    hour: float = NOON
    against: str = ""
    organ: str = "lung"
    cells: str = ""
    probability: str = "0.95"

    @staticmethod
    def sent(values: Mapping[str, Any]) -> "Shown":
        """As a browser sends it; what cannot be is as it is at first."""
        usual = Shown()
        view = str(values.get("view"))
        words = {name: str(values.get(name, getattr(usual, name)))[:200]
                 for name in ("against", "organ", "cells", "probability")}  # fmt: skip
        return Shown(view if view in VIEWS else usual.view, _hours(values.get("last"), usual.last),
                     _hours(values.get("hour"), usual.hour), **words)  # fmt: skip

    def last_of(self, hours: Array) -> float:
        """Last hour that is shown of a forecast [h]."""
        return float(max(min(self.last, hours[-1]), 2.0 * FIRST))

    @property
    def limit(self) -> Limit:
        """Limit that is asked.

        Raises
        ------
        InputError
            if a number is none, or missing
        """
        if not self.cells.strip():
            raise InputError(f"say how many living cells the {named(self.organ)} may hold at once, as 2e5.")
        probability = number_of(self.probability, "the probability", above=True)
        if not 0.5 <= probability < 1.0:
            raise InputError(f"the probability is `{self.probability}`: give at least 0.5 and less than 1, as 0.95.")
        return Limit(self.organ, number_of(self.cells, "the limit", above=True), probability)


def _hours(value: Any, usual: float) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        return usual
    return found if found > 0.0 else usual


def stops(hours: Array, last: float) -> list[float]:
    """Hours at which the body can be shown: those of the forecast, without the moments before a dose [h]."""
    kept = [float(hour) for hour in hours if FIRST <= hour <= last * 1.001]
    return [hour for hour, after in zip(kept, [*kept[1:], np.inf], strict=True) if after - hour > 1.5 * JUST]

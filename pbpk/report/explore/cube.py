"""One scenario of a forecast table as an array, for what is drawn again at every touch of a slider."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pbpk.body.solve import Array
from pbpk.predict.forecast import LEVELS, before_dose
from pbpk.report.figures import FLOOR
from pbpk.report.shares import kinds_of


@dataclass(frozen=True)
class Cube:
    """Percent of the dose, (time, organ, kind, level), levels those of `LEVELS`.

    late : (time,) true after the last value of the study
    """

    hours: Array
    organs: tuple[str, ...]
    kinds: tuple[str, ...]
    shares: Array
    late: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]"

    def at(self, hour: float) -> Array:
        """Shares at an hour, (organ, kind, level), between hours by straight lines; before a dose that enters then."""
        told = before_dose(self.hours, hour)
        right = int(np.clip(np.searchsorted(self.hours, told), 1, self.hours.size - 1))
        begin, end = self.hours[right - 1], self.hours[right]
        part = float(np.clip((told - begin) / (end - begin), 0.0, 1.0))
        return np.asarray((1.0 - part) * self.shares[right - 1] + part * self.shares[right])

    @property
    def visible(self) -> list[str]:
        """Organs that ever hold enough to be drawn."""
        return [organ for o, organ in enumerate(self.organs) if (self.shares[:, o] >= FLOOR).any()]


def cube_of(table: pd.DataFrame, scenario: str) -> Cube:
    """Take one scenario out of the table of `forecast_table`, whose rows go by hour, organ and state."""
    own = table[(table["scenario"] == scenario).to_numpy()]
    hours = np.unique(own["hours"].to_numpy(float))
    organs = tuple(str(organ) for organ in own["organ"].unique())
    states = [str(state) for state in own["state"].unique()]
    kinds = tuple(kinds_of(own))
    whole = own[list(LEVELS)].to_numpy(float).reshape(hours.size, len(organs), len(states), len(LEVELS))
    shares = 100.0 / float(own["dose_cells"].iloc[0]) * whole[:, :, [states.index(kind) for kind in kinds]]
    beyond = own["beyond"].to_numpy()[:: len(organs) * len(states)]
    late = np.array(["hours" in str(words).split("; ") for words in beyond])
    return Cube(hours, organs, kinds, shares, late)

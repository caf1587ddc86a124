"""One number of a forecast that somebody decides by: an area, a residence, a peak, or what is there at an hour.

Written in words, as `AUC liver live`, `AUC0-72 liver live`, `residence liver live`, `Cmax lung live`, `Tmax liver` or
`24h spleen label`; without a state it is that of all states together.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from pbpk.body.model import Model
from pbpk.body.solve import Array
from pbpk.errors import InputError, did_you_mean
from pbpk.predict.forecast import JUST, PERCENT, before_dose
from pbpk.predict.noncompartmental.profile import between, from_start, part
from pbpk.predict.noncompartmental.rules import Method
from pbpk.predict.origin import Origin
from pbpk.predict.scenario import Scenario
from pbpk.predict.studied import TOTAL

NUMBER = r"(\d+(?:\.\d+)?)"
WRITTEN = re.compile(rf"(?P<measure>AUC|residence|Cmax|Tmax)(?:{NUMBER}-{NUMBER})?|{NUMBER}h")
MEASURES = ("AUC", "residence", "Cmax", "Tmax")
SMOOTH: Method = "linear_up_log_down"  # areas of a curve that falls by exponentials
FINE = np.geomspace(1.0 / 60.0, 1.0, 12)  # after each dose, for peaks [h]


@dataclass(frozen=True)
class Endpoint:
    """A number of one organ and state.

    measure : AUC, residence (AUC over the dose), Cmax, Tmax, or `at` an hour, before a dose that enters then
    start, stop : hours between which it is taken, stop infinite for the last hour; both the hour for `at`
    """

    measure: str
    organ: str
    state: str = TOTAL
    start: float = 0.0
    stop: float = np.inf

    def __str__(self) -> str:
        """As it is written."""
        if self.measure == "at":
            head = f"{self.start:g}h"
        else:
            head = self.measure + ("" if np.isinf(self.stop) else f"{self.start:g}-{self.stop:g}")
        return " ".join([head, self.organ, *([] if self.state == TOTAL else [self.state])])

    def unit(self, amount: str) -> str:
        """Unit, of an amount in `amount`."""
        return {"AUC": f"{amount}*h", "residence": "h", "Tmax": "h"}.get(self.measure, amount)

    def of(self, hours: Array, values: Array, dose: float) -> Array:
        """Value of it in curves of its organ and state, (draw,).

        hours : (time,) [h]; values : (draw, time); dose : given in all [unit of the values]
        """
        if self.measure == "at":
            return np.asarray(between(hours, values, before_dose(hours, self.start)))
        within = (hours >= self.start) & (hours <= self.stop)
        if self.measure in ("Cmax", "Tmax"):
            if not within.any():
                raise InputError(f"endpoint `{self}`: none of the hours lies within it; follow it more closely.")
            peak = values[:, within]
            return np.asarray(peak.max(axis=1) if self.measure == "Cmax" else hours[within][peak.argmax(axis=1)])
        stop = float(hours[-1]) if np.isinf(self.stop) else self.stop
        area = part(*from_start(hours, values), self.start, stop, SMOOTH)
        return area / dose if self.measure == "residence" else area

    def curve(self, held: Array, organs: Sequence[str], states: Sequence[str]) -> Array:
        """Curves of its organ and state, (draw, time), from (draw, time, organ, state)."""
        place = held[:, :, list(organs).index(self.organ)]
        return np.asarray(place.sum(axis=-1) if self.state == TOTAL else place[:, :, list(states).index(self.state)])

    def check(self, organs: Sequence[str], states: Sequence[str]) -> "Endpoint":
        """Refuse an organ or a state that a forecast does not have.

        Raises
        ------
        InputError
        """
        for what, name, known in (("organ", self.organ, organs), ("state", self.state, [*states, TOTAL])):
            if name not in known:
                raise InputError(f"endpoint `{self}`: `{name}` is no {what} of the answer.{did_you_mean(name, known)}")
        return self


def parse_endpoint(text: str) -> Endpoint:
    """Endpoint from words.

    >>> parse_endpoint("AUC0-72 liver live")
    Endpoint(measure='AUC', organ='liver', state='live', start=0.0, stop=72.0)

    Raises
    ------
    InputError
        if it is not written as one
    """
    words = text.split()
    found = WRITTEN.fullmatch(words[0]) if words else None
    if found is None or len(words) not in (2, 3):
        guess = did_you_mean(words[0], MEASURES) if words else ""
        ways = "`AUC liver live`, `AUC0-72 liver live`, `residence liver`, `Cmax lung live` or `24h spleen label`"
        raise InputError(f"endpoint `{text}`: write a measure, an organ and a state, as {ways}.{guess}")
    measure, start, stop, hour = found.groups()
    organ, state = words[1], words[2] if len(words) == 3 else TOTAL
    if hour is not None:
        return Endpoint("at", organ, state, float(hour), float(hour))
    ends = (0.0, np.inf) if start is None else (float(start), float(stop))
    if ends[0] >= ends[1]:
        raise InputError(f"endpoint `{text}`: {start} to {stop} h is no time; put the earlier hour first.")
    return Endpoint(measure, organ, state, *ends)


def parse_endpoints(text: str) -> tuple[Endpoint, ...]:
    """Endpoints apart by commas.

    Raises
    ------
    InputError
        if one is not written as one, or stands there twice
    """
    found = tuple(parse_endpoint(each) for each in text.split(",") if each.strip())
    for one in found:
        if found.count(one) > 1:
            raise InputError(f"endpoint `{one}` stands there twice; keep one.")
    return found


def endpoints_of(forecast: xr.Dataset, endpoint: Endpoint) -> Array:
    """Value of an endpoint in every scenario and draw of a forecast, (scenario, draw)."""
    organs, states = (forecast[name].to_numpy().tolist() for name in ("organ", "state"))
    endpoint.check(organs, states)
    hours, doses = forecast["hours"].to_numpy().astype(float), forecast["dose_cells"].to_numpy()
    return np.stack([endpoint.of(hours, endpoint.curve(held, organs, states).astype(float), dose)
                     for held, dose in zip(forecast["cells"].to_numpy(), doses, strict=True)])  # fmt: skip


@dataclass(frozen=True)
class Question:
    """Endpoints of one scenario, asked of any parameters of an origin.

    hours : (time,) at which it is followed [h]; cells : given where the scenario does not say
    """

    origin: Origin
    scenario: Scenario
    endpoints: tuple[Endpoint, ...]
    hours: Array
    cells: float | None = None

    @property
    def model(self) -> Model:
        """Model that is asked."""
        return self.origin.model

    @property
    def units(self) -> list[str]:
        """Unit of each endpoint."""
        amount = "percent_of_dose" if self._dose is None else self.model.amount
        return [endpoint.unit(amount) for endpoint in self.endpoints]

    @property
    def _dose(self) -> float | None:
        return self.origin.dose(self.scenario, self.cells)

    def of(self, theta: Array | None = None) -> Array:
        """Value of every endpoint, (draw, endpoint), of (draw, parameter) or of the draws of the origin."""
        held = self.origin.amounts(self.scenario, self.hours, theta, self.cells)
        organs, states, dose = self.origin.organs(self.scenario), list(self.model.kinds), self._dose or PERCENT
        curves = (endpoint.curve(held, organs, states) for endpoint in self.endpoints)
        return np.stack([endpoint.of(self.hours, curve, dose) for endpoint, curve in
                         zip(self.endpoints, curves, strict=True)], axis=-1)  # fmt: skip


def hours_for(scenario: Scenario, endpoints: Sequence[Endpoint], hours: Array) -> Array:
    """Hours at which a scenario is followed so that its endpoints are right, (time,) [h].

    Added to `hours` are those at which endpoints begin, end or are taken, and those about each dose: just before it, so
    that no area runs up a line to what only then enters, its end, and closely afterwards, where peaks are.
    """
    more = [hour for each in endpoints for hour in (each.start, each.stop) if np.isfinite(hour)]
    given = scenario.given(1.0)
    edges = [at for dose in given for at in (dose.hours - JUST, dose.hours, dose.hours + dose.duration_h) if at > 0.0]
    fine = [dose.hours + dose.duration_h + FINE for dose in given]
    return np.unique(np.concatenate([np.asarray(hours, float), more, edges, *fine]))


def question(
    origin: Origin, scenario: Scenario, endpoints: Sequence[Endpoint], hours: Array, cells: float | None = None
) -> Question:
    """Ask endpoints of a scenario in its own animal.

    hours : (time,) [h]; those of `hours_for` are added

    Raises
    ------
    InputError
        if an organ or a state is not one of the answer, or an endpoint ends after the last hour
    """
    there = origin.animal(scenario)
    organs, states = there.organs(scenario), list(there.model.kinds)
    for each in endpoints:
        each.check(organs, states)
    return Question(there, scenario, tuple(endpoints), hours_for(scenario, endpoints, hours), cells)

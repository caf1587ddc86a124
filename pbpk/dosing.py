"""Dosing events as NONMEM documents them, turned into plain doses that a solver can follow.

Guide VI is PREDPP's (chapters III.F and V), guide V the introduction (6.8, 12.2), guide IV NM-TRAN's (V.B): NONMEM
Users Guides, 7.4 and 7.5. What they leave open is said where it is decided.

Order at one hour: additional and lagged doses enter first, then the records act in the order of the file, each its
reset before its dose. What is sampled at the hour of a bolus shows it if the sample's record stands further down.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pbpk.errors import InputError

OBSERVATION, DOSE, OTHER, RESET, RESET_AND_DOSE = range(5)  # EVID, guide VI V.B
DOSES = (DOSE, RESET_AND_DOSE)
RESETS = (RESET, RESET_AND_DOSE)
MODELLED_RATE, MODELLED_DURATION = -1.0, -2.0  # RATE, guide VI V.E
AFRESH = (1, 3)  # SS that starts afresh; 3 differs from 1 only in where NONMEM's search begins (V.F.2)
ROUNDING = 1e-3  # by which AMT/RATE and DUR may differ before they contradict each other
LINK_H = 1.0  # a steady infusion is cut into links of this length; any length gives the same infusion [h]


@dataclass(frozen=True)
class Event:
    """One record of a subject's history: an observation, a dose, a reset or something else.

    hours : TIME [h]; evid : 0 observation, 1 dose, 2 other, 3 reset, 4 reset and dose
    amount : AMT; rate : RATE [amount/h], 0 a bolus, -1 or -2 when the model knows the rate or the duration
    duration_h : DUR [h]; route : what CMT stands for; addl : ADDL, doses that follow; interval_h : II [h]
    ss : 0 not at steady state, 1 (or 3) steady state of this dose alone, 2 steady state on top of what is there
    place : file and row, for sentences; lag_h, bioavailability : ALAG [h] and F where the record tells them itself
    """

    hours: float
    evid: int = DOSE
    amount: float = 0.0
    rate: float = 0.0
    duration_h: float = 0.0
    route: str = ""
    addl: int = 0
    interval_h: float = 0.0
    ss: int = 0
    place: str = ""
    lag_h: float = 0.0
    bioavailability: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a record that contradicts itself."""
        fault = next((said for wrong, said in _faults(self) if wrong), "")
        if fault:
            raise InputError(f"{_place(self)}: {fault}")

    @property
    def is_dose(self) -> bool:
        """True for a dose and for a reset with a dose."""
        return self.evid in DOSES

    @property
    def wipes(self) -> bool:
        """True where what came before is wiped and what is pending is cancelled."""
        return self.evid in RESETS or self.ss in AFRESH

    @property
    def is_steady_infusion(self) -> bool:
        """True for an infusion that has run since ever and ends at this record."""
        return self.is_dose and self.ss > 0 and self.amount == 0.0


@dataclass(frozen=True)
class Dose:
    """Cells, or what else a model moves, given by one route, at one hour, over some time.

    hours : start, after the lag [h]; duration_h : [h], 0 for a bolus; viability : part that is alive
    until : hour at which a reset wipes what this dose left and ends what still runs, inf if none does [h]
    every_h : 0, or the interval at which the same dose has also been given for ever before `hours` [h]
    since : hour before which nothing of it is seen [h]

    With x(t) what one such dose at hour 0 leaves after t, this adds x(t - hours) + x(t - hours + every_h)
    + x(t - hours + 2 every_h) + ... at since <= t < until, and nothing at other hours; without `every_h` there is
    only the first term. `since` is earlier than `hours` where a dose at steady state lags: its record already shows
    what the doses before it left. Their infusions may still run then. It is later than `hours` only for the last link
    of a steady infusion, a chain of infusions as long as their interval: what matters is what they left.
    """

    route: str
    cells: float
    hours: float = 0.0
    duration_h: float = 0.0
    viability: float = 1.0
    until: float = math.inf
    every_h: float = 0.0
    since: float = -math.inf

    def __post_init__(self) -> None:
        """Refuse a dose that nobody can give."""
        if not math.isfinite(self.hours):
            raise InputError(f"dose by `{self.route}`: hours is {self.hours:g}; it must be a finite number.")
        for name, value in {"cells": self.cells, "duration_h": self.duration_h, "every_h": self.every_h}.items():
            if not (math.isfinite(value) and value >= 0.0):
                raise InputError(f"dose by `{self.route}`: {name} is {value:g}; it must be a number of at least 0.")
        if not 0.0 <= self.viability <= 1.0:
            raise InputError(f"dose by `{self.route}`: viability is {self.viability:g}; it must lie between 0 and 1.")

    @property
    def seen_from(self) -> float:
        """Hour from which it and those before it are seen [h]."""
        return max(self.since, self.hours - self.every_h)

    @property
    def is_plain(self) -> bool:
        """True for a dose that is given once and that no reset wipes."""
        return self.every_h == 0.0 and math.isinf(self.until)


def doses_of(
    events: Sequence[Event],
    lag: Mapping[str, float] | None = None,
    bioavailability: Mapping[str, float] | None = None,
    *,
    rate: Mapping[str, float] | None = None,
    duration: Mapping[str, float] | None = None,
) -> tuple[Dose, ...]:
    """Every dose that a subject's records stand for, by the hour at which it enters.

    A reset (EVID 3 or 4, SS 1) wipes what came before it and cancels what is pending: additional doses, running
    infusions and doses that still lag (guide VI V.B, V.F.2, V.K, which do not speak of a lagged dose without ADDL).

    Parameters
    ----------
    lag : route -> ALAG [h], the record's own for the others; for additional and implied doses too, not for steady
        infusions
    bioavailability : route -> F, the record's own for the others; scales the amount, and so the duration where RATE is
        known and the rate where the duration is; not for steady infusions
    rate : route -> R [amount/h], for records with RATE -1
    duration : route -> D [h], for records with RATE -2

    Raises
    ------
    InputError
        if time goes back, a modelled rate or duration is not told, or a lag exceeds the interval at steady state
    """
    runs = occasions(events)
    if len(runs) > 1:
        raise InputError(f"{_place(runs[1][0])}: the clock starts again; take each of the `occasions` by itself.")
    given: list[Dose] = []
    for event, at in zip(events, _moments(events), strict=True):
        if event.wipes:
            given = [replace(g, until=min(g.until, at)) for g in given if g.since < at]
        if event.is_steady_infusion:
            given.append(_steady_infusion(event, at, rate or {}))
        elif event.is_dose:
            late = _told(event, lag or {}, "lag", event.lag_h)
            part = _told(event, bioavailability or {}, "bioavailability", event.bioavailability)
            given += _given(event, at, late, event.amount * part, _duration(event, part, rate or {}, duration or {}))
    return tuple(sorted((g for g in given if g.cells > 0.0), key=lambda g: g.hours))


def occasions(events: Sequence[Event]) -> tuple[tuple[Event, ...], ...]:
    """Runs of records on one clock: a reset whose time steps back begins the next (guide VI V.C).

    Raises
    ------
    InputError
        if time steps back at another record
    """
    runs: list[list[Event]] = []
    for event in events:
        back = bool(runs) and event.hours < runs[-1][-1].hours
        if back and event.evid not in RESETS:
            said = f"TIME goes back from {runs[-1][-1].hours:g} to {event.hours:g}"
            raise InputError(f"{_place(event)}: {said}; order the records, or reset the clock with EVID 3 or 4.")
        if back or not runs:
            runs.append([])
        runs[-1].append(event)
    return tuple(tuple(run) for run in runs)


def observation_hours(events: Sequence[Event]) -> tuple[float, ...]:
    """Hour of each observation for a solver that shows a dose from its own hour on, (observation,) [h].

    A dose or a reset that stands below an observation of its hour acts at the next number after it; an observation
    below that sees it there.
    """
    return tuple(at for event, at in zip(events, _moments(events), strict=True) if event.evid == OBSERVATION)


def _moments(events: Sequence[Event]) -> list[float]:
    """When each record acts [h]: its hour, or just after where it is a dose or reset below an observation of then."""
    moments: list[float] = []
    hours, at, seen = math.nan, math.nan, False
    for event in events:
        if event.hours != hours:
            hours, at, seen = event.hours, event.hours, False
        if seen and (event.is_dose or event.wipes):
            at, seen = math.nextafter(at, math.inf), False
        seen = seen or event.evid == OBSERVATION
        moments.append(at)
    return moments


def _given(event: Event, at: float, late: float, amount: float, lasts: float) -> list[Dose]:
    """The dose of one record and those that follow it."""
    if event.ss and late > event.interval_h:  # guide VI III.F.6
        said = f"the lag of `{event.route}` is {late:g} h, but II is {event.interval_h:g}"
        raise InputError(f"{_place(event)}: {said}; at steady state a lag must not be longer.")
    starts = [event.hours + i * event.interval_h + late for i in range(event.addl + 1)]
    starts[0] = max(starts[0], at)
    doses = [Dose(event.route, amount, start, lasts, since=start) for start in starts]
    if event.ss:  # its record shows the doses before it, lagged as it is (guide VI V.F.4, note 3)
        doses[0] = replace(doses[0], every_h=event.interval_h, since=at)
    return doses


def _steady_infusion(event: Event, at: float, rates: Mapping[str, float]) -> Dose:
    """Infusion since ever until the record, without lag or bioavailability (guide VI V.F.1, guide V 6.8.2.6)."""
    rate = _told(event, rates, "rate") if event.rate == MODELLED_RATE else event.rate
    return Dose(event.route, rate * LINK_H, at - LINK_H, LINK_H, every_h=LINK_H, since=at)


def _duration(event: Event, part: float, rates: Mapping[str, float], durations: Mapping[str, float]) -> float:
    """Hours over which the bioavailable part of a dose enters: RATE or the duration stays as it was given."""
    if event.rate == MODELLED_DURATION:
        return _told(event, durations, "duration")
    if event.rate != 0.0:
        return event.amount * part / (_told(event, rates, "rate") if event.rate == MODELLED_RATE else event.rate)
    return event.duration_h


def _told(event: Event, told: Mapping[str, float], name: str, otherwise: float | None = None) -> float:
    """Number of the dose's route; one without a default must be told and positive (guide VI III.F.3, F.4)."""
    value = told.get(event.route, otherwise)
    if value is None or (otherwise is None and value == 0.0):
        asked = f"RATE is {event.rate:g}, so `{name}` must tell the {name} for `{event.route}`"
        raise InputError(f"{_place(event)}: {asked}, above 0; add it.")
    if not (math.isfinite(value) and value >= 0.0):
        raise InputError(f"{_place(event)}: the {name} of `{event.route}` is {value:g}; it must be finite and >= 0.")
    return value


def _place(event: Event) -> str:
    return event.place or f"the event at {event.hours:g} h"


def _faults(event: Event) -> Iterable[tuple[bool, str]]:
    """What would be wrong with a record and how to say it, what others rest on first."""
    dosing = {"AMT": event.amount, "RATE": event.rate, "DUR": event.duration_h, "II": event.interval_h}
    for name, value in {"TIME": event.hours, **dosing}.items():
        yield not math.isfinite(value), f"{name} is {value:g}; it must be a finite number."
    kinds = "0 (observation), 1 (dose), 2 (other), 3 (reset) or 4 (reset and dose)"
    yield event.evid not in range(5), f"EVID is {event.evid}; it must be {kinds}."
    if event.is_dose:
        yield from _faults_of_dose(event)
        return
    for name, value in {**dosing, "ADDL": event.addl, "SS": event.ss}.items():
        yield value != 0, f"{name} is {value:g} though EVID {event.evid} is no dose; set it to 0, or EVID to 1."


def _faults_of_dose(event: Event) -> Iterable[tuple[bool, str]]:
    amount, rate, lasts, interval = event.amount, event.rate, event.duration_h, event.interval_h
    yield not event.route, "a dose needs a route; give it in CMT."
    for name, value in (("AMT", amount), ("DUR", lasts), ("II", interval)):
        yield value < 0.0, f"{name} is {value:g}; it must be at least 0."
    yield event.ss not in range(4), f"SS is {event.ss}; it must be 0, 1 (this dose alone) or 2 (on top of the others)."
    yield event.addl < 0, f"ADDL is {event.addl}; it must be the number of doses that follow, at least 0."
    yield rate < 0.0 and rate not in (-1.0, -2.0), f"RATE is {rate:g}; below 0 it must be -1 or -2 (the model knows)."
    if event.is_steady_infusion:
        yield rate in (0.0, MODELLED_DURATION), "SS without AMT is an infusion since ever; give its RATE, or an AMT."
        for name, value in (("DUR", lasts), ("II", interval), ("ADDL", event.addl)):
            yield value != 0, f"{name} is {value:g}, but SS without AMT is an infusion since ever; set {name} to 0."
        return
    yield amount == 0.0, "AMT is 0; a dose needs an amount, only a steady infusion (RATE and SS) has none."
    yield rate < 0.0 < lasts, f"RATE {rate:g} leaves the duration to the model, but DUR is {lasts:g}; set one to 0."
    clash = rate > 0.0 and lasts > 0.0 and not math.isclose(amount, rate * lasts, rel_tol=ROUNDING)
    yield clash, f"AMT {amount:g} at RATE {rate:g} does not take the {lasts:g} h of DUR; set RATE or DUR to 0."
    yield event.ss > 0 and interval == 0.0, "SS needs II, the interval of the doses before; give it."
    yield event.addl > 0 and interval == 0.0, "ADDL needs II, the interval to the next dose; give it."
    alone = interval > 0.0 and not event.ss and not event.addl
    yield alone, f"II is {interval:g}, but neither ADDL nor SS repeats the dose; give one of them, or set II to 0."

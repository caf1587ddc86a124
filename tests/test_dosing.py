"""Records against one compartment in closed form, and against a walk through them as PREDPP's guide words it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbpk.dosing import Dose, Event, doses_of, observation_hours, occasions
from pbpk.errors import InputError

quick = settings(max_examples=50, deadline=None, derandomize=True)
K = 0.13  # rate of loss of the one compartment [1/h]
OBSERVED, OTHER, RESET, RESET_AND_DOSE = 0, 2, 3, 4


def left(hours, lasts):
    """What is left of one unit after some hours, in closed form."""
    if hours < 0:
        return 0.0
    if lasts == 0:
        return math.exp(-K * hours)
    return -math.expm1(-K * min(hours, lasts)) * math.exp(-K * max(hours - lasts, 0)) / (K * lasts)


def left_of_all(hours, lasts, every):
    """The same for a unit given every so often for ever: terms until one is over, then a geometric series."""
    total = 0.0
    while hours < lasts:
        total, hours = total + left(hours, lasts), hours + every
    return total + left(hours, lasts) / -math.expm1(-K * every)


def seen(doses, hours):
    """Sum over doses of what each shows."""
    return sum(
        d.cells
        * (left_of_all(hours - d.hours, d.duration_h, d.every_h) if d.every_h else left(hours - d.hours, d.duration_h))
        for d in doses
        if d.since <= hours < d.until
    )


class Walk:
    """One compartment taken from record to record: what is in it, what runs into it, what is pending."""

    def __init__(self, lag, part):
        self.lag, self.part = lag, part
        self.now, self.amount, self.running, self.pending = 0.0, 0.0, [], []

    def go(self, until):
        """Advance; a pending dose of the hour reached enters."""
        while True:
            stops = [end for _, end in self.running] + [start for start, *_ in self.pending]
            stop = min([until, *(s for s in stops if s > self.now)])
            step, inflow = stop - self.now, sum(rate for rate, end in self.running if end > self.now)
            self.amount = self.amount * math.exp(-K * step) - inflow * math.expm1(-K * step) / K
            self.now = stop
            for start, amount, lasts in [p for p in self.pending if p[0] <= stop]:
                self.pending.remove((start, amount, lasts))
                self.give(start, amount, lasts)
            self.running = [(rate, end) for rate, end in self.running if end > stop]
            if stop == until:
                return

    def give(self, start, amount, lasts):
        if lasts == 0:
            self.amount += amount
        else:
            self.running.append((amount / lasts, start + lasts))

    def steady(self, event, amount, lasts):
        """Guide VI V.F.4: the state right after a dose of the steady cycle, then an advance by II - ALAG."""
        every, late = event.interval_h, self.lag
        cycle = Walk(0.0, 1.0)
        if lasts == 0:
            cycle.amount = amount / -math.expm1(-K * every)
        else:  # note 2: a constant infusion on top of infusions shorter than the interval
            rate, whole = amount / lasts, math.floor(lasts / every)
            rest = lasts - whole * every
            alone = math.expm1(-K * rest) / K * math.exp(-K * (every - rest)) / math.expm1(-K * every)
            cycle.amount = rate * (whole / K + alone)
            cycle.running = [(rate, lasts - i * every) for i in range(whole + 1) if lasts > i * every]
        if late:
            cycle.go(every - late)
            self.pending.append((event.hours + late, amount, lasts))
        self.amount += cycle.amount
        self.running += [(rate, event.hours + end - cycle.now) for rate, end in cycle.running]

    def record(self, event):
        self.go(event.hours)
        if event.evid in (RESET, RESET_AND_DOSE) or event.ss == 1:
            self.amount, self.running, self.pending = 0.0, [], []
        if event.evid not in (1, RESET_AND_DOSE):
            return
        if event.amount == 0:
            self.amount += event.rate / K
            return
        amount = event.amount * self.part
        lasts = amount / event.rate if event.rate else event.duration_h
        if event.ss:
            self.steady(event, amount, lasts)
        for i in range(1 if event.ss else 0, event.addl + 1):
            self.pending.append((event.hours + i * event.interval_h + self.lag, amount, lasts))
        self.go(event.hours)

    def follow(self, events):
        """What each observation sees."""
        said = []
        for event in events:
            self.record(event)
            said += [self.amount] if event.evid == OBSERVED else []
        return said


@st.composite
def histories(draw):
    """Records at whole hours; additional and lagged doses enter at others."""
    events, hours = [], 0.0
    for _ in range(draw(st.integers(1, 9))):
        hours += draw(st.sampled_from([0.0, 1.0, 4.0, 11.0]))
        evid = draw(st.sampled_from([OBSERVED, 1, 1, 1, OTHER, RESET, RESET_AND_DOSE]))
        if evid in (OBSERVED, OTHER, RESET):
            events.append(Event(hours, evid))
            continue
        amount, ss = draw(st.sampled_from([0.0, 5.0, 8.0, 8.0])), draw(st.integers(0, 2))
        if amount == 0.0:
            events.append(Event(hours, evid, 0.0, 2.0, route="iv", ss=ss or 1))
            continue
        rate, lasts = draw(st.sampled_from([(0.0, 0.0), (2.0, 0.0), (0.7, 0.0), (0.0, 0.5), (0.0, 7.0)]))
        addl = draw(st.integers(0, 3))
        interval = draw(st.sampled_from([3.3, 7.7])) if addl or ss else 0.0
        events.append(Event(hours, evid, amount, rate, lasts, "iv", addl, interval, ss))
    return events + [Event(hours + after, OBSERVED) for after in (0.0, 0.2, 1.0, 2.0, 3.5, 6.0, 9.0, 17.0, 40.0)]


@quick
@given(histories(), st.sampled_from([0.0, 0.25, 1.6]), st.sampled_from([1.0, 0.37, 2.0]))
def test_superposed_doses_are_what_a_walk_through_the_records_sees(events, lag, part):
    doses = doses_of(events, {"iv": lag}, {"iv": part})
    found = [seen(doses, hours) for hours in observation_hours(events)]
    np.testing.assert_allclose(found, Walk(lag, part).follow(events), rtol=1e-9, atol=1e-12)


each_lag = pytest.mark.parametrize("lag", [0.0, 1.5])


@each_lag
@quick
@given(st.integers(1, 6), st.floats(0.1, 30.0), st.floats(0.0, 50.0), st.sampled_from([0.0, 2.5]))
def test_additional_doses_are_doses(lag, addl, interval, hours, rate):
    together = doses_of([Event(hours, 1, 10.0, rate, route="iv", addl=addl, interval_h=interval)], {"iv": lag})
    rows = [Event(hours + i * interval, 1, 10.0, rate, route="iv") for i in range(addl + 1)]
    assert together == doses_of(rows, {"iv": lag})


@each_lag
@quick
@given(st.floats(2.0, 20.0), st.just(0.0) | st.floats(0.01, 60.0), st.floats(0.0, 30.0))
def test_steady_state_is_many_doses_before(lag, interval, lasts, after):
    (steady,) = doses_of([Event(5.0, 1, 10.0, duration_h=lasts, route="iv", interval_h=interval, ss=1)], {"iv": lag})
    before = [Dose("iv", 10.0, 5.0 + lag - i * interval, lasts) for i in range(400)]
    np.testing.assert_allclose(seen([steady], 5.0 + after), seen(before, 5.0 + after), rtol=1e-9)


@quick
@given(histories(), st.integers(2, 5))
def test_a_dose_in_parts_is_the_dose(events, n):
    parts = [Event(**{**vars(e), "amount": e.amount / n, "rate": e.rate / n}) for e in events]
    # on top of the first part, which alone wipes what was there
    more = [Event(**{**vars(e), "evid": 1, "ss": 2 if e.ss else 0}) for e in parts if e.is_dose for _ in range(n - 1)]
    split = [p for e in parts for p in [e, *(more.pop(0) for _ in range((n - 1) * e.is_dose))]]
    for hours in observation_hours(events):
        np.testing.assert_allclose(seen(doses_of(split), hours), seen(doses_of(events), hours), rtol=1e-9, atol=1e-12)


@quick
@given(histories(), st.sampled_from([-8.0, 16.0, 128.0]))
def test_the_clock_may_start_anywhere(events, shift):
    doses = doses_of(events)
    moved = doses_of([Event(**{**vars(e), "hours": e.hours + shift}) for e in events])
    for name in ("hours", "since", "until"):
        times = [[getattr(d, name) for d in each] for each in (doses, moved)]
        np.testing.assert_allclose(np.add(times[0], shift), times[1], rtol=0, atol=1e-12)
    assert [(d.cells, d.duration_h, d.every_h) for d in doses] == [(d.cells, d.duration_h, d.every_h) for d in moved]


@quick
@given(histories())
def test_doses_are_in_order_and_real(events):
    doses = doses_of(events)
    assert [d.hours for d in doses] == sorted(d.hours for d in doses)
    assert all(d.cells > 0 and d.since < d.until and d.duration_h >= 0 for d in doses)


def test_a_bolus_and_an_infusion():
    doses = doses_of([Event(0, 1, 10, route="iv"), Event(1, 1, 6, 2, route="sc"), Event(2, 1, 6, 0, 4, "sc")])
    assert doses == (
        Dose("iv", 10, 0, since=0),
        Dose("sc", 6, 1, 3, since=1),
        Dose("sc", 6, 2, 4, since=2),
    )


def test_steady_bolus_doses_follow_the_textbook():
    (dose,) = doses_of([Event(8, 1, 10, route="iv", interval_h=12, ss=1)])
    for after in (0.0, 3.0, 12.0, 30.0):
        expected = 10 * math.exp(-K * after) / (1 - math.exp(-K * 12))
        assert seen([dose], 8 + after) == pytest.approx(expected, rel=1e-12)
    assert seen([dose], 7.999) == 0


def test_steady_infusions_follow_the_textbook():
    (dose,) = doses_of([Event(16, 1, 10, 5, route="iv", interval_h=6, ss=1)])
    peak = 5 / K * (1 - math.exp(-K * 2)) / (1 - math.exp(-K * 6))
    assert seen([dose], 18) == pytest.approx(peak, rel=1e-12)
    assert seen([dose], 16) == pytest.approx(peak * math.exp(-K * 4), rel=1e-12)
    assert seen([dose], 22) == pytest.approx(peak * math.exp(-K * 4), rel=1e-12)


def test_infusions_as_long_as_their_interval_are_one():
    (dose,) = doses_of([Event(0, 1, 12, 2, route="iv", interval_h=6, ss=1)])
    for hours in (0.0, 2.0, 6.0):
        assert seen([dose], hours) == pytest.approx(2 / K, rel=1e-12)


def test_infusions_longer_than_their_interval_overlap():
    (dose,) = doses_of([Event(0, 1, 30, 2, route="iv", interval_h=6, ss=1)])  # 15 h each: two or three at once
    hours = np.linspace(0, 6, 601)
    mean = np.trapezoid([seen([dose], t) for t in hours], hours) / 6
    assert mean == pytest.approx(30 / 6 / K, rel=1e-6)
    assert seen([dose], 0) == pytest.approx(seen([dose], 6), rel=1e-12)


@pytest.mark.parametrize("ss", [1, 2, 3])
def test_an_infusion_since_ever_ends_at_its_record(ss):
    events = [Event(16, 1, 0, 2, route="iv", ss=ss)]
    (dose,) = doses_of(events, {"iv": 3.0}, {"iv": 0.5})  # neither lags it nor takes from it
    assert dose.duration_h == dose.every_h
    assert dose.hours + dose.duration_h == dose.since == 16
    for after in (0.0, 5.0):
        assert seen([dose], 16 + after) == pytest.approx(2 / K * math.exp(-K * after), rel=1e-12)
    assert seen([dose], 15.9) == 0


def test_the_lag_of_a_steady_dose_is_that_of_all_before_it():
    """Guide VI V.F.4, note 3: II 24, ALAG 8; 16 h have passed since the last of the implied doses."""
    (dose,) = doses_of([Event(0, 1, 10, route="iv", interval_h=24, ss=1)], {"iv": 8.0})
    assert (dose.hours, dose.since, dose.every_h) == (8, 0, 24)
    peak = 10 / (1 - math.exp(-K * 24))
    for hours, since_dose in ((0, 16), (7.5, 23.5), (8, 0), (31, 23)):
        assert seen([dose], hours) == pytest.approx(peak * math.exp(-K * since_dose), rel=1e-12)


def test_the_lag_of_a_steady_dose_may_be_its_interval():
    (dose,) = doses_of([Event(0, 1, 10, route="iv", interval_h=24, ss=1)], {"iv": 24.0})
    assert seen([dose], 0) == pytest.approx(10 / (1 - math.exp(-K * 24)), rel=1e-12)


def test_two_ways_to_say_doses_that_alternate():
    """Guide V 6.8.2.7: 10 in the morning and 15 in the evening, or 10 at both and 5 more in the evening."""
    one = doses_of(
        [Event(8, 1, 10, route="iv", interval_h=24, ss=1), Event(20, 1, 15, route="iv", interval_h=24, ss=2)]
    )
    other = doses_of(
        [Event(20, 1, 10, route="iv", interval_h=12, ss=1), Event(20, 1, 5, route="iv", interval_h=24, ss=2)]
    )
    for hours in (20, 24, 31.9):
        assert seen(one, hours) == pytest.approx(seen(other, hours), rel=1e-12)
    assert seen(one, 19) < seen(one, 20) - 15


@pytest.mark.parametrize("ss", [1, 3])
def test_steady_state_alone_wipes_and_cancels(ss):
    before = [Event(0, 1, 100, 1, route="iv"), Event(0, 1, 7, route="iv", addl=9, interval_h=1.5)]
    steady = Event(4, 1, 10, route="iv", interval_h=12, ss=ss)
    assert seen(doses_of([*before, steady]), 9) == seen(doses_of([steady]), 9)
    on_top = Event(4, 1, 10, route="iv", interval_h=12, ss=2)
    both = seen(doses_of(before), 9) + seen(doses_of([steady]), 9)
    assert seen(doses_of([*before, on_top]), 9) == pytest.approx(both, rel=1e-12)


def test_a_reset_wipes_and_cancels():
    doses = doses_of(
        [
            Event(0, 1, 100, 5, route="iv"),  # runs until 20
            Event(0, 1, 7, route="iv", addl=3, interval_h=4),  # 0, 4, and 8, 12 no more
            Event(5, 1, 9, route="sc"),  # enters at 7 only, so never
            Event(6, RESET),
            Event(10, RESET_AND_DOSE, 3, route="iv"),
        ],
        {"sc": 2.0},
    )
    assert [(d.hours, d.cells, d.until) for d in doses] == [(0, 100, 6), (0, 7, 6), (4, 7, 6), (10, 3, math.inf)]
    assert seen(doses, 6) == 0
    assert seen(doses, 10) == 3


def test_a_reset_in_the_lag_of_a_steady_dose_leaves_its_history_until_then():
    (dose,) = doses_of([Event(0, 1, 10, route="iv", interval_h=24, ss=1), Event(5, RESET)], {"iv": 8.0})
    assert dose.until < dose.hours
    assert seen([dose], 4) > 0
    assert seen([dose], 8) == 0


@pytest.mark.parametrize(
    ("event", "told", "amount", "duration"),
    [
        (Event(0, 1, 480, route="iv"), {}, 240, 0),
        (Event(0, 1, 480, 10, route="iv"), {}, 240, 24),  # RATE stays, the duration is halved
        (Event(0, 1, 480, 0, 48, "iv"), {}, 240, 48),  # DUR stays, the rate is halved
        (Event(0, 1, 480, 10, 48, "iv"), {}, 240, 24),  # RATE counts where both say the same
        (Event(0, 1, 480, -1, route="iv"), {"rate": {"iv": 12.0}}, 240, 20),
        (Event(0, 1, 480, -2, route="iv"), {"duration": {"iv": 6.0}}, 240, 6),
        (Event(0, 1, 480, 10, route="iv", interval_h=12, ss=1), {}, 240, 24),
    ],
)
def test_bioavailability_scales_the_amount(event, told, amount, duration):
    (dose,) = doses_of([event], bioavailability={"iv": 0.5, "sc": 0.1}, **told)
    assert (dose.cells, dose.duration_h) == (amount, duration)


def test_a_dose_of_which_nothing_arrives_is_none():
    assert doses_of([Event(0, 1, 10, 2, route="sc")], bioavailability={"sc": 0.0}) == ()


def test_a_rate_of_the_model_may_run_for_ever():
    (dose,) = doses_of([Event(0, 1, 0, -1, route="iv", ss=1)], rate={"iv": 3.0})
    assert seen([dose], 0) == pytest.approx(3 / K, rel=1e-12)


def test_what_stands_first_acts_first():
    """A sample before the dose, one after it, one before and one after the reset, all at 24 h."""
    observed = Event(24, OBSERVED)
    events = [Event(0, 1, 5, route="iv"), observed, Event(24, 1, 8, route="iv"), observed, Event(24, RESET), observed]
    doses = doses_of(events)
    trough, peak, wiped = (seen(doses, hours) for hours in observation_hours(events))
    assert trough == pytest.approx(5 * math.exp(-K * 24))
    assert peak == pytest.approx(trough + 8)
    assert wiped == 0
    np.testing.assert_allclose(observation_hours(events), 24, rtol=1e-14)


def test_hours_stay_as_written_where_no_act_comes_between():
    events = [Event(24, OBSERVED), Event(24, OBSERVED), Event(24, 1, 8, route="iv"), Event(24, OBSERVED)]
    after = math.nextafter(24, 25)
    assert observation_hours(events) == (24, 24, after)
    assert doses_of(events) == (Dose("iv", 8, after, since=after),)
    assert observation_hours([*events[:1], *events[:1]]) == (24, 24)


def test_an_additional_dose_is_seen_at_its_hour():
    events = [Event(0, 1, 5, route="iv", addl=1, interval_h=24), Event(24, OBSERVED)]
    (hours,) = observation_hours(events)
    assert seen(doses_of(events), hours) == pytest.approx(5 * math.exp(-K * 24) + 5)


def test_an_additional_dose_is_seen_before_a_dose_of_the_same_hour():
    """PREDPP lets what is pending enter first; the sample stands between it and the dose."""
    events = [Event(0, 1, 5, route="iv", addl=2, interval_h=12), Event(24, OBSERVED), Event(24, 1, 8, route="iv")]
    events += [Event(24, OBSERVED), Event(36, OBSERVED)]
    pending, whole, _ = (seen(doses_of(events), hours) for hours in observation_hours(events))
    assert pending == pytest.approx(sum(5 * math.exp(-K * 12 * i) for i in range(3)))
    assert whole == pytest.approx(pending + 8)
    repeated = [Event(12, OBSERVED), Event(12, 1, 5, route="iv", addl=1, interval_h=12), Event(24, OBSERVED)]
    first, second = (seen(doses_of(repeated), hours) for hours in observation_hours(repeated))
    assert (first, second) == (0, pytest.approx(5 + 5 * math.exp(-K * 12)))


def test_a_clock_that_starts_again_begins_an_occasion():
    first, second = [Event(0, 1, 5, route="iv"), Event(9, OBSERVED)], [Event(0, RESET_AND_DOSE, 6, route="iv")]
    assert occasions([*first, *second]) == (tuple(first), tuple(second))
    assert occasions([]) == ()
    with pytest.raises(InputError, match="the event at 0 h: the clock starts again"):
        doses_of([*first, *second])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"hours": math.nan}, "TIME is nan; it must be a finite number."),
        ({"amount": math.inf}, "AMT is inf; it must be a finite number."),
        ({"evid": 5}, "EVID is 5; it must be 0 (observation), 1 (dose), 2 (other), 3 (reset) or 4 (reset and dose)."),
        ({"evid": 0}, "AMT is 10 though EVID 0 is no dose; set it to 0, or EVID to 1."),
        ({"evid": 3, "amount": 0, "addl": 2}, "ADDL is 2 though EVID 3 is no dose; set it to 0, or EVID to 1."),
        ({"route": ""}, "a dose needs a route; give it in CMT."),
        ({"amount": -1}, "AMT is -1; it must be at least 0."),
        ({"amount": 0}, "AMT is 0; a dose needs an amount, only a steady infusion (RATE and SS) has none."),
        ({"rate": -3}, "RATE is -3; below 0 it must be -1 or -2 (the model knows)."),
        ({"duration_h": -3}, "DUR is -3; it must be at least 0."),
        ({"rate": -2, "duration_h": 3}, "RATE -2 leaves the duration to the model, but DUR is 3; set one to 0."),
        ({"rate": 5, "duration_h": 3}, "AMT 10 at RATE 5 does not take the 3 h of DUR; set RATE or DUR to 0."),
        ({"addl": 3}, "ADDL needs II, the interval to the next dose; give it."),
        ({"addl": -3, "interval_h": 1}, "ADDL is -3; it must be the number of doses that follow, at least 0."),
        ({"ss": 1}, "SS needs II, the interval of the doses before; give it."),
        ({"ss": 4}, "SS is 4; it must be 0, 1 (this dose alone) or 2 (on top of the others)."),
        ({"interval_h": 12}, "II is 12, but neither ADDL nor SS repeats the dose; give one of them, or set II to 0."),
        ({"ss": 1, "amount": 0}, "SS without AMT is an infusion since ever; give its RATE, or an AMT."),
        (
            {"ss": 1, "amount": 0, "rate": 2, "interval_h": 12},
            "II is 12, but SS without AMT is an infusion since ever; set II to 0.",
        ),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(fields, said):
    with pytest.raises(InputError) as refusal:
        Event(**{"hours": 3.0, "amount": 10, "route": "iv", "place": "doses.csv: row 7", **fields})
    assert str(refusal.value) == f"doses.csv: row 7: {said}"


@pytest.mark.parametrize(
    ("events", "told", "said"),
    [
        ([Event(5, 2), Event(4, 2)], {}, "TIME goes back from 5 to 4; order the records, or reset the clock with EVID"),
        ([Event(4, 1, 1, route="iv")], {"lag": {"iv": -1.0}}, "the lag of `iv` is -1; it must be finite"),
        ([Event(4, 1, 1, route="iv")], {"bioavailability": {"iv": math.nan}}, "the bioavailability of `iv` is nan;"),
        ([Event(4, 1, 1, -1, route="iv")], {}, "RATE is -1, so `rate` must tell the rate for `iv`, above 0; add it."),
        ([Event(4, 1, 1, -2, route="iv")], {"rate": {"iv": 1.0}}, "so `duration` must tell the duration for `iv`"),
        ([Event(4, 1, 1, -2, route="iv")], {"duration": {"iv": 0.0}}, "RATE is -2, so `duration` must tell"),
        (
            [Event(4, 1, 1, route="iv", interval_h=6, ss=2)],
            {"lag": {"iv": 6.5}},
            "the lag of `iv` is 6.5 h, but II is 6; at steady state a lag must not be longer.",
        ),
    ],
)
def test_records_that_do_not_go_together_are_refused(events, told, said):
    with pytest.raises(InputError) as refusal:
        doses_of(events, **told)
    assert str(refusal.value).startswith("the event at 4 h: ")
    assert said in str(refusal.value)

"""Doses at steady state, written out: against long histories; the gradient against differences."""

import numpy as np
import pytest

from pbpk.body import flows
from pbpk.body.elimination import matrix, network
from pbpk.body.steady import ages_before, written_out

HOURS = np.array([0.0, 0.7, 3.0, 11.0, 12.0, 13.5, 40.0])
SOURCE, TARGET = np.array([0, 1, 1, 2, 3, 2, 1]), np.array([1, 2, 3, 1, 0, 3, 4])
RATES = np.array([0.9, 0.3, 5.0, 0.05, 40.0, 0.2, 0.1])  # state 3 passes, state 4 is outside
INSIDE = [0, 1, 2, 3]
N, LASTING = 5, 3
TURN = [0, 1, 2, 4, 3]  # the lasting states first


def placed(source, target):
    place = np.argsort(TURN)
    return place[source], place[target]


SOURCE, TARGET = placed(SOURCE, TARGET)
LASTING = 4


def entering(*states):
    out = np.zeros((1, N))
    out[0, list(states)] = 1.0 / len(states)
    return out


def answer(rates, entry, start, duration, every, since, hours=HOURS):
    arrays = [np.array([x], float) for x in (start, duration, every, since)]
    return flows.respond(SOURCE, TARGET, LASTING, rates, entry, *arrays, hours)


def long_history(entry, start, duration, every, since):
    count = int(3000 / every)  # after so long nothing is left of a dose
    starts = start - every * np.arange(count)
    out = flows.respond(SOURCE, TARGET, LASTING, RATES, np.repeat(entry, count, axis=0), starts,
                        np.full(count, duration), None, None, HOURS)  # fmt: skip
    out[since > HOURS] = 0.0
    return out


CASES = {
    "bolus": (0.0, 0.0, 12.0, 0.0),
    "later": (3.0, 0.0, 12.0, 3.0),
    "infusion": (0.0, 2.0, 12.0, 0.0),
    "without a break": (0.0, 12.0, 12.0, 0.0),
    "overlapping": (0.7, 30.0, 12.0, 0.7),
    "lagging": (3.0, 0.0, 12.0, 0.7),
    "lagging infusion": (3.0, 5.0, 12.0, 0.7),
    "lagging by an interval": (12.0, 2.0, 12.0, 0.0),
    "since ever": (2.0, 1.0, 1.0, 3.0),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("entry", [entering(0), entering(4), entering(0, 2, 4)], ids=["lasting", "passing", "both"])
def test_a_steady_dose_is_a_long_history(case, entry):
    inside = [i for i in range(N) if i != TURN.index(4)]
    found, expected = answer(RATES, entry, *CASES[case]), long_history(entry, *CASES[case])
    np.testing.assert_allclose(found[:, inside], expected[:, inside], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_the_gradient_is_that_of_the_answer(case):
    bar = np.random.default_rng(3).standard_normal((HOURS.size, N))
    bar[:, TURN.index(4)] = 0.0  # what has left is without end
    entry = entering(0, 2, 4)
    arrays = [np.array([x], float) for x in CASES[case]]
    given = SOURCE, TARGET, LASTING, RATES, entry, *arrays, HOURS
    found = RATES * flows.respond_adjoint(*given, flows.respond(*given), bar)
    for arrow in range(RATES.size):
        step, ends = 1e-4, []
        for times in (2.0, 1.0, -1.0, -2.0):
            nudged = RATES.copy()
            nudged[arrow] *= np.exp(times * step)
            ends.append((bar * answer(nudged, entry, *CASES[case])).sum())
        slope = (8.0 * (ends[1] - ends[2]) - (ends[0] - ends[3])) / (12.0 * step)
        assert found[arrow] == pytest.approx(slope, rel=1e-7, abs=1e-9 * np.abs(found).max())


def test_doses_that_still_run_are_counted():
    np.testing.assert_allclose(ages_before(0.0, 0.0, 12.0, 0.0), [12.0])
    np.testing.assert_allclose(ages_before(0.0, 12.0, 12.0, 0.0), [12.0])
    np.testing.assert_allclose(ages_before(0.0, 30.0, 12.0, 0.0), [12.0, 24.0, 36.0])
    np.testing.assert_allclose(ages_before(2.0, 1.0, 1.0, 3.0), [1.0])  # the last link of an infusion since ever


def test_what_is_infused_is_written_out_whole():
    """Of an infusion of 30 h every 12 h, two before still run: what they have yet to give is written out."""
    k = matrix(network(SOURCE, TARGET, RATES, N)[:LASTING, :LASTING])
    args = [np.array([x], float) for x in (0.0, 30.0, 12.0, 0.0)]
    doses, begins, lasts, origin, share = written_out(k, entering(0), *args)
    assert list(lasts) == [30.0, 18.0, 6.0, 0.0]
    assert list(share) == pytest.approx([1.0, 0.6, 0.2, 0.0])
    assert not begins.any()
    assert not origin.any()
    assert doses[:3, 0] == pytest.approx([1.0, 0.6, 0.2])

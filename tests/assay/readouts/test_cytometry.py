import math

import pytest

from pbpk.assay.readouts.cytometry import flow_signals
from pbpk.errors import StudyError


def test_a_row_in_closed_form(readouts, written):
    row = written(value=300.0, unit="events", acquired=1_000_000, fraction=0.05)
    signals = flow_signals([row], readouts().flow)
    amount, own, _ = signals.estimates()
    slope, rise = 5e3 * 0.05 * 0.3, 300.0 - 12 / 500000 * 1_000_000
    assert amount == pytest.approx([rise / slope])
    assert own == pytest.approx([math.sqrt(300.0 + (0.2 * rise) ** 2) / slope])
    shared = (amount[0] * 0.3) ** 2 + (1_000_000 / slope) ** 2 * 12 / 500000**2
    assert signals.covariance()[0, 0] == pytest.approx(own[0] ** 2 + shared)


def test_each_organ_has_its_own_false_positives_and_the_others_share_some(readouts, written):
    organs = ("lung", "liver", "spleen")
    rows = [written(number=i, unit="events", acquired=900000, organ=organ) for i, organ in enumerate(organs)]
    signals = flow_signals(rows, readouts().flow)
    false = [name for name in signals.shared.names if "false" in name]
    assert false == ["flow: false positives per event in lung", "flow: false positives per event elsewhere"]
    assert signals.response.blank @ signals.shared.mean == pytest.approx([12 / 500000 * 900000, 3.0, 3.0])


def test_entries_of_one_organ_add_up(readouts, written):
    naive = [{"positives": 2, "acquired": 100}, {"positives": 1, "acquired": 200}]
    signals = flow_signals([written(unit="events", acquired=100)], readouts(flow={"naive": naive}).flow)
    assert signals.shared.mean[-1] == pytest.approx(0.01)


@pytest.mark.parametrize(("percent", "false"), [(1.0, 2.4e-5), (0.05, 2.4e-4), (0.02, 0.0)])
def test_estimates_agree_with_simulated_events(readouts, written, agreement, percent, false):
    acquired, fraction = 400_000, 0.1

    def once(rng):
        naive = [{"positives": int(rng.poisson(false * 500_000)), "acquired": 500_000}]
        given = {"naive": naive, "dissociation_yield": {"median": 0.3, "sigma": 0.1, "source": "x"}}
        live = 5e5 * percent / 100.0 * fraction * 0.3 * math.exp(rng.normal(0.0, 0.1)) * rng.gamma(25.0, 1 / 25.0)
        positives = float(rng.poisson(live + false * acquired))
        row = written(value=positives, unit="events", acquired=acquired, fraction=fraction)
        signals = flow_signals([row], readouts(flow=given).flow)
        return signals.estimates()[0][0], math.sqrt(signals.covariance()[0, 0])

    bias, error, covered = agreement(once, percent)
    assert abs(bias - (math.exp(0.1**2 / 2) - 1.0)) < 3.0 * error
    assert 0.9 < covered < 0.99


@pytest.mark.parametrize(
    ("row", "changes", "said"),
    [
        ({"acquired": None}, {}, "row 2: `acquired` is missing"),
        ({"acquired": 9}, {}, "row 2: 10 positives are more than the 9 events"),
        (
            {"acquired": 90},
            {"naive": [{"organ": "liver", "positives": 0, "acquired": 9}]},
            r"add `lung` to `naive` under \[readouts.flow\]",
        ),
    ],
)
def test_what_cannot_be_read(readouts, written, row, changes, said):
    with pytest.raises(StudyError, match=said):
        flow_signals([written(unit="events", **row)], readouts(flow=changes).flow)

"""Verdicts on draws and values whose answer is known."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from pbpk.report import verdicts

SAMPLES = np.random.default_rng(1).standard_normal((4, 500))


def residuals(values, hours=None, organs=None):
    n = len(values)
    return pd.DataFrame({"residual": values, "hours": np.arange(n) if hours is None else hours,
                         "organ": ["lung"] * n if organs is None else organs, "p50": np.ones(n)})  # fmt: skip


def intervals(values):
    return pd.DataFrame({"low": values, "high": values, "p2.5": 0.5, "p97.5": 2.0, "organ": "lung"})


def test_a_chain_apart_is_named():
    apart = SAMPLES.copy()
    apart[2] += 1.5
    assert verdicts.of_ranks({"calm": SAMPLES}, {"calm": 2000.0}).good
    found = verdicts.of_ranks({"calm": SAMPLES, "apart": apart}, {"calm": 2000.0, "apart": 2000.0})
    assert not found.good
    assert "apart (" in found.sentence
    assert "calm" not in found.sentence


def test_growth_is_steady_small_or_stalled():
    draws, steady = np.arange(1, 11) * 100, np.arange(1, 11) * 90.0
    assert verdicts.of_growth({"a": (draws, steady, steady)}).good
    small = verdicts.of_growth({"a": (draws, steady, steady / 4)})
    assert small.good is None
    assert "more draws will do" in small.sentence
    stalled = verdicts.of_growth({"a": (draws, steady, np.minimum(steady, 150.0))})
    assert stalled.good is False
    assert stalled.mark == "bad"


def test_energies_and_pairs():
    assert verdicts.of_energy(np.array([0.9, 0.8])).good
    low = verdicts.of_energy(np.array([0.9, 0.2]))
    assert not low.good
    assert "chain 2" in low.sentence
    assert verdicts.of_pairs([("a", "b", -0.5), ("c", "d", 0.3)], 0).sentence.startswith(
        "The strongest tie is that of a"
    )
    assert verdicts.of_pairs([("a", "b", -0.5)], 3).mark == "bad"


def test_more_values_outside_than_chance_brings():
    inside = np.ones(38)
    assert verdicts.of_intervals(intervals(np.append(inside, [3.0, 0.1]))).good
    many = verdicts.of_intervals(intervals(np.append(inside, np.full(12, 9.0))))
    assert not many.good
    assert "12 of 50 values" in many.sentence
    assert "most of them in the lung" in many.sentence


@pytest.mark.parametrize(
    ("stretch", "shift", "words"),
    [(1.0, 0.0, "stays inside"), (0.3, 0.0, "closer to their"), (2.2, 0.0, "too narrow"), (1.0, 1.0, "lie above")],
)
def test_values_too_close_too_wide_or_to_one_side(stretch, shift, words):
    levels = norm.ppf((np.arange(200) + 0.5) / 200)
    assert words in verdicts.of_pit(norm.cdf(stretch * levels + shift)).sentence


def test_residuals_that_follow_something_are_named():
    rng = np.random.default_rng(4)
    noise = 0.5 * rng.standard_normal(40)
    assert verdicts.of_residuals(residuals(noise)).good
    rising = verdicts.of_residuals(residuals(noise + np.linspace(-1.0, 1.0, 40)))
    assert "rise with time" in rising.sentence
    organs = np.where(np.arange(40) % 4 == 0, "spleen", "lung")
    apart = verdicts.of_residuals(residuals(np.where(organs == "spleen", 1.5, 0.0) + noise, organs=organs))
    assert "spleen lies above its predictions" in apart.sentence
    assert "lung lies" not in apart.sentence


def test_influence_and_priors():
    k = pd.DataFrame({"k": [0.1, 0.8, 0.2]})
    assert "leans on 1 of 3" in verdicts.of_influence(k, 0.7).sentence
    assert verdicts.of_influence(k.head(1), 0.7).good
    table = pd.DataFrame({"parameter": ["a", "b", "c"], "shift": [2.5, 0.1, np.nan],
                          "learned": ["learned", "not learned", "fixed"]})  # fmt: skip
    found = verdicts.of_priors(table)
    assert found.sentence == "The data moved a more than 2 prior SDs; 1 of 2 stayed as the prior had them."
    assert verdicts.of_priors(table.tail(2)).good

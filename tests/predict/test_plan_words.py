"""Sentences of a plan, where the numbers are set by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from pbpk.predict.plan_words import plan_sentences
from pbpk.predict.planned_study import BEST, CURRENT, EQUAL, OnTop, Saving


def plan_of(**how):
    found = {CURRENT: {"k": 0.8}, EQUAL: {"k": 0.6}, BEST: {"k": 0.4}}
    rows = [{"design": design, "quantity": "k", "contraction": 0.5} for design in found]
    design = pd.DataFrame({"group": ["iv", "iv"], "hours": [1.0, 24.0], "animals": [2, 1], "least": [0.5, 0.01]})
    start = SimpleNamespace(words="what the model's priors know")
    whole = {"design": design, "quantities": pd.DataFrame(rows), "contractions": found.get, "animals": 3, "points": 9,
             "savings": (Saving(CURRENT, 5, 2), Saving(EQUAL, 3, 3), Saving("other", 3, None)), "start": start,
             "on_top": OnTop("live", 2, {}, np.array([0.1]), np.array([0.3])), "limited": True}  # fmt: skip
    return SimpleNamespace(**(whole | how))


def test_every_sentence():
    assert plan_sentences(plan_of()) == (
        "Recommended for 3 animals: iv: 1 h (2), 24 h (1).",
        "It is expected to leave 40% of the SD of `k` that is believed before; 80% by the study as it is, "
        "60% if equally spaced.",
        "2 animals at recommended hours would teach as much as the study as it is (5 animals).",
        "No number of animals up to 3 at recommended hours teaches as much as 3 animals other.",
        "Read these numbers as the least: refits of four animals left SDs up to a quarter larger than foretold.",
        "A live readout in 2 animals of them would leave 10% of the SD of `k` instead of 40%; as many animals more "
        "without it 30%.",
        "This rests on what the model's priors know, made linear about 9 points, with the scatter between animals and "
        "the misfit that all animals of one hour share; the study's limits of detection heeded.",
        "Down to 0.01 % of the dose must be measured.",
    )


def test_where_no_other_readout_is_there_nothing_is_said_of_one():
    assert not any("readout" in sentence for sentence in plan_sentences(plan_of(on_top=None)))

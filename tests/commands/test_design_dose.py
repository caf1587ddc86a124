"""Dose and route from the command line."""

import json

import pandas as pd
import pytest
from saying import say

ASKED = [
    "design",
    "dose",
    "msc",
    "--target",
    "AUC liver live",
    "--limit",
    "lung 2e5",
    "--most",
    "5e6",
    "--label",
    "FND",
]


def test_the_best_is_said_and_written(tmp_path):
    out = tmp_path / "choice"
    said = say(*ASKED, "--doses", "1,2", "--out", out)
    assert said.code == 0, said.err
    for words in ("Most of AUC liver live: portal_vein, 2 doses", "with probability 0.95", "what the priors say"):
        assert words in said.out
    table = pd.read_csv(out / "choices.csv")
    assert len(table) == 6
    assert table["target"].is_monotonic_decreasing
    assert pd.read_csv(out / "frontier.csv")["best"].any()
    told = json.loads((out / "manifest.json").read_text())
    assert told["limit"] == {"organ": "lung", "cells": 2e5, "probability": 0.95}
    page = (out / "choice.html").read_text()
    assert "<svg" in page
    assert "2 doses 24 h apart" in page
    assert say(*ASKED, "--out", out).code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--limit", "lung"], "write it as 'lung 2e5'"),
        (["--limit", "2e5"], "write it as 'lung 2e5'"),
        (["--limit", "lung many"], "could not convert"),
        (["--limit", "lung 2e5,3e5"], "write it as 'lung 2e5'"),
        (["--doses", "1.5"], "doses are whole numbers"),
        (["--doses", "1,two"], "write numbers apart by commas"),
        (["--routes", "portal"], "Did you mean `portal_vein`"),
        (["--target", "liver"], "write a measure"),
        (["--like", "iv_bolos"], "Did you mean `iv_bolus`"),
        (["--most", "-1"], "--most"),
    ],
)
def test_a_mistake_is_one_sentence(words, said):
    found = say(*ASKED, *words)
    assert found.code == 2
    assert said in found.err
    assert "Traceback" not in found.err

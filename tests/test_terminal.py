"""What the commands print, read as a person would."""

import pandas as pd
import pytest

from pbpk import terminal


@pytest.fixture
def printed(monkeypatch):
    """Run something that prints at a given width, and give back its text."""

    def run(width, say, *given):
        from rich.console import Console

        console = Console(width=width, record=True, force_terminal=False, highlight=False)
        monkeypatch.setattr(terminal, "console", console)
        say(*given)
        return console.export_text()

    return run


def forecast():
    rows = [
        {"scenario": "iv", "organ": organ, "state": state, "hours": 24.0, "q2.5": 1e5, "q50": 2e5, "q97.5": 3e5,
         "dose_cells": 1e6, "evidence": "data", "beyond": ""}
        for organ in ("lung", "liver") for state in ("live", "label", "total")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_a_forecast_says_percent_of_the_dose_with_its_interval(printed):
    text = printed(160, terminal.say_forecast, forecast(), "Scenarios")
    assert "20 [10, 30]" in text


def test_on_a_narrow_terminal_nothing_is_cut(printed):
    text = printed(80, terminal.say_forecast, forecast(), "Scenarios")
    assert text.count("[10, 30]") == 4
    assert "…" not in text


def test_a_balance_says_who_holds_more_than_was_given(printed):
    table = pd.DataFrame({"group": ["iv"], "hours": [1.0], "animals": [3], "percent_dose": [105.0], "sd": [2.1],
                          "between": [8.0], "flagged": [1]})  # fmt: skip
    text = printed(80, terminal.say_balance, table)
    assert "105" in text
    assert "1 hold more than was given" in text
    assert printed(80, terminal.say_balance, table.iloc[:0]) == ""


def test_a_model_says_which_other_structures_its_file_names(printed):
    from pbpk.body.expansion import read_model

    text = printed(120, terminal.say_model, read_model("msc"), [])
    assert "taken by --model msc:NAME:" in text
    assert "no_release: no cell leaves an organ alive" in text
    assert "capacity_lung ~ lognormal(median=150000, sigma=2)" in text
    text = printed(120, terminal.say_model, read_model("msc:no_release"), [])
    assert "Taken as known or estimated beside the parameters: alive_lung, alive_liver" in text
    assert "{organ}.arrested ──▶ {organ}.blood" not in text
    assert "taken by --model msc:NAME:" in text


def test_progress_is_silent_when_nobody_looks(capsys):
    with terminal.progress() as follow:
        follow("reading", 1, 2, 0)
    assert "reading" not in capsys.readouterr().out

"""The command before it serves: what it refuses, what it begins with, what it says of the terminal."""

import shutil

import pytest
from saying import say

from pbpk.body.species import read_species
from pbpk.commands import explore
from pbpk.commands.whom import Whom
from pbpk.predict.origin import read_prior


def test_a_missing_extra_is_one_sentence(monkeypatch):
    monkeypatch.setattr(explore, "EXTRA", "shiny_that_nobody_has")
    said = say("explore", "msc", "--no-browser")
    assert said.code == 2
    assert said.err.strip() == ("pbpk: the page needs Shiny, which is not installed: pip install 'pbpk[explore]'.")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["msx"], "Did you mean `msc`?"),
        (["msc", "portl_vein"], "Did you mean `portal_vein`?"),
        (["msc", "--port", "1"], "--port 1 cannot be used"),
    ],
)
def test_a_mistake_is_one_sentence(words, told, monkeypatch):
    def refused(*_):
        raise explore.RunError("--port 1 cannot be used")

    if "--port" in words:  # who may is told 1 is free
        monkeypatch.setattr("pbpk.report.explore.serving.listening", refused)
    said = say("explore", *words, "--no-browser")
    assert said.code == 2
    assert told in said.err
    assert "Traceback" not in said.err


def test_it_begins_with_the_scenarios_of_a_run_and_the_shipped_ones(tmp_path):
    origin = read_prior("msc", read_species("mouse"), "FND", draws=5)
    (tmp_path / "scenarios").mkdir()
    shutil.copy("models/scenarios/arterial.toml", tmp_path / "scenarios" / "own.toml")
    text = 'title = "Elsewhere"\n[[doses]]\nroute = "by_mouth"\n'
    (tmp_path / "scenarios" / "cannot.toml").write_text(text)
    found = explore.starting(origin, str(tmp_path), None)
    assert {"own", "arterial", "iv_bolus"} <= set(found)
    assert "cannot" not in found
    assert list(explore.starting(origin, str(tmp_path), tmp_path / "scenarios" / "own.toml")) == ["own"]


def test_the_terminal_is_told_the_same_options():
    whom = Whom("a run", "human", 70000.0, None, "allometric", None, "spread", 3)
    assert explore.options_of(whom, 1e6) == (
        " --species human --body-weight 70000 --physiology spread --cells 1e+06 --rates allometric --seed 3"
    )
    assert explore.options_of(Whom("msc"), None) == ""


def test_the_browser_is_opened_at_the_secret_address_and_only_where_wanted(monkeypatch):
    opened, served = [], []
    monkeypatch.setattr(explore.webbrowser, "open", opened.append)
    monkeypatch.setattr(
        "pbpk.report.explore.serving.serve", lambda what, door, token: (served.append(token), door.close())
    )
    said = say("explore", "msc", "--cells", "1e6")
    assert said.code == 0, said.err
    assert opened[0].endswith(f"/{served[0]}/")
    assert opened[0] in said.out
    assert say("explore", "msc", "--no-browser").code == 0
    assert len(opened) == 1

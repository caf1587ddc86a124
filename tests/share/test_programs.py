import shlex
from itertools import pairwise

import pytest
import typer.main

from pbpk.cli import app
from pbpk.share.programs import requirements_of, run_command, script_of, steps_of

SETTINGS = {"model": None, "seed": 3, "draws": 800, "tune": 500, "target_accept": 0.95}
FULL = {
    "study": "my study",
    "settings": SETTINGS | {"model": "/somewhere/own.toml:rival", "physiology": "spread", "quick": True},
    "asked": {"scenarios": {"scenarios/iv.toml": "00"}, "cells": 1e6, "allow_unconverged": True},
    "occasion": {"command": "pbpk run data/x\n--out y"},
}


def test_every_option_is_one_that_the_command_has():
    for manifest in (FULL, {"study": "s", "settings": SETTINGS}):
        words = run_command(manifest, "study/s")
        command = typer.main.get_command(app).commands[words[1]]
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= known


def test_all_that_was_asked_is_said():
    words = run_command(FULL, "study/my study")
    assert words[:5] == ["pbpk", "run", "study/my study", "--out", "rerun"]
    said = dict(pairwise(words))
    assert said["--model"] == "programs/model/own.toml:rival"
    assert (said["--seed"], said["--draws"], said["--tune"], said["--target-accept"]) == ("3", "800", "500", "0.95")
    assert float(said["--cells"]) == 1e6
    assert said["--scenarios"] == "programs/scenarios"
    assert {"--quick", "--allow-unconverged"} <= set(words)
    plain = run_command({"study": "s", "settings": SETTINGS}, "study/s")
    assert plain[1] == "fit"
    assert "--model" not in plain


def test_the_script_is_one_line_a_step_and_quotes_names():
    steps = steps_of(FULL, ("report.html", "report.docx", "report.pdf", "plates.html"))
    lines = script_of(FULL, steps).splitlines()
    assert lines[0] == "#!/bin/sh"
    assert "# The run was made by: pbpk run data/x --out y" in lines  # a line end cannot leave the comment
    commands = [shlex.split(line) for line in lines if line.startswith("pbpk")]
    assert [words[1] for words in commands] == ["run", "report", "package"]
    assert commands[0][2] == "study/my study"
    assert commands[1][-1] == "docx,pdf"


@pytest.mark.parametrize("name", ["together_with", "scaled"])
def test_a_study_fitted_with_others_is_not_run_alone(name):
    manifest = FULL | {"settings": FULL["settings"] | {name: ["other"]}}
    lines = script_of(manifest, steps_of(manifest)).splitlines()
    assert lines.index("exit 1") < next(i for i, line in enumerate(lines) if line.startswith("pbpk"))


def test_requirements_pin_everything():
    told = {"package": {"name": "pbpk", "version": "0.1.0"}, "dependencies": [{"name": "numpy", "version": "2.5.0"}]}
    assert requirements_of(told) == "pbpk==0.1.0\nnumpy==2.5.0\n"

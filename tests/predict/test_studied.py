"""What a study had, and what a scenario asks beyond it."""

import json
from dataclasses import replace

import pytest
from madeup import made_up

from pbpk.body.expansion import read_model
from pbpk.predict.scenario import Scenario, ScenarioDose
from pbpk.predict.studied import Studied, recorded, studied_by, told_by

MSC = read_model("msc", "mouse", "FND")
STUDIED = Studied("mouse", ("iv",), (1e6, 2e6), 1, 10.0, 72.0, (("lung", "total"),))
IV = Scenario("iv", "iv", "", (ScenarioDose(route="iv"),))


@pytest.mark.parametrize(
    ("scenario", "cells", "words"),
    [
        (IV, 1e6, ()),
        (IV, 2.01e6, ()),
        (IV, None, ()),
        (IV, 3e6, ("dose",)),
        (IV, 5e5, ("dose",)),
        (replace(IV, doses=(ScenarioDose(route="portal_vein"),)), 1e6, ("route",)),
        (replace(IV, doses=(ScenarioDose(route="iv", share=0.5, addl=1, interval_h=24.0),)), 1e6, ("schedule",)),
        (replace(IV, doses=(ScenarioDose(route="iv", interval_h=24.0, ss=1),)), 1e6, ("schedule",)),
        (replace(IV, doses=(ScenarioDose(route="iv", duration_min=10.0),)), 1e6, ()),
        (replace(IV, doses=(ScenarioDose(route="iv", duration_min=30.0),)), 1e6, ("infusion",)),
    ],
)
def test_what_lies_beyond_a_study(scenario, cells, words):
    assert STUDIED.beyond(scenario, cells) == words


def test_any_number_lies_beyond_a_study_that_says_none():
    assert replace(STUDIED, amounts=None).beyond(IV, 1e6) == ("dose",)
    assert replace(STUDIED, amounts=None).beyond(IV, None) == ()


@pytest.mark.parametrize(
    ("readouts", "told"),
    [
        (["label"], ["total"]),
        (["live"], ["live"]),
        (["dna", "label"], ["live", "label", "total"]),
        (["label", "live"], ["live", "label", "total"]),
    ],
)
def test_label_alone_tells_no_living_cells(readouts, told):
    assert told_by(MSC, readouts) == told


def test_a_study_tells_what_it_had(khot):
    found = studied_by(khot.joint)
    assert (found.species, found.routes, found.doses, found.minutes) == ("mouse", ("iv",), 1, 0.0)
    assert found.amounts == (2e7, 2e7)
    assert found.hours == khot.joint.counts.table["hours"].max()
    assert ("lung", "total") in found.measured
    assert ("lung", "live") not in found.measured


def test_a_manifest_brings_it_back(khot):
    kept = json.loads(json.dumps(recorded(khot.joint)))
    assert Studied.from_manifest(kept["studied"]) == studied_by(khot.joint)


def test_two_groups_of_other_doses(khot_folder, tmp_path):
    import shutil

    shutil.copytree(khot_folder, tmp_path / "two")
    doses = tmp_path / "two" / "doses.csv"
    head, first, *rest = doses.read_text().splitlines()
    columns = head.split(",")
    row = first.split(",")
    row[columns.index("cells")] = "5e5"
    second = list(row)
    second[columns.index("cells")] = "7e5"
    second[columns.index("hours")] = "1"
    doses.write_text("\n".join([head, ",".join(row), ",".join(second), *rest]) + "\n")
    found = studied_by(made_up(tmp_path / "two", draws=10).joint)
    assert found.amounts == (1.2e6, 1.2e6)
    assert found.doses == 2

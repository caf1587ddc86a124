"""What is taken away is what the command line would have written."""

import zipfile
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.image import imread
from parsed import parsed

from pbpk.predict.forecast import forecast_table
from pbpk.predict.scenario import read_scenarios
from pbpk.report.explore.answer import ask
from pbpk.report.explore.shown import Shown
from pbpk.report.explore.takeaway import NAMES, write_takeaway
from pbpk.share.tables import write_table


@pytest.fixture
def taken(answer, tmp_path):
    return lambda what, shown=Shown(): write_takeaway(what, answer, shown, tmp_path, write_table)  # noqa: B008


def test_tables_are_those_of_the_command(taken, answer, tmp_path):
    whole = write_table(forecast_table(answer.filed), tmp_path / "own.csv")
    assert taken("forecast").read_bytes() == whole.read_bytes()
    assert "portal_vein,iv_bolus" in taken("differences").read_text()
    assert "iv_bolus,portal_vein" in taken("differences", Shown(against="portal_vein")).read_text()
    assert taken("exposure").read_text().startswith("scenario,evidence,organ,state,parameter,value,low,high,unit")


def test_scenarios_travel_as_files_that_read_as_what_was_asked(taken, answer, tmp_path):
    path = taken("scenarios")
    first = path.read_bytes()
    with zipfile.ZipFile(path) as packed:
        packed.extractall(tmp_path / "scenarios")
    found = {scenario.name: replace(scenario, file=None) for scenario in read_scenarios(tmp_path / "scenarios")}
    assert found == {scenario.name: scenario for scenario in answer.scenarios}
    assert taken("scenarios").read_bytes() == first


def test_figure_and_report_are_drawn(taken):
    drawn = taken("figure_svg").read_text()
    parsed(drawn)
    assert "IV bolus" in drawn
    pixels = imread(taken("figure_png"))
    assert pixels.shape[1] > 1200
    assert len(np.unique(pixels)) > 20
    assert "Each scenario against iv_bolus" in taken("report").read_text()


def test_scenarios_called_alike_stay_apart(origin, starts, forms, tmp_path):
    found = ask(origin, [forms[0], replace(forms[0], dose="1e6")], starts)
    names = [scenario.name for scenario in found.scenarios]
    assert all(one != other for one, other in pairwise(names))
    drawn = write_takeaway("figure_svg", found, Shown(), tmp_path, write_table).read_text()
    assert all(f"({name})" in drawn for name in names)


def test_nothing_asked_is_told(origin, tmp_path):
    empty = ask(origin, [], {})
    assert {write_takeaway(what, empty, Shown(), tmp_path, write_table).read_text() for what in NAMES} == {
        "Nothing was asked.\n"
    }

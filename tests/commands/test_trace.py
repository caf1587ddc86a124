import json
from pathlib import Path

import pytest
from saying import say
from tracedrun import write_traced

KHOT = Path(__file__).parents[2] / "data" / "khot_2019_t_cells_mouse"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_traced(KHOT, tmp_path_factory.mktemp("trace") / "run")[0]


def test_a_printed_number_is_followed_to_its_measurements(run):
    said = say("trace", run, "2.6.5.5 liver 24 h")
    assert said.code == 0, said.err
    assert "counts.csv:" in said.out
    assert "measurements.csv:" in said.out
    assert "unit percent_dose" in said.out  # no line is cut at the width of a terminal


def test_a_source_is_followed_too_and_told_as_json(run):
    said = say("trace", run, "parameters.csv#parameter=loss_lung", "--json")
    assert said.code == 0, said.err
    assert "posterior.nc" in json.dumps(json.loads(said.out))


@pytest.mark.parametrize("words", ["7.1 los_lung", "counts.csv#organ=nose", "liver"])
def test_what_means_nothing_or_too_much_is_one_sentence(run, words):
    said = say("trace", run, words)
    assert said.code == 2
    assert said.err.startswith("pbpk: ")
    assert "Traceback" not in said.err

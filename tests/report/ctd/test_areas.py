import numpy as np
import pandas as pd
import pytest

from pbpk.report.ctd.areas import against, area_tables, areas_of, flags, source_of, value_of, with_error
from pbpk.report.document.blocks import Paragraph, Table
from pbpk.report.wording import number


def test_areas_have_standard_error_and_degrees_of_freedom(run_of):
    run = run_of("synthetic_fnd_mouse")
    table = next(block for block in area_tables(run) if isinstance(block, Table))
    row = areas_of(run)["iv", "lung", "label"]["AUClast"]
    lung = dict(zip(table.head, table.rows[0], strict=True))
    assert lung["Tissue"] == "lung"
    assert lung["AUC(0–t) ± SE"] == f"{number(row['value'])} ± {number(row['se'])}"
    assert lung["df"] == number(row["df"])
    assert lung["n"] == "25"
    assert table.source_of(0) == source_of(("iv", "lung", "label"))


def test_organs_below_their_limit_are_named(run_of):
    tables = [block for block in area_tables(run_of("synthetic_fnd_mouse")) if isinstance(block, Table)]
    said = [note for table in tables for note in table.notes if "most values are BLQ" in note]
    assert any("kidney" in note for note in said)


def test_no_area_is_said_to_be_none(run_of):
    (words,) = area_tables(run_of("zhuang_2021_fnd_msc_mouse"))
    assert isinstance(words, Paragraph)
    assert "three or more hours" in words.words


def test_a_number_that_is_not_stated_is_not_made_up(run_of):
    table = next(block for block in area_tables(run_of("barone_2018_fnd_rat")) if isinstance(block, Table))
    assert table.rows[0][1] == "–"
    assert table.rows[0][7] == "not reported"


def test_what_speaks_against_stands_below():
    tail = {"value": 1.0, "flag": "mean of 6 subjects; R2 of 0.5, below 0.9"}
    area = {"value": 2.0, "se": np.nan, "flag": np.nan}
    assert against(tail) == "R2 of 0.5, below 0.9"
    assert flags({("g", "gut", "label"): {"AUClast": area, "half_life": tail}}) == [
        "* Half-life: gut: R2 of 0.5, below 0.9."
    ]
    assert with_error(area) == "2.00"
    assert value_of({}, "Tlast") == "–"


@pytest.mark.parametrize("group", ["iv", "nobody"])
def test_areas_of_a_group(run_of, group):
    found = areas_of(run_of("khot_2019_t_cells_mouse"), group)
    assert bool(found) == (group == "iv")
    assert all(pd.notna(rows["AUClast"]["value"]) for rows in found.values())

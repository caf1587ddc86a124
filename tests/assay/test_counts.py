import math
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pbpk.assay.counts import COLUMNS, count_cells
from pbpk.assay.study import read_study
from pbpk.errors import StudyError

DATA = Path(__file__).parents[2] / "data"
KHOT = DATA / "khot_2019_t_cells_mouse"
HEADER = "group,animal,organ,hours,value,unit,sd,n,low,high,lloq,below_lloq,readout,source\n"


def counted(tmp_path, measurements, doses="iv,,0,2000,iv,0\n", weights="", tissues=""):
    """Counts of a small study written for one question."""
    (tmp_path / "study.toml").write_text(
        'title = "t"\nkind = "synthetic"\nspecies = "mouse"\nlabel = "FND"\ndenominator = "dose"\n'
        f'[product]\ncell_type = "x"\n[tissues]\n{tissues}\n'
        '[[groups]]\nname = "iv"\nroute = "iv"\n[[groups]]\nname = "late"\nroute = "iv"\n'
        '[[sources]]\nkey = "k"\ntext = "t"\n'
    )
    (tmp_path / "doses.csv").write_text("group,animal,hours,cells,route,duration_min\n" + doses)
    (tmp_path / "measurements.csv").write_text(HEADER + measurements)
    if weights:
        (tmp_path / "organ_weights.csv").write_text("group,animal,organ,weight_g\n" + weights)
    return count_cells(read_study(tmp_path))


def test_cells_are_percent_of_the_dose(tmp_path):
    table = counted(tmp_path, "iv,m1,lung,1,500,cells,,,,,,,label,\n", "iv,,0,1500,iv,0\niv,,2,500,iv,0\n").table
    assert table["percent"].tolist() == [25.0]
    assert list(table.columns) == COLUMNS
    assert table["n"].tolist() == [1]


def test_a_value_per_gram_takes_the_nearest_weight(tmp_path):
    rows = "".join(
        f"{group},{animal},lung,1,10,percent_dose_per_g,,,,,,,label,\n"
        for group, animal in [("iv", "m1"), ("iv", "m2"), ("late", "m1"), ("late", "m3")]
    )
    weights = "late,m1,lung,0.5\niv,m1,lung,0.1\niv,,lung,0.2\n,,lung,0.3\n"
    table = counted(tmp_path, rows, "iv,,0,9,iv,0\nlate,,0,9,iv,0\n", weights).table
    found = {(row.group, row.animal): row.percent for row in table.itertuples()}
    assert found == pytest.approx({("iv", "m1"): 1, ("iv", "m2"): 2, ("late", "m1"): 5, ("late", "m3"): 3})


def test_cells_per_gram_need_weight_and_dose(tmp_path):
    table = counted(tmp_path, "iv,,lung,1,500,cells_per_g,50,3,,,,,label,\n", weights=",,lung,0.2\n").table
    assert (table["percent"][0], table["sd"][0], table["n"][0]) == pytest.approx((5.0, 0.5, 3))


def test_ranges_and_limits_are_scaled_alike(tmp_path):
    rows = "iv,,lung,1,,cells,,3,200,400,,,label,\niv,m1,liver,1,,cells,,,,,60,true,label,\n"
    table = counted(tmp_path, rows).table.set_index("organ")
    assert (table.low["lung"], table.high["lung"]) == (10.0, 20.0)
    assert math.isnan(table.percent["lung"])
    assert table.lloq["liver"] == pytest.approx(3.0)
    assert table.below_lloq.tolist() == [True, False]


def test_tissues_of_one_organ_are_summed(tmp_path):
    rows = (
        "iv,,small,1,2,percent_dose,0.3,3,,,,,label,a\niv,,large,1,3,percent_dose,0.4,3,,,,,label,b\n"
        "iv,,small,5,2,percent_dose,,,,,,,label,c\niv,,skin,1,9,percent_dose,,,,,,,label,d\n"
    )
    counts = counted(tmp_path, rows, tissues='small = "gut"\nlarge = "gut"\nskin = "none"')
    assert len(counts.table) == 1
    row = counts.table.iloc[0]
    assert (row.organ, row.hours, row.percent, row.source) == ("gut", 1.0, 5.0, "a;b")
    assert row.sd == pytest.approx(0.5)
    assert counts.left_out == (
        "skin: 1 values left out, as [tissues] in study.toml says",
        "gut at 5 h: left out, large was not measured then",
    )


def test_animals_are_summed_each_for_itself(tmp_path):
    rows = "".join(
        f"iv,{animal},{tissue},1,{value},percent_dose,,,,,,,label,x\n"
        for animal, tissue, value in [("m1", "small", 1), ("m2", "small", 2), ("m1", "large", 10), ("m2", "large", 20)]
    )
    table = counted(tmp_path, rows, tissues='small = "gut"\nlarge = "gut"').table
    assert dict(zip(table["animal"], table["percent"], strict=True)) == {"m1": 11.0, "m2": 22.0}


def test_khot_sums_are_those_of_its_readme():
    """68.8, 92.0, 86.2, 48.2 and 42.9 % of the dose over the 14 weighed tissues."""
    table = count_cells(read_study(KHOT)).table
    sums = table.groupby("hours")["percent"].sum()
    np.testing.assert_allclose(sums, [68.8, 92.0, 86.2, 48.2, 42.9], atol=0.05)
    assert set(table["organ"]) == {"blood", "lung", "liver", "spleen", "kidney", "heart", "gut", "rest"}


def test_khot_by_hand():
    raw = pd.read_csv(KHOT / "measurements.csv").set_index(["organ", "hours"])["value"]
    weight = pd.read_csv(KHOT / "organ_weights.csv").set_index("organ")["weight_g"]
    table = count_cells(read_study(KHOT)).table.set_index(["organ", "hours"])["percent"]
    assert table["lung", 1.0] == pytest.approx(raw["lung", 1] * weight["lung"])
    both = sum(raw[part, 24] * weight[part] for part in ("small_intestine", "large_intestine"))
    assert table["gut", 24.0] == pytest.approx(both)


def test_the_order_of_rows_is_nothing(tmp_path):
    folder = Path(shutil.copytree(KHOT, tmp_path / "study"))
    head, *rows = (folder / "measurements.csv").read_text().splitlines()
    (folder / "measurements.csv").write_text("\n".join([head, *reversed(rows)]) + "\n")
    ours, theirs = (count_cells(read_study(path)).table.drop(columns="source") for path in (folder, KHOT))
    pd.testing.assert_frame_equal(ours, theirs)


@pytest.mark.parametrize(
    ("measurements", "more", "words"),
    [
        (
            "iv,,lung,1,5,percent_dose_per_g,,,,,,,label,\n",
            {},
            ["row 2", "`lung` is per gram", "add it to organ_weights.csv"],
        ),
        (
            "iv,,lung,1,5,cells,,,,,,,label,\n",
            {"doses": "iv,,0,,iv,0\n"},
            ["row 2", "the dose of `iv` is not known", "fill `cells`"],
        ),
        ("iv,,skin,1,5,percent_dose,,,,,,,label,\n", {"tissues": 'skin = "none"'}, ["no row is left", "[tissues]"]),
        (
            "iv,,small,1,5,percent_dose,,,,,,,label,\niv,,large,2,5,percent_dose,,,,,,,label,\n",
            {"tissues": 'small = "gut"\nlarge = "gut"'},
            ["never measured at the same hour"],
        ),
        (
            "iv,,small,1,,percent_dose,,,1,2,,,label,\niv,,large,1,5,percent_dose,,,,,,,label,\n",
            {"tissues": 'small = "gut"\nlarge = "gut"'},
            ["`gut` at 1 h", "one plain value each"],
        ),
        (
            "iv,,small,1,3,percent_dose,,,,,,,label,\niv,,large,1,0.5,percent_dose,,,,,1,true,label,\n",
            {"tissues": 'small = "gut"\nlarge = "gut"'},
            ["`gut` at 1 h", "one plain value each"],
        ),
        (
            "iv,,small,1,3,percent_dose,,,,,,,label,\n" * 2 + "iv,,large,1,5,percent_dose,,,,,,,label,\n",
            {"tissues": 'small = "gut"\nlarge = "gut"'},
            ["`gut` at 1 h", "repeats"],
        ),
    ],
    ids=[
        "no weight",
        "no dose",
        "nothing left",
        "never together",
        "range in a sum",
        "limit in a sum",
        "repeats in a sum",
    ],
)
def test_what_cannot_be_counted_is_said(tmp_path, measurements, more, words):
    with pytest.raises(StudyError) as refusal:
        counted(tmp_path, measurements, **more)
    said = str(refusal.value)
    assert said.startswith(str(tmp_path / "measurements.csv"))
    assert said.endswith(".")
    assert all(word in said for word in words), said


GAMMA = """
[readouts.gamma]
isotope = "In-111"
half_life_hours = 67.3
half_life_source = "a test"
background_counts = 1200
background_seconds = 600.0
standard_counts = 250000
standard_seconds = 60.0
standard_percent_dose = 1.0
standard_hours = 2.0
"""
QPCR = """
[readouts.qpcr]
copies_per_cell = { median = 2.0, sigma = 0.01, source = "a test" }
extraction_yield = { median = 0.6, sigma = 0.15, source = "a test" }
cv = { median = 0.15, sigma = 0.3, source = "a test" }
"""


def instrument_study(tmp_path, settings, rows, tissues=""):
    """Khot's folder with counts of an instrument in place of its numbers."""
    folder = Path(shutil.copytree(KHOT, tmp_path / "study"))
    text = (folder / "study.toml").read_text()
    start, end = text.index("[tissues]"), text.index("[[groups]]")
    (folder / "study.toml").write_text(text[:start] + f"[tissues]\n{tissues}\n" + settings + "\n" + text[end:])
    (folder / "measurements.csv").write_text(rows)
    (folder / "organ_weights.csv").unlink()
    return read_study(folder)


def test_halves_counted_apart_are_no_whole(tmp_path):
    rows = "group,animal,organ,hours,value,unit,seconds,counted_hours\n" + "".join(
        f"iv,m1,{organ},24,40000,counts,60,25\n" for organ in ("kidney_left", "kidney_right")
    )
    study = instrument_study(tmp_path, GAMMA, rows, 'kidney_left = "kidney"\nkidney_right = "kidney"')
    with pytest.raises(StudyError, match="`kidney` is made of kidney_left, kidney_right, each read by an instrument"):
        count_cells(study)


def test_copies_below_a_limit_have_no_value(tmp_path):
    rows = ("group,animal,organ,hours,value,unit,lloq,below_lloq,readout\n"
            "iv,m1,lung,24,3,copies,10,true,dna\niv,m2,lung,24,5000,copies,,false,dna\n")  # fmt: skip
    counts = count_cells(instrument_study(tmp_path, QPCR, rows, 'lung = "lung"'))
    limited = counts.table[counts.table["below_lloq"]].iloc[0]
    assert np.isnan(limited["percent"])
    assert limited["lloq"] == pytest.approx(100.0 * 10 / 2.0 / 0.6 / 2e7)
    assert len(counts.signals.rows) == 1


def test_numbers_and_readings_of_one_thing_are_kept_apart(tmp_path):
    rows = ("group,animal,organ,hours,value,unit,readout\n"
            "iv,m1,lung,24,5000,copies,dna\niv,m2,lung,24,3.0,percent_dose,dna\n")  # fmt: skip
    with pytest.raises(StudyError, match="lung at 24 h in `iv` is there as plain numbers and as readings"):
        count_cells(instrument_study(tmp_path, QPCR, rows, 'lung = "lung"'))

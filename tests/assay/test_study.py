"""The shipped studies against their sources, and what is said of a folder that is wrong."""

import csv
import hashlib
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.errors import StudyError

DATA = Path(__file__).parents[2] / "data"
STUDIES = sorted(path for path in DATA.iterdir() if path.is_dir())
KHOT, ZHUANG = DATA / "khot_2019_t_cells_mouse", DATA / "zhuang_2021_fnd_msc_mouse"
HUMAN = DATA / "gholamrezanezhad_2011_msc_human"
each_study = pytest.mark.parametrize("folder", STUDIES, ids=lambda folder: folder.name)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def sources(folder):
    """Rows as they were collected, by their id."""
    return {row["row"]: row for path in folder.glob("*source_rows.csv") for row in rows(path)}


def test_the_three_real_studies_are_there():
    assert {KHOT, ZHUANG, HUMAN} <= set(STUDIES)


@each_study
def test_a_shipped_study_reads(folder):
    study = read_study(folder)
    assert study.name == folder.name
    if study.readings:
        assert len(study.readings) == len(rows(folder / "wells.csv"))
    else:
        assert len(study.measurements) == len(rows(folder / "measurements.csv"))
    assert len(count_cells(study).table) > 0
    assert (study.about.kind == "synthetic") == ("synthetic" in folder.name) == ("SYNTHETIC" in study.about.title)
    assert all(group.name in {dose.group for dose in study.doses} for group in study.about.groups)


@each_study
def test_checksums_hold_and_cover_every_file(folder):
    lines = [line.split("  ") for line in (folder / "SHA256SUMS").read_text().splitlines()]
    named = [name for _, name in lines]
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS"]
    assert sorted(named) == sorted(path.as_posix() for path in files)
    for digest, name in lines:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name


@each_study
def test_hashes_are_those_of_the_files(folder):
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    files.pop("report.toml", None)  # an author's words have no say
    assert read_study(folder).hashes == {n: hashlib.sha256(p.read_bytes()).hexdigest() for n, p in files.items()}


@pytest.mark.parametrize("folder", [f for f in STUDIES if "synthetic" not in f.name], ids=lambda f: f.name)
def test_every_value_has_its_row_in_the_source(folder):
    known = sources(folder)
    for row in [*rows(folder / "measurements.csv"), *rows(folder / "doses.csv")]:
        assert row["source"]
        assert all(key in known for key in row["source"].split(";"))


def test_khot_has_the_numbers_of_its_source():
    known = sources(KHOT)
    for row in rows(KHOT / "measurements.csv"):
        source = known[row["source"]]
        assert (row["organ"], float(row["hours"]), row["value"]) == (
            source["organ"],
            float(source["time_h"]),
            source["value"],
        )
        assert source["unit"] == "%ID/g"
        assert row["unit"] == "percent_dose_per_g"


def test_the_human_ranges_are_the_smallest_and_largest_patient():
    known = sources(HUMAN)
    for row in rows(HUMAN / "measurements.csv"):
        low, high = (known[key] for key in row["source"].split(";"))
        assert (float(row["low"]), float(row["high"])) == (float(low["value"]), float(high["value"]))
        assert ("min" in low["error_kind"], "max" in high["error_kind"]) == (True, True)
        assert {row["organ"]} == {low["organ"], high["organ"]}
        assert {float(row["hours"])} == {float(low["time_h"]), float(high["time_h"])}


def test_zhuang_intervals_hold_their_statement():
    known = sources(ZHUANG)
    for row in rows(ZHUANG / "measurements.csv"):
        assert float(row["low"]) <= float(known[row["source"]]["value"]) <= float(row["high"])


def test_khot_areas_are_the_printed_ones_within_seven_percent():
    curves = {}
    for row in rows(KHOT / "measurements.csv"):
        curves.setdefault(row["organ"], []).append((float(row["hours"]), float(row["value"])))
    printed = {row["organ"]: float(row["auc"]) for row in rows(KHOT / "published_auc.csv")}
    assert set(printed) == set(curves)
    complete = [organ for organ, curve in curves.items() if [hours for hours, _ in curve] == [1, 24, 72, 168, 336]]
    assert len(complete) == 17
    for organ in complete:
        hours, value = np.array(sorted(curves[organ])).T
        assert np.trapezoid(value, hours) == pytest.approx(printed[organ], rel=0.07), organ


def test_khot_printed_areas_are_those_of_its_source():
    known = sources(KHOT)
    for row in rows(KHOT / "published_auc.csv"):
        source = known[row["source"]]
        assert (row["organ"], float(row["auc"]), float(row["error"])) == (
            *(source["organ"], float(source["value"]), float(source["error"])),
        )


def test_khot_weights_are_volumes_of_their_source():
    known = sources(KHOT)
    for row in rows(KHOT / "organ_weights.csv"):
        keys = re.findall(r"physiology:\d+", row["source"])
        assert keys or row["organ"] == "tumor"
        if keys:
            total = sum(float(known[key]["value"]) for key in keys)
            assert float(row["weight_g"]) == pytest.approx(total, rel=1e-9), row["organ"]


@pytest.fixture
def folder(tmp_path):
    """Copy of a study to break: per-gram group means, weights, tissues."""
    return Path(shutil.copytree(KHOT, tmp_path / "study"))


def edited(folder, file, old, new):
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def refused(folder, file, words):
    with pytest.raises(StudyError) as refusal:
        count_cells(read_study(folder))
    said = str(refusal.value)
    assert said.startswith(f"{folder / file}: "), said
    assert said.endswith((".", "?")), said
    assert "\n" not in said
    assert all(word in said for word in words), said


HEADER = "group,animal,organ,hours,value,unit,sd,n,low,high,lloq,below_lloq,readout,source"
FIRST = "iv,,blood,1,1.573,percent_dose_per_g,,3,,,,,label,khot_2019:1"
WRONG_ROWS = {
    "unknown group": (FIRST.replace("iv", "vi"), ["row 2", "the group `vi` is not in study.toml", "Choose from `iv`"]),
    "unknown organ": (
        FIRST.replace("blood", "blod"),
        ["row 2", "`blod` is not under [tissues]", "Did you mean `blood`?"],
    ),
    "negative value": (
        FIRST.replace("1.573", "-1.573"),
        ["row 2", "`value` is `-1.573`", "greater than or equal to 0"],
    ),
    "negative hour": (FIRST.replace(",1,", ",-1,", 1), ["row 2", "`hours` is `-1`", "greater than or equal to 0"]),
    "text": (FIRST.replace("1.573", "many"), ["row 2", "`value` is `many`", "valid number"]),
    "decimal comma": (FIRST.replace("1.573", '"1,573"'), ["row 2", "`value` is `1,573`", "valid number"]),
    "nan": (FIRST.replace("1.573", "nan"), ["row 2", "`value` is `nan`", "finite"]),
    "NA": (FIRST.replace("1.573", "NA"), ["row 2", "`value` is `NA`", "valid number"]),
    "infinite": (FIRST.replace("1.573", "inf"), ["row 2", "`value` is `inf`", "finite"]),
    "too large": (FIRST.replace("1.573", "1e999"), ["row 2", "`value` is `1e999`", "finite"]),
    "infinite hour": (FIRST.replace(",1,", ",inf,", 1), ["row 2", "`hours` is `inf`", "finite"]),
    "no value": (FIRST.replace("1.573", ""), ["row 2", "give either `value`, or both `low` and `high`"]),
    "no hour": (FIRST.replace(",1,", ",,", 1), ["row 2", "`hours` is missing"]),
    "wrong unit": (
        FIRST.replace("percent_dose_per_g", "percent_dose_per_mg"),
        ["row 2", "unknown unit `percent_dose_per_mg`", "Did you mean `percent_dose_per_g`?"],
    ),
    "value and range": (FIRST.replace(",3,,,", ",3,1,2,"), ["row 2", "give either `value`, or both `low` and `high`"]),
    "value and low": (FIRST.replace(",3,,,", ",3,1,,"), ["row 2", "give either `value`, or both `low` and `high`"]),
    "value and high": (FIRST.replace(",3,,,", ",3,,9,"), ["row 2", "give either `value`, or both `low` and `high`"]),
    "only low": (
        FIRST.replace("1.573", "").replace(",3,,,", ",3,1,,"),
        ["row 2", "give either `value`, or both `low` and `high`"],
    ),
    "low above high": (
        FIRST.replace("1.573", "").replace(",3,,,", ",3,3,2,"),
        ["row 2", "`low` 3 is not below `high` 2"],
    ),
    "low is high": (FIRST.replace("1.573", "").replace(",3,,,", ",3,2,2,"), ["row 2", "`low` 2 is not below `high` 2"]),
    "sd without n": (FIRST.replace(",,3,,", ",0.2,,,"), ["row 2", "`sd` needs `n`"]),
    "sd of one": (FIRST.replace(",,3,,", ",0.2,1,,"), ["row 2", "`sd` needs `n`", "at least 2"]),
    "sd of one animal": (
        FIRST.replace("iv,,", "iv,m1,").replace(",,3,,", ",0.2,3,,"),
        ["row 2", "`sd` belongs to a group's mean"],
    ),
    "sd of a range": (FIRST.replace("1.573", "").replace(",,3,,,", ",0.2,3,1,2,"), ["row 2", "`sd`"]),
    "negative sd": (FIRST.replace(",,3,,", ",-0.2,3,,"), ["row 2", "`sd` is `-0.2`"]),
    "no animals": (FIRST.replace(",,3,,", ",,0,,"), ["row 2", "`n` is `0`"]),
    "half an animal": (FIRST.replace(",,3,,", ",,2.5,,"), ["row 2", "`n` is `2.5`"]),
    "below no limit": (FIRST.replace(",,,,label", ",,,true,label"), ["row 2", "`lloq` must say what the limit was"]),
    "perhaps below": (FIRST.replace(",,,,label", ",,0.1,maybe,label"), ["row 2", "`below_lloq` is `maybe`"]),
    "one cell too many": (FIRST + ",extra", ["row 2", "cells"]),
    "one cell too few": (FIRST.rpartition(",")[0], ["row 2", "cells"]),
}


@pytest.mark.parametrize(("row", "words"), WRONG_ROWS.values(), ids=WRONG_ROWS)
def test_a_wrong_row_is_refused_in_words(folder, row, words):
    assert row != FIRST
    edited(folder, "measurements.csv", FIRST, row)
    refused(folder, "measurements.csv", words)


def test_an_empty_row_is_refused_so_that_rows_keep_their_numbers(folder):
    edited(folder, "measurements.csv", "iv,,blood,24,0.263", "\niv,,blood,24,-0.263")
    refused(folder, "measurements.csv", ["row 3 is empty; remove it"])


def test_empty_lines_at_the_end_are_nothing(folder):
    path = folder / "measurements.csv"
    path.write_text(path.read_text() + "\n\n")
    assert len(read_study(folder).measurements) == 93


WRONG_FILES = {
    "missing column": (
        "measurements.csv",
        lambda text: re.sub(",(hours|1),", ",", text),
        ["the column `hours` is missing"],
    ),
    "unknown column": (
        "measurements.csv",
        lambda text: text.replace("organ,", "orgn,", 1),
        ["unknown column `orgn`", "Did you mean `organ`?"],
    ),
    "same column twice": ("measurements.csv", lambda text: text.replace("sd,n", "value,n", 1), ["`value`", "twice"]),
    "semicolons": ("measurements.csv", lambda text: text.replace(",", ";"), ["comma"]),
    "tabs": ("measurements.csv", lambda text: text.replace(",", "\t"), ["comma"]),
    "empty": ("measurements.csv", lambda _: "", ["the file is empty"]),
    "empty lines": ("measurements.csv", lambda _: "\n\n", ["the file is empty"]),
    "header only": ("measurements.csv", lambda _: HEADER + "\n", ["no rows under its header"]),
    "open quote": (
        "measurements.csv",
        lambda text: text.replace("blood", '"blood', 1) + "x" * 200_000,
        ["close every quote"],
    ),
    "no doses": ("doses.csv", lambda text: text.splitlines()[0], ["no rows under its header"]),
    "negative dose": ("doses.csv", lambda text: text.replace("20000000", "-2"), ["row 2", "`cells` is `-2`"]),
    "dose of nobody": (
        "doses.csv",
        lambda text: text.replace("\niv", "\nvi"),
        ["row 2", "the group `vi` is not in study.toml"],
    ),
    "other route": (
        "doses.csv",
        lambda text: text.replace(",iv,0,", ",artery,0,"),
        ["row 2", "the route is `artery`, study.toml says `iv`", "make them agree"],
    ),
    "weightless organ": (
        "organ_weights.csv",
        lambda text: text.replace("0.204", "0"),
        ["row 3", "`weight_g` is `0`", "greater than 0"],
    ),
    "weight of nobody": (
        "organ_weights.csv",
        lambda text: text.replace("\niv,", "\nvi,", 1),
        ["row 2", "the group `vi` is not in study.toml"],
    ),
    "wrong key": (
        "study.toml",
        lambda text: text.replace("denominator", "denominater"),
        ["unknown key `denominater`", "Did you mean `denominator`?"],
    ),
    "wrong nested key": ("study.toml", lambda text: text.replace("cell_type", "celltype"), ["`product.c"]),
    "wrong choice": (
        "study.toml",
        lambda text: text.replace('"real"', '"reel"'),
        ["`kind` is `reel`", "Did you mean `real`?"],
    ),
    "no denominator": (
        "study.toml",
        lambda text: text.replace('denominator = "dose"\n', ""),
        ["`denominator` is missing; add it"],
    ),
    "no harvest": ("study.toml", lambda text: text.replace('= "dose"', '= "recovered"'), ["needs `harvested`"]),
    "no groups": (
        "study.toml",
        lambda text: text[: text.index("[[groups]]")] + text[text.index("[[sources]]") :],
        ["`groups` is missing"],
    ),
    "groups alike": (
        "study.toml",
        lambda text: text.replace("[[groups]]", '[[groups]]\nname = "iv"\nroute = "artery"\n\n[[groups]]'),
        ["`iv`", "twice"],
    ),
    "not toml": (
        "study.toml",
        lambda text: text.replace('kind = "real"', "kind = real"),
        ["not readable as TOML", "line"],
    ),
    "viability": (
        "study.toml",
        lambda text: text.replace("[product]", "[product]\nviability = 85"),
        ["`product.viability` is `85`"],
    ),
}


@pytest.mark.parametrize(("file", "change", "words"), WRONG_FILES.values(), ids=WRONG_FILES)
def test_a_wrong_file_is_refused_in_words(folder, file, change, words):
    path = folder / file
    text = change(path.read_text())
    assert text != path.read_text()
    path.write_text(text)
    refused(folder, file, words)


@pytest.mark.parametrize("file", ["measurements.csv", "doses.csv", "organ_weights.csv", "study.toml"])
def test_text_that_is_not_utf8_is_refused_in_words(folder, file):
    path = folder / file
    path.write_bytes(path.read_bytes() + "µg".encode("latin-1"))
    refused(folder, file, ["not readable as"])


@pytest.mark.parametrize("file", ["measurements.csv", "doses.csv", "study.toml"])
def test_a_missing_file_is_said(folder, file):
    (folder / file).unlink()
    refused(folder, file, ["there is no such file"])


@pytest.mark.parametrize("file", ["measurements.csv", "study.toml"])
def test_a_byte_order_mark_is_no_text(folder, file):
    path = folder / file
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(read_study(folder).measurements) == 93


def test_windows_line_ends_are_no_text(folder):
    plain = read_study(folder)
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_study(folder).measurements == plain.measurements
    assert read_study(folder).doses == plain.doses


def test_a_group_that_was_measured_but_never_dosed_is_refused(folder):
    edited(folder, "study.toml", "[[groups]]", '[[groups]]\nname = "other"\nroute = "iv"\n\n[[groups]]')
    edited(folder, "measurements.csv", FIRST, FIRST.replace("iv", "other", 1))
    refused(folder, "measurements.csv", ["row 2", "the group `other` was measured but", "add it to doses.csv"])


def test_an_animal_that_was_measured_but_never_dosed_is_refused(folder):
    edited(folder, "doses.csv", "iv,,", "iv,m1,")
    edited(folder, "measurements.csv", FIRST, FIRST.replace("iv,,", "iv,m2,"))
    refused(folder, "measurements.csv", ["row 2", "m2", "doses.csv"])


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(StudyError, match=r"absent: there is no such folder\."):
        read_study(tmp_path / "absent")


def test_what_is_written_about_a_study_has_no_say(tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(KHOT, folder)
    before = read_study(folder).hashes
    for name in ("report.toml", "plan.json", "plan-1.json", "plan-12.json"):
        (folder / name).write_text("anything")
    assert read_study(folder).hashes == before
    for name in ("plan-b.json", "my_report.toml", "plan.json.bak"):
        (folder / name).write_text("anything")
        assert name in read_study(folder).hashes


def test_a_study_may_be_read_before_anything_was_measured(tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(KHOT, folder)
    (folder / "measurements.csv").unlink()
    with pytest.raises(StudyError, match=r"measurements\.csv: there is no such file"):
        read_study(folder)
    found = read_study(folder, unmeasured=True)
    assert found.measurements == ()
    assert found.doses

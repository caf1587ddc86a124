import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from killed import domains, killed_rows, write_killed

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.errors import ShareError
from pbpk.predict.exposure import exposure
from pbpk.share.send.domains import EXPECTED, SETS, domains_of, parted
from pbpk.share.send.rules import check_rules
from pbpk.share.send.terms import read_terms
from pbpk.share.xpt import LONGEST_TEXT, ascii_text, write_xpt

STUDIES = ["barone_2018_fnd_rat", "boeckmann_1994_theophylline_human", "gholamrezanezhad_2011_msc_human",
           "khot_2019_t_cells_mouse", "kwan_1976_indomethacin_human", "zhuang_2021_fnd_msc_mouse"]  # fmt: skip


@pytest.fixture(scope="module", params=[*STUDIES, "synthetic_fnd_mouse"])
def shipped(request, synthetic):
    return synthetic if request.param == "synthetic_fnd_mouse" else domains(f"data/{request.param}")


def test_shipped_studies_break_no_rule_and_are_written(shipped, tmp_path):
    assert check_rules({name: each.table for name, each in shipped.items()}) == []
    for name, each in shipped.items():
        path = write_xpt(each.table, tmp_path, name, each.label, each.labels).path
        found = pd.read_sas(path, format="xport", encoding="ascii")
        assert list(found.columns) == list(each.table.columns)
        assert len(found) == len(each.table)


def test_keys_tell_records_apart_and_variables_have_their_order(shipped):
    known = {name: [each.variable for each in variables] for name, variables in read_terms().variables.items()}
    for name, each in shipped.items():
        columns = [column for column in each.table.columns if not column[5:].isdigit() or name != "TS"]
        assert columns == [variable for variable in known[name] if variable in columns]
        keys = [key for key in each.keys if key in each.table]
        assert not each.table[keys].duplicated().any(), (name, keys)
        for variable in each.variables:
            values = each.table[variable.variable]
            empty = values.isna().all() or (values == "").all()
            assert not empty or variable.mandatory or variable.variable in EXPECTED | {"POOLID"}


def test_records_refer_to_records_that_are_there(shipped):
    animals = set(shipped["DM"].table["USUBJID"]) if "DM" in shipped else set()
    pools = set(shipped["POOLDEF"].table["POOLID"]) if "POOLDEF" in shipped else set()
    for name, each in shipped.items():
        table = each.table
        if "USUBJID" in table:
            assert set(table["USUBJID"]) - {""} <= animals, name
        if "POOLID" in table:
            assert set(table["POOLID"]) - {""} <= pools, name
        for row in table.to_dict("records") if name.startswith("SUPP") else ():
            about = shipped[row["RDOMAIN"]].table
            who = about[(about["USUBJID"] == row["USUBJID"]) & (about.get("POOLID", "") == row.get("POOLID", ""))]
            assert row["IDVAR"] == "" or int(row["IDVARVAL"]) in set(who[row["IDVAR"]])
    assert set(shipped) <= set(SETS)


def test_text_that_is_too_long_goes_on(tmp_path):
    cells = " ".join(f"word{i}" for i in range(60))
    folder = write_killed(tmp_path / "study")
    text = (folder / "study.toml").read_text().replace('cell_type = "none"', f'cell_type = "{cells}"')
    title = "x" * 450
    (folder / "study.toml").write_text(text.replace("SYNTHETIC: made up for a test", title))
    sets = domains(folder)
    first, more = sets["EX"].table, sets["SUPPEX"].table
    assert (first["EXTRT"].str.len() <= LONGEST_TEXT).all()
    own = more[more["USUBJID"] == "study-m00"]
    assert list(own["QNAM"]) == ["EXTRT1", "EXTRT2"]
    assert " ".join([first["EXTRT"].iloc[0], *own["QVAL"]]) == cells
    summary = sets["TS"].table
    row = summary[summary["TSPARMCD"] == "STITLE"].iloc[0]
    assert row["TSVAL"] + row["TSVAL1"] + row["TSVAL2"] == title
    assert sets["TS"].labels["TSVAL2"] == "Parameter Value 2"
    for name, each in sets.items():
        write_xpt(each.table, tmp_path, name, each.label, each.labels)


@settings(deadline=None)
@given(st.text("ab µ±é", max_size=700))
def test_no_word_is_lost_where_text_is_parted(text):
    parts = parted(text)
    assert all(len(ascii_text(part)) <= LONGEST_TEXT for part in parts)
    assert "".join(parts).replace(" ", "") == text.replace(" ", "")
    assert (len(parts) == 1) == (len(ascii_text(text)) <= LONGEST_TEXT)


def test_profiles_are_related_to_their_values(tmp_path):
    sets = domains(write_killed(tmp_path / "study"))
    related = sets["RELREC"].table
    assert list(related["RDOMAIN"]) == ["PC", "PP"]
    groups = {name: set(sets[name].table[f"{name}GRPID"]) for name in ("PC", "PP")}
    assert groups["PP"] == groups["PC"]


def test_a_repeated_value_is_a_finding_and_not_lost(tmp_path):
    rows = killed_rows()
    sets = domains(write_killed(tmp_path / "study", [*rows, rows[0]]))
    assert len(sets["PC"].table) == len(rows) + 1
    found = check_rules({name: each.table for name, each in sets.items()})
    assert {each.rule for each in found} == {"CORE-000475"}


def test_a_flag_that_is_too_long_goes_on_beside_it(tmp_path):
    counts = count_cells(read_study(write_killed(tmp_path / "study")))
    flag = " ".join(f"reason{i}" for i in range(40))
    told = domains_of(counts, exposure(counts).assign(flag=flag))["SUPPPP"].table
    assert (told["QVAL"].str.len() <= LONGEST_TEXT).all()
    parts = told[told["QNAM"].str.startswith("PPFLAG")].groupby(["POOLID", "IDVARVAL"])
    assert len(parts) > 10
    for _, own in parts:
        assert list(own["QNAM"]) == ["PPFLAG", "PPFLAG1"]
        assert " ".join(own["QVAL"]) == flag


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("m00", "m" * 250, "column `USUBJID`"), ("m00", "小鼠", "column `USUBJID`"), ("m00", "m01 ", None),
     ("m00", "Mü", None), ("600000.0", "5e78", "column `PCSTRESN`"), ("600000.0", "1e-300", None)],
)  # fmt: skip
def test_a_hostile_study_is_refused_with_the_place_or_written(tmp_path, old, new, said):
    folder = write_killed(tmp_path / "study")
    file = folder / "measurements.csv"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    sets = domains(folder)

    def write():
        for name, each in sets.items():
            write_xpt(each.table, tmp_path, name, each.label, each.labels)

    if said is None:
        write()
    else:
        with pytest.raises(ShareError, match=said):
            write()

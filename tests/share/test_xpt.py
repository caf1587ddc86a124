import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pbpk.errors import ShareError
from pbpk.share.xpt import LARGEST, SMALLEST, STAMP, STAMPS, ascii_text, write_xpt


def back(path):
    """The table as pandas and as pyreadstat read it, once both agree."""
    ours = pd.read_sas(path, format="xport", encoding="ascii")
    theirs, about = pyreadstat.read_xport(str(path))
    assert list(ours.columns) == list(theirs.columns) == about.column_names
    for name in ours:
        if ours[name].dtype == float:
            zero = ours[name].abs() == SMALLEST  # pandas 3 reads a zero so
            np.testing.assert_array_equal(ours[name].mask(zero & (theirs[name] == 0.0), 0.0), theirs[name])
        else:
            assert list(ours[name].fillna("")) == list(theirs[name])
    return theirs, about


def refused(values, tmp_path):
    with pytest.raises(ShareError) as said:
        write_xpt(pd.DataFrame({"A": pd.Series(values, dtype=object)}), tmp_path, "PC", "l")
    message = str(said.value)
    assert message.isascii()
    assert message.endswith(".")
    return message


def test_a_table_comes_back_with_its_names_labels_and_missing_values(tmp_path):
    table = pd.DataFrame({"NAME": ["a", None, "c d"], "VALUE": [0.1, np.nan, 1 / 3], "EMPTY": ["", None, ""],
                          "NONE": [np.nan] * 3, "COUNT": pd.array([1, None, 3], dtype="Int64")})  # fmt: skip
    labels = {"NAME": "The Name", "VALUE": "x" * 40}
    written = write_xpt(table, tmp_path, "PC", "Concentrations", labels)
    assert written.path.name == "pc.xpt"
    assert written.changes == ()
    found, about = back(written.path)
    assert about.table_name == "PC"
    assert about.file_label == "Concentrations"
    assert about.column_labels[:2] == ["The Name", "x" * 40]
    assert list(found["NAME"]) == ["a", "", "c d"]
    assert list(found["EMPTY"]) == [""] * 3
    np.testing.assert_array_equal(found["VALUE"], table["VALUE"])
    np.testing.assert_array_equal(found["NONE"], [np.nan] * 3)
    np.testing.assert_array_equal(found["COUNT"], [1, np.nan, 3])


def test_the_file_is_of_version_5_whole_records_and_the_same_bytes(tmp_path):
    table = pd.DataFrame({"A": [1.0], "B": ["x"]})
    folders = [tmp_path / name for name in "ab"]
    files = []
    for folder in folders:
        folder.mkdir()
        files.append(write_xpt(table, folder, "EX", "Exposure").path.read_bytes())
    assert files[0] == files[1]
    assert files[0].startswith(b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!")  # LIBV8 in version 8
    assert len(files[0]) % 80 == 0
    assert all(files[0][start : start + 16] == STAMP for start in STAMPS)


@pytest.mark.parametrize("name", ["", "1A", "A B", "TOOLONGNAME", "É", "A-B", 7, "ı", "ß"])
def test_a_name_that_the_format_does_not_allow_is_refused(tmp_path, name):
    with pytest.raises(ShareError, match=r"a name has at most 8 of A-Z"):
        write_xpt(pd.DataFrame({name: [1.0]}), tmp_path, "PC", "l")
    with pytest.raises(ShareError, match=r"the data set is named"):
        write_xpt(pd.DataFrame({"A": [1.0]}), tmp_path, name, "l")
    assert not list(tmp_path.iterdir())


def test_lower_case_is_raised_and_told(tmp_path):
    written = write_xpt(pd.DataFrame({"dose": [1.0]}), tmp_path, "ex", "l", {"dose": "Dose"})
    assert [(each.before, each.after) for each in written.changes] == [("dose", "DOSE")]
    assert back(written.path)[1].column_labels == ["Dose"]
    with pytest.raises(ShareError, match="two variables are named `DOSE`"):
        write_xpt(pd.DataFrame({"dose": [1.0], "DOSE": [2.0]}), tmp_path, "ex", "l")


def test_labels_of_41_bytes_are_refused(tmp_path):
    table = pd.DataFrame({"A": [1.0]})
    with pytest.raises(ShareError, match=r"label of `A` has 41 bytes"):
        write_xpt(table, tmp_path, "PC", "l", {"A": "x" * 41})
    with pytest.raises(ShareError, match=r"label of the data set has 41 bytes"):
        write_xpt(table, tmp_path, "PC", "é" * 41)


def test_text_of_200_bytes_is_kept_and_of_201_refused(tmp_path):
    written = write_xpt(pd.DataFrame({"A": ["x" * 200]}), tmp_path, "PC", "l")
    assert list(back(written.path)[0]["A"]) == ["x" * 200]
    assert "row 2, column `A`: the text has 300 bytes" in refused(["x", "x" * 300], tmp_path)
    assert "has 201 bytes" in refused(["…" * 67], tmp_path)  # of 67 signs


@pytest.mark.parametrize("value", [1e75, -1e75, 1e308, 5e-79, 5e-324, -1e-80, float("inf"), 2**53 + 1, 10**400])
def test_a_number_that_the_format_does_not_hold_is_refused_with_its_row(tmp_path, value):
    assert "row 2, column `A`" in refused(pd.Series([1.0, value], dtype=object), tmp_path)


def test_numbers_at_the_ends_of_the_range_come_back(tmp_path):
    values = [LARGEST, -LARGEST, SMALLEST, -SMALLEST, 0.0, -0.0, 2**53, 1e9]
    found = back(write_xpt(pd.DataFrame({"A": values}), tmp_path, "PC", "l").path)[0]
    np.testing.assert_array_equal(found["A"], values)


@pytest.mark.parametrize("values", [[True, False], ["a", 1.0], [b"a"], [pd.Timestamp("2026-01-01")], [[1]]])
def test_what_is_neither_text_nor_number_is_refused(tmp_path, values):
    assert "column `A`" in refused(pd.Series(values, dtype=object), tmp_path)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("Müller", "Muller"), ("5 µg ± 2", "5 ug +/- 2"), ("10² cells", "10^2 cells"), ("a\tb\nc", "a b c"),
     ("x ≠ y", "x != y"), ("1½", "1 1/2"), ("pig  ", "pig"), ("Ångström", "Angstrom"), (" pig", " pig")],
)  # fmt: skip
def test_text_is_spelled_in_ascii(text, plain):
    assert ascii_text(text) == plain


@pytest.mark.parametrize("text", ["鼠", "\x00", "😀", "a\u0338b", "10²⁷", "\x7f", "\ud800", "≮"])
def test_a_sign_without_a_spelling_is_refused(tmp_path, text):
    assert "has no spelling in ASCII" in refused([text], tmp_path)


def test_texts_that_would_become_alike_are_refused(tmp_path):
    assert "would both be written as" in refused(["Müller", "Muller"], tmp_path)
    assert "would both be written as" in refused(["pig", "pig "], tmp_path)


def test_a_table_without_rows_or_with_an_empty_end_is_refused(tmp_path):
    with pytest.raises(ShareError, match="no rows or no columns"):
        write_xpt(pd.DataFrame({"A": pd.Series([], dtype=float)}), tmp_path, "PC", "l")
    with pytest.raises(ShareError, match="row 2 is the last and empty"):
        write_xpt(pd.DataFrame({"A": ["a", ""]}), tmp_path, "PC", "l")


@pytest.mark.parametrize("rows", range(1, 45))
def test_no_row_is_lost_or_added_where_rows_are_short(tmp_path, rows):
    table = pd.DataFrame({"A": ["", "x"] * 22, "B": ["y", " " * 15 + "z"] * 22}).head(rows)
    found = back(write_xpt(table, tmp_path, "PC", "l").path)[0]
    pd.testing.assert_frame_equal(found, table, check_dtype=False)


words = st.one_of(st.text(max_size=12), st.text("aé µ\n±²", max_size=220), st.none())
numbers = st.one_of(st.floats(), st.integers(), st.none())
columns = st.one_of(st.lists(words, min_size=3, max_size=3), st.lists(numbers, min_size=3, max_size=3))
names = st.one_of(st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,8}\Z"), st.text(max_size=9))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(names, columns, min_size=1, max_size=4), st.text(max_size=42))
def test_any_table_is_refused_in_a_sentence_or_comes_back(tmp_path, table, label):
    frame = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in table.items()})
    try:
        written = write_xpt(frame, tmp_path, "PC", label, dict.fromkeys(frame, label))
    except ShareError as problem:
        said = str(problem)
    else:
        said = ""
    if said:
        assert said.isascii()
        assert said.endswith(".")
        return
    found, about = back(written.path)
    assert set(about.column_labels) == {ascii_text(label) or None}
    changed = {(each.variable, each.row): (each.before, each.after) for each in written.changes}
    for name, values in table.items():
        for row, (value, read) in enumerate(zip(values, found[name.upper()], strict=True), start=1):
            if isinstance(value, str):
                assert (value, read) == changed.get((name.upper(), row), (value, value))
                assert read == ascii_text(value)
            elif value is None or value != value:
                assert read == "" or read != read
            else:
                assert read == value

"""Tables of light in windows: whose they are, that windows hold the same samples, and that few are held at a time."""

import tracemalloc

import h5py
import numpy as np
import pandas as pd
import pytest

from pbpk.assay.light import windows
from pbpk.assay.light.windows import Span, joined, read_light, read_spans
from pbpk.errors import StudyError

KINDS = ["csv", "parquet", "h5"]
WELLS = {("p1", "A1"): 90, ("p1", "A2"): 250, ("p2", "A1"): 40}


def samples(rows, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"seconds": np.arange(rows) / 100.0, "light": rng.random(rows), "field_mt": rng.random(rows)})


def write(folder, kind, tables, mixed=False):
    """One table of several wells, one after the other or sorted by time."""
    path = folder / f"all.{kind}"
    if kind == "h5":
        with h5py.File(path, "w") as file:
            for key, table in tables.items():
                for column in table:
                    file["/".join((*key, column))] = table[column].to_numpy()
        return path
    long = pd.concat([table.assign(plate=plate, well=well) for (plate, well), table in tables.items()])
    if mixed:
        long = long.sort_values("seconds", kind="stable")
    if kind == "csv":
        long.to_csv(path, index=False)
    else:
        long.to_parquet(path, row_group_size=64)
    return path


@pytest.fixture
def tables():
    return {key: samples(rows, i) for i, (key, rows) in enumerate(WELLS.items())}


@pytest.mark.parametrize("held", [10_000, 100])
@pytest.mark.parametrize("window", [10_000, 100, 33])
@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_windows_hold_what_was_written(tmp_path, monkeypatch, tables, kind, mixed, window, held):
    path = write(tmp_path, kind, tables, mixed)
    monkeypatch.setattr(windows, "WINDOW", window)
    monkeypatch.setattr(windows, "HELD", held)
    spans = read_spans(path)
    assert {key: span.number for key, span in spans.items()} == WELLS
    found = dict(read_light(path, spans))
    assert set(found) == set(WELLS)
    for key, table in tables.items():
        for _ in range(2):  # light is read several times
            read = list(found[key]())
            assert max(part[0].size for part in read) <= window
            seconds, light, field, laser = joined(read)
            np.testing.assert_allclose(np.stack([seconds, light, field], axis=1), table)
            assert laser is None


def test_only_wells_that_are_asked_for_are_read(tmp_path, tables):
    path = write(tmp_path, "parquet", tables)
    key = ("p1", "A2")
    ((found, light),) = read_light(path, {key: read_spans(path)[key]})
    assert found == key
    assert joined([*light()])[0].size == WELLS[key]


def test_a_well_named_by_digits_keeps_its_zeros(tmp_path):
    samples(20).assign(plate=7, well=["01"] * 8 + ["1"] * 12).to_csv(tmp_path / "a.csv", index=False)
    assert {key: span.number for key, span in read_spans(tmp_path / "a.csv").items()} == {
        ("7", "01"): 8,
        ("7", "1"): 12,
    }


def test_rows_of_wells_are_counted(tmp_path, tables):
    assert read_spans(write(tmp_path, "csv", tables)) == {
        ("p1", "A1"): Span(0, 89, 90),
        ("p1", "A2"): Span(90, 339, 250),
        ("p2", "A1"): Span(340, 379, 40),
    }


def test_a_table_may_say_no_plate_or_nothing(tmp_path):
    samples(20).assign(well=[1] * 8 + [2] * 12).to_parquet(tmp_path / "a.parquet")
    assert {key: span.number for key, span in read_spans(tmp_path / "a.parquet").items()} == {
        ("", "1"): 8,
        ("", "2"): 12,
    }
    samples(20).to_csv(tmp_path / "a.csv", index=False)
    (key,) = spans = read_spans(tmp_path / "a.csv")
    assert key == ("", "")
    ((_, light),) = read_light(tmp_path / "a.csv", spans)
    assert joined([*light()])[0].size == 20


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_trace_is_never_held_whole(tmp_path, monkeypatch, kind):
    """Twenty times the samples, the same memory, give or take what is known of row groups; Arrow counts its own."""
    monkeypatch.setattr(windows, "WINDOW", 2_000)
    peaks = []
    for rows in (6_000, 120_000):
        folder = tmp_path / str(rows)
        folder.mkdir()
        path = write(folder, kind, {("p", "A1"): samples(rows)})
        if kind == "parquet":
            pd.read_parquet(path).to_parquet(path, row_group_size=4_000)
        spans = read_spans(path)
        ((_, light),) = read_light(path, spans)
        tracemalloc.start()
        assert sum(part[0].size for part in light()) == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 200_000  # the samples are 2.9 MB


def test_a_number_that_is_none_is_found_far_down(tmp_path, monkeypatch, tables):
    monkeypatch.setattr(windows, "WINDOW", 50)
    path = write(tmp_path, "csv", tables)
    lines = path.read_text().splitlines()
    lines[240] = lines[240].replace("1.49,", "1.49x,", 1)
    path.write_text("\n".join(lines))
    with pytest.raises(StudyError, match=r"row 241: `seconds` is `1.49x`, not a number"):
        [joined([*light()]) for _, light in read_light(path, read_spans(path))]


def test_a_row_of_no_well_is_refused(tmp_path, tables):
    path = write(tmp_path, "csv", tables)
    lines = path.read_text().splitlines()
    lines[200] = lines[200].removesuffix("A2")
    path.write_text("\n".join(lines))
    with pytest.raises(StudyError, match="row 201: `well` is empty; say whose light it is"):
        read_spans(path)


def test_channels_of_other_lengths_or_kinds_are_refused(tmp_path, tables):
    path = write(tmp_path, "h5", tables)
    with h5py.File(path, "a") as file:
        del file["p1/A1/field_mt"]
        file["p1/A1/field_mt"] = np.zeros(7)
    with pytest.raises(StudyError, match="`p1/A1/field_mt` is not a row of numbers as long as `light`"):
        read_spans(path)


def test_a_kind_that_is_none_is_refused(tmp_path):
    (tmp_path / "a.xlsx").write_text("")
    with pytest.raises(StudyError, match=r"one of these kinds: \.csv, \.parquet"):
        read_spans(tmp_path / "a.xlsx")

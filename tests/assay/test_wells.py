"""Raw light in every form it may be written, and what is refused in one sentence."""

import h5py
import numpy as np
import pandas as pd
import pytest

from pbpk.assay.wells import read_traces
from pbpk.errors import StudyError

INSTRUMENT = "sampling_hz = 100.0\nmodulation_hz = 5.0\nfull_scale = 4096.0\nadc_bits = 12\n"
WELLS = (
    "plate,well,role,nominal,unit,matrix,organ,animal\n"
    "p1,A1,blank,,,lung,,\n"
    "p1,A2,reference_cells,5000,cells,lung,,\n"
    "p1,A3,sample,,,lung,lung,m1\n"
)
NAMES = ["A1", "A2", "A3"]


def light(seed, laser=False):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"seconds": np.arange(50) / 100.0, "light": rng.random(50), "field_mt": rng.random(50)})
    return table.assign(laser=rng.random(50)) if laser else table


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "traces").mkdir()
    (tmp_path / "instrument.toml").write_text(INSTRUMENT)
    (tmp_path / "wells.csv").write_text(WELLS)
    return tmp_path


def write(folder, kind, laser=False):
    """The same three wells, as one table or as several."""
    tables = {name: light(i, laser) for i, name in enumerate(NAMES)}
    long = pd.concat([table.assign(plate="p1", well=name) for name, table in tables.items()])
    match kind:
        case "csv":
            long.to_csv(folder / "traces" / "all.csv", index=False)
        case "parquet":
            long.to_parquet(folder / "traces" / "all.parquet", index=False)
        case "no plate":
            long.drop(columns="plate").to_csv(folder / "traces" / "all.csv", index=False)
        case "hdf5":
            with h5py.File(folder / "traces" / "all.h5", "w") as file:
                for name, table in tables.items():
                    for column in table:
                        file[f"p1/{name}/{column}"] = table[column].to_numpy()
        case "a file each":
            for name, table in tables.items():
                table.to_csv(folder / "traces" / f"{name}.csv", index=False)
            lines = [f"{line},{name}.csv" for line, name in zip(WELLS.splitlines()[1:], NAMES, strict=True)]
            (folder / "wells.csv").write_text("\n".join([WELLS.splitlines()[0] + ",file", *lines]))


@pytest.mark.parametrize("kind", ["csv", "parquet", "no plate", "hdf5", "a file each"])
@pytest.mark.parametrize("laser", [False, True])
def test_every_form_holds_the_same_light(folder, kind, laser):
    write(folder, kind, laser)
    traces = read_traces(folder)
    assert [trace.well.well for trace in traces] == NAMES
    assert [trace.well.role for trace in traces] == ["blank", "reference_cells", "sample"]
    assert traces[1].well.nominal == 5000.0
    assert traces[2].well.animal == "m1"
    assert (traces[0].setup.sampling_hz, traces[0].setup.full_scale, traces[0].setup.duty) == (100.0, 4096.0, 0.5)
    for i, trace in enumerate(traces):
        expected = light(i, laser)
        np.testing.assert_allclose(trace.light, expected["light"])
        np.testing.assert_allclose(trace.field, expected["field_mt"])
        np.testing.assert_allclose(trace.seconds, expected["seconds"])
        assert (trace.laser is not None) == laser


def test_an_empty_cell_is_a_missing_sample(folder):
    write(folder, "csv")
    path = folder / "traces" / "all.csv"
    lines = path.read_text().splitlines()
    seconds, _, *rest = lines[4].split(",")
    path.write_text("\n".join([*lines[:4], ",".join([seconds, "", *rest]), *lines[5:]]))
    (first, *_) = read_traces(folder)
    assert np.isnan(first.light[3])
    assert np.isfinite(first.light).sum() == 49


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("wells.csv", "p1,A2,", "p1,A1,", r"row 3: p1 A1 stands twice"),
        ("wells.csv", "p1,A3,", "p1,B3,", r"row 4: no table in traces/ holds the light of p1 B3"),
        ("wells.csv", "5000,cells", ",cells", r"row 3: .*`reference_cells` needs `nominal`"),
        ("wells.csv", "5000,cells", "5000,", r"row 3: .*`nominal` needs its `unit`"),
        ("wells.csv", "sample,,,lung,lung", "sample,,,lung,", r"row 4: .*needs its `organ`"),
        ("wells.csv", "blank", "blnk", r"row 2: `role` is `blnk`. Did you mean `blank`"),
        ("wells.csv", "nominal", "nominl", r"unknown column `nominl`. Did you mean `nominal`"),
        ("instrument.toml", "sampling_hz", "samplng_hz", r"unknown key `samplng_hz`. Did you mean `sampling_hz`"),
        ("instrument.toml", "100.0", "0.0", "sampling_hz"),
        ("traces/all.csv", "light", "ligth", r"unknown column `ligth`. Did you mean `light`"),
        ("traces/all.csv", "seconds,light,field_mt", "seconds,light,laser", "`field_mt` is missing"),
        ("traces/all.csv", "\n0.01,", "\n0.01x,", r"row 3: `seconds` is `0.01x`, not a number"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(folder, file, old, new, sentence):
    write(folder, "csv")
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    with pytest.raises(StudyError, match=sentence):
        read_traces(folder)


def test_files_that_are_not_tables(folder):
    write(folder, "a file each")
    (folder / "traces" / "A1.csv").unlink()
    with pytest.raises(StudyError, match="there is no such file"):
        read_traces(folder)
    (folder / "traces" / "A1.csv").write_text("")
    with pytest.raises(StudyError, match="not readable as a table"):
        read_traces(folder)
    (folder / "traces" / "A1.csv").write_text("seconds,light,field_mt\n")
    with pytest.raises(StudyError, match="no rows"):
        read_traces(folder)


def test_a_well_in_two_tables_is_refused(folder):
    write(folder, "csv")
    write(folder, "parquet")
    with pytest.raises(StudyError, match="in another table too"):
        read_traces(folder)


def test_a_broken_hdf5_file(folder):
    (folder / "traces" / "all.h5").write_text("not hdf5")
    with pytest.raises(StudyError, match="not readable as a table"):
        read_traces(folder)


def test_a_table_named_for_another_well_is_refused(folder):
    write(folder, "a file each")
    light(0).assign(plate="p1", well="A2").to_csv(folder / "traces" / "A1.csv", index=False)
    with pytest.raises(StudyError, match="names it for p1 A1 but it holds p1 A2"):
        read_traces(folder)


def test_a_table_of_nobody_is_refused(folder):
    write(folder, "csv")
    light(0).to_csv(folder / "traces" / "lost.csv", index=False)
    with pytest.raises(StudyError, match="does not say whose light"):
        read_traces(folder)

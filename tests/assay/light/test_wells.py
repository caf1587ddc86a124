"""Raw light in every form it may be written, and what is refused in one sentence."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from pbpk.assay.light import windows
from pbpk.assay.light.amplitude import Reading, demodulate
from pbpk.assay.light.instrument import Instrument, measure
from pbpk.assay.light.trace import Well
from pbpk.assay.light.wells import read_amplitudes, read_traces, read_traces_in_turn, write_amplitudes
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


def test_light_of_two_plates_in_one_table_is_refused(folder):
    write(folder, "no plate")
    (folder / "wells.csv").write_text(WELLS + "p2,A1,blank,,,lung,,\n")
    with pytest.raises(StudyError, match="A1 on several plates and this table does not say which"):
        read_traces(folder)


INSTRUMENT_OF_12_S = replace(Instrument(), duration_s=12.0, sampling_hz=500.0, missing_fraction=0.01)


def measured(folder, kind, mixed=False):
    """Three wells that can be demodulated, written in the order A3, A1, A2."""
    write(folder, kind)
    traces = [measure(Well("p1", name, "sample"), 1.0, INSTRUMENT_OF_12_S, i)[0] for i, name in enumerate(NAMES)]
    (folder / "instrument.toml").write_text("sampling_hz = 500.0\nmodulation_hz = 7.0\nfull_scale = 65535.0\n")
    tables = {
        trace.well.well: pd.DataFrame(
            {"seconds": trace.seconds, "light": trace.light, "field_mt": trace.field, "laser": trace.laser}
        )
        for trace in traces
    }
    long = pd.concat([tables[name].assign(plate="p1", well=name) for name in ("A3", "A1", "A2")])
    if mixed:
        long = long.sort_values("seconds", kind="stable")
    match kind:
        case "csv":
            long.to_csv(folder / "traces" / "all.csv", index=False)
        case "parquet":
            long.to_parquet(folder / "traces" / "all.parquet", index=False, row_group_size=5_000)
        case "hdf5":
            with h5py.File(folder / "traces" / "all.h5", "w") as file:
                for name, table in tables.items():
                    for column in table:
                        file[f"p1/{name}/{column}"] = table[column].to_numpy()
        case "a file each":
            for name, table in tables.items():
                table.to_csv(folder / "traces" / f"{name}.csv", index=False)


@pytest.mark.parametrize(("window", "held"), [(10**6, 10**6), (1_000, 10**6), (10**6, 1_000)])
@pytest.mark.parametrize("kind", ["csv", "parquet", "hdf5", "a file each", "mixed"])
def test_amplitudes_are_those_of_the_traces(folder, monkeypatch, kind, window, held):
    measured(folder, "parquet" if kind == "mixed" else kind, kind == "mixed")
    expected = [Reading(trace.well, demodulate(trace)) for trace in read_traces(folder)]
    monkeypatch.setattr(windows, "WINDOW", window)
    monkeypatch.setattr(windows, "HELD", held)
    seen = []
    found = read_amplitudes(folder, workers=2, follow=lambda *progress: seen.append(progress))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert [reading.well for reading in found] == [reading.well for reading in expected]
    assert [reading.well.well for reading in found] == NAMES
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.amplitude.delta > 20 * ours.amplitude.se
        assert ours.amplitude.delta == pytest.approx(theirs.amplitude.delta, rel=1e-9)
        assert ours.amplitude.se == pytest.approx(theirs.amplitude.se, rel=1e-9)
        assert ours.amplitude.lost == theirs.amplitude.lost


def test_what_is_missing_is_said_before_any_light_is_demodulated(folder):
    measured(folder, "csv")
    (folder / "wells.csv").write_text(WELLS + "p1,B1,blank,,,lung,,\n")
    seen = []
    with pytest.raises(StudyError, match="row 5: no table in traces/ holds the light of p1 B1"):
        read_amplitudes(folder, follow=lambda *progress: seen.append(progress))
    assert not seen


def test_a_cell_that_is_no_number_stops_demodulation(folder):
    measured(folder, "csv")
    path = folder / "traces" / "all.csv"
    path.write_text(path.read_text().replace("\n0.5,", "\nhalf,"))
    with pytest.raises(StudyError, match="row 252: `seconds` is `half`, not a number"):
        read_amplitudes(folder)


@pytest.fixture
def demodulated(folder):
    """A folder with amplitudes in place of light: one good, one not fitted, one with a lot to say."""
    measured(folder, "csv")
    good, bad, odd = read_amplitudes(folder)
    light = folder / "traces" / "all.csv"
    light.unlink()
    light.parent.rmdir()
    (folder / "instrument.toml").unlink()
    nan = float("nan")
    refused = replace(bad.amplitude, delta=nan, se=nan, df=nan, harmonics=(nan,) * 3, flags=("too few, of all; see x",))
    lost = {reason: i for i, reason in enumerate(odd.amplitude.lost)}
    told = replace(odd.amplitude, delta=-1 / 3, lost=lost, flags=("a", "b, c"), notes=('"d"', "e"))
    readings = [good, replace(bad, amplitude=refused), replace(odd, amplitude=told)]
    write_amplitudes(reversed(readings), folder / "amplitudes.csv")
    return folder, readings


def test_amplitudes_come_back_to_the_last_digit(demodulated):
    folder, readings = demodulated
    again = read_amplitudes(folder)
    assert repr(again) == repr(readings)


def test_light_and_amplitudes_together_are_refused(demodulated):
    folder, _ = demodulated
    (folder / "traces").mkdir()
    with pytest.raises(StudyError, match=r"remove amplitudes.csv to demodulate the light again, or traces/"):
        read_amplitudes(folder)


def test_a_table_by_hand_needs_little(demodulated):
    folder, _ = demodulated
    (folder / "amplitudes.csv").write_text("plate,well,delta,se,df\np1,A1,1.5,0.1,20\np1,A2,2,0.1,20\np1,A3,3,0.1,20\n")
    first, *_ = read_amplitudes(folder)
    assert (first.amplitude.delta, first.amplitude.se, first.amplitude.df) == (1.5, 0.1, 20.0)
    assert np.isnan(first.amplitude.harmonics).all()
    assert (first.amplitude.flags, first.amplitude.notes) == ((), ())


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "p1,A3,",
            "p1,A4,",
            r"row 2: p1 A4 is not in wells.csv; add it there or remove the row. Did you mean `p1 A[13]`",
        ),
        ("p1,A3,", "p1,A2,", r"row 3: p1 A2 stands twice; keep one"),
        (",se,", ",sd,", r"unknown column `sd`"),
        ("p1,A3,-0.3333333333333333,", "p1,A3,x,", r"row 2: `delta` is `x`"),
        ("too few, of all; see x", "", r"row 3: `delta` is missing; add it, or say in `flags` why there is none"),
    ],
)
def test_amplitudes_that_cannot_be_used_are_one_sentence(demodulated, old, new, sentence):
    path = demodulated[0] / "amplitudes.csv"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(StudyError, match=sentence):
        read_amplitudes(demodulated[0])


def test_a_well_without_amplitude_is_refused(demodulated):
    path = demodulated[0] / "amplitudes.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith("p1,A1,")))
    with pytest.raises(StudyError, match=r"it has no row for p1 A1, row 2 of wells.csv; add its amplitude, or remove"):
        read_amplitudes(demodulated[0])


def test_traces_come_one_by_one():
    shipped = Path(__file__).parents[3] / "data" / "synthetic_fnd_mouse"
    turn = read_traces_in_turn(shipped)
    first = next(turn)
    assert (first.well.plate, first.well.well) == ("lung", "A1")
    same = next(trace for trace in read_traces(shipped) if trace.well == first.well)
    np.testing.assert_array_equal(first.light, same.light)
    turn.close()

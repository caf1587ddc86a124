import hashlib
import io
import os
import stat
import time
import zipfile

import pandas as pd
import pyreadstat
import pytest
from killed import write_killed
from madeup import write_made_up

from pbpk.errors import ShareError
from pbpk.predict.exposure import exposure
from pbpk.predict.run import read_fit
from pbpk.share.package import Packed, write_package


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("package")
    made, _ = write_made_up(write_killed(folder / "mice"), folder / "run", draws=20)
    (made / "report.html").write_text("<p>report</p>")
    (made / "counts.csv").write_text("a\n1\n")
    (made / "scenarios").mkdir()
    (made / "scenarios" / "iv.toml").write_text("title = 'iv'\n")
    (made / "notes.bak").write_text("mine")
    return made


def pack(run, out) -> Packed:
    _, posterior, manifest = read_fit(run)
    counts = posterior.joint.counts
    return write_package(run, counts, exposure(counts), manifest, out)


@pytest.fixture(scope="module")
def packed(run, tmp_path_factory):
    out = tmp_path_factory.mktemp("zip") / "p.zip"
    return pack(run, out), zipfile.ZipFile(out)


def test_the_same_run_gives_the_same_bytes(run, packed, tmp_path):
    time.sleep(1.1)  # a clock in a header would go on
    again = pack(run, tmp_path / "again.zip")
    assert again.path.read_bytes() == packed[0].path.read_bytes()
    assert os.listdir(tmp_path) == ["again.zip"]  # nothing is left beside it


def test_it_holds_what_a_reviewer_asks(packed):
    names = packed[1].namelist()
    assert names == sorted(names)
    for name in ("define.xml", "manifest.json", "reviewers-guide.html", "programs/run.sh", "programs/requirements.txt",
                 "programs/scenarios/iv.toml", "reports/report.html", "datasets/analysis/counts.csv", "SHA256SUMS",
                 "study/mice/study.toml", "datasets/csv/pc.csv", "datasets/xpt/pc.xpt"):  # fmt: skip
        assert name in names
    assert not [name for name in names if name.endswith((".nc", ".bak"))]
    assert packed[0].records["PC"] == 24
    assert not packed[0].findings


def test_every_file_is_in_the_guide_and_in_the_sums(packed):
    archive = packed[1]
    guide = archive.read("reviewers-guide.html").decode()
    sums = dict(line.split("  ")[::-1] for line in archive.read("SHA256SUMS").decode().splitlines())
    for name in archive.namelist():
        assert f"<td>{name}</td>" in guide
        if name != "SHA256SUMS":
            assert sums.pop(name) == hashlib.sha256(archive.read(name)).hexdigest()
    assert not sums
    assert "posterior.nc" in guide
    assert "notes.bak" in guide


def test_the_script_may_be_run_and_the_clock_stands(packed):
    for entry in packed[1].infolist():
        assert entry.date_time == (1980, 1, 1, 0, 0, 0)
        assert bool(entry.external_attr >> 16 & stat.S_IXUSR) == (entry.filename == "programs/run.sh")
        assert not entry.filename.startswith("/")
        assert ".." not in entry.filename


def test_transport_and_csv_hold_the_same_tables(packed, tmp_path):
    archive = packed[1]
    named = [name for name in archive.namelist() if name.startswith("datasets/xpt/")]
    assert len(named) == len(packed[0].records)
    for name in named:
        archive.extract(name, tmp_path)
        ours = pd.read_sas(tmp_path / name, format="xport", encoding="ascii")
        theirs, about = pyreadstat.read_xport(str(tmp_path / name))
        csv = pd.read_csv(io.BytesIO(archive.read(name.replace("xpt", "csv"))), keep_default_na=False)
        assert about.table_name == name.split("/")[-1].removesuffix(".xpt").upper()
        assert list(csv.columns) == list(ours.columns) == list(theirs.columns)
        assert len(csv) == len(ours) == len(theirs)
        for column in csv:
            if theirs[column].dtype == float:
                pd.testing.assert_series_equal(pd.to_numeric(csv[column]), theirs[column], check_dtype=False)
            else:
                assert [str(value) for value in csv[column]] == list(theirs[column])


def test_what_the_formats_do_not_hold_is_refused_and_leaves_nothing(tmp_path):
    study = write_killed(tmp_path / "mice")
    text = (study / "study.toml").read_text()
    (study / "study.toml").write_text(text.replace("made up for a test", "小鼠"), encoding="utf-8")
    run, _ = write_made_up(study, tmp_path / "run", draws=20)
    with pytest.raises(ShareError, match=r"U\+5C0F"):
        pack(run, tmp_path / "p.zip")
    assert not list(tmp_path.glob("*.zip*"))
    assert not list(tmp_path.glob(".*.partial"))


def test_changed_text_is_told(tmp_path):
    study = write_killed(tmp_path / "mice")
    text = (study / "study.toml").read_text()
    (study / "study.toml").write_text(text.replace("made up for a test", "5 µg Müller"), encoding="utf-8")
    run, _ = write_made_up(study, tmp_path / "run", draws=20)
    found = pack(run, tmp_path / "p.zip")
    assert [(each.dataset, each.after) for each in found.changes] == [("TS", "SYNTHETIC: 5 ug Muller")]
    archive = zipfile.ZipFile(found.path)
    assert "5 µg Müller" in archive.read("datasets/csv/ts.csv").decode()
    assert b"5 ug Muller" in archive.read("datasets/xpt/ts.xpt")


def test_a_place_that_is_not_there_is_a_sentence(run, tmp_path):
    with pytest.raises(ShareError, match="cannot be written"):
        pack(run, tmp_path / "nowhere" / "p.zip")

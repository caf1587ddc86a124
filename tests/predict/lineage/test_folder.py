import shutil

import pytest

from pbpk.errors import RunError
from pbpk.predict.lineage.folder import read_run_folder
from pbpk.predict.record import read_digest


def test_rows_are_found_by_their_cells_and_have_lines(opened):
    folder = opened("means")
    rows = folder.read_table("counts.csv").where({"organ": "liver", "hours": "24.0"})
    lines = (folder.path / "counts.csv").read_text().splitlines()
    assert rows
    assert all("liver" in lines[row.line - 1] for row in rows)


def test_nothing_outside_of_the_run_is_read(opened):
    folder = opened("means")
    assert folder.holds("counts.csv")
    assert not folder.holds("../means/../../etc/passwd")
    assert not folder.holds("nothing.csv")


def test_digests_are_those_of_the_record_and_a_changed_file_is_seen(opened, tmp_path):
    path = shutil.copytree(opened("means").path, tmp_path / "run")
    folder = read_run_folder(path)
    assert folder.digests["counts.csv"] == read_digest(path / "counts.csv")
    assert not folder.read_changed("counts.csv")
    (path / "counts.csv").write_text("x")
    assert read_run_folder(path).read_changed("counts.csv")


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunError):
        read_run_folder(tmp_path)

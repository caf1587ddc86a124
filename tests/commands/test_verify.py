"""Whether a run is what was written, from the command line."""

from saying import say

from pbpk.predict.audit import read_verified, write_audit


def test_a_changed_byte_is_named_and_fails(tmp_path):
    (tmp_path / "table.csv").write_text("a\n1\n")
    write_audit(tmp_path, "run")
    said = say("verify", tmp_path)
    assert said.code == 0, said.err
    assert "all 1 files are what was written" in said.out
    assert read_verified(tmp_path).seal in said.out
    (tmp_path / "table.csv").write_text("a\n2\n")
    said = say("verify", tmp_path)
    assert said.code == 2
    assert "table.csv: is not the file that was written" in said.err
    assert "Traceback" not in said.err

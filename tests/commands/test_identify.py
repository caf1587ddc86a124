"""What a design can teach, from the command line."""

import pandas as pd
import pytest
from saying import say

from pbpk.errors import StudyError


def test_it_proves_expects_and_advises(tmp_path):
    out = tmp_path / "taught"
    said = say("identify", "data/khot_2019_t_cells_mouse", "--known", "weight_*", "--out", out)
    assert said.code == 0, said.err
    for heading in ("The prior against the data", "With endless data (proof)", "With this design (expected)",
                    "What to measure"):  # fmt: skip
        assert heading in said.out
    assert "exact arithmetic" in said.out
    assert "live readouts" in said.out
    table = pd.read_csv(out / "expected.csv").set_index("parameter")
    assert table.loc["transfer_lung", "learned"] == "learned"
    assert not table.index.str.startswith("weight_").any()
    assert {path.name for path in out.iterdir()} == {
        "expected.csv", "pairs.csv", "sensitivities.csv", "additions.csv", "prior_check.csv"}  # fmt: skip


def test_a_mistake_is_one_sentence():
    said = say("identify", "data/khot_2019_t_cells_mouse", "--known", "wait_*")
    assert said.code == 2
    assert "wait_*" in said.err
    assert "Traceback" not in said.err


def test_a_folder_that_is_not_there():
    from pbpk.commands.identify import identify

    with pytest.raises(StudyError, match="there is no such folder"):
        identify("nowhere", None, None, [], [], False, 1)

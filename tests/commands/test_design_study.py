"""The next study from the command line, from a study and from a run."""

import pandas as pd
import pytest
from madeup import write_made_up
from saying import say

KHOT = "data/khot_2019_t_cells_mouse"


def test_a_study_is_planned_and_written(tmp_path):
    out = tmp_path / "next"
    said = say("design", "study", KHOT, "--of", "residence liver live", "--animals", "8", "--hours", "1,6,24,72",
               "--out", out)  # fmt: skip
    assert said.code == 0, said.err
    for words in ("Recommended for 8 animals", "A live readout in 6 animals", "recommended", "design.html"):
        assert words in said.out
    design = pd.read_csv(out / "design.csv")
    assert design["animals"].sum() == 8
    assert set(design["hours"]) <= {1.0, 6.0, 24.0, 72.0}
    assert len(pd.read_csv(out / "ranking.csv")) == 4
    assert (out / "design.html").read_text().count("<svg") == 2


def test_a_run_is_where_a_plan_may_begin(tmp_path):
    run, _ = write_made_up(KHOT, tmp_path / "run", draws=100)
    said = say("design", "study", run, "--of", "loss_lung", "--animals", "4", "--hours", "1,24")
    assert said.code == 0, said.err
    assert "This rests on what the fit knows" in said.out
    refused = say("design", "study", run, "--model", "msc")
    assert refused.code == 2
    assert "--model is for a study" in refused.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--of", "alive_lun"], "Did you mean `alive_lung`"),
        (["--hours", "1,soon"], "write numbers apart by commas"),
        (["--readouts", "life"], "Did you mean `live`"),
    ],
)
def test_a_mistake_is_one_sentence(words, said):
    found = say("design", "study", KHOT, *words)
    assert found.code == 2
    assert said in found.err
    assert "Traceback" not in found.err

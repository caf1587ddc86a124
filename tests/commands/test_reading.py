"""What commands read alike."""

import shutil

import pytest

from pbpk.assay.study import read_study
from pbpk.body.expansion import read_model
from pbpk.commands.reading import numbers, read_one_scenario, read_with_bar, write_if_wanted
from pbpk.errors import InputError, RunError, StudyError

KHOT = "data/khot_2019_t_cells_mouse"


def test_it_is_the_study(capsys):
    assert read_with_bar(KHOT) == read_study(KHOT)
    assert capsys.readouterr().out.strip() == ""  # nobody is looking


def test_a_mistake_is_the_same():
    with pytest.raises(StudyError, match="there is no such folder"):
        read_with_bar("nowhere")


def test_numbers_stand_apart_by_commas():
    assert numbers("--hours", "1, 2.5,") == [1.0, 2.5]
    with pytest.raises(InputError, match=r"--hours: could not convert.*; write numbers apart by commas"):
        numbers("--hours", "1,soon")


def test_one_scenario_is_one():
    model = read_model("msc", "mouse", "FND")
    assert read_one_scenario("portal_vein", model).name == "portal_vein"
    with pytest.raises(InputError, match="holds 8 scenarios; name one"):
        read_one_scenario("models/scenarios", model)


def test_what_is_in_the_way_is_told_first(tmp_path):
    with write_if_wanted(None, False, ()) as nothing:
        assert nothing is None
    (tmp_path / "choices.csv").write_text("mine")
    with pytest.raises(RunError, match="exists already"), write_if_wanted(tmp_path, False, ("choices.csv",)):
        pytest.fail("nothing may be computed")


def test_a_study_may_be_unmeasured_where_that_is_asked(tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(KHOT, folder)
    (folder / "measurements.csv").unlink()
    with pytest.raises(StudyError, match="there is no such file"):
        read_with_bar(folder)
    assert read_with_bar(folder, unmeasured=True).measurements == ()

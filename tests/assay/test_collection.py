"""Several studies in one file: where they are, what they share, what cannot be."""

from pathlib import Path

import pytest

from pbpk.assay.collection import read_collection
from pbpk.errors import StudyError

DATA = Path(__file__).parents[2] / "data"


def write(tmp_path, sharing="", second="khot_2019_t_cells_mouse", name="t_cells"):
    path = tmp_path / "both.toml"
    path.write_text(
        f'title = "Two"\n[[studies]]\nfolder = "{DATA / "zhuang_2021_fnd_msc_mouse"}"\n'
        f'[[studies]]\nfolder = "{DATA / second}"\nname = "{name}"\n[sharing]\n{sharing}'
    )
    return path


def test_studies_are_read_by_their_names(tmp_path):
    found = read_collection(write(tmp_path, '"loss_*" = "own"\nE_lung = { t_cells = "scaled" }\n'))
    assert list(found.studies) == ["zhuang_2021_fnd_msc_mouse", "t_cells"]
    assert found.sharing == {"loss_*": "own", "E_lung": {"t_cells": "scaled"}}


def test_folders_are_looked_up_from_the_file(tmp_path):
    (tmp_path / "studies").symlink_to(DATA)
    path = tmp_path / "both.toml"
    path.write_text(
        'title = "Two"\n[[studies]]\nfolder = "studies/zhuang_2021_fnd_msc_mouse"\n'
        '[[studies]]\nfolder = "studies/khot_2019_t_cells_mouse"\n'
    )
    assert len(read_collection(path).studies) == 2


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"sharing": 'E_lung = { t_cell = "own" }\n'}, "there is no study `t_cell`. Did you mean `t_cells`"),
        ({"sharing": 'E_lung = "shred"\n'}, "E_lung"),
        ({"name": "zhuang_2021_fnd_msc_mouse"}, "two studies are called `zhuang_2021_fnd_msc_mouse`"),
        ({"second": "nowhere"}, "there is no such folder"),
    ],
)
def test_what_cannot_be_is_one_sentence(tmp_path, how, said):
    with pytest.raises(StudyError) as refusal:
        read_collection(write(tmp_path, **how))
    assert said in str(refusal.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(StudyError, match=r"both\.toml: there is no such file"):
        read_collection(tmp_path / "both.toml")

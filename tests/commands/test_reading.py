"""A study read with a bar."""

import pytest

from pbpk.assay.study import read_study
from pbpk.commands.reading import read_with_bar
from pbpk.errors import StudyError

KHOT = "data/khot_2019_t_cells_mouse"


def test_it_is_the_study(capsys):
    assert read_with_bar(KHOT) == read_study(KHOT)
    assert capsys.readouterr().out.strip() == ""  # nobody is looking


def test_a_mistake_is_the_same():
    with pytest.raises(StudyError, match="there is no such folder"):
        read_with_bar("nowhere")

"""Whom a command asks: a run, in its animal or another, or a prior."""

import numpy as np
import pytest
from madeup import write_made_up

from pbpk.commands.whom import Whom
from pbpk.errors import InputError


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return str(write_made_up("data/khot_2019_t_cells_mouse", tmp_path_factory.mktemp("runs") / "khot", draws=50)[0])


def test_a_folder_is_a_run_and_a_name_a_prior(run):
    fitted, prior = Whom(run).read(60), Whom("t_cell", label="51Cr").read(60)
    assert (len(fitted.theta), len(prior.theta)) == (60, 60)
    assert fitted.studied is not None
    assert prior.studied is None
    assert fitted.words.startswith("the fit of khot")
    assert prior.words == "the prior of t_cell in mouse"


def test_another_animal_is_reached_from_home(run):
    there = Whom(run, "rat").read(20)
    assert there.model.species.name == "rat"
    np.testing.assert_array_equal(there.home.theta, Whom(run).read(20).theta)


@pytest.mark.parametrize(
    ("how", "words"),
    [({"label": "FND"}, "--label"), ({"rates": "allometric"}, "--rates"), ({"physiology": "spread"}, "--physiology")],
)
def test_what_has_no_meaning_for_a_run_is_refused(run, how, words):
    with pytest.raises(InputError, match=words):
        Whom(run, **how).read()

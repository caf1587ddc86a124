"""Runs of three kinds of study: means of animals, raw light, ranges over patients."""

from pathlib import Path

import pytest
from tracedrun import write_traced

from pbpk.predict.lineage.folder import read_run_folder

DATA = Path(__file__).parents[3] / "data"
STUDIES = {
    "means": "khot_2019_t_cells_mouse",
    "light": "synthetic_fnd_mouse",
    "ranges": "gholamrezanezhad_2011_msc_human",
}


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Folder and document by kind of study."""
    made = {}

    def write(kind):
        if kind not in made:
            made[kind] = write_traced(DATA / STUDIES[kind], tmp_path_factory.mktemp("traced") / kind)
        return made[kind]

    return write


@pytest.fixture(scope="session")
def opened(written):
    def read(kind):
        return read_run_folder(written(kind)[0])

    return read


@pytest.fixture(params=["means", "ranges"], scope="session")
def each(request, written):
    return written(request.param)

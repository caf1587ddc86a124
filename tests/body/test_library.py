import tomllib
from pathlib import Path

import pytest

from pbpk.body import flows
from pbpk.body.library import LIBRARY, read_path, read_source
from pbpk.errors import ModelFileError, SpeciesError


@pytest.mark.parametrize(("kind", "name"), [("", "msc"), ("", "t_cell"), ("species", "mouse"), ("species", "human")])
def test_shipped_files_are_found_by_name(kind, name):
    path = read_path(kind, name, ModelFileError)
    assert path == LIBRARY / kind / f"{name}.toml"
    assert tomllib.loads(path.read_text())["name"] == name


def test_a_path_is_taken_as_it_is(tmp_path, monkeypatch):
    (tmp_path / "mine.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    assert read_path("", "mine.toml", ModelFileError) == (tmp_path / "mine.toml").resolve()
    assert read_path("", Path("mine.toml"), ModelFileError).is_absolute()


@pytest.mark.parametrize(
    ("kind", "name", "error", "said"),
    [
        ("", "mcs", ModelFileError, "there is no model named `mcs`. Did you mean `msc`?"),
        ("species", "mose", SpeciesError, "there is no species named `mose`. Did you mean `mouse`?"),
        ("species", "msc", SpeciesError, "there is no species named `msc`."),
        ("", "absent.toml", ModelFileError, "absent.toml: there is no such file."),
    ],
)
def test_what_is_not_there_is_said(kind, name, error, said):
    with pytest.raises(error) as refusal:
        read_path(kind, name, error)
    assert said in str(refusal.value)


def test_a_folder_is_no_model(tmp_path):
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(ModelFileError):
        read_path("", tmp_path / "folder.toml", ModelFileError)


def test_the_source_of_a_module_is_its_text():
    assert b"def respond_adjoint(" in read_source(flows)

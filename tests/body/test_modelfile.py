import tomllib

import pytest

from pbpk.body.library import LIBRARY
from pbpk.body.modelfile import read_model_file
from pbpk.errors import ModelFileError

MSC = (LIBRARY / "msc.toml").read_text()


def refused(path):
    with pytest.raises(ModelFileError) as refusal:
        read_model_file(path)
    said = str(refusal.value)
    assert str(path) in said
    assert said.endswith((".", "?"))
    assert "\n" not in said
    return said


def written(tmp_path, text, name="mine"):
    path = tmp_path / f"{name}.toml"
    path.write_text(text)
    return path


def test_a_model_takes_over_what_it_is_like():
    path, model, files = read_model_file("t_cell")
    assert path == LIBRARY / "t_cell.toml"
    assert [file.stem for file in files] == ["msc", "t_cell"]
    own, parent = tomllib.loads(path.read_text()), tomllib.loads(MSC)
    assert model.arrows == parent["arrows"]
    assert model.name == "t_cell"
    assert model.parameters["loss_lung"].prior == own["parameters"]["loss_lung"]["prior"]
    assert model.parameters["uptake"].prior == parent["parameters"]["uptake"]["prior"]
    assert set(model.sources) == {*own["sources"], *parent["sources"]}


def test_likeness_goes_through_generations(tmp_path):
    child = written(tmp_path, 'name = "child"\nabout = "x"\nlike = "t_cell"\n[routes]\niv = "artery"\n')
    _, model, files = read_model_file(child)
    assert [file.stem for file in files] == ["msc", "t_cell", "mine"]
    assert model.routes["iv"] == "artery"
    assert model.routes["artery"] == "artery"


def test_a_circle_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written(tmp_path, 'like = "b.toml"\n', "a")
    written(tmp_path, 'like = "a.toml"\n', "b")
    with pytest.raises(ModelFileError, match=r"a\.toml: line 1: models are `like` each other in a circle\."):
        read_model_file("a.toml")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("passing    =", "pasing =", ["unknown key `pasing`. Did you mean `passing`?"]),
        ("[routes]", "[route]", ["unknown key `route`. Did you mean `routes`?"]),
        ("[kinds]", "[kind]", ["unknown key `kind`. Did you mean `kinds`?"]),
        ('name   = "msc"', 'name   = "msc', ["not readable as TOML", "line"]),
        ('name   = "msc"', "name = 3", ["`name` is `3`"]),
        (
            'prior  = "lognormal(median=1.3, sigma=0.7)"',
            'priors = "x"',
            ["unknown key `parameters.uptake.priors`. Did you mean `prior`?"],
        ),
        (
            'source = "barone_2018"\n',
            'sorce = "x"\n',
            ["unknown key `parameters.uptake.sorce`. Did you mean `source`?"],
        ),
        ('evidence = "hypothesis"', 'evidence = "guess"', ["evidence", "`data`", "`hypothesis`"]),
        ("neutral  = 1.0", "neutral  = nan", ["neutral", "finite"]),
    ],
)
def test_a_wrong_file_is_refused_in_words(tmp_path, old, new, words):
    assert old in MSC
    said = refused(written(tmp_path, MSC.replace(old, new, 1)))
    assert all(word in said for word in words), said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("organ = []", ["unknown key `organ`. Did you mean `organs`?"]),
        (
            '[parameters.E_lung]\nunit = "1"\nprior = "fixed(value=0.1)"\nsorce = "x"',
            ["sorce", "Did you mean `source`?"],
        ),
        ('[parameters.E_lung]\nunit = "1"', ["parameters.E_lung.prior", "missing"]),
        ("arrows = 3", ["`arrows`"]),
    ],
)
def test_a_wrong_child_is_refused_in_words(tmp_path, text, words):
    said = refused(written(tmp_path, f'name = "child"\nabout = "x"\nlike = "msc"\n{text}\n'))
    assert all(word in said for word in words), said


def test_an_unknown_parent_is_named_with_the_child(tmp_path):
    said = refused(written(tmp_path, 'name = "child"\nabout = "x"\nlike = "mcs"\n'))
    assert "there is no model named `mcs`. Did you mean `msc`?" in said


def test_text_that_is_not_utf8_is_refused(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(MSC.encode().replace(b"tables", b"").replace(b"stromal", "strömal".encode("latin-1")))
    assert "not readable as TOML" in refused(path)

from pbpk.predict.lineage.keys import read_found, read_prior, read_references
from pbpk.predict.lineage.source import parse_source


def test_a_key_of_toml_has_its_value_and_line(opened):
    folder = opened("means")
    file = folder.of_study("study.toml")
    found = read_found(folder, parse_source(f"{file}#key=product.cell_type"))
    text = (folder.path / file).read_text().splitlines()
    assert found.words in text[found.line - 1]
    assert read_found(folder, parse_source(f"{file}#key=product.no_such")) is None


def test_a_key_of_json_has_its_value(opened):
    found = read_found(opened("means"), parse_source("manifest.json#key=seed"))
    assert found.words == "1"
    assert found.line is None


def test_a_prior_is_found_where_it_is_written(opened):
    folder = opened("means")
    row = folder.read_table("parameters.csv").where({"parameter": "E_lung"})[0]
    sources = read_prior(folder, "E_lung", row["about"], row["source"])
    assert any(source.file.startswith("model/") for source in sources)


def test_references_of_a_number_are_found_by_their_keys(opened):
    assert read_references(opened("means"), "khot_2019")
    assert not read_references(opened("means"), "no_such_paper")

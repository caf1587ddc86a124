"""A run as an RO-Crate: another tool reads it, every file stands in it once, and nothing is said that is not there."""

import json
import zipfile
from pathlib import Path
from urllib.parse import unquote

import pytest
from madeup import write_made_up
from rocrate.rocrate import ROCrate

from pbpk.errors import RunError
from pbpk.predict.audit import read_verified, write_audit
from pbpk.predict.record import read_digest
from pbpk.share.crate import CRATE, METADATA, PROFILE, read_crate, write_crate

KHOT = Path(__file__).parents[2] / "data" / "khot_2019_t_cells_mouse"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder, _ = write_made_up(KHOT, tmp_path_factory.mktemp("runs") / "run", draws=50)
    (folder / "a table, with 100 %.csv").write_text("a\n1\n")
    write_audit(folder, "run")
    write_audit(folder, "report", [folder / "a table, with 100 %.csv"])
    return folder


@pytest.fixture(scope="module")
def crate(run, tmp_path_factory):
    return write_crate(run, tmp_path_factory.mktemp("crates") / "crate")


def entities(crate):
    graph = json.loads((crate / METADATA).read_text())["@graph"]
    assert len({entity["@id"] for entity in graph}) == len(graph)
    return {entity["@id"]: entity for entity in graph}


def test_another_tool_reads_it(crate):
    found = ROCrate(crate)
    assert found.metadata["conformsTo"] == CRATE
    assert found.root_dataset["conformsTo"].id == PROFILE
    assert found.name.startswith("51Cr-labelled activated T cells")
    made = found.root_dataset["mentions"]
    assert [action.type for action in made] == ["CreateAction", "CreateAction"]
    assert made[0]["instrument"].type == "SoftwareApplication"
    assert made[0]["agent"].type == "Person"
    assert {part.id for part in made[0]["result"]} >= {"posterior.nc", "manifest.json"}


def test_every_reference_leads_somewhere(crate):
    known = entities(crate)

    def references(value):
        if isinstance(value, dict):
            yield from [value["@id"]] if set(value) == {"@id"} else references(list(value.values()))
        elif isinstance(value, list):
            for each in value:
                yield from references(each)

    led = {ref for entity in known.values() for ref in references(list(entity.values()))}
    assert led - set(known) == {CRATE}


def test_every_file_stands_in_it_with_its_hash(run, crate):
    known = entities(crate)
    files = {unquote(key): entity for key, entity in known.items() if entity["@type"] == "File"}
    there = {path.relative_to(crate).as_posix() for path in crate.rglob("*") if path.is_file()} - {METADATA}
    assert set(files) == there
    assert {unquote(part["@id"]) for part in known["./"]["hasPart"]} == there
    for name, entity in files.items():
        if name.startswith("audit."):
            assert "sha256" not in entity  # it goes on growing
        else:
            assert entity["sha256"] == read_digest(crate / name)
            assert entity["contentSize"] == str((crate / name).stat().st_size)
    assert files["posterior.nc"]["encodingFormat"] == "application/netcdf"


def test_the_root_says_what_is_asked_of_it(crate):
    root = entities(crate)["./"]
    assert root["datePublished"] == "2026-01-31T00:00:00+00:00"
    assert "ASPET copyright" in root["license"]
    assert root["identifier"]


def test_inputs_and_settings_are_what_the_action_had(crate):
    known = entities(crate)
    action, again = (known[each["@id"]] for each in known["./"]["mentions"])
    assert again["result"] == [{"@id": "a%20table%2C%20with%20100%20%25.csv"}]
    assert {"study/khot_2019_t_cells_mouse/doses.csv"} <= {unquote(each["@id"]) for each in known["./"]["hasPart"]}
    assert action["endTime"].endswith("+00:00")
    assert known["#pbpk"]["softwareVersion"]


def test_the_copy_is_verified_like_the_run(run, crate, tmp_path):
    found = read_verified(crate)
    assert found.passed
    assert found.has(read_verified(run).seal)
    packed = write_crate(run, tmp_path / "deep" / "run.zip")
    with zipfile.ZipFile(packed) as file:
        file.extractall(tmp_path / "out")
    assert read_verified(tmp_path / "out").passed
    assert (tmp_path / "out" / METADATA).read_bytes() == (crate / METADATA).read_bytes()
    alone = write_crate(run, tmp_path / "run-ro-crate-metadata.json")
    assert alone.read_bytes() == (crate / METADATA).read_bytes()
    assert json.loads(alone.read_text()) == read_crate(run)
    assert read_verified(run).passed  # nothing was written into the run


def test_a_run_that_was_changed_is_not_handed_on(run, tmp_path):
    copy = write_crate(run, tmp_path / "copy")
    (copy / "posterior.nc").write_bytes(b"nothing")
    with pytest.raises(RunError, match=r"posterior\.nc: is not the file .* A run that was changed is not handed on"):
        write_crate(copy, tmp_path / "crate")
    with pytest.raises(RunError, match="exists already"):
        write_crate(run, copy)
    with pytest.raises(RunError, match="record would be lost"):
        write_crate(run, copy, force=True)

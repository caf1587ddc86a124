"""A model in another tool's language, from the command line."""

import json

import antimony
import libsbml
import numpy as np
import pytest
from madeup import write_made_up
from rocrate.rocrate import ROCrate
from saying import say


def test_a_prior_with_its_doses(tmp_path):
    out = tmp_path / "msc.xml"
    said = say("export", "msc", "--scenario", "three_split_iv", "--cells", "1e6", "--label", "FND", "--out", out)
    assert said.code == 0, said.err
    assert "medians of the prior of msc in mouse" in said.out
    document = libsbml.readSBMLFromFile(str(out))
    assert document.getModel().getNumEvents() == 2
    again = say("export", "msc", "--out", out)
    assert again.code == 2
    assert "--force" in again.err


def test_a_prior_as_antimony(tmp_path):
    out = tmp_path / "msc.ant"
    words = ("export", "msc", "--format", "antimony", "--scenario", "three_split_iv", "--cells", "1e6", "--out", out)
    said = say(*words)
    assert said.code == 0, said.err
    assert "(Antimony, medians of the prior of msc in mouse)" in " ".join(said.out.split())
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyFile(str(out)) >= 0, antimony.getLastError()
    document = libsbml.readSBMLFromString(antimony.getSBMLString(antimony.getMainModuleName()))
    assert document.getModel().getNumEvents() == 2


def test_a_fit_at_its_medians(tmp_path):
    run, posterior = write_made_up("data/khot_2019_t_cells_mouse", tmp_path / "run", draws=50)
    said = say("export", run, "--scenario", "iv_bolus", "--out", tmp_path / "khot.xml")
    assert said.code == 0, said.err
    document = libsbml.readSBMLFromFile(str(tmp_path / "khot.xml"))
    middle = np.median(posterior.theta()[:, posterior.joint.names.index("loss_lung")])
    assert document.getModel().getParameter("loss_lung").getValue() == pytest.approx(middle)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--format", "sbm"], "Did you mean `sbml`"),
        (["--scenario", "iv_bolos"], "Did you mean `iv_bolus`"),
        (["--scenario", "iv_bolus"], "say `cells`"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path, words, said):
    found = say("export", "msc", "--out", tmp_path / "x.xml", *words)
    assert found.code == 2
    assert said in found.err
    assert not (tmp_path / "x.xml").exists()


def test_a_run_is_handed_on_whole(run, tmp_path):
    assert say("seal", run, "--reason", "sent").code == 0  # a final run may be handed on
    said = say("export", run, "--format", "ro-crate", "--out", tmp_path / "crate")
    assert said.code == 0, said.err
    assert "structured after Process Run Crate" in said.out
    crate = ROCrate(tmp_path / "crate")
    (action,) = crate.root_dataset["mentions"]
    told = json.loads((run / "manifest.json").read_text())
    assert action.id == f"urn:uuid:{told['occasion']['run_id']}"
    assert action["description"] == told["occasion"]["command"]
    used = {part.id for part in action["object"]}
    assert {"study/study/measurements.csv", "model/small.toml", "scenarios/iv_bolus.toml", "#setting-seed"} <= used
    made = {part.id for part in action["result"]}
    assert {each["path"] for each in told["outputs"]} - used == made - {"manifest.json"}
    assert say("verify", tmp_path / "crate").code == 0
    again = say("export", run, "--format", "ro-crate", "--out", tmp_path / "crate")
    assert again.code == 2
    model = say("export", "msc", "--format", "ro-crate", "--out", tmp_path / "crate.zip")
    assert model.code == 2
    assert "only a run is written as ro-crate" in model.err

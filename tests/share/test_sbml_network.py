"""States, arrows, numbers and readouts of a model as SBML has them."""

import libsbml
import pytest

from pbpk.body.expansion import read_model
from pbpk.share.sbml import sbml_text

MSC = read_model("msc", "mouse", "FND")


@pytest.fixture(scope="module")
def written():
    document = libsbml.readSBMLFromString(sbml_text(MSC))  # owns the model, so it must live as long
    yield document.getModel()  # noqa: PT022


def test_every_state_is_a_species_and_every_arrow_a_reaction(written):
    assert [each.getName() for each in written.getListOfSpecies()] == list(MSC.states)
    assert all(each.getHasOnlySubstanceUnits() for each in written.getListOfSpecies())
    ends = [
        (each.getReactant(0).getSpecies(), each.getProduct(0).getSpecies()) for each in written.getListOfReactions()
    ]
    names = {each.getId(): each.getName() for each in written.getListOfSpecies()}
    places = zip(MSC.source_states, MSC.target_states, strict=True)
    assert [(names[a], names[b]) for a, b in ends] == [(MSC.states[s], MSC.states[t]) for s, t in places]


def test_numbers_have_units_and_values(written):
    for name, unit in (("loss_lung", "per_h"), ("artery_liver", "mL_per_h"), ("E_lung", "dimensionless")):
        parameter = written.getParameter(name)
        assert parameter.getUnits() == unit
        assert parameter.getValue() > 0.0
    loss = next(p for p in MSC.parameters if p.name == "loss_lung")
    assert written.getParameter("loss_lung").getValue() == pytest.approx(loss.prior.centre)


def test_readouts_are_rules(written):
    rules = {each.getVariable(): libsbml.formulaToL3String(each.getMath()) for each in written.getListOfRules()}
    lung = next(math for name, math in rules.items() if "lung" in name and "label" in name)
    assert "lung_arrested" in lung
    assert "lung_label" in lung

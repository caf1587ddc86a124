"""Doses as initial amounts and events."""

import libsbml
import pytest

from pbpk.body.expansion import read_model
from pbpk.dosing import Dose
from pbpk.errors import ScenarioError
from pbpk.predict.scenario import Scenario, ScenarioDose
from pbpk.share.sbml import sbml_text
from pbpk.share.sbml_doses import at_start, planned

MSC = read_model("msc", "mouse", "FND")


def test_boluses_at_the_start_are_amounts():
    schedule = planned(MSC, [Dose("iv", 70.0), Dose("iv", 30.0, viability=0.5), Dose("artery", 5.0, hours=1.0)])
    held = at_start(MSC, schedule)
    assert held["vein"] == 85.0
    assert held["label.blood"] == 15.0
    assert sum(held.values()) == 100.0


def test_all_of_one_hour_is_one_event():
    doses = (ScenarioDose(route="iv", share=0.5, hours=2.0), ScenarioDose(route="artery", share=0.25, hours=2.0),
             ScenarioDose(route="iv", share=0.25, hours=2.0, duration_min=60.0))  # fmt: skip
    document = libsbml.readSBMLFromString(sbml_text(MSC, None, Scenario("s", "s", "", doses), 100.0))
    events = list(document.getModel().getListOfEvents())
    assert [event.getNumEventAssignments() for event in events] == [3, 1]
    assert [libsbml.formulaToL3String(event.getTrigger().getMath()) for event in events] == [
        "time >= 2 h",
        "time >= 3 h",
    ]


@pytest.mark.parametrize("dose", [Dose("iv", 1.0, every_h=24.0), Dose("iv", 1.0, until=5.0)])
def test_what_sbml_cannot_say_is_refused(dose):
    with pytest.raises(ScenarioError, match="SBML"):
        planned(MSC, [dose])

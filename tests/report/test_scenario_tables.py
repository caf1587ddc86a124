"""Tables of answers: what a percent is of, and one scenario against others."""

import numpy as np
import pytest

from pbpk.body.expansion import read_model
from pbpk.predict.contrast import contrast_scenarios
from pbpk.predict.forecast import answer
from pbpk.predict.scenario import read_scenarios
from pbpk.report import scenario_tables


@pytest.mark.parametrize(
    ("unit", "words"), [("cells", "of the 1.00 × 10⁶ cells given"), ("percent of dose", "of the dose")]
)
def test_a_scenario_says_what_its_percent_is_of(khot, unit, words):
    part = khot.forecast[khot.forecast["scenario"] == "s0"].assign(unit=unit)
    table = scenario_tables.scenario_table(part)
    assert words in table.caption
    assert len(table.rows) == 7
    assert len(table.head) == 1 + 3 * 2


def test_one_line_for_each_area_and_peak_against_a_scenario():
    model = read_model("msc", "mouse", "FND")
    shipped = {each.name: each for each in read_scenarios()}
    asked = [shipped["iv_bolus"], shipped["portal_vein"]]
    forecast = answer(model, model.draw_prior(20, 1), model.parameter_names, asked, hours=np.geomspace(0.1, 168.0, 20))
    contrasts = contrast_scenarios(forecast)
    table = scenario_tables.contrasts_table(contrasts)
    assert len(table.rows) == ((contrasts["endpoint"] == "AUC") & (contrasts["state"] != "total")).sum()
    assert "against those of iv_bolus" in table.caption
    (row,) = (row for row in table.rows if row[1:3] == ("liver", "live cells"))
    assert row[0] == "portal_vein"
    assert row[-1] == "1.00"
    assert "% of dose · h" in row[5]

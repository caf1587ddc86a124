"""What a page is told is what the command line writes; one bad form spoils no other."""

from dataclasses import replace

import numpy as np
import pytest

from pbpk.predict.contrast import contrast_scenarios
from pbpk.predict.dose_choice import Limit
from pbpk.predict.forecast import forecast_table
from pbpk.predict.origin import simulate
from pbpk.report.explore.answer import ask
from pbpk.report.explore.form import Form


def test_the_page_keeps_its_order_and_the_files_theirs(answer, origin, starts):
    assert [scenario.name for scenario in answer.scenarios] == ["portal_vein", "iv_bolus"]
    assert answer.table["scenario"].iloc[0] == "portal_vein"
    filed = simulate(origin, [starts["iv_bolus"], starts["portal_vein"]])
    assert forecast_table(answer.filed).equals(forecast_table(filed))
    assert answer.contrasts().equals(contrast_scenarios(filed))
    assert answer.usual_against == "iv_bolus"
    areas = answer.contrasts("portal_vein", areas=True)
    assert set(areas["endpoint"]) == {"AUC"}
    assert set(areas["scenario"]) == {"iv_bolus"}


def test_a_form_that_cannot_be_is_said_and_the_others_answered(origin, starts, forms):
    wrong = [
        replace(forms[0], title="No dose", dose="?"),
        replace(forms[0], title="No route", route="by_mouth"),
        replace(forms[0], title="No animal", species="unicorn"),
        replace(forms[0], title="Too heavy", body_weight_g="1e9"),
    ]
    found = ask(origin, [*wrong, forms[1]], starts)
    assert [scenario.name for scenario in found.scenarios] == ["iv_bolus"]
    assert [title for title, _ in found.problems] == ["No dose", "No route", "No animal", "Too heavy"]
    sentences = [sentence for _, sentence in found.problems]
    assert not any(sentence.startswith("scenario `") or "\n" in sentence for sentence in sentences)
    assert "by_mouth" in sentences[1]
    nobody = ask(origin, wrong[:1], starts)
    assert nobody.filed is None
    assert nobody.contrasts() is None


def test_what_needs_a_dose_says_so(origin, starts):
    filling = Form(title="Full", start="full", route="iv")
    full = replace(starts["iv_bolus"], name="full", title="Full", modifiers={"capacity_lung": 2e4}, file=None)
    found = ask(origin, [filling], {"full": full})
    assert "say `cells`" in found.problems[0][1]
    assert found.filed is None


def test_burdens_are_of_each_scenario_and_grow_with_the_dose(origin, starts, forms):
    doses = ("1e5", "1e6", "")
    found = ask(origin, [replace(forms[1], title=f"{dose} cells", dose=dose) for dose in doses], starts)
    (_, few), (_, many), (_, unknown) = found.burdens(Limit("lung", 2e5, 0.9))
    np.testing.assert_allclose(many.peak, 10.0 * few.peak, rtol=1e-9)
    assert many.most == pytest.approx(few.most)
    assert few.probability_under >= many.probability_under
    assert "say how many are given" in unknown

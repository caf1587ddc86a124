"""The page stands alone: no outside assets, every field with a name, whatever the model."""

import re
from dataclasses import replace

import pytest
from parsed import parsed

from pbpk.body.species import read_species
from pbpk.predict.origin import read_prior
from pbpk.predict.scenario import scenario_of
from pbpk.report.explore.form import Form
from pbpk.report.explore.page import Slider, begun, form_words, page_html, usual


@pytest.fixture(scope="module")
def text(origin, starts):
    return page_html(origin, starts, begun(starts, False), None, "pbpk simulate msc scenarios --out answers")


def test_it_asks_nothing_of_any_other_place(text):
    parsed(text)
    outside = [found for found in re.findall(r"(?:https?:)?//[^\s\"'<>)]+", text) if "w3.org" not in found]
    assert [found for found in outside if not found.startswith("// ")] == []
    assert not re.search(r"@import|src=|<iframe", text)


def test_every_field_has_a_label_and_the_keyboard_a_way_in(text):
    body = text[text.index("<body") : text.index("<script>")]
    for field in re.finditer(r"<(?:input|select)\b[^>]*>", body):
        if 'type="hidden"' in field.group():
            continue
        before = body[: field.start()]
        assert before.rfind("<label") > before.rfind("</label>"), field.group()
    assert '<a class="skip" href="#answer">' in body
    assert 'lang="en"' in text
    assert 'name="viewport"' in text


def test_it_begins_with_what_is_known(starts):
    assert [scenario.name for scenario in begun(starts, False)] == ["iv_bolus", "portal_vein"]
    named = {name: starts[name] for name in ("arterial", "iv_bolus")}
    assert list(named) == [scenario.name for scenario in begun(named, True)]


def test_names_of_scenarios_are_text(origin, starts):
    odd = replace(starts["iv_bolus"], name="odd", title='"><script>alert(1)</script>')
    assert "<script>alert" not in page_html(origin, {"odd": odd}, [odd], None, "x")


def test_a_model_without_cells_or_size_law_has_a_page_too():
    prior = read_prior("small_molecule", read_species("human"), draws=5)
    first = usual(prior)
    first.check(prior.model)
    text = page_html(prior, {"bolus": first}, [first], None, "x")
    parsed(text)
    assert 'type="range" name="diameter_ratio"' not in text
    assert "label is not viability" not in text


def test_doses_of_a_file_that_no_field_holds_are_told(origin):
    doses = [{"route": "intraperitoneal", "share": 0.7}, {"route": "iv", "share": 0.3, "hours": 5.0}]
    odd = scenario_of("odd", {"title": "Odd", "doses": doses, "modifiers": {"absorption_peritoneum": 0.1}})
    text = page_html(origin, {"odd": odd}, [odd], None, "x")
    assert "70 % intraperitoneal at 0 h; 30 % iv at 5 h" in text
    assert "Kept from its file: absorption_peritoneum 0.1." in text
    assert 'value="intraperitoneal" selected' in text


def test_a_range_holds_any_value_of_a_file():
    assert Slider.of("1.3", 0.3, 2.0, 0.05) == Slider("1.3", 0.3, 2.0, "0.05")
    assert Slider.of("1.337", 0.3, 2.0, 0.05).step == "any"
    assert Slider.of("7", 0.3, 2.0, 0.05).high == 7.0


def test_only_forms_are_forms():
    assert form_words("no") == []
    assert form_words([{"title": "A"}, 3, None]) == [Form(title="A")]

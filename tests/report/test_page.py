import re
from types import SimpleNamespace

import pytest
from parsed import parsed

from pbpk.report.page import SECTIONS, report_html, write_report, write_scenario_page
from pbpk.report.wording import FOOTNOTE

HOSTILE = "<script>alert('x')</script> & {{ 7 * 7 }} {% raw %} | $a$ \"q\""


@pytest.fixture(scope="module")
def text(khot):
    return report_html(khot)


def test_the_page_is_whole(text):
    found = parsed(text)
    assert len(found.ids) == len(set(found.ids))
    assert {anchor for anchor, _ in SECTIONS} <= set(found.ids)
    inside = [link[1:] for link in found.links if link.startswith("#")]
    assert inside
    assert set(inside) <= set(found.ids)
    assert all(link.startswith(("#", "https://doi.org/10.")) for link in found.links)
    assert FOOTNOTE in text


def test_nothing_is_taken_from_outside(text):
    assert not re.search(r"<(script|link|img|iframe)\b|@import|url\((?!#)|src=", text)


def test_two_renders_are_the_same_bytes(khot, text, tmp_path):
    path = write_report(khot, tmp_path / "deep" / "report.html")
    assert path.read_bytes() == text.encode()
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_every_parameter_is_on_the_page(khot, text):
    words = "".join(parsed(text).text)
    assert all(name in words for name in khot.parameters["parameter"])


def test_the_red_box_stands_first_and_only_when_it_must(make_run, text):
    assert 'class="alert"' not in text
    run = make_run("zhuang_2021_fnd_msc_mouse", scenarios=0, passed=False)
    page = report_html(run)
    body = page[page.index("<body>") :]
    assert body.index('class="alert"') < body.index("<h1>")
    words = "".join(parsed(page).text)
    assert all(sentence.replace("`", "") in words for sentence in run.diagnostics.sentences)


def test_hostile_text_prints_literally(khot):
    about = khot.study.about
    changed = about.model_copy(
        update={
            "title": HOSTILE,
            "strain": HOSTILE,
            "label": HOSTILE,
            "assumptions": [HOSTILE],
            "product": about.product.model_copy(update={"cell_type": HOSTILE, "lot": HOSTILE}),
            "groups": [about.groups[0].model_copy(update={"name": HOSTILE, "treatment": HOSTILE})],
            "sources": [about.sources[0].model_copy(update={"text": HOSTILE, "doi": HOSTILE, "note": HOSTILE})],
            "reporting": about.reporting.model_copy(update={"facility": HOSTILE}),
        }
    )
    study = SimpleNamespace(about=changed, doses=khot.study.doses, measurements=khot.study.measurements)
    forecast = khot.forecast[khot.forecast["scenario"] == "s0"].assign(title=HOSTILE)
    given = vars(khot) | {"study": study, "forecast": forecast}
    for table in ("predictions", "curves", "exposure"):
        given[table] = given[table].assign(group=HOSTILE)
    page = report_html(SimpleNamespace(**given))
    found = parsed(page)
    assert "<script" not in page
    assert "49" not in "".join(found.text).split(HOSTILE)[0]
    assert sum(HOSTILE in data for data in found.text) >= 12


@pytest.mark.parametrize("study", ["zhuang_2021_fnd_msc_mouse", "gholamrezanezhad_2011_msc_human"])
def test_ranges_and_unknown_denominators_make_a_page(make_run, study):
    run = make_run(study, scenarios=0)
    run.exposure = run.exposure.iloc[:0]
    words = "".join(parsed(report_html(run)).text)
    assert "No scenario was asked." in words
    assert "no area was computed" in words
    assert ("posterior probability" in words) == (run.study.about.denominator == "unknown")


def test_synthetic_data_say_so(khot):
    about = khot.study.about.model_copy(update={"kind": "synthetic"})
    study = SimpleNamespace(about=about, doses=khot.study.doses, measurements=khot.study.measurements)
    given = vars(khot) | {"study": study, "forecast": khot.forecast.iloc[:0]}
    assert "no animal was measured" in report_html(SimpleNamespace(**given))


def test_scenarios_alone_make_a_page(khot, tmp_path):
    path = write_scenario_page(khot.forecast, "the prior of <b>", tmp_path / "scenarios.html")
    page = path.read_text()
    parsed(page)
    assert "the prior of &lt;b&gt;" in page
    assert page.count("<svg") == 3 + 2 * 2  # each with its stack and its body
    assert "read it as a hypothesis" in page


def test_more_than_was_given_is_told(khot, tmp_path):
    forecast = khot.forecast.copy()
    calm = write_scenario_page(forecast.assign(mean=forecast["mean"] / 2), "x", tmp_path / "a.html").read_text()
    assert "which cannot be" not in calm
    wild = write_scenario_page(forecast.assign(mean=forecast["mean"] * 3), "x", tmp_path / "b.html").read_text()
    assert "which cannot be" in wild

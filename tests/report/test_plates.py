import re
from types import SimpleNamespace

import pytest

from pbpk.assay.balance import balance_by_hour, recovered_by_hour
from pbpk.report.plates import (
    MOST_DETAILS,
    balance_table,
    overview,
    plate_html,
    recovered_table,
    write_plate_page,
)
from pbpk.report.wording import number


@pytest.fixture(scope="module")
def text(plated):
    return plate_html(plated.study, plated.counts, plated.traces)


def test_the_page_needs_nothing_from_outside(text):
    assert not re.search(r"<(script|link|img|iframe)\b|@import|url\((?!#)|src=", text)
    assert not re.search(r'href="(?!#|data:image/png;base64,)', text)
    assert len(set(re.findall(r' id="([^"]+)"', text))) == len(re.findall(r' id="([^"]+)"', text))


def test_links_of_the_contents_lead_somewhere(text):
    ids = set(re.findall(r' id="([^"]+)"', text))
    links = re.findall(r'<a href="#([^"]+)"', text)
    assert {"all", "out", "plate-1", "plate-2", "wells"} <= set(links) <= ids


def test_wells_left_out_are_visible(text):
    assert '<span class="verdict bad">(3 wells left out)</span>' in text
    assert text.count('class="bad"') == 3  # drawn large
    assert "40.1% of the samples are missing" in text
    assert text.count("left out</text>") >= 6 or text.count(">left out<") >= 6  # in both sheets


def test_synthetic_is_said_loudly(text, plated):
    body = text[text.index("<body>") :]
    assert body.index("SYNTHETIC: this light") < body.index("<h1>")
    real = SimpleNamespace(**vars(plated.study) | {"about": plated.study.about.model_copy(update={"kind": "real"})})
    assert "SYNTHETIC: this light" not in plate_html(real, plated.counts)


def test_the_convention_is_called_one(text):
    assert "borrowed from ICH M10 (2022)" in text
    assert "bind nobody" in text


def test_one_plate_without_rules_and_odd_names(plain_plate):
    page = plate_html(plain_plate.study, plain_plate.counts, iter(plain_plate.traces))
    assert "No rules were asked of this plate." in page
    assert "no plate was judged" in page
    assert "tube A7 &amp; &lt;b&gt;" in page
    assert "<b>" not in page
    assert "No well was left out." in page


def test_without_light_the_page_says_so(plated, tmp_path):
    path = write_plate_page(plated.study, plated.counts, tmp_path / "plates.html")  # its folder does not exist
    page = path.read_text()
    assert "The light itself was not at hand" in page
    assert "Wells, large" not in page
    assert "Controls in lung" in page


def test_the_same_study_gives_the_same_bytes(plain_plate, tmp_path):
    paths = [
        write_plate_page(plain_plate.study, plain_plate.counts, tmp_path / name, plain_plate.traces) for name in "ab"
    ]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_not_more_than_some_bad_wells_are_drawn_large(plated, monkeypatch):
    assert MOST_DETAILS > 1
    monkeypatch.setattr("pbpk.report.plates.MOST_DETAILS", 1)
    page = plate_html(plated.study, plated.counts, plated.traces)
    assert page.count('class="bad"') == 1
    assert "but for 2 more" in page


def test_mass_balance_is_that_of_the_counts(plated):
    found = balance_by_hour(plated.counts)
    rows = balance_table(plated.counts).rows
    assert [row[5] for row in rows] == [
        f"{number(p)} ± {number(sd)}" for p, sd in zip(found["percent_dose"], found["sd"], strict=True)
    ]
    assert [row[8] for row in rows] == ["1 of 2", "none"]  # an animal whose well was left out lacks an organ
    shares = recovered_table(plated.counts)
    assert "not percent of the dose" in shares.caption
    first = recovered_by_hour(plated.counts).iloc[0]
    assert f"{number(first['percent_recovered'])} ± {number(first['sd'])}" in shares.rows[0]


def test_the_overview_says_what_rules_were_borrowed_and_what_a_cell_carries(plated, plain_plate):
    found = overview(plated.counts)
    assert [table.head[1:] for table in found.tables] == [("lung", "liver")]
    assert "borrowed" in found.borrowed.lower()
    assert "One cell carries" in found.load
    assert "asked for none" in overview(plain_plate.counts).borrowed

"""Numbers that people decide by, against closed forms."""

import numpy as np
import pytest

from pbpk.body.species import read_species
from pbpk.errors import InputError
from pbpk.predict.endpoint import Endpoint, endpoints_of, parse_endpoint, parse_endpoints, question
from pbpk.predict.origin import read_prior, simulate
from pbpk.predict.scenario import Scenario, ScenarioDose

IV = Scenario("iv", "iv", "", (ScenarioDose(route="iv"),))
HOURS = np.linspace(0.0, 48.0, 97)
RATE = np.array([[0.1], [0.5]])
FALLING = 100.0 * np.exp(-RATE * HOURS)  # areas of exponentials by the logarithmic trapezoid are exact


@pytest.mark.parametrize(
    "text",
    [
        "AUC liver live",
        "AUC0-72 liver live",
        "residence liver",
        "Cmax lung live",
        "Tmax liver label",
        "24h spleen label",
        "0.5h lung",
        "AUC1.5-7.25 lung",
    ],
)
def test_an_endpoint_is_written_as_it_is_read(text):
    assert str(parse_endpoint(text)) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "write a measure"),
        ("AUC", "write a measure"),
        ("AUCs liver", "Did you mean `AUC`"),
        ("peak lung", "write a measure"),
        ("AUC72-0 liver", "put the earlier hour first"),
        ("AUC liver live now", "write a measure"),
    ],
)
def test_what_is_no_endpoint_is_one_sentence(text, words):
    with pytest.raises(InputError, match=words):
        parse_endpoint(text)


def test_endpoints_stand_apart_by_commas():
    assert [str(each) for each in parse_endpoints("AUC liver live, Cmax lung")] == ["AUC liver live", "Cmax lung"]
    with pytest.raises(InputError, match="stands there twice"):
        parse_endpoints("AUC liver,AUC liver")


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("AUC o", 100.0 * (1.0 - np.exp(-RATE[:, 0] * 48.0)) / RATE[:, 0]),
        ("AUC0-12 o", 100.0 * (1.0 - np.exp(-RATE[:, 0] * 12.0)) / RATE[:, 0]),
        ("AUC3.3-12 o", 100.0 * (np.exp(-RATE[:, 0] * 3.3) - np.exp(-RATE[:, 0] * 12.0)) / RATE[:, 0]),
        ("residence o", (1.0 - np.exp(-RATE[:, 0] * 48.0)) / RATE[:, 0]),
        ("Cmax o", [100.0, 100.0]),
        ("Tmax o", [0.0, 0.0]),
        ("Cmax6-12 o", 100.0 * np.exp(-RATE[:, 0] * 6.0)),
        ("12h o", 100.0 * np.exp(-RATE[:, 0] * 12.0)),
    ],
)
def test_an_exponential_has_closed_forms(text, exact):
    np.testing.assert_allclose(parse_endpoint(text).of(HOURS, FALLING, 100.0), exact, rtol=1e-9)


def test_between_hours_an_amount_is_on_a_line():
    np.testing.assert_allclose(Endpoint("at", "o", "total", 12.25, 12.25).of(HOURS, HOURS[np.newaxis], 1.0), 12.25)


@pytest.mark.parametrize(
    ("text", "unit"), [("AUC liver", "cells*h"), ("residence liver", "h"), ("Tmax liver", "h"), ("1h liver", "cells")]
)
def test_units(text, unit):
    assert parse_endpoint(text).unit("cells") == unit


@pytest.fixture(scope="module")
def prior():
    return read_prior("msc", read_species("mouse"), "FND", draws=20)


def test_a_question_is_the_endpoint_of_the_forecast(prior):
    asked = parse_endpoints("AUC liver live, residence lung, Cmax lung live, 24h spleen label, Tmax liver")
    put = question(prior, IV, asked, HOURS[1:], cells=1e6)
    forecast = simulate(prior, [IV], cells=1e6, hours=put.hours)
    found = put.of()
    for i, endpoint in enumerate(asked):
        np.testing.assert_allclose(found[:, i], endpoints_of(forecast, endpoint)[0], rtol=1e-5)
    assert put.units == ["cells*h", "h", "cells", "cells", "h"]
    assert question(prior, IV, asked[:1], HOURS).units == ["percent_of_dose*h"]
    np.testing.assert_array_equal(put.of(prior.theta[3:5]), found[3:5])


@pytest.mark.parametrize(("text", "words"), [("AUC livr", "Did you mean `liver`"), ("AUC liver lve", "`live`")])
def test_what_the_answer_does_not_have_is_refused(prior, text, words):
    with pytest.raises(InputError, match=words):
        question(prior, IV, parse_endpoints(text), HOURS)
    with pytest.raises(InputError, match=words):
        endpoints_of(simulate(prior, [IV], hours=HOURS), parse_endpoint(text))


def test_an_area_does_not_run_up_to_a_dose_that_comes_later(prior):
    """A dose in two halves a day apart has the area of one dose, each half followed for as long."""
    halves = Scenario("two", "two", "", (ScenarioDose(route="iv", share=0.5, addl=1, interval_h=24.0),))
    far = np.geomspace(0.05, 2000.0, 60)
    one, two = (
        question(prior, each, parse_endpoints(f"AUC0-{stop} lung live"), np.concatenate([far, more])).of()[:, 0]
        for each, stop, more in ((IV, 1900, []), (halves, 1900, 24.0 + far[far < 1900.0]))
    )
    np.testing.assert_allclose(two, one, rtol=5e-3)


def test_an_endpoint_beyond_the_answer_is_not_told_of_its_end():
    assert np.isnan(parse_endpoint("AUC0-100 o").of(HOURS, FALLING, 100.0)).all()
    with pytest.raises(InputError, match="none of the hours lies within it"):
        parse_endpoint("Cmax60-70 o").of(HOURS, FALLING, 100.0)

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbpk.body.expansion import read_model
from pbpk.body.library import LIBRARY
from pbpk.body.prior import Prior
from pbpk.body.scaling import (
    OWN,
    carried_over,
    draw_species,
    numbers_at,
    physiology_priors,
    read_allometry,
    scale_theta,
    scaled,
    spread,
)
from pbpk.body.species import read_species, write_species
from pbpk.errors import InputError, SpeciesError
from pbpk.quantity import Quantity

SHIPPED = {name: read_species(name) for name in ("mouse", "rat", "minipig", "human")}
SHIPPED |= {f"human, {sex}": SHIPPED["human"].of_sex(sex) for sex in ("female", "male")}
LAW = read_allometry()
animals = st.sampled_from(sorted(SHIPPED))
ratios = st.floats(0.02, 50.0)
each_animal = pytest.mark.parametrize("name", SHIPPED)


@dataclass(frozen=True)
class Parameter:
    name: str
    unit: str = "1"
    about: str = ""


def flows(animal):
    numbers = animal.numbers()
    return sum(numbers.get(f"artery_{organ}", 0.0) for organ in animal.organs)


def volume(animal):
    numbers = animal.numbers()
    return sum(value for name, value in numbers.items() if name.startswith("volume_"))


# ---- another weight


@given(animals, ratios)
@settings(deadline=None, max_examples=50)
def test_volumes_go_with_the_weight_and_flows_with_its_three_quarters(name, ratio):
    known = SHIPPED[name].numbers()
    grown = scaled(SHIPPED[name], known["body_weight"] * ratio, law=LAW)
    for quantity, value in grown.numbers().items():
        kind = "flow" if quantity == "cardiac_output" else quantity.partition("_")[0]
        power = {"volume": 1.0, "body": 1.0, "flow": 0.75, "artery": 0.75}.get(kind, 0.0)
        assert value == pytest.approx(known[quantity] * ratio**power, rel=1e-12)
    assert flows(grown) == pytest.approx(grown.numbers()["cardiac_output"], rel=1e-12)


@given(animals, ratios)
@settings(deadline=None, max_examples=50)
def test_there_and_back_is_where_it_was(name, ratio):
    animal = SHIPPED[name]
    known = animal.numbers()
    back = scaled(scaled(animal, known["body_weight"] * ratio, law=LAW), known["body_weight"], law=LAW)
    assert back.numbers() == pytest.approx(known, rel=1e-12)
    for quantity, q in back.quantities.items():
        was = animal.quantities[quantity]
        for end, was_end in ((q.low, was.low), (q.high, was.high)):
            assert (end is None) == (was_end is None)
            assert end is None or end == pytest.approx(was_end, rel=1e-12)
    assert back.sources["scaling"].text.count("brought to") == 2


def test_a_scaled_animal_says_so_and_names_its_sources():
    grown = scaled(SHIPPED["mouse"], 20.0)
    assert grown.name == "mouse, 20 g"
    assert grown.about.endswith("scaled to 20 g")
    assert grown.file is None  # the file has other numbers
    assert grown.quantities["artery_liver"].source.split() == [
        *("shah_betts_2012", "scaling", "httk_2.7.4", "mammals_at_rest_2004", "west_1997")
    ]
    assert grown.quantities["vascular_liver"] == SHIPPED["mouse"].quantities["vascular_liver"]
    assert all(key in grown.sources for q in grown.quantities.values() for key in q.source.split())
    assert grown.sources["scaling"].status == "hypothesis"
    assert "28 g brought to 20 g" in grown.sources["scaling"].text
    assert grown.sources["httk_2.7.4"] == SHIPPED["mouse"].sources["httk_2.7.4"]


def test_sex_and_weight_together():
    woman = scaled(SHIPPED["human"], 70000.0, sex="female")
    assert woman.name == "human, female, 70000 g"
    assert woman.numbers()["cardiac_output"] == pytest.approx(354000.0 * (70 / 60) ** 0.75)
    assert scaled(SHIPPED["human"], sex="male").numbers()["body_weight"] == 73000.0
    assert scaled(SHIPPED["rat"]) is SHIPPED["rat"]


def test_a_model_is_read_for_a_scaled_animal():
    model = read_model("msc", scaled(SHIPPED["minipig"], 20000.0), label="FND")
    assert model.constants["cardiac_output"] == pytest.approx(270000.0 * (20000 / 39999.8) ** 0.75)


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        (0.0, "mouse: a body weight of 0 g cannot be; give grams above zero."),
        (-1.0, "mouse: a body weight of -1 g cannot be; give grams above zero."),
        (math.nan, "mouse: a body weight of nan g cannot be; give grams above zero."),
        (0.025, "mouse: 0.025 g is far from the 28 g its numbers are for; give the weight in grams."),
        (70000.0, "mouse: 70000 g is far from the 28 g its numbers are for; give the weight in grams."),
    ],
)
def test_a_weight_of_another_unit_is_refused(weight, said):
    with pytest.raises(SpeciesError) as refusal:
        scaled(SHIPPED["mouse"], weight)
    assert str(refusal.value) == said


def test_exponents_name_their_sources_and_lie_within_their_spread():
    for exponent in (LAW.volume, LAW.flow, LAW.rate):
        assert all(key in LAW.sources for key in exponent.source.split())
        assert exponent.low is None or exponent.low <= exponent.value
        assert exponent.high is None or exponent.value <= exponent.high
    assert LAW.evidence == "hypothesis"
    assert LAW.flow.value == LAW.volume.value + LAW.rate.value  # what is in a litre passes as time does


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("flow = {", "flwo = {", "line 9: unknown key `flwo`. Did you mean `flow`?"),
        ('value = 0.75, unit = "1"', 'value = 0.75, unit = "g"', "flow: an exponent has the unit `1`, not `g`."),
        ("value = 0.75", "value = 1.75", "flow is 1.75; put low at or below it and high at or above it."),
    ],
)
def test_a_wrong_file_of_exponents_is_refused(tmp_path, old, new, said):
    path = tmp_path / "mine.toml"
    text = (LIBRARY / "scaling" / "allometry.toml").read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(SpeciesError) as refusal:
        read_allometry(path)
    assert str(refusal.value) == f"{path}: {said}"


# ---- within the spread


def test_the_longer_distance_is_taken_on_both_sides():
    low, high = spread(Quantity(10.0, "mL", "s", low=5.0, high=40.0)).interval()
    assert (low, high) == pytest.approx((2.5, 40.0))
    low, high = spread(Quantity(10.0, "mL", "s", low=2.0)).interval()
    assert (low, high) == pytest.approx((2.0, 50.0))


def test_a_share_stays_a_share():
    prior = spread(Quantity(0.26, "1", "s", high=0.5))
    assert prior.form == "logit_normal"
    assert prior.interval()[1] == pytest.approx(0.5)
    assert prior.interval()[0] > 0.0


def test_a_number_without_spread_is_fixed():
    assert spread(Quantity(3.0, "L", "s")) == Prior("fixed", 3000.0, 0.0)


def test_a_spread_is_in_the_units_inside():
    assert spread(Quantity(0.0113, "L/min", "s", low=0.008)).centre == pytest.approx(678.0)


@each_animal
def test_priors_hold_every_stated_end(name):
    animal = SHIPPED[name]
    priors = physiology_priors(animal)
    assert set(priors) == set(animal.quantities)
    for quantity, prior in priors.items():
        q = animal.quantities[quantity]
        low, high = prior.interval()
        if q.low is not None:
            assert low <= q.low * (1 + 1e-9)
        if q.high is not None:
            assert high >= q.high * (1 - 1e-9)
        assert prior.is_fixed == (q.low in (None, q.value) and q.high in (None, q.value))


@each_animal
def test_drawn_animals_close_and_stay_positive(name):
    animal = SHIPPED[name]
    drawn = draw_species(animal, 200, seed=1)
    assert len(drawn) == 200
    for one in drawn:
        numbers = one.numbers()
        assert all(value > 0.0 for value in numbers.values())
        assert all(value < 1.0 for quantity, value in numbers.items() if quantity.startswith("vascular_"))
        assert flows(one) == pytest.approx(numbers["cardiac_output"], rel=1e-12)
        assert volume(one) == pytest.approx(volume(animal), rel=1e-12)
        assert all(key in one.sources for q in one.quantities.values() for key in q.source.split())


@each_animal
def test_medians_stay_near_the_value(name):
    animal = SHIPPED[name]
    known = animal.numbers()
    drawn = [one.numbers() for one in draw_species(animal, 1000, seed=2)]
    priors = physiology_priors(animal)
    for quantity in animal.quantities:
        # sampling error of a median, and what closing moves
        median = float(np.median([numbers[quantity] for numbers in drawn]))
        error = 4.0 * 1.2533 * priors[quantity].sigma / math.sqrt(1000)
        assert abs(math.log(median / known[quantity])) < error + 0.08, quantity


def test_drawn_numbers_are_as_wide_as_their_prior():
    animal = SHIPPED["mouse"]
    prior = physiology_priors(animal)["volume_spleen"]
    values = [one.numbers()["volume_spleen"] for one in draw_species(animal, 1000, seed=3)]
    assert np.std(np.log(values)) == pytest.approx(prior.sigma, rel=0.1)


def test_draws_are_repeated_by_their_seed():
    first, again, other = (draw_species(SHIPPED["rat"], 3, seed=seed) for seed in (5, 5, 6))
    assert [one.numbers() for one in first] == [one.numbers() for one in again]
    assert first[0].numbers() != other[0].numbers()
    assert [one.name for one in first] == ["rat, draw 1", "rat, draw 2", "rat, draw 3"]


def test_a_weight_with_a_spread_takes_the_body_along():
    mouse = SHIPPED["mouse"]
    weight = replace(mouse.quantities["body_weight"], low=20.0, high=39.2)
    fixed = {name: replace(q, low=None, high=None) for name, q in mouse.quantities.items()}
    mouse = replace(mouse, quantities=fixed | {"body_weight": weight})
    for one in draw_species(mouse, 50, seed=4):
        numbers = one.numbers()
        ratio = numbers["body_weight"] / 28.0
        assert volume(one) == pytest.approx(volume(mouse) * ratio)
        assert numbers["cardiac_output"] == pytest.approx(678.0 * ratio**0.75)
        assert flows(one) == pytest.approx(numbers["cardiac_output"])


def test_a_number_without_spread_is_as_read():
    drawn = draw_species(SHIPPED["mouse"], 5, seed=1)[0]
    assert drawn.quantities["density_lung"] is SHIPPED["mouse"].quantities["density_lung"]
    assert drawn.quantities["artery_rest"].source == "closure drawn"


def test_no_animal_cannot_be_drawn():
    with pytest.raises(SpeciesError, match=r"rat: 0 animals cannot be drawn; ask for at least 1\."):
        draw_species(SHIPPED["rat"], 0, seed=1)


def test_a_drawn_animal_can_be_written_and_read(tmp_path):
    (one,) = draw_species(scaled(SHIPPED["minipig"], 25000.0), 1, seed=1)
    again = read_species(write_species(one, tmp_path / "mine.toml"))
    assert again.numbers() == one.numbers()


# ---- another species


MSC = read_model("msc", "mouse", label="FND").parameters
RATIO = 70000.0 / 28.0


def rows_of(parameters, **options):
    return carried_over(SHIPPED["mouse"], SHIPPED["human"], parameters, **options)


def test_every_number_has_one_sentence():
    rows = rows_of(MSC, rates="allometric")
    assert [row.name for row in rows[: len(MSC)]] == [parameter.name for parameter in MSC]
    assert {row.name for row in rows[len(MSC) :]} == set(SHIPPED["human"].quantities)
    for row in rows:
        assert row.words.startswith(row.name)
        assert row.words.endswith(".")
        assert "\n" not in row.words
        assert row.evidence == ("" if row.how == OWN else "hypothesis")


def test_shares_are_carried_and_rates_are_what_was_asked():
    by_unit = {parameter.name: parameter.unit for parameter in MSC}
    for rates, factor in {"carried": 1.0, "allometric": RATIO**-0.25}.items():
        for row in rows_of(MSC, rates=rates)[: len(MSC)]:
            expected = factor if by_unit[row.name] == "1/h" else 1.0
            assert row.factor == pytest.approx(expected)
            assert row.how == ("carried" if expected == 1.0 else "scaled")


def test_the_words():
    lung = Parameter("E_lung", "1", "first-pass extraction by the lung")
    loss = Parameter("loss_lung", "1/h", "rate at which live cells leave")
    share, carried = rows_of([lung, loss])[:2]
    (rate,) = rows_of([loss], rates="allometric")[:1]
    own = {row.name: row for row in rows_of([])}["cardiac_output"]
    assert share.words == (
        "E_lung (first-pass extraction by the lung) is carried over unchanged from the mouse: it has no dimension; a "
        "hypothesis."
    )
    assert carried.words == (
        "loss_lung (rate at which live cells leave) is carried over unchanged from the mouse: a time is taken to "
        "belong to the cells and not to the body, whose weight to the -0.25 would give 0.141 times it; a hypothesis."
    )
    assert rate.words == (
        "loss_lung (rate at which live cells leave) of the mouse is multiplied by 0.1414, which is (70000 g / 28 g)"
        "^-0.25: a time is taken to go with the clock of the body; a hypothesis, and published exponents from -0.574 "
        "to 0.0536 would give 0.0112 to 1.52."
    )
    assert own.words == (
        "cardiac_output is the target's own, 336000 mL/h for human (httk_2.7.4), 496 times the 678 mL/h of mouse."
    )


@pytest.mark.parametrize(
    ("unit", "power"),
    [
        *(("1", 0.0), ("um", 0.0), ("g/mL", 0.0), ("cell/mL", 0.0), ("mol/mL", 0.0), ("mL/g", 0.0), ("g/mol", 0.0)),
        *(("mL", 1.0), ("L", 1.0), ("g", 1.0), ("cell", 1.0), ("1/cell", -1.0)),
        *(("mL/h", 0.75), ("L/min", 0.75), ("cell/h", 0.75)),
        *(("1/h", -0.25), ("1/min", -0.25), ("mL/h/g", -0.25), ("h", 0.25), ("day", 0.25)),
    ],
)
def test_a_unit_tells_its_power(unit, power):
    row = rows_of([Parameter("p", unit)], rates="allometric")[0]
    assert row.factor == pytest.approx(RATIO**power)
    assert row.how == ("scaled" if power else "carried")


def test_a_power_of_ones_own():
    rows = rows_of([Parameter("loss", "1/h"), Parameter("seen", "kBq/mL")], exponents={"loss": -0.5, "seen": 0.0})
    assert rows[0].factor == pytest.approx(RATIO**-0.5)
    assert "as you asked" in rows[0].words
    assert rows[1].how == "carried"


@pytest.mark.parametrize(
    ("parameter", "options", "said"),
    [
        (Parameter("a"), {"rates": "allometrc"}, "rates cannot be `allometrc`. Did you mean `allometric`?"),
        (
            Parameter("loss_lung"),
            {"exponents": {"loss_lng": 1.0}},
            "exponents: there is no parameter `loss_lng`. Did you mean `loss_lung`?",
        ),
        (
            Parameter("a"),
            {"exponents": {"a": math.nan}},
            "exponents: the power of body weight of `a` is nan; give a finite number.",
        ),
        (
            Parameter("a", "Bq/mL"),
            {},
            '`a` is in Bq/mL, for which there is no rule; give its power of body weight in exponents, as {"a": 0}.',
        ),
        (Parameter("a", "mL/ours"), {}, "`a`: the unit `mL/ours` is not known."),
        (Parameter("a", "kelvin"), {}, "`a`: the unit `kelvin` measures nothing a model uses; known are 1, 1/h,"),
    ],
)
def test_what_cannot_be_carried_over_is_said(parameter, options, said):
    with pytest.raises(InputError) as refusal:
        rows_of([parameter], **options)
    assert str(refusal.value).startswith(said)
    assert str(refusal.value).endswith((".", "?"))


@given(st.integers(1, 4), st.floats(0.01, 100.0))
@settings(deadline=None, max_examples=25)
def test_theta_is_multiplied_by_its_rows(draws, value):
    rows = rows_of(MSC, rates="allometric")
    theta = np.full((2, draws, len(MSC)), value)
    moved = scale_theta(theta, rows)
    assert moved.shape == theta.shape
    for i, row in enumerate(rows[: len(MSC)]):
        assert moved[..., i] == pytest.approx(value * row.factor)
    back = carried_over(SHIPPED["human"], SHIPPED["mouse"], MSC, rates="allometric")
    assert scale_theta(moved, back) == pytest.approx(theta)


def test_carrying_over_to_itself_changes_nothing():
    rows = carried_over(SHIPPED["rat"], SHIPPED["rat"], MSC, rates="allometric")
    assert all(row.factor == 1.0 for row in rows)


def test_theta_of_other_parameters_is_refused():
    said = (
        f"theta has 3 columns and the rows are of {len(MSC)} parameters; ask carried_over for the parameters of theta, "
        "in their order."
    )
    with pytest.raises(InputError) as refusal:
        scale_theta(np.ones((5, 3)), rows_of(MSC))
    assert str(refusal.value) == said


@each_animal
def test_many_weights_at_once_are_each_by_itself(name):
    animal = SHIPPED[name]
    weights = animal.numbers()["body_weight"] * np.array([0.5, 1.0, 3.0])
    found = numbers_at(animal, weights)
    for i, weight in enumerate(weights):
        own = scaled(animal, float(weight)).numbers()
        at = {key: float(np.broadcast_to(value, 3)[i]) for key, value in found.items()}
        assert at == pytest.approx(own, rel=1e-14)

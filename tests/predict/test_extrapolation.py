"""A posterior in another animal: factors, words, and the body of that animal."""

import numpy as np
import pytest
import xarray as xr

from pbpk.body.expansion import read_model
from pbpk.dosing import Dose
from pbpk.errors import InputError, SpeciesError
from pbpk.predict.extrapolation import animal_of, extrapolate, marked

HOURS = np.array([1.0, 24.0])


def moved(model, to="human", **more):
    theta = model.draw_prior(5, seed=1)
    names = ["before", *model.parameter_names]
    return theta, extrapolate(model, np.hstack([np.zeros((5, 1)), theta]), names, animal_of(to), **more)


def test_cells_keep_their_numbers_in_the_body_of_the_other():
    mouse, human = read_model("msc", "mouse"), read_model("msc", "human")
    theta, there = moved(mouse)
    np.testing.assert_array_equal(there.theta, theta)
    doses = [Dose("iv", 100.0)]
    np.testing.assert_array_equal(there.model.solve(there.theta, doses, HOURS), human.solve(theta, doses, HOURS))
    how = {row.name: row.how for row in there.rows}
    assert how["E_lung"] == how["loss_lung"] == "carried"
    assert how["artery_liver"] == "animal's own"
    assert list(there.table.columns) == ["name", "how", "factor", "words", "evidence"]
    assert set(there.table.loc[there.table["how"] == "carried", "evidence"]) == {"hypothesis"}
    assert there.sentence.startswith(f"From mouse to human: of {len(there.rows)} numbers 37 carried over unchanged, ")


def test_rates_may_go_with_the_clock_of_the_body():
    mouse = read_model("msc", "mouse")
    theta, there = moved(mouse, rates="allometric")
    factor = dict(zip(there.names, there.theta[0] / theta[0], strict=True))
    assert factor["loss_lung"] == pytest.approx((70000.0 / 28.0) ** -0.25)
    assert factor["E_lung"] == 1.0
    with pytest.raises(InputError, match="rates cannot be `alometric`"):
        moved(mouse, rates="alometric")


def test_what_the_model_scales_itself_is_carried():
    model = read_model("small_molecule", "rat")
    _, there = moved(model)
    rows = {row.name: row for row in there.rows}
    assert rows["clearance"].how == "carried"
    assert "its model says how it goes with body weight" in rows["clearance"].words
    assert "is brought by the model, 70 kg (weight), and stays" in rows["weight_known"].words
    # and the model does: seen from the blood, a 280 times heavier body clears 280^(3/4) times as much
    clearing = [m.rates(there.theta)[:, -2] * m.constants["volume_liver"] for m in (model, there.model)]
    assert clearing[1] / clearing[0] == pytest.approx((70000.0 / 250.0) ** 0.75)


def test_volumes_go_with_the_body_where_the_model_does_not_say(tmp_path):
    path = tmp_path / "plain.toml"
    path.write_text('like = "small_molecule"\nname = "plain"\nabout = "clearance as it is"\narrows = [\n'
                    '"blood -> eliminated : clearance / volume_blood",\n"gut.lumen -> liver.tissue : absorption",\n'
                    '"liver.tissue -> blood : flow_liver / volume_liver",\n"fast.tissue -> blood : absorption",\n'
                    '"slow.tissue -> blood : absorption"]\n')  # fmt: skip
    theta, there = moved(read_model(path, "rat"))
    factor = dict(zip(there.names, there.theta[0] / theta[0], strict=True))
    assert factor["clearance"] == pytest.approx((70000.0 / 250.0) ** 0.75)
    assert factor["absorption"] == 1.0


def test_the_other_body_may_be_uncertain():
    mouse = read_model("msc", "mouse")
    theta, there = moved(mouse, physiology="spread", seed=3)
    n = theta.shape[1]
    np.testing.assert_array_equal(there.theta[:, :n], theta)
    assert "artery_liver" in there.names[n:]
    assert (there.theta[:, n:].std(axis=0) > 0).all()
    assert np.isfinite(there.model.solve(there.theta, [Dose("iv", 100.0)], HOURS)).all()
    _, again = moved(mouse, physiology="spread", seed=3)
    np.testing.assert_array_equal(again.theta, there.theta)


def test_an_animal_by_weight_and_sex():
    woman = animal_of("human", 50000.0, "female")
    assert woman.numbers()["body_weight"] == 50000.0
    assert woman.numbers()["cardiac_output"] == pytest.approx(354000.0 * (50 / 60) ** 0.75)
    assert animal_of(woman) is woman
    with pytest.raises(SpeciesError, match="is far from the 28 g"):
        animal_of("mouse", 22000.0)


def test_every_answer_is_marked():
    evidence = ["data", "extrapolation", "hypothesis"]
    coords = {"evidence": ("scenario", evidence), "beyond": ("scenario", ["", "route", ""])}
    forecast = marked(xr.Dataset(coords={"scenario": [1, 2, 3]} | coords))
    assert list(forecast["evidence"].values) == ["extrapolation", "extrapolation", "hypothesis"]
    assert list(forecast["beyond"].values) == ["species", "route; species", "species"]

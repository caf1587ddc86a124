"""Balance, signs, flows and volumes: what is shipped keeps them, and what is broken on purpose does not."""

from dataclasses import replace

import numpy as np
import pytest

from pbpk.body.expansion import read_model
from pbpk.body.library import LIBRARY
from pbpk.body.model import Model
from pbpk.body.physiology import freed
from pbpk.body.species import read_species, times
from pbpk.errors import SolveError
from pbpk.predict.qualification.invariants import of_animal, of_animals, of_courses, of_model


def changed(species, **factors):
    """An animal with some of its numbers times a factor."""
    new = {name: times(species.quantities[name], factor) for name, factor in factors.items()}
    return replace(species, quantities={**species.quantities, **new})


def test_every_shipped_animal_closes():
    checks = of_animals()
    assert all(check.passed for check in checks)
    assert {"human: flows", "human, female: volumes", "minipig: flows", "mouse: lungs in series", "rat: volumes"} <= {
        check.name for check in checks
    }


def test_a_file_whose_flows_do_not_close_fails(tmp_path, verdicts):
    text = (LIBRARY / "species" / "mouse.toml").read_text()
    (tmp_path / "mouse.toml").write_text(text.replace("artery = { value = 316.42", "artery = { value = 326.42"))
    (check,) = of_animals(tmp_path)
    assert not check.passed
    assert "flows do not close" in check.sentence


@pytest.mark.parametrize(
    ("factors", "name"),
    [
        ({"artery_kidney": 1.05}, "mouse: flows"),
        ({"cardiac_output": 0.99}, "mouse: flows"),
        ({"volume_rest": 0.6}, "mouse: volumes"),
        ({"body_weight": 1.5}, "mouse: volumes"),
    ],
)
def test_an_animal_that_does_not_close_fails(factors, name, verdicts):
    assert verdicts(of_animal(changed(read_species("mouse"), **factors))) == [name]


def test_lungs_beside_the_circulation_fail(verdicts):
    mouse = read_species("mouse")
    rest = mouse.quantities["artery_rest"]
    moved = {**mouse.quantities, "artery_lung": times(rest, 0.1), "artery_rest": times(rest, 0.9)}
    assert verdicts(of_animal(replace(mouse, quantities=moved))) == ["mouse: lungs in series"]


@pytest.mark.parametrize("how", ["fixed", "spread"])
@pytest.mark.parametrize("name", ["msc", "t_cell"])
@pytest.mark.parametrize("animal", ["mouse", "rat", "human", "minipig"])
def test_what_a_model_moves_is_the_cardiac_output(name, animal, how):
    model = freed(read_model(name, animal), how)
    for theta in model.draw_prior(3, seed=2):
        checks = list(of_model(model, theta, name))
        assert len(checks) == 3
        assert all(check.passed for check in checks), [check.sentence for check in checks]


def test_a_model_that_moves_more_fails(msc, monkeypatch, verdicts):
    right = Model.rates
    monkeypatch.setattr(Model, "rates", lambda self, *given: right(self, *given) * 1.01)
    assert verdicts(of_model(msc.model, msc.theta, "m")) == ["m: flow through the lungs", "m: flow to all organs"]


def test_a_vein_that_leads_elsewhere_fails(msc, verdicts):
    at = [family.line.startswith("vein") for family in msc.model.families].index(True)
    wrong = replace(msc.model.families[at], target=(msc.model.states.index("artery"),))
    families = (*msc.model.families[:at], wrong, *msc.model.families[at + 1 :])
    assert verdicts(of_model(replace(msc.model, families=families), msc.theta, "m")) == ["m: lungs in series"]


def test_a_model_without_such_vessels_is_not_asked():
    model = read_model("particles", "rat")
    assert not list(of_model(model, model.draw_prior(1, seed=1)[0], "p"))


def test_courses_keep_all_that_was_given(msc):
    checks = of_courses([msc])
    assert len(checks) == 4
    assert all(check.passed for check in checks)


@pytest.mark.parametrize(
    ("sabotage", "wrong"),
    [
        (lambda states: states * (1.0 + 1e-7), ["mass balance of the forecast", "mass balance of the sampler"]),
        (lambda states: states * np.nan, ["mass balance of the forecast", "no negative amount in the forecast",
                                          "mass balance of the sampler", "no negative amount in the sampler"]),
        (lambda states: states - 1e-10 * (np.arange(states.shape[1]) == (states == 0.0).all(axis=0).argmax()),
         ["no negative amount in the forecast", "no negative amount in the sampler"]),
    ],
)  # fmt: skip
def test_what_is_lost_made_or_negative_fails(msc, monkeypatch, verdicts, sabotage, wrong):
    right = Model.follow
    monkeypatch.setattr(Model, "follow", lambda *given: sabotage(right(*given)))
    early = replace(msc, hours=msc.hours[:1])
    assert verdicts(of_courses([early])) == [f"{msc.name}: {name}" for name in wrong]


def test_a_course_that_cannot_be_followed_fails(msc, monkeypatch, verdicts):
    def refuse(*given):
        raise SolveError("too fast.")

    monkeypatch.setattr(Model, "follow", refuse)
    assert verdicts(of_courses([msc])) == [f"{msc.name}: forecast", f"{msc.name}: sampler"]


def test_a_steady_course_is_not_asked(msc):
    steady = replace(msc.schedule, every=np.array([24.0, 0.0]))
    assert not of_courses([replace(msc, schedule=steady)])

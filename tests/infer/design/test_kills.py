"""What an animal tells that is killed at an hour: against the information of the rows themselves."""

import warnings

import numpy as np
import pytest
from mousestudy import CHAIN, CHAINED, organ_rows, read_chain, read_joint, write_rows, write_small

from pbpk.errors import StudyError
from pbpk.infer.design.additions import planned
from pbpk.infer.design.kills import Kill, alike, animals_of, hours_offered, kills_for, look_ahead
from pbpk.infer.design.sensitivity import points, prior_points

PRIORS = {"go": ("1/h", "lognormal(median=0.1, sigma=1.0)"), "die": ("1/h", "lognormal(median=0.02, sigma=0.7)")}


@pytest.fixture(scope="module")
def joint(tmp_path_factory):
    return read_chain(tmp_path_factory.mktemp("kills"), PRIORS)


@pytest.mark.parametrize("animals", [(1, 0), (3, 2), (5, 1)])
def test_the_information_is_that_of_as_many_rows(joint, animals):
    """Organs, misfit shared within an hour, and what rows teach of the scatter itself."""
    kills = kills_for(joint, (6.0, 48.0), (("label",),))
    z = prior_points(joint, 2, 1)
    ahead, _ = look_ahead(joint, kills, z)
    found = ahead.information(np.array(animals, dtype=float))
    rows = [
        {"group": "iv", "organ": organ, "readout": "label", "hours": kill.hour}
        for kill, n in zip(kills, animals, strict=True) for organ in kill.organs for _ in range(n)
    ]  # fmt: skip
    whole = planned(joint, rows)
    new = np.arange(len(joint.counts.table), len(whole.counts.table))
    for one, point in zip(found, points(whole, z), strict=True):
        np.testing.assert_allclose(one, point.information(new), rtol=1e-6, atol=1e-9)


def test_rows_whose_squares_are_the_information_of_more(joint):
    kills = kills_for(joint, (6.0, 48.0), (("label",),))
    ahead, _ = look_ahead(joint, kills, prior_points(joint, 1, 1))
    design = np.array([2.0, 1.0])
    rows = ahead.factors(design, 2.0)
    for k in range(2):
        more = design.copy()
        more[k] += 2.0
        exact = ahead.information(more) - ahead.information(design)
        np.testing.assert_allclose(np.swapaxes(rows[:, k], 1, 2) @ rows[:, k], exact, rtol=1e-6, atol=1e-9)


def test_animals_of_one_hour_share_its_misfit(joint):
    """A hundred animals at one hour tell less of a curve than a few at several: the misfit stays."""
    kills = kills_for(joint, (2.0, 8.0, 24.0, 72.0), (("label",),))
    ahead, _ = look_ahead(joint, kills, prior_points(joint, 0, 1))
    free = [p.name for p in joint.free].index("go")
    many = ahead.information(np.array([0.0, 100.0, 0.0, 0.0]))[0, free, free]
    thousand = ahead.information(np.array([0.0, 1000.0, 0.0, 0.0]))[0, free, free]
    assert thousand < 1.1 * many


def test_hours_are_round_and_the_studys_own(joint):
    found = hours_offered(joint)
    assert {1.0, 24.0, 96.0, 0.25, 6.0} <= set(found)
    assert max(found) == 96.0


def test_an_organ_that_is_none_is_refused(joint):
    with pytest.raises(StudyError, match="Did you mean `liver`"):
        kills_for(joint, (1.0,), (("label",),), ("livr",))


def test_no_number_of_animals_tells_more_of_a_curve_than_its_cell_allows(joint):
    ahead, _ = look_ahead(joint, kills_for(joint, (24.0,), (("label",),), ("lung",)), prior_points(joint, 0, 1))
    kinetic = [i for i in range(len(joint.free)) if i not in ahead.scatter]
    slope = ahead.slopes[0, 0][kinetic]
    many = ahead.information(np.array([1e7]))[0][np.ix_(kinetic, kinetic)]
    np.testing.assert_allclose(many, np.outer(slope, slope) / ahead.shared[0, 0], rtol=1e-5, atol=1e-12)


def test_new_animals_share_the_cells_of_those_seen_already(tmp_path):
    model = write_small(tmp_path / "m.toml", CHAIN, CHAINED, PRIORS, noise=0.3)
    joint = read_joint(write_rows(tmp_path / "s", organ_rows((1.0, 24.0), ("lung", "liver"), n=1), model=model))
    kills, z = kills_for(joint, (6.0, 24.0), (("label",),)), prior_points(joint, 1, 1)
    held, at = look_ahead(joint, kills, z, further=True)
    fresh, _ = look_ahead(joint, kills, z)
    assert held.held.tolist() == [0.0, 0.0, 1.0, 1.0]
    rows = [{"group": "iv", "organ": organ, "readout": "label", "hours": 24.0} for organ in kills[1].organs] * 2
    own, animals = np.arange(len(joint.counts.table)), np.array([0.0, 2.0])
    both = np.array([point.information() for point in points(planned(joint, rows), z)])
    before = np.array([point.information(own) for point in at])
    np.testing.assert_allclose(held.information(animals), both - before, rtol=1e-7, atol=1e-9)
    assert np.trace(held.information(animals)[0]) < np.trace(fresh.information(animals)[0])


def test_cells_without_animals_divide_nothing(joint):
    ahead, _ = look_ahead(joint, kills_for(joint, (6.0, 48.0), (("label",),)), prior_points(joint, 0, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not ahead.information(np.zeros(2)).any()


def test_nobody_is_killed_before_the_first_dose(joint):
    kills = kills_for(joint, (-1.0, 0.5, 24.0), (("label",), ("label", "live")))
    assert [kill.hour for kill in kills] == [0.5, 24.0, 0.5, 24.0]
    assert kills[2] == Kill("iv", 0.5, ("label", "live"), ("liver", "lung"))
    assert kills[2].readout == "label+live"


def test_animals_are_counted_once(joint, tmp_path):
    assert animals_of(joint.counts.table) == 9  # three at each of three hours, both organs of each
    model = write_small(tmp_path / "m.toml", CHAIN, CHAINED, PRIORS)
    rows = [row | {"animal": f"m{i}"} for i in range(2) for row in organ_rows((1.0, 24.0), ("lung",), n=1)]
    assert animals_of(read_joint(write_rows(tmp_path / "n", rows, model=model)).counts.table) == 2


def test_animals_not_yet_born_differ_in_nothing(tmp_path):
    model = write_small(tmp_path / "m.toml", CHAIN, CHAINED, PRIORS)
    rows = [row | {"animal": f"m{hour}"} for hour in (1.0, 24.0) for row in organ_rows((hour,), ("lung",), n=1)]
    more = '[between.dose]\nprior = "lognormal(median=0.1, sigma=0.5)"\nsource = "none"\n'
    joint = read_joint(write_rows(tmp_path / "s", rows, model=model, more=more))
    plain = alike(joint)
    assert joint.between is not None
    assert plain.between is None
    assert not any(p.name.startswith("animal:") for p in plain.free)

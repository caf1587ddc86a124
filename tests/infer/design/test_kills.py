"""What an animal tells that is killed at an hour: against the information of the rows themselves."""

import numpy as np
import pytest
from mousestudy import organ_rows, read_joint, write_rows, write_small

from pbpk.errors import StudyError
from pbpk.infer.design.additions import planned
from pbpk.infer.design.kills import hours_offered, kills_for, look_ahead
from pbpk.infer.design.sensitivity import points, prior_points

PRIORS = {"go": ("1/h", "lognormal(median=0.1, sigma=1.0)"), "die": ("1/h", "lognormal(median=0.02, sigma=0.7)")}
ARROWS = ("lung.live -> liver.live : go", "liver.live -> gone : die")


@pytest.fixture(scope="module")
def joint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kills")
    observed = {"lung": ["lung.live"], "liver": ["liver.live"]}
    model = write_small(folder / "small.toml", ARROWS, observed, PRIORS, noise=0.3)
    return read_joint(write_rows(folder / "study", organ_rows((1.0, 24.0, 96.0), ("lung", "liver"), n=3), model=model))


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

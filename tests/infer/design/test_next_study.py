"""The search for the next animals, on designs small enough to be enumerated, and against closed forms."""

from itertools import combinations_with_replacement, pairwise

import numpy as np
import pytest
from mousestudy import organ_rows, read_joint, write_rows, write_small

from pbpk.errors import StudyError
from pbpk.infer.design.kills import Kill, Kills, kills_for, look_ahead
from pbpk.infer.design.next_study import (
    aimed,
    build_up,
    exchanged,
    fewest,
    in_the_same,
    recommended,
    spread_out,
    typical,
)
from pbpk.infer.design.sensitivity import censored

HOURS = np.array([0.0, 1.0, 2.0, 4.0, 8.0, 16.0])


def aim_of(slopes, directions, own=1.0, shared=0.0, known=1e-6, each=1):
    """An aim with a cell for each kill; slopes : (kill, free), directions : (free, quantity)."""
    n, free = slopes.shape
    kills = tuple(Kill("iv", float(hour), ("label",), ("lung",)) for hour in range(n))
    one = np.ones((1, n))
    whole = Kills(kills, np.eye(n, dtype=bool), slopes[np.newaxis], own * one, shared * one, np.zeros((2, 1, 0, n)), (),
                  np.zeros(n), np.ones(n))  # fmt: skip
    names = [f"q{i}" for i in range(directions.shape[1])]
    return aimed(names, directions[np.newaxis], known * np.eye(free)[np.newaxis], whole, range(n), each)


@pytest.fixture
def line():
    """Ln y = a - k t with errors of one size: of the slope the ends tell most, half of the animals at each."""
    return aim_of(np.column_stack([np.ones_like(HOURS), -HOURS]), np.array([[0.0], [1.0]]))


def test_a_rate_is_learned_at_the_ends(line):
    design = recommended(line, 8)
    np.testing.assert_array_equal(design, [4, 0, 0, 0, 0, 4])
    variance = 8.0 / (8.0 * (4 * HOURS[-1] ** 2) - (4 * HOURS[-1]) ** 2)
    assert line.variances(line.kills.information(design))[0] == pytest.approx(variance, rel=1e-4)


def test_variances_are_those_of_a_linear_model():
    rng = np.random.default_rng(4)
    slopes, directions = rng.standard_normal((5, 3)), rng.standard_normal((3, 2))
    aim = aim_of(slopes, directions, own=0.5, shared=0.2, known=1.0)
    animals = np.array([2.0, 0.0, 1.0, 3.0, 0.0])
    weight = np.where(animals > 0, 1.0 / (0.2 + 0.5 / np.maximum(animals, 1.0)), 0.0)
    covariance = np.linalg.inv(np.eye(3) + slopes.T @ (weight[:, np.newaxis] * slopes))
    np.testing.assert_allclose(
        aim.variances(aim.kills.information(animals)), np.diag(directions.T @ covariance @ directions)
    )
    np.testing.assert_allclose(aim.of(animals), np.sqrt(np.diag(directions.T @ covariance @ directions) / aim.before))
    for k, row in enumerate(aim.with_more(animals, 2.0)):
        more = animals.copy()
        more[k] += 2.0
        np.testing.assert_allclose(row, aim.of(more), rtol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_the_search_finds_what_enumeration_finds(seed):
    rng = np.random.default_rng(seed)
    aim = aim_of(rng.standard_normal((6, 3)), rng.standard_normal((3, 2)), own=0.3, shared=0.1, known=0.5)
    best = min(aim.score(np.bincount(chosen, minlength=6).astype(float))
               for chosen in combinations_with_replacement(range(6), 4))  # fmt: skip
    assert aim.score(recommended(aim, 4)) <= best * 1.01


def test_more_animals_never_teach_less(line):
    scores = [line.score(design) for design in build_up(line, 10)]
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(scores))


def test_the_fewest_animals_teach_as_much_and_one_less_does_not(line):
    even = spread_out(line, 12, range(6))
    np.testing.assert_array_equal(even, 2.0 * np.ones(6))
    found, design = fewest(line, line.score(even), 12)
    assert found == design.sum() < 12
    assert line.score(design) <= line.score(even) * (1 + 1e-9)
    assert line.score(exchanged(line, build_up(line, found - 1)[-1])) > line.score(even)
    assert fewest(line, 0.0, 4) is None


def test_animals_killed_together_come_in_packs():
    aim = aim_of(np.column_stack([np.ones_like(HOURS), -HOURS]), np.array([[0.0], [1.0]]), each=3)
    design = recommended(aim, 8)
    assert set(design % 3) == {0.0}
    assert design.sum() == 6
    with pytest.raises(StudyError, match="killed together"):
        recommended(aim, 2)


def test_what_nothing_teaches_is_refused():
    with pytest.raises(StudyError, match="`q0` does not change with any parameter"):
        aim_of(np.ones((3, 2)), np.zeros((2, 1)))


def test_contractions_are_told_by_their_geometric_mean():
    assert typical(np.array([0.1, 0.4])) == pytest.approx(0.2)


@pytest.mark.parametrize("limit", [None, 10.0])
def test_a_rate_is_told_last_or_while_enough_is_left(tmp_path, limit):
    """Exponential decline: with a constant CV the latest hour tells most; a limit of 10 % puts an end to that."""
    hours, rate, spread, misfit = np.array([1.0, 3.0, 6.0, 12.0, 24.0, 48.0]), 0.1, 0.2, 0.1
    model = write_small(tmp_path / "m.toml", ["lung.live -> gone : k"], {"lung": ["lung.live"]},
                        {"k": ("1/h", f"lognormal(median={rate}, sigma=0.5)")}, noise=0.01)  # fmt: skip
    rows = [row | {"lloq": limit or ""} for row in organ_rows((1, 48), ("lung",), n=1)]
    joint = read_joint(write_rows(tmp_path / "s", rows, model=model))
    ahead, _ = look_ahead(joint, kills_for(joint, hours, (("label",),)), np.zeros((1, 3)))
    k = np.array([p.name == "k" for p in joint.free], dtype=float)
    aim = aimed(["k"], k[np.newaxis, :, np.newaxis], np.eye(3)[np.newaxis], ahead, range(hours.size))
    keep = 1.0
    if limit:
        keep = censored((np.log(limit) - np.log(100.0) + rate * hours) / np.hypot(spread, misfit))
    told = (0.5 * rate * hours) ** 2 / (misfit**2 + spread**2 / keep)  # d ln exp(-k t) / dz is -0.5 k t
    np.testing.assert_allclose(aim.with_more(np.zeros(6), 1.0)[:, 0], (1.0 + told) ** -0.5, rtol=1e-4)
    best = hours[np.flatnonzero(recommended(aim, 1))]
    assert best.tolist() == [24.0 if limit else 48.0]


def test_a_readout_on_top_stays_in_the_animals_that_are_there():
    rng = np.random.default_rng(3)
    aim = aim_of(rng.standard_normal((12, 3)), rng.standard_normal((3, 2)), shared=0.1, known=0.5)
    aim = aimed(aim.names, aim.directions, aim.known, aim.kills, range(6))
    design = np.zeros(12)
    design[[0, 5]] = 1.0, 2.0
    assert in_the_same(aim, design, range(6, 12), 6).tolist() == [0.0] * 6 + [1.0, 0.0, 0.0, 0.0, 0.0, 2.0]

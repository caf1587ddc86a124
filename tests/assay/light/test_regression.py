"""Sums taken in windows against the same sums over all samples at once."""

import numpy as np
import pytest
from usable import usable

from pbpk.assay.light.regression import (
    HARMONICS,
    OCTAVES,
    REASONS,
    STEPS,
    Scale,
    Totals,
    add_products,
    largest_of,
    prepare,
    quantile,
    residual,
    screen,
    solve,
    tally,
    terms,
)
from pbpk.assay.light.trace import Setup, Trace, Well, field_response

LENGTH, STEP, BLOCKS, DEGREE = 30.0, 0.002, 30, 10
TAUS = np.array([0.05, 0.2, 0.8]) * LENGTH
TURNS = 2 * np.pi * np.array([7.0, 14.0, 21.0, 50.0, 100.0])


def samples(seconds, seed=0):
    """Random light and response at these times, with the blocks they lie in."""
    rng = np.random.default_rng(seed)
    block = np.minimum((seconds / LENGTH * BLOCKS).astype(np.int64), BLOCKS - 1)
    return seconds, rng.standard_normal(seconds.size), rng.random(seconds.size), block


def dense(seconds, light, drive):
    """All terms at all samples (sample, term), in the order of `solve`."""
    lines = [wave(turn * seconds) for turn in TURNS for wave in (np.cos, np.sin)]
    drift = np.polynomial.legendre.legvander(2 * seconds / LENGTH - 1, DEGREE).T
    bleaching = np.exp(-seconds / TAUS[:, np.newaxis])
    first = 2 * HARMONICS
    return np.stack([drive, *lines[:first], *drift, *bleaching, *lines[first:], light], axis=1)


def clock():
    return np.arange(round(LENGTH / STEP)) * STEP


def with_gaps():
    kept = np.random.default_rng(1).random(clock().size) > 0.2
    kept[4000:6500] = False
    return clock()[kept]


def slipping():
    return clock() + 0.0007 * (clock() > 11.1)


def jittering():
    return np.sort(clock() + np.random.default_rng(2).uniform(-0.4, 0.4, clock().size) * STEP).clip(0.0)


TIMES = {"on the clock": clock, "with gaps": with_gaps, "a slip": slipping, "off the clock": jittering}


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_products_in_windows_are_those_of_all_samples(times):
    part = samples(times())
    of = terms(LENGTH, STEP, DEGREE, TAUS, TURNS, LENGTH / BLOCKS)
    cross = np.zeros((BLOCKS, of.number, of.number))
    add_products(*part, of, cross)
    rows = dense(*part[:3])
    for at in range(BLOCKS):
        mine = rows[part[3] == at]
        np.testing.assert_allclose(cross[at], mine.T @ mine, atol=1e-9)


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_the_residual_is_that_of_all_terms(times):
    part = samples(times())
    of = terms(LENGTH, STEP, DEGREE, TAUS, TURNS, LENGTH / BLOCKS)
    weights = np.random.default_rng(3).standard_normal(of.number)
    np.testing.assert_allclose(residual(*part, of, weights), dense(*part[:3]) @ weights, atol=1e-10)


def test_the_solution_is_that_of_least_squares():
    time, _, drive, block = samples(clock())
    drive = field_response(50.0 * (np.mod(time * 7.0, 1.0) < 0.5), 20.0)
    light = -0.3 * drive + np.exp(-time / 4.0) + 0.1 * np.random.default_rng(4).standard_normal(time.size)
    of = terms(LENGTH, STEP, DEGREE, TAUS, TURNS, LENGTH / BLOCKS)
    cross = np.zeros((BLOCKS, of.number, of.number))
    add_products(time, light, drive, block, of, cross)
    found = solve(cross)
    rows = dense(time, light, drive)
    nuisance = rows[:, [0, *range(1 + 2 * HARMONICS, rows.shape[1] - 1)]]
    size = np.linalg.norm(nuisance, axis=0)
    best = np.linalg.lstsq(nuisance / size, light, rcond=1e-6)[0] / size  # slow bleaching is a polynomial to 1e-7
    assert found.delta == pytest.approx(-best[0], rel=1e-6)
    left = residual(time, light, drive, block, of, found.weights)
    np.testing.assert_allclose(left, light - nuisance @ best, atol=1e-6)
    assert found.df == BLOCKS - 1


def test_a_field_that_does_not_change_has_no_solution():
    time, light, _, block = samples(clock())
    of = terms(LENGTH, STEP, DEGREE, TAUS, TURNS, LENGTH / BLOCKS)
    cross = np.zeros((BLOCKS, of.number, of.number))
    add_products(time, light, np.ones(time.size), block, of, cross)
    assert solve(cross) is None


def messy(n=2000, seed=5):
    """A trace with every kind of bad sample."""
    rng = np.random.default_rng(seed)
    seconds = np.delete(np.arange(n + 100) / 100.0, np.arange(300, 400))
    light, field, laser = rng.uniform(10.0, 90.0, n), rng.uniform(-50.0, 50.0, n), rng.uniform(0.5, 1.5, n)
    for column in (seconds, light, field, laser):
        column[rng.integers(0, n, 20)] = np.nan
    seconds[700:720] = seconds[680:700]
    seconds[900], seconds[1200] = seconds[899], seconds[1250]
    light[rng.integers(0, n, 30)] = 100.0
    light[rng.integers(0, n, 5)] = 0.0
    return Trace(Well("p", "A1", "sample"), Setup(100.0, 1.0, full_scale=100.0), seconds, light, field, laser)


@pytest.mark.parametrize("cuts", [[], [500], [1, 2, 701, 710, 900, 901, 1999], list(range(7, 2000, 13))], ids=len)
def test_samples_are_screened_alike_however_they_are_cut(cuts):
    trace = messy()
    expected = usable(trace)
    totals, reasons = Totals(), []
    channels = zip(*(np.split(x, cuts) for x in (trace.seconds, trace.light, trace.field, trace.laser)), strict=True)
    for window in channels:
        reason, totals = screen(*window, 100.0, True, 100.0, totals)
        reasons.append(reason)
    reason = np.concatenate(reasons)
    np.testing.assert_array_equal(reason == 0, expected.good)
    for at, name in enumerate(REASONS[1:5], start=1):
        assert (reason == at).sum() == expected.lost[name]
    assert totals.skipped >= 100  # the gap, and what was not stamped
    assert totals.late >= 20
    assert totals.run / totals.ticks == pytest.approx(0.01)
    assert totals.light == pytest.approx((trace.light / trace.laser)[expected.good].sum())
    assert totals.laser / totals.lasers == pytest.approx(np.nanmean(trace.laser))
    assert (totals.earliest, totals.latest) == (np.nanmin(trace.seconds), np.nanmax(trace.seconds))


def test_a_moment_without_laser_is_its_own_reason_unless_the_laser_is_off():
    ones, laser = np.ones(4), np.array([1.0, 0.0, -1.0, 2.0])
    lit, _ = screen(np.arange(4.0), ones, ones, laser, np.inf, True, 1.0, Totals())
    dark, _ = screen(np.arange(4.0), ones, ones, laser, np.inf, False, 1.0, Totals())
    assert [REASONS[at] for at in lit] == ["", "without laser", "without laser", ""]
    assert not dark.any()


def test_only_usable_samples_are_prepared():
    seconds, light = np.array([5.0, 6.0, 7.0, 15.0]), np.array([10.0, 20.0, 30.0, 40.0])
    field, laser = np.array([0.0, 20.0, -20.0, 1e9]), np.array([2.0, 4.0, 2.0, 2.0])
    reason = np.array([0, 1, 0, 0], dtype=np.uint8)
    scale = Scale(begin=5.0, length=10.0, blocks=5, level=1.0, laser=2.0, half=20.0, full=0.5)
    time, rest, drive, block = prepare(seconds, light, field, laser, reason, scale)
    np.testing.assert_allclose(time, [0.0, 2.0, 10.0])
    np.testing.assert_allclose(rest, [9.0, 29.0, 39.0])
    np.testing.assert_allclose(drive, [0.0, 1.0, 2.0])
    np.testing.assert_array_equal(block, [0, 1, 4])
    _, plain, _, _ = prepare(seconds, light, field, laser, reason, scale._replace(laser=0.0))
    np.testing.assert_allclose(plain, [9.0, 29.0, 39.0])


def of_tally(values, share, scale=1.0):
    counts, sums = np.zeros(OCTAVES * STEPS), np.zeros(OCTAVES * STEPS)
    tally(np.asarray(values, dtype=float), scale, counts, sums)
    return quantile(counts, sums, share)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99, 1.0])
@pytest.mark.parametrize("size", [1e-5, 1.0, 3e6])
def test_quantiles_are_right_to_a_thousandth(share, size):
    values = size * np.random.default_rng(6).standard_normal(50_001)
    assert of_tally(values, share) == pytest.approx(np.quantile(np.abs(values), share), rel=1.2e-3)


def test_a_quantile_of_one_value_is_that_value():
    assert of_tally([50.0, -50.0, np.nan, np.inf, 50.0], 0.5) == 50.0
    assert of_tally([50.0] * 3, 0.99, scale=25.0) == 2.0
    assert of_tally([0.0, 0.0], 0.5) == 0.0
    assert of_tally([np.nan], 0.5) == 0.0


def test_the_largest_of_each_block():
    largest = np.array([0.0, 5.0, 0.0])
    largest_of(np.array([1.0, -3.0, 2.0]), np.array([0, 0, 1]), largest)
    np.testing.assert_array_equal(largest, [3.0, 5.0, 0.0])

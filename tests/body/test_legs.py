import numpy as np
from moved import CASES

from pbpk.body.legs import begun, handed_back, is_asked, kept, legs_of, move_back, move_to


def test_the_pieces_of_a_study():
    """An infusion from 1 h to 3 h, a bolus at 2 h that the hour 2 h sees, and nothing before the first dose."""
    entry, starts, durations = np.array([[6.0, 0.0], [0.0, 5.0]]), np.array([1.0, 2.0]), np.array([2.0, 0.0])
    hours = np.array([0.0, 2.0, 4.0])
    begin, end, clock, inflow = legs_of(entry, starts, durations, hours)
    runs = [(float(b), float(e), *map(float, f)) for b, e, c, f in zip(begin, end, clock, inflow, strict=True) if c]
    assert runs == [(0.0, 1.0, 0.0, 0.0), (1.0, 2.0, 3.0, 0.0), (2.0, 3.0, 3.0, 0.0), (3.0, 4.0, 0.0, 0.0)]
    (bolus,) = np.flatnonzero((clock == 0.0) & inflow.any(axis=1))
    assert begin[bolus] == end[bolus] == 2.0
    assert [bool(is_asked(hours, 1, end, clock, leg)) for leg in (bolus - 1, bolus, bolus + 1)] == [False, True, False]


def test_steps_are_kept_however_many():
    log, points = np.zeros((2, 3)), np.zeros((2, 7, 1))
    for count in range(9):
        log, points = kept(log, points, count, (float(count), 0.5, 2.0), np.full((7, 1), float(count)))
    np.testing.assert_array_equal(log[:9, 0], np.arange(9))
    np.testing.assert_array_equal(points[:9, 3, 0], np.arange(9))


def test_what_moves_is_told_from_what_does_not():
    case = CASES["lin_2016"]
    model, tape = case.model, case.model.tape
    _, rates, order, moved, read = begun(case.known, len(model.states), tape.steps, tape.literals, tape.outputs)
    assert [model.states[s] for s in read] == [f"{o}.phagocytes" for o in ("liver", "spleen", "lung", "kidney")]
    assert len(moved) == 4
    assert np.isnan(rates[moved]).all()
    assert np.isfinite(np.delete(rates, moved)).all()
    assert len(order) < len(tape.steps) / 4


def test_rates_at_a_point_and_their_gradient():
    case = CASES["lin_2016"]
    tape, known, n = case.model.tape, case.known, len(case.model.states)
    rng = np.random.default_rng(2)
    x, bar = rng.random(n) * 10.0, rng.standard_normal(tape.outputs.size)
    registers, rates, order, moved, read = begun(known, n, tape.steps, tape.literals, tape.outputs)

    def total(known, x):
        registers, rates, *rest = begun(known, n, tape.steps, tape.literals, tape.outputs)
        move_to(x, 1.0, known, tape.steps, tape.outputs, registers, rates, *rest)
        return (bar * rates).sum()

    move_to(x, 1.0, known, tape.steps, tape.outputs, registers, rates, order, moved, read)
    rates_bar, x_bar, registers_bar = bar.copy(), np.zeros(n), np.zeros(registers.size)
    move_back(rates_bar, x_bar, known, tape.steps, tape.outputs, registers, order, moved, read, registers_bar)
    known_bar = handed_back(rates_bar, known, tape.steps, tape.outputs, registers, registers_bar)
    for place in np.flatnonzero(x_bar):
        near = np.zeros(n)
        near[place] = 1e-4
        differences = (total(known, x + near) - total(known, x - near)) / 2e-4
        np.testing.assert_allclose(x_bar[place], differences, rtol=1e-6)
    assert set(np.flatnonzero(x_bar)) == set(read)
    for place in range(len(case.model.parameters)):
        near = np.zeros(known.size)
        near[place] = 1e-2 * known[place]
        differences = (total(known + near, x) - total(known - near, x)) / (2e-2 * known[place])
        np.testing.assert_allclose(known_bar[place], differences, rtol=1e-9, atol=1e-9 * np.abs(known_bar).max())

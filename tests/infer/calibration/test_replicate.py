"""Replicates against closed forms: each kind of row has the law that the likelihood states, and the design stays."""

from dataclasses import replace

import numpy as np
import pytest
from readings import START, response
from readings import signals as made
from scipy.special import ndtr
from scipy.stats import binomtest, chi2, kstest, norm, studentized_range

from pbpk.assay.signals import learn
from pbpk.errors import StudyError
from pbpk.infer.calibration.replicate import _read, _unknowns, replicate, replicated
from pbpk.infer.matched.joint import join, predict_percent

T_CELLS = "khot_2019_t_cells_mouse"
LUNG = {"group": "iv", "organ": "lung", "unit": "percent_dose"}
SPREAD, MISFIT, TIMES = 0.25, 0.4, 700
BOTH = np.hypot(SPREAD, MISFIT)
# each kind at its own hour, and so with its own misfit; low, high and lloq as multiples of what the model says
KINDS = {
    "a": {"hours": 1, "animal": "a", "percent": 5},
    "b": {"hours": 1, "animal": "b", "percent": 5},
    "mean": {"hours": 2, "percent": 5, "n": 5, "sd": 1},
    "range": {"hours": 6, "low": 2, "high": 9, "n": 4},
    "unseen": {"hours": 12, "low": 0, "high": 9, "n": 4},
    "stated": {"hours": 24, "low": 2, "high": 9},
    "at most": {"hours": 48, "low": 0, "high": 1.2},
    "limit": {"hours": 72, "animal": "a", "below_lloq": True, "lloq": 0.8},
    "above": {"hours": 96, "animal": "a", "percent": 5, "lloq": 0.8},
}
NOTHING = {"animal": "", "n": 1, "weight_cv": 0.0, "below_lloq": False}
NOTHING |= dict.fromkeys(["percent", "sd", "low", "high", "lloq"], np.nan)


def at(joint, z=0.0, **values):
    """Parameters (estimated,) of one z for all, but for those named."""
    theta = joint.theta(np.full((1, len(joint.free)), z))[0]
    for name, value in values.items():
        theta[joint.names.index(name)] = value
    return theta


@pytest.fixture(scope="module")
def drawn(shipped):
    """What the model says of each kind, and many replicates: kind -> column -> (times,)."""
    joint = shipped("khot")
    one = joint.counts.table[joint.counts.table["organ"] == "lung"].iloc[[0] * len(KINDS)].reset_index(drop=True)
    table = one.assign(**{name: [(NOTHING | row)[name] for row in KINDS.values()] for name in (*NOTHING, "hours")})
    joint = join(joint.model, replace(joint.counts, table=table))
    theta = at(joint, spread=SPREAD, misfit=MISFIT)
    percent = predict_percent(joint, theta[np.newaxis])["dose"][0]
    for name in ("lloq", "high"):
        multiple = table.index[table[name] < 2.0]
        table.loc[multiple, name] *= percent[multiple]
    joint = join(joint.model, replace(joint.counts, table=table))
    tables = [replicate(joint, theta, i).table for i in range(TIMES)]
    columns = ("percent", "sd", "low", "high", "lloq", "below_lloq")
    found = {kind: {c: np.array([each[c][row] for each in tables]) for c in columns} for row, kind in enumerate(KINDS)}
    return dict(zip(KINDS, np.log(percent), strict=True)), found


def is_normal(values, mean, sd):
    assert kstest((values - mean) / sd, "norm").pvalue > 1e-3


def test_every_kind_of_row_follows_its_law(drawn):
    m, found = drawn
    a, b = (np.log(found[name]["percent"]) - m[name] for name in "ab")
    is_normal(a, 0.0, BOTH)
    is_normal(a - b, 0.0, np.sqrt(2.0) * SPREAD)  # the misfit of a cell is common to its animals
    assert np.cov(a, b)[0, 1] == pytest.approx(MISFIT**2, abs=0.03)

    # five animals: arithmetic mean and SD, exact in their expectations
    mean, sd = found["mean"]["percent"], found["mean"]["sd"]
    expected = np.exp(m["mean"] + BOTH**2 / 2)
    between = np.exp(2 * m["mean"] + 2 * MISFIT**2 + SPREAD**2) * np.expm1(SPREAD**2)
    assert mean.mean() == pytest.approx(expected, rel=4 * np.exp(BOTH) * MISFIT / np.sqrt(TIMES))
    assert (sd**2).mean() == pytest.approx(between, rel=0.2)
    v = np.log1p(np.expm1(SPREAD**2) / 5)
    is_normal(np.log(mean), m["mean"] + SPREAD**2 / 2 - v / 2, np.sqrt(v + MISFIT**2))  # Fenton and Wilkinson
    squares = 4 * np.log1p((sd / mean) ** 2) / SPREAD**2
    assert squares.mean() == pytest.approx(4.0, rel=0.1)
    assert kstest(squares, chi2(4).cdf).statistic < 0.06  # by moments only

    low, high = np.log(found["range"]["low"]), np.log(found["range"]["high"])
    assert kstest((high - low) / SPREAD, studentized_range(4, np.inf).cdf).pvalue > 1e-3
    top = 1.0293753730  # expectation of the largest of four standard normals
    assert high.mean() - m["range"] == pytest.approx(top * SPREAD, abs=4 * BOTH / np.sqrt(TIMES))
    assert low.mean() - m["range"] == pytest.approx(-top * SPREAD, abs=4 * BOTH / np.sqrt(TIMES))
    assert (found["unseen"]["low"] == 0.0).all()
    assert np.log(found["unseen"]["high"]).mean() - m["unseen"] == pytest.approx(top * SPREAD, abs=0.05)

    low, high = np.log(found["stated"]["low"]), np.log(found["stated"]["high"])
    np.testing.assert_allclose(high - low, np.log(9 / 2))
    middle = (low + high) / 2 - m["stated"]
    assert middle.mean() == pytest.approx(0.0, abs=4 * BOTH / np.sqrt(TIMES))
    assert middle.var() == pytest.approx(BOTH**2 + np.log(9 / 2) ** 2 / 12, rel=0.15)


def test_single_animals_may_have_long_tails(shipped):
    joint = shipped("khot")
    table = joint.counts.table.assign(n=[1, 5] * (len(joint.counts.table) // 2))
    joint = join(joint.model, replace(joint.counts, table=table))
    theta = at(joint, spread=SPREAD, misfit=1e-9)
    m = np.log(predict_percent(joint, theta[np.newaxis])["dose"][0])
    off = np.array([np.log(replicate(joint, theta, i, nu=4.0).table["percent"]) - m for i in range(60)]) / SPREAD
    assert kstest(off[:, ::2].ravel(), "t", (4,)).pvalue > 1e-3
    assert (np.abs(off[:, ::2]) > 3.0).mean() == pytest.approx(0.040, abs=0.02)  # of a normal 0.003
    v = np.log1p(np.expm1(SPREAD**2) / 5)
    is_normal(off[:, 1::2].ravel() * SPREAD, SPREAD**2 / 2 - v / 2, np.sqrt(v))  # means are of normal animals


@pytest.mark.parametrize(("kind", "multiple"), [("limit", 0.8), ("above", 0.8), ("at most", 1.2)])
def test_what_is_below_a_limit_becomes_one_and_what_is_above_a_value(drawn, kind, multiple):
    m, found = drawn
    below = found[kind]["below_lloq"] if kind != "at most" else np.isfinite(found[kind]["high"])
    share = ndtr(np.log(multiple) / BOTH)
    assert binomtest(int(below.sum()), TIMES, share).pvalue > 1e-3
    percent = found[kind]["percent"]
    assert np.isnan(percent[below]).all()
    above = np.log(percent[~below])
    cut = np.log(multiple)
    assert above.min() > m[kind] + cut
    law = norm(0.0, BOTH)
    assert kstest(above - m[kind], lambda x: (law.cdf(x) - share) / (1.0 - share)).pvalue > 1e-3
    if kind == "at most":
        assert np.isnan(found[kind]["low"][~below]).all()
        assert not found[kind]["below_lloq"].any()


def test_the_design_stays(shipped):
    for word in ("khot", "zhuang", "gholamrezanezhad", "kwan", "boeckmann"):
        joint = shipped(word)
        before = joint.counts.table.copy()
        for i in range(3):
            z = np.random.default_rng(i).standard_normal((1, len(joint.free)))
            counts = replicate(joint, joint.theta(z)[0], i)
            same = [
                "group",
                "animal",
                "organ",
                "hours",
                "readout",
                "n",
                "lloq",
                "per",
                "weight_g",
                "weight_cv",
                "source",
            ]
            assert counts.table[same].equals(before[same])
            assert list(counts.table.columns) == list(before.columns)
            assert (counts.table.dtypes == before.dtypes).all()
            again = join(joint.model, counts)
            assert again.names == joint.names
            said = counts.table[["percent", "high"]].bfill(axis=1)["percent"].where(~counts.table["below_lloq"], 1.0)
            assert (np.isfinite(said) & (said > 0.0)).all()
        assert joint.counts.table.equals(before)  # the study itself is as it was


def test_a_seed_makes_one_replicate(shipped):
    joint = shipped("zhuang")
    theta = at(joint, 0.3)
    one, again, other = (replicated(joint, theta, seed) for seed in (5, 5, 6))
    assert one.counts.table.equals(again.counts.table)
    assert not one.counts.table.equals(other.counts.table)
    assert one.reading == again.reading
    readings = {replicated(joint, theta, seed).reading for seed in range(20)}
    assert readings == {"dose", "recovered"}  # which nobody knows is drawn


def test_nothing_is_refused_with_a_sentence(write_joint, monkeypatch):
    joint = write_joint(T_CELLS, [LUNG | {"hours": 24, "value": 5}])
    monkeypatch.setattr(
        "pbpk.infer.calibration.replicate.predict_percent", lambda joint, theta: {"dose": np.zeros((1, 1))}
    )
    with pytest.raises(StudyError, match=r"`lung` of `iv` holds 0 % at 24 h; a log-normal needs more than nothing"):
        replicate(joint, at(joint), 1)


@pytest.fixture
def lit(write_joint):
    """Five organs that an instrument read, and a limit beside two of the readings."""
    rows = [
        LUNG | {"organ": organ, "hours": 24, "animal": animal, "value": 5}
        for organ, animal in (("lung", "a"), ("lung", "b"), ("liver", "a"), ("spleen", "a"), ("kidney", "a"))
    ]
    rows.append(LUNG | {"hours": 24, "animal": "c", "below_lloq": "true", "lloq": 1})
    joint = write_joint(T_CELLS, rows)
    signals = made()
    table = joint.counts.table.copy()
    rows = np.flatnonzero(~table["below_lloq"])
    table.loc[rows, "error"] = 1.0
    counts = replace(joint.counts, table=table, signals=replace(signals, rows=rows))
    return join(joint.model, counts)


def test_readings_are_read_again(lit):
    joint = lit
    theta = at(joint, spread=SPREAD, misfit=MISFIT)
    percent = predict_percent(joint, theta[np.newaxis])["dose"][0]
    (row,) = np.flatnonzero(joint.counts.table["below_lloq"])
    table = joint.counts.table.assign(lloq=joint.counts.table["lloq"] * percent[row])
    joint = join(joint.model, replace(joint.counts, table=table))
    found = [replicated(joint, theta, i) for i in range(150)]
    below = np.array([each.counts.table["below_lloq"][row] for each in found])
    assert binomtest(int(below.sum()), len(found), 0.5).pvalue > 1e-3
    for each in found:
        signals, is_limit = each.counts.signals, each.counts.table["below_lloq"][row]
        assert len(signals.rows) == len(set(signals.rows)) == 6 - is_limit
        assert np.isfinite(each.counts.table["error"]).sum() == 6 - is_limit
        np.testing.assert_allclose(each.counts.table["percent"][signals.rows], signals.estimates()[0])
        assert join(joint.model, each.counts).names == joint.names
    # with the median animal and the unknowns given, what is left is the animal and the noise of the reading
    first = joint.counts.signals.rows[0]
    rises = np.array([each.counts.signals.response.value[0] - each.unknowns[0] for each in found])
    wanted = np.array([each.counts.signals.response.rise(each.unknowns, each.median[first])[0] for each in found])
    assert (rises / wanted).mean() == pytest.approx(np.exp(SPREAD**2 / 2), abs=0.15)


@pytest.mark.parametrize("counted", [False, True])
def test_the_noise_of_a_reading_is_that_of_the_likelihood(counted):
    """Mean and variance of `faint_normal` and of the negative binomial of `faint_count`."""
    u = START + np.array([0.4, 0.1, 0.0, np.log(10.0)])
    percent = np.tile([0.5, 30.0], 40_000)
    one = response(percent, counted=counted)
    value = _read(one, u, percent, np.random.default_rng(4)).value.reshape(-1, 2)
    blank, rise = 0.4, np.exp(0.1) * np.array([0.5, 30.0])
    relative = 0.2**2 * rise**2
    additive = blank + rise if counted else 0.25 + 1.0
    np.testing.assert_allclose(value.mean(axis=0), blank + rise, rtol=0.02)
    np.testing.assert_allclose(value.var(axis=0), additive + relative, rtol=0.04)
    assert (value == np.round(value)).all() == counted


def test_unknowns_follow_what_the_controls_teach(lit):
    """A slope from one control of 5 with SD 1 at 2 is far from normal: its law is known by quadrature."""
    amounts = np.array([0.0, 0.0, 5.0])
    controls = replace(response(amounts), value=np.array([0.0, 0.1, 4.0]))
    controls = replace(controls, variance=np.ones(3), s0_weight=np.zeros(3), cv_weight=np.zeros(3))
    flat = {name: np.zeros((3, 2)) for name in ("s0", "cv")}
    controls = replace(controls, blank=controls.blank[:, :2], gain=controls.gain[:, :2], **flat)
    shared = learn(("blank", "log_slope"), np.zeros(2), np.array([np.inf, 1.0]), controls, amounts)
    blank, slope = np.meshgrid(np.linspace(-3, 3, 61), np.linspace(-4, 3, 141))
    logs = np.array([shared.log_density(np.array(u)) for u in zip(blank.ravel(), slope.ravel(), strict=True)])
    weight = np.exp(logs - logs.max())
    exact = (weight * slope.ravel()).sum() / weight.sum()
    sd = np.sqrt((weight * (slope.ravel() - exact) ** 2).sum() / weight.sum())
    signals = replace(lit.counts.signals, shared=shared)
    draws = {}
    for calibration in ("joint", "covariance"):
        rng = np.random.default_rng(7)
        draws[calibration] = [_unknowns(replace(lit, calibration=calibration), signals, rng)[1] for _ in range(800)]
    assert np.mean(draws["joint"]) == pytest.approx(exact, abs=4 * sd / np.sqrt(800))
    assert np.mean(draws["covariance"]) == pytest.approx(shared.mean[1], abs=4 * sd / np.sqrt(800))
    assert abs(exact - shared.mean[1]) > 4 * sd / np.sqrt(800)  # so the two can be told apart


def test_single_animals_are_of_the_law_that_the_study_believes(write_joint):
    lung = {"group": "iv", "organ": "lung", "hours": 24, "unit": "percent_dose", "readout": "label", "value": 10}
    edits = [("[product]", 'errors = "student"\n\n[product]')]
    joint = write_joint("khot_2019_t_cells_mouse", [lung | {"animal": name} for name in "ab"], edits=edits)
    theta = joint.theta(np.zeros(len(joint.free)))
    told, same, normal = (
        replicate(joint, theta, 3, **how).table["percent"] for how in ({}, {"nu": 4.0}, {"nu": np.inf})
    )
    assert told.equals(same)
    assert not told.equals(normal)

"""Label is not life, in a study that anybody could do: confounded before the fit and after it, and what separates it.

Mice get cells into a vein; label is counted in seven organs at five hours. How fast living cells leave the lung and how
fast it gives up the label of the dead then make up for each other. Six live readouts of the lung at each of two hours
tell them apart.
"""

import numpy as np
import pytest
from mousestudy import organ_rows, read_joint, write_rows

from pbpk.infer.design.additions import Addition, planned, what_to_measure
from pbpk.infer.design.identify import contractions, learned_sentences, tied_pairs
from pbpk.infer.design.sensitivity import expected, noise_of
from pbpk.infer.design.structure import structure
from pbpk.infer.draws.fit import fit
from pbpk.infer.draws.summary import parameters
from pbpk.infer.matched.joint import predict_percent

PAIR = ("loss_lung", "transfer_lung")
HOURS = (1, 6, 24, 72, 168)
LIVE = tuple({"group": "iv", "organ": "lung", "hours": hour, "readout": "live", "n": 6} for hour in (24.0, 72.0))
LUNG = Addition("Six live readouts of the lung at 24 h and 72 h", LIVE)
TRUTH = {"loss_lung": 0.5, "alive_lung": 0.7, "transfer_lung": -0.4, "E_lung": 0.6}  # z; the others are at medians


def matched(folder, truth=None, live=()):
    """The study with values that its own model and noise give at a truth, or with any values."""
    rows = [*organ_rows(HOURS), *organ_rows(live, ["lung"], "live", 6)]
    joint = read_joint(write_rows(folder / "any", rows))
    if truth is None:
        return joint
    z = np.array([truth.get(p.name, 0.0) for p in joint.free])
    theta = joint.theta(z)
    log_percent = np.log(predict_percent(joint, theta[np.newaxis])["dose"][0])
    spread, n = theta[joint.names.index("spread")], joint.counts.table["n"].to_numpy(float)
    centre = log_percent + (spread**2 - np.log1p(np.expm1(spread**2) / n)) / 2.0
    scatter = np.linalg.cholesky(noise_of(joint, theta, log_percent))
    # one stream for each row, so that label is the same whether living cells were counted or not
    table = joint.counts.table
    keys = [(["label", "live"].index(r.readout), sorted(set(table["organ"])).index(r.organ), int(r.hours))
            for r in table.itertuples()]  # fmt: skip
    noise = np.array([np.random.default_rng((11, *key)).standard_normal() for key in keys])
    percent = np.exp(centre + scatter @ noise)
    written = [
        {"group": "iv", "organ": r.organ, "hours": r.hours, "value": value, "unit": "percent_dose", "n": int(r.n),
         "readout": r.readout}
        for r, value in zip(table.itertuples(), percent, strict=True)
    ]  # fmt: skip
    return read_joint(write_rows(folder / "told", written))


@pytest.fixture
def label_only(tmp_path):
    return matched(tmp_path)


def test_before_the_fit_label_alone_is_confounded(label_only):
    assert not structure(label_only).directions  # with endless data it would not be: freed label has one destination
    found = expected(label_only)
    tied = {frozenset(pair) for pair in found.confounded[["parameter", "other"]].to_numpy().tolist()}
    assert frozenset(PAIR) in tied
    (sentence,) = [s for s in found.sentences if all(f"`{name}`" in s for name in PAIR)]
    assert "are confounded" in sentence
    assert "more of one is made good by less of the other" in sentence
    words = found.table.set_index("parameter")["learned"]
    assert words["loss_lung"] != "learned"
    assert words["alive_lung"] == "not learned"
    assert words["E_lung"] == "learned"  # there is a harvest within an hour


def test_before_the_fit_live_readouts_separate_them(label_only):
    found = expected(planned(label_only, LIVE))
    tied = {frozenset(pair) for pair in found.confounded[["parameter", "other"]].to_numpy().tolist()}
    assert frozenset(PAIR) not in tied
    assert (found.table.set_index("parameter").loc[list(PAIR), "learned"] == "learned").all()
    said = what_to_measure(label_only, [LUNG]).sentences
    assert any(s.startswith(f"{LUNG.words} would bring `loss_lung` from half learned to learned") for s in said)


@pytest.mark.proof
def test_the_fits_say_the_same(tmp_path):
    """Wide and tied with label alone; with living cells narrow; the truth within both; contractions as expected."""
    fits = {}
    for name, live in (("label", ()), ("live", (24, 72))):
        folder = tmp_path / name
        folder.mkdir()
        joint = matched(folder, TRUTH, live)
        fits[name] = fit(joint.model, joint.counts, seed=3)  # as a user would: longer where the chains disagree
        assert fits[name].diagnostics.passed, fits[name].diagnostics.sentences
        truth = np.array([TRUTH.get(p.name, 0.0) for p in joint.free])
        ahead, found = expected(joint, about=truth), contractions(fits[name])
        for parameter in (*PAIR, "E_lung"):
            # linear about the truth: one of both ways round, as fast loss and slow transfer gives nearly the curve
            # of the reverse; and the misfit that these values happen to show is less than its median
            assert 0.4 < found[parameter] / ahead.contraction(parameter) < 2.5, (name, parameter)
        theta = fits[name].theta()
        for parameter in TRUTH:
            at = joint.names.index(parameter)
            low, high = np.quantile(theta[:, at], [0.025, 0.975])
            value = joint.estimated[at].prior.value(TRUTH[parameter])
            assert low < value < high, (name, parameter, low, value, high)
    wide, narrow = (contractions(fits[name]) for name in ("label", "live"))
    assert wide["loss_lung"] > 1.5 * narrow["loss_lung"]
    assert narrow["loss_lung"] < 0.5
    ties = {name: tied_pairs(f)[["parameter", "other"]].to_numpy().tolist() for name, f in fits.items()}
    assert list(PAIR) in ties["label"]
    assert list(PAIR) not in ties["live"]
    said = {
        name: next(s for s in learned_sentences(parameters(f)) if s.startswith("`loss_lung`"))
        for name, f in fits.items()
    }
    assert "`loss_lung`: learned" in said["live"]
    assert "`loss_lung`: learned" not in said["label"]

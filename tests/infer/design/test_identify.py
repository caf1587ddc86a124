"""Words after a fit, from draws whose ties are known."""

import numpy as np
import pytest
import xarray as xr
from mousestudy import RATE, organ_rows, read_joint, write_rows, write_small

from pbpk.infer.design.identify import contractions, learned_sentences, tied_pairs, tied_sentences
from pbpk.infer.draws.summary import parameters

NAMES = ("one", "two", "three", "spread", "misfit")


@pytest.fixture
def joint(tmp_path):
    arrows = ["a -> b : one", "b -> c : two", "c -> gone : three"]
    observed = {"a": ["a"], "b": ["b"], "c": ["c"]}
    model = write_small(tmp_path / "small.toml", arrows, observed, dict.fromkeys(NAMES[:3], RATE))
    return read_joint(write_rows(tmp_path / "s", organ_rows((1, 5), ["a", "b", "c"]), model=model))


@pytest.fixture
def posterior(joint, make_posterior):
    """Draws of z that scatter by 0.3, 0.9, 0.9, 0.6 and 0.9; `two` is tied to `three` by -0.8 and to `one`, learned."""
    made = make_posterior(joint, np.array([0.3, 0.9, 0.9, 0.6, 0.9]), draws=4000)
    z = {p.name: p.prior.standardised(made.tree["posterior"][p.name].to_numpy()) for p in joint.free}
    z["three"] = -0.8 * z["two"] + 0.6 * z["three"]
    z["one"] = 0.3 * z["two"] + 0.13 * z["one"]
    moved = {p.name: (("chain", "draw"), p.prior.value(z[p.name])) for p in joint.free}
    made.tree["posterior"] = xr.DataTree(made.tree["posterior"].to_dataset().assign(moved))
    return made


def test_contractions_are_those_of_the_draws(posterior):
    found = contractions(posterior)
    exact = {"one": np.hypot(0.27, 0.039), "two": 0.9, "three": 0.9, "spread": 0.6, "misfit": 0.9}
    assert found == pytest.approx(exact, rel=0.03)


def test_each_parameter_is_told_with_what_was_believed_before(posterior):
    one, two, *others = learned_sentences(parameters(posterior))
    # 0.05 exp(-+1.96 * 0.7 * 0.273), and 0.7 alone for the prior
    assert one == "`one`: learned; 0.034 to 0.073 1/h, believed 0.013 to 0.2 before."
    assert two.startswith("`two`: not learned; ")
    assert others[1].startswith("`spread`: half learned; ")
    assert len(others) == 3


def test_ties_are_told_among_what_was_not_learned(posterior):
    table = tied_pairs(posterior)
    assert table[["parameter", "other"]].to_numpy().tolist() == [["two", "three"]]
    # Spearman's rank correlation of a normal pair: 6/pi asin(r/2)
    assert table["correlation"].item() == pytest.approx(6 / np.pi * np.arcsin(-0.8 / 2), abs=0.02)
    (sentence,) = tied_sentences(posterior)
    assert "`two` and `three` are confounded (correlation -0.7" in sentence
    assert "more of one is made good by less of the other" in sentence


def test_nothing_tied_is_said_too(posterior):
    assert tied_sentences(posterior, least=0.95) == (
        "No two of the parameters that were not learned hang together.",
    )  # fmt: skip

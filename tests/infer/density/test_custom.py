"""Priors and likelihoods of the user's own."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from scipy import stats

from pbpk.errors import InputError
from pbpk.infer.density.custom import Custom, described
from pbpk.infer.density.likelihood import build
from pbpk.infer.draws.fit import fit
from pbpk.infer.draws.posterior import posteriors_of
from pbpk.infer.matched.sharing import Together

PLAIN = "NUMBA"  # whose kernels other tests have compiled


def counts_of(model):
    """The term of the counts, from the values of all variables."""
    (term,) = model.replace_rvs_by_values([model["counts"]])
    return model.compile_fn(term, inputs=model.value_vars, mode=PLAIN, on_unused_input="ignore")


def test_a_prior_of_ones_own_is_in_the_density_and_in_the_tables(shipped):
    joint = shipped("kwan")
    custom = Custom({"clearance": lambda name: pm.Gamma(name, alpha=4.0, beta=4.0 / 9000.0)})
    told = described(joint, custom, 1)
    prior = next(p.prior for p in told.estimated if p.name == "clearance")
    theirs = stats.gamma(4.0, scale=9000.0 / 4.0)
    assert prior.centre == pytest.approx(theirs.median(), rel=0.05)
    assert prior.form == "lognormal"
    model = build(told, custom)
    own = next(v for v in model.free_RVs if v.name == "own_clearance")
    logp = model.compile_logp(vars=[own], jacobian=False, mode=PLAIN)
    point = model.initial_point() | {"own_clearance_log__": np.log(8000.0)}
    assert float(logp(point)) == pytest.approx(theirs.logpdf(8000.0), rel=1e-7)


def test_the_rates_follow_the_users_variable(shipped):
    joint = shipped("kwan")
    custom = Custom({"clearance": lambda name: pm.Gamma(name, alpha=4.0, beta=4.0 / 9000.0)})
    mine, plain = build(joint, custom), build(joint)
    counts = [counts_of(m) for m in (mine, plain)]
    z = np.zeros(len(joint.free))
    at = [p.name for p in joint.free].index("clearance")
    prior = joint.free[at].prior
    moved = z.copy()
    moved[at] = prior.standardised(8000.0)
    found = float(counts[0]({"z": z, "own_clearance_log__": np.log(8000.0)}))
    assert found == pytest.approx(float(counts[1]({"z": moved})), rel=1e-9)


def test_a_likelihood_of_ones_own_takes_the_place_of_the_rows(shipped):
    joint = shipped("kwan")

    def squares(m, spread, misfit, table):
        return -0.5 * pt.sum((np.log(table["percent"].to_numpy(float)) - m) ** 2)

    model = build(joint, Custom(likelihood=squares))
    counts = counts_of(model)
    from pbpk.infer.matched.joint import predict_percent

    z = 0.3 * np.random.default_rng(1).standard_normal(len(joint.free))
    m = np.log(predict_percent(joint, joint.theta(z)[np.newaxis])["dose"][0])
    expected = -0.5 * ((np.log(joint.counts.table["percent"].to_numpy(float)) - m) ** 2).sum()
    assert float(counts({"z": z})) == pytest.approx(expected, rel=1e-9)


def test_draws_of_the_users_variable_are_those_of_the_parameter(shipped, make_posterior):
    import xarray as xr

    joint = shipped("kwan")
    rng = np.random.default_rng(1)
    own = rng.gamma(4.0, 2000.0, (2, 50))
    drawn = {"z": (("chain", "draw", "at"), rng.standard_normal((2, 50, len(joint.free)))),
             "own_clearance": (("chain", "draw"), own)}  # fmt: skip
    stats_ = xr.Dataset({"diverging": (("chain", "draw"), np.zeros((2, 50), dtype=bool))})
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(drawn), "sample_stats": stats_})
    found = posteriors_of(Together.alone(joint), tree, 1, {}, owned={"clearance": "own_clearance"})[""]
    np.testing.assert_array_equal(found.tree["posterior"]["clearance"], own)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"priors": {"clearence": lambda name: pm.HalfNormal(name)}}, "no parameter `clearence`. Did you mean"),
        ({"priors": {"clearance": lambda name: pm.Normal(name)}}, "`clearance` lies above 0; its prior does not"),
        ({"priors": {"extracted_slow": lambda name: pm.HalfNormal(name, 3.0)}}, "lies between 0 and 1"),
        ({"priors": {"clearance": lambda name: pm.HalfNormal(name, shape=2)}}, "is one number, and its prior draws"),
        ({"priors": {"clearance": lambda name: pm.HalfNormal(name)}, "quick": True}, "without `quick`"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(shipped, how, said):
    joint = shipped("kwan")
    with pytest.raises(InputError) as refusal:
        fit(joint.model, joint.counts, **how)
    assert said in str(refusal.value)


def test_light_has_its_own_law(shipped):
    joint = shipped("synthetic")
    with pytest.raises(InputError, match="has a law of its own"):
        fit(joint.model, joint.counts, likelihood=lambda *given: 0.0)

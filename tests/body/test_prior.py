import numpy as np
import pytest
import sympy
from scipy import stats
from scipy.special import expit, logit

from pbpk.body.prior import Prior, parse_prior
from pbpk.errors import ModelFileError

LEVELS = np.array([0.001, 0.025, 0.3, 0.5, 0.8, 0.975, 0.999])
Z = stats.norm.ppf(LEVELS)


@pytest.mark.parametrize(("median", "sigma"), [(0.029, 1.0), (3.0, 0.2), (1e-5, 2.5)])
def test_lognormal_has_the_quantiles_of_scipy(median, sigma):
    prior = parse_prior(f"lognormal(median={median}, sigma={sigma})")
    theirs = stats.lognorm(s=sigma, scale=median)
    np.testing.assert_allclose(prior.value(Z), theirs.ppf(LEVELS), rtol=1e-12)
    np.testing.assert_allclose(prior.interval(), theirs.ppf([0.025, 0.975]), rtol=1e-12)


@pytest.mark.parametrize(("median", "sigma"), [(0.85, 1.2), (0.5, 0.3), (0.003, 1.5)])
def test_logit_normal_has_normal_log_odds(median, sigma):
    prior = parse_prior(f"logit_normal(median={median}, sigma={sigma})")
    theirs = stats.norm(logit(median), sigma)
    np.testing.assert_allclose(prior.value(Z), expit(theirs.ppf(LEVELS)), rtol=1e-12)
    np.testing.assert_allclose(prior.interval(), expit(theirs.ppf([0.025, 0.975])), rtol=1e-12)


@pytest.mark.parametrize("text", ["lognormal(median=2, sigma=0.5)", "logit_normal(median=0.2, sigma=1)"])
def test_draws_follow_the_distribution(text):
    prior = parse_prior(text)
    draws = prior.value(np.random.default_rng(1).standard_normal(20_000))
    theirs = stats.lognorm(s=0.5, scale=2) if "lognormal" in text else None
    if theirs is None:
        draws, theirs = logit(draws), stats.norm(logit(0.2), 1)
    assert stats.kstest(draws, theirs.cdf).pvalue > 0.01


def test_a_fixed_prior_does_not_move():
    prior = parse_prior("fixed(value=1.5)")
    assert prior.is_fixed
    assert (prior.value(Z) == 1.5).all()
    assert prior.interval() == (1.5, 1.5)


def test_far_tails_stay_inside():
    share = parse_prior("logit_normal(median=0.5, sigma=1)").value(np.array([-40.0, 40.0]))
    assert 0 < share[0] < 1e-15
    assert share[1] <= 1


def test_it_takes_symbols():
    z = sympy.Symbol("z")
    found = parse_prior("lognormal(median=3, sigma=2)").value(z, sympy)
    assert sympy.nsimplify(found) == 3 * sympy.exp(2 * z)


@pytest.mark.parametrize("text", ["lognormal(median=24, sigma=0.7)", "fixed(value=24)"])
def test_another_unit_is_the_same_belief(text):
    prior = parse_prior(text)
    np.testing.assert_allclose(prior.scaled(1 / 24).value(Z), prior.value(Z) / 24, rtol=1e-12)


def test_a_share_has_no_other_unit():
    prior = parse_prior("logit_normal(median=0.2, sigma=1)")
    assert prior.scaled(100.0) == prior


@pytest.mark.parametrize(
    "text", ["lognormal(median=0.029, sigma=1)", "logit_normal(median=0.3, sigma=2)", "fixed(value=4)"]
)
def test_it_reads_what_it_writes(text):
    assert parse_prior(str(parse_prior(text))) == parse_prior(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lognorm(median=1, sigma=1)", "Did you mean `lognormal`?"),
        ("lognormal(medain=1, sigma=1)", "Did you mean `median`?"),
        ("lognormal(median=1)", "`sigma` is missing"),
        ("lognormal(sigma=1)", "`median` is missing"),
        ("lognormal(1, 1)", "write it like"),
        ("lognormal", "write it like"),
        ("lognormal(median=1, sigma=1", "write it like"),
        ("", "write it like"),
        ("lognormal(median=1, sigma=0)", "sigma must be above zero"),
        ("lognormal(median=1, sigma=-1)", "sigma must be above zero"),
        ("lognormal(median=0, sigma=1)", "the median must be above zero"),
        ("logit_normal(median=1, sigma=1)", "between 0 and 1"),
        ("logit_normal(median=-0.1, sigma=1)", "between 0 and 1"),
        ("lognormal(median='a', sigma=1)", "`median` must be a number"),
        ("lognormal(median=exit(), sigma=1)", "`median` must be a number"),
        ("lognormal(median=1e999, sigma=1)", "median"),
        ("lognormal(median=1, sigma=1e999)", "sigma"),
        ("fixed(value=1e999)", "value"),
    ],
)
def test_a_wrong_prior_is_refused_in_words(text, said):
    with pytest.raises(ModelFileError) as refusal:
        parse_prior(text)
    assert text in str(refusal.value)
    assert said in str(refusal.value)


def test_priors_of_different_spread_differ():
    assert Prior("lognormal", 1.0, 1.0) != Prior("lognormal", 1.0, 2.0)

"""What a prior says that no animal can do, told with what to change; priors that are sound say nothing."""

from dataclasses import replace

import pytest

from pbpk.body.prior import Prior, parse_prior
from pbpk.infer.design.prior_limits import prior_limits
from pbpk.infer.draws.replicated import as_posterior


def with_priors(joint, **priors):
    """Same study with other priors of the model's parameters."""
    model = joint.model
    changed = tuple(
        replace(p, prior=parse_prior(priors[p.name]) if p.name in priors else p.prior) for p in model.parameters
    )
    estimated = tuple({p.name: p for p in changed}.get(p.name, p) for p in joint.estimated)
    experiments = tuple(replace(e, model=replace(e.model, parameters=changed)) for e in joint.experiments)
    return replace(joint, model=replace(model, parameters=changed), estimated=estimated, experiments=experiments)


def said(joint):
    return prior_limits(as_posterior(joint, 400, 1))


@pytest.fixture(scope="module")
def khot(shipped):
    return shipped("khot")


def test_sound_priors_say_nothing(khot, shipped):
    assert said(khot) == []
    assert said(shipped("boeckmann")) == []


@pytest.mark.parametrize(
    ("prior", "words"),
    [
        ("logit_normal(median=0.998, sigma=0.5)", "catch more than 99%"),
        ("logit_normal(median=0.00001, sigma=0.5)", "catch less than 0.01%"),
        ("logit_normal(median=0.5, sigma=5)", "all or nothing"),
    ],
)
def test_an_extraction_that_is_settled_or_torn(khot, prior, words):
    (sentence,) = said(with_priors(khot, E_liver=prior))
    assert words in sentence
    assert "`E_liver`" in sentence


def test_label_that_is_taken_faster_than_the_blood_can_bring_it(khot):
    numbers = khot.model.constants
    bound = numbers["flow_liver"] / (numbers["volume_vein"] + numbers["volume_artery"])
    assert said(with_priors(khot, uptake=f"lognormal(median={0.8 * bound}, sigma=0.1)")) == []
    (sentence,) = said(with_priors(khot, uptake=f"lognormal(median={1.3 * bound}, sigma=0.1)"))
    assert "`liver` takes" in sentence
    assert f"can bring {bound:.3g}" in sentence
    assert "`uptake`" in sentence


def test_weights_so_doubtful_that_organs_hold_more_than_was_given(khot):
    loose = tuple(
        replace(p, prior=Prior("lognormal", 1.0, 1.2)) if p.name.startswith("grams_") else p for p in khot.estimated
    )
    (sentence,) = said(replace(khot, estimated=loose))
    assert "1.5 times the dose" in sentence
    assert "organ_weights.csv" in sentence

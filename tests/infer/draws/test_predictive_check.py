"""PIT and residuals against closed forms; the band against samples that it must hold."""

import numpy as np
import pytest
from scipy.stats import kstest, norm

from pbpk.infer.draws.predictive_check import check_predictions, ecdf, thinned, uniform_band
from pbpk.infer.matched.joint import predict_percent

T_CELLS = "khot_2019_t_cells_mouse"
LUNG = {"group": "iv", "organ": "lung", "hours": "24", "unit": "percent_dose"}


def probe(write_joint, values, folder="probed"):
    rows = [LUNG | {"animal": f"a{i}", "value": value} for i, value in enumerate(values)]
    return write_joint(T_CELLS, rows, folder=folder)


def median_and_sd(joint):
    theta = joint.theta(np.zeros((1, len(joint.free))))
    s = np.hypot(*(theta[0, joint.names.index(name)] for name in ("spread", "misfit")))
    return predict_percent(joint, theta)["dose"][0, 0], s


def test_pit_and_residual_are_those_of_the_log_normal(write_joint, make_posterior):
    middle, s = median_and_sd(probe(write_joint, [5], "first"))
    joint = probe(write_joint, middle * np.exp(s * np.array([-2.0, -0.5, 0.0, 1.0])))
    found = check_predictions(make_posterior(joint, 1e-9, draws=2000), draws=8000).table
    expected = np.array([-2.0, -0.5, 0.0, 1.0])
    np.testing.assert_allclose(found["pit"], norm.cdf(expected), atol=0.02)
    np.testing.assert_allclose(found["residual"], expected, atol=0.06)


def test_values_of_the_model_have_uniform_pits(write_joint, make_posterior):
    middle, s = median_and_sd(probe(write_joint, [5], "first"))
    values = middle * np.exp(s * np.random.default_rng(5).standard_normal(300))
    pit = check_predictions(make_posterior(probe(write_joint, values), 1e-9)).pit
    assert kstest(pit, "uniform").pvalue > 0.01
    places, low, high = uniform_band(300)
    share = ecdf(pit, places)
    assert ((share >= low) & (share <= high)).all()
    narrow = ecdf(0.5 + 0.3 * (pit - 0.5), places)
    assert not ((narrow >= low) & (narrow <= high)).all()


@pytest.mark.parametrize("n", [12, 80])
def test_the_band_holds_the_share_of_whole_curves_that_it_says(n):
    places, low, high = uniform_band(n)
    samples = np.random.default_rng(99).uniform(size=(2000, n))
    held = [((ecdf(sample, places) >= low) & (ecdf(sample, places) <= high)).all() for sample in samples]
    assert np.mean(held) == pytest.approx(0.95, abs=0.02)


def test_ranges_and_limits_have_no_pit(write_joint, make_posterior):
    rows = [LUNG | {"low": 1, "high": 9}, LUNG | {"animal": "b", "below_lloq": "true", "lloq": 1, "hours": "72"}]
    found = check_predictions(make_posterior(write_joint(T_CELLS, rows), 0.2))
    assert found.pit.size == 0
    assert found.table["residual"].notna().sum() == 1  # the middle of the range


def test_thinned_keeps_all_chains(shipped, make_posterior):
    posterior = make_posterior(shipped("zhuang"), 0.3, chains=3, draws=200)
    few = thinned(posterior, 60)
    assert few.theta().shape == (60, len(posterior.joint.names))
    assert few.tree["posterior"].sizes["chain"] == 3
    np.testing.assert_array_equal(few.theta()[0], posterior.theta()[0])

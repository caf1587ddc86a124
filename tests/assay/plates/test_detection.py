import numpy as np
import pytest
from scipy import stats

from pbpk.assay.plates.calibration import Calibration
from pbpk.assay.plates.curve import Curve
from pbpk.assay.plates.detection import detection_limits
from pbpk.errors import AssayError

BLANKS = np.array([0.9, 1.0, 1.1, 1.0, 1.2, 0.8])  # mean 1, SD sqrt(0.02)
SD = np.sqrt(0.02)
SLOPE = 0.5


def curve(slope=SLOPE, cv=0.0, shape=None):
    shape = shape or Curve("linear", np.array([1.0, slope]))
    return Calibration(shape, (), np.zeros((4, 4)), s0=0.1, cv=cv, lowest=0.5, highest=100.0, n=22, n_blanks=6)


def limits(*given, **settings):
    return detection_limits(*given, **settings).table.set_index("method")


def test_closed_forms_on_given_numbers():
    table = limits(curve(), BLANKS)
    assert table.loc["ich_q2", "lod"] == pytest.approx(3.3 * SD / SLOPE)
    assert table.loc["ich_q2", "loq"] == pytest.approx(10 * SD / SLOPE)
    assert table.loc["blank", "lod"] == pytest.approx(3 * SD / SLOPE)
    assert table.loc["blank", "loq_amplitude"] == pytest.approx(1.0 + 10 * SD)
    t, net = stats.t.ppf(0.95, 5), SD * np.sqrt(1 + 1 / 6)
    assert table.loc["currie", "critical"] == pytest.approx(t * net / SLOPE)
    assert table.loc["currie", "lod"] == pytest.approx(2 * t * net / SLOPE)
    assert table.loc["currie", "loq"] == pytest.approx(10 * net / SLOPE)


def test_currie_with_paired_blanks_and_a_known_sigma_is_2_33_and_4_65():
    """Currie 1968: L_C = 2.33 sigma_B and L_D = 4.65 sigma_B for paired observations."""
    found = detection_limits(curve(), BLANKS, 0.3, paired=True)
    assert (found.sigma, found.sigma_from) == (pytest.approx(0.3), "within trace")
    table = found.table.set_index("method")
    assert table.loc["currie", "critical"] * SLOPE / 0.3 == pytest.approx(2.33, abs=0.005)
    assert table.loc["currie", "lod"] * SLOPE / 0.3 == pytest.approx(4.65, abs=0.005)


def test_the_larger_sigma_rules_and_both_are_told():
    found = detection_limits(curve(), BLANKS, 0.05)
    assert (found.between_blanks, found.within_trace) == (pytest.approx(SD), pytest.approx(0.05))
    assert (found.sigma, found.sigma_from) == (pytest.approx(SD), "between blanks")


def test_replicates_and_own_blanks():
    one, three = (limits(curve(), BLANKS, replicates=n).loc["currie", "critical"] for n in (1, 3))
    assert three / one == pytest.approx(np.sqrt((1 / 3 + 1 / 6) / (1 + 1 / 6)))


def test_pipetting_raises_the_limit_until_none_is_left():
    """At L_D the chance to fall below L_C is beta; at L_Q the relative standard deviation is a tenth."""
    table = limits(curve(cv=0.05), BLANKS)
    critical, lod, loq = table.loc["currie", [f"{name}_amplitude" for name in ("critical", "lod", "loq")]] - 1.0
    net2 = 0.02 * (1 + 1 / 6)
    assert (lod - critical) / np.sqrt(net2 + (0.05 * lod) ** 2) == pytest.approx(stats.t.ppf(0.95, 5))
    assert np.sqrt(net2 + (0.05 * loq) ** 2) / loq == pytest.approx(0.10)
    assert limits(curve(cv=0.11), BLANKS).loc["currie", "loq"] == np.inf
    assert limits(curve(cv=0.6), BLANKS).loc["currie", "lod"] == np.inf


def test_false_detections_are_as_rare_as_asked():
    """Blanks drawn anew, critical value from their own blanks: 5 % are taken for label."""
    rng = np.random.default_rng(1)
    above = []
    for _ in range(800):
        blanks = rng.normal(1.0, 0.1, 6)
        critical = limits(curve(), blanks).loc["currie", "critical"] * SLOPE
        above.append(rng.normal(1.0, 0.1) - blanks.mean() > critical)
    assert np.mean(above) == pytest.approx(0.05, abs=0.02)


def test_light_that_falls_and_light_that_bends():
    falling = limits(curve(slope=-SLOPE), BLANKS)
    np.testing.assert_allclose(falling.loc["ich_q2", "lod"], 3.3 * SD / SLOPE)
    shape = Curve("4pl", np.array([1.0, 30.0, np.log(40.0), 0.0]))
    bent = limits(curve(shape=shape), BLANKS)
    assert shape.mean(bent.loc["ich_q2", "lod"]) == pytest.approx(1.0 + 3.3 * SD)


@pytest.mark.parametrize("blanks", [[1.0], [1.0, 1.0], [1.0, np.nan]])
def test_blanks_that_tell_nothing(blanks):
    with pytest.raises(AssayError, match="blank"):
        detection_limits(curve(), blanks)

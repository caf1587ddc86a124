"""Many curves at once are each what one curve is by itself."""

import numpy as np
import pytest

from pbpk.predict.noncompartmental.draws import areas, tails
from pbpk.predict.noncompartmental.profile import analyse, curve_of
from pbpk.predict.noncompartmental.rules import Rules

HOURS = np.array([0.25, 1.0, 4.0, 12.0, 24.0, 48.0])


@pytest.mark.parametrize("method", ["linear", "linear_up_log_down"])
@pytest.mark.parametrize("start", ["carry_back", "first", "zero", "back_extrapolate"])
def test_each_draw_is_a_curve(method, start):
    rules = Rules(method=method, start=start, partial=((1.0, 30.0),))
    values = np.exp(-0.1 * HOURS + 0.3 * np.random.default_rng(1).standard_normal((30, 6)))
    found = areas(HOURS, values, rules)
    found |= tails(HOURS, values, found, rules)
    for i, own in enumerate(values):
        alone = analyse(curve_of(HOURS, own, rules=rules), rules).parameters
        for name, draws in found.items():
            np.testing.assert_allclose(draws[i], alone[name], rtol=1e-12, err_msg=name)

"""The estimator finds a known amplitude, and one that is broken on purpose does not."""

from dataclasses import replace

import numpy as np
import pytest

from pbpk.assay.light.amplitude import demodulate
from pbpk.predict.qualification import known_light
from pbpk.predict.qualification.known_light import DELTA, LEVEL, of_light, trace


def test_known_light_is_found():
    checks = list(of_light())
    assert len(checks) == 6
    assert all(check.passed for check in checks), [check.sentence for check in checks]


def test_the_light_is_what_it_says():
    made = trace(DELTA, 0.0)
    on = made.field > 0.0
    assert on.mean() == pytest.approx(0.5, abs=0.01)
    assert made.light[0] == pytest.approx(LEVEL - DELTA)
    dark = trace(0.0, 0.0).light
    np.testing.assert_allclose(dark - made.light, DELTA * on)


@pytest.mark.parametrize(
    ("sabotage", "wrong"),
    [
        (lambda found: replace(found, delta=found.delta * 1.001), {"amplitude without noise",
                                                                    "amplitude that rises with the field"}),
        (lambda found: replace(found, delta=abs(found.delta)), {"amplitude that rises with the field"}),
        (lambda found: replace(found, delta=found.delta + 3.0), {"amplitude in noise", "amplitude of an empty well"}),
        (lambda found: replace(found, se=found.se * 0.5), {"standard error of the amplitude in noise",
                                                           "standard error of the amplitude of an empty well"}),
    ],
)  # fmt: skip
def test_an_estimator_that_is_off_fails(monkeypatch, verdicts, sabotage, wrong):
    monkeypatch.setattr(known_light, "demodulate", lambda made: sabotage(demodulate(made)))
    assert wrong <= set(verdicts(of_light()))

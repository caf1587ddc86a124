"""What the literature alone says of a mouse, before any data: three statements that must come out of the priors.

Zhuang 2021: most of the label is in the lung soon after an injection into a vein, and the kidneys never hold more than
about 4 %. A cell given into the portal vein meets the liver first.
"""

import numpy as np
import pytest

from pbpk.body.expansion import read_model
from pbpk.dosing import Dose

HOURS = np.array([0.05, 1.0, 24.0, 72.0, 168.0])
MODEL = read_model("msc", "mouse", label="FND")
Z = np.random.default_rng(2021).standard_normal((1000, len(MODEL.parameters)))
THETA = np.stack([p.prior.value(z) for p, z in zip(MODEL.parameters, Z.T, strict=True)], axis=1)


def percent(route):
    """Label in percent of the dose, (draw, time, organ)."""
    y = MODEL.solve(THETA, [Dose(route, 100.0)], HOURS)
    label = np.stack([y @ MODEL.observer(organ, "label") for organ in MODEL.organs], axis=2)
    print(f"\n{route}: median label, % of the dose\n{'hours':>8}" + "".join(f"{o:>8}" for o in MODEL.organs))
    for hour, row in zip(HOURS, np.median(label, axis=0), strict=True):
        print(f"{hour:8g}" + "".join(f"{value:8.2f}" for value in row))
    return label


@pytest.fixture(scope="module")
def vein():
    return percent("iv")


def test_the_lung_holds_most_an_hour_after_a_vein(vein):
    at = list(HOURS).index(1.0)
    lung = MODEL.organs.index("lung")
    first = vein[:, at].argmax(axis=1) == lung
    print(f"lung first in {first.mean():.1%} of draws, median {np.median(vein[:, at, lung]):.1f} %")
    assert np.median(vein[:, at], axis=0).argmax() == lung
    assert first.mean() > 0.9
    assert np.median(vein[:, at, lung]) == pytest.approx(85, abs=5)


def test_the_kidneys_hold_less_than_four_percent(vein):
    kidney = np.median(vein[:, :, MODEL.organs.index("kidney")], axis=0)
    print("median kidney", dict(zip(HOURS.tolist(), kidney.round(2).tolist(), strict=True)))
    assert (kidney < 4.0).all()


def test_label_moves_from_the_lung_to_the_liver_within_a_week(vein):
    lung, liver = (np.median(vein[:, :, MODEL.organs.index(organ)], axis=0) for organ in ("lung", "liver"))
    assert (np.diff(lung) < 0).all()
    assert (np.diff(liver) > 0).all()
    assert liver[-1] > lung[-1]


def test_the_liver_holds_most_after_the_portal_vein():
    label = percent("portal_vein")
    liver = MODEL.organs.index("liver")
    first = label[:, 1].argmax(axis=1) == liver
    print(f"liver first in {first.mean():.1%} of draws at 1 h")
    assert (np.median(label, axis=0).argmax(axis=1) == liver).all()
    assert first.mean() > 0.5


def test_no_draw_makes_or_loses_label(vein):
    assert (vein >= 0).all()
    assert vein.sum(axis=2).max() <= 100.0 * (1 + 1e-3)  # cells passing through blood stand beside the balance

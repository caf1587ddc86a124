"""Coordinates in which the sampler walks straight where two rates in series can hardly be told apart.

A label that its cell loses at rate k, and its organ then gives up at rate d, is there for 1/k + 1/d on average. Where
nothing tells the living from the label, data know that sum and little else: whichever of the two is slow, the other may
be anything faster. In (log k, log d) that is a ridge with a corner; it is straight in

    -log(1/k + 1/d)  and  log(k/d).

Volumes stay what they are, as the determinant between the two is 1: priors and posterior are untouched.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pymc.distributions.transforms import Transform

from pbpk.infer.matched.joint import Joint
from pbpk.infer.matched.kinds import kinds_of, learned_by_arrow
from pbpk.infer.matched.sharing import Together

Pair = tuple[str, str]  # rate that fills a state, rate that empties it


def in_series(joint: Joint) -> list[Pair]:
    """Free log-normal rates in series, each in one pair only."""
    model, kinds = joint.model, kinds_of(joint)
    free = {parameter.name for parameter in joint.free if parameter.prior.form == "lognormal"}
    filling: dict[int, set[str]] = {}
    emptying: dict[int, set[str]] = {}
    for arrow, names in enumerate(learned_by_arrow(model)):
        rates = free.intersection(names)
        filling.setdefault(int(model.target_states[arrow]), set()).update(n for n in rates if kinds[n] == "loss")
        emptying.setdefault(int(model.source_states[arrow]), set()).update(n for n in rates if kinds[n] == "transfer")
    return sorted(_apart({(k, d) for state, ks in filling.items() for k in ks for d in emptying.get(state, ())}))


def _apart(pairs: Collection[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Those pairs of which no member stands in another."""
    met = [one for pair in pairs for one in pair]
    return [pair for pair in pairs if all(met.count(one) == 1 for one in pair)]


class Straight(Transform):
    """Standard-normal numbers of the parameters, from and to the coordinates of the module, which take their places.

    places : (2, pair) of the two rates in the vector; centre, sigma : (2, pair) of the logarithms in their priors
    """

    name = "straight"

    def __init__(self, places: NDArray[np.int64], centre: NDArray[np.float64], sigma: NDArray[np.float64]) -> None:
        self.places, self.centre, self.sigma = places, centre, sigma
        # the second coordinate has its prior's SD as unit, the first the unit that leaves volumes as they are
        self.apart = np.hypot(*sigma)
        self.along = sigma.prod(axis=0) / self.apart
        self.stay = np.logaddexp(-centre[0], -centre[1])  # log(1/k + 1/d) at the medians

    def forward(self, value: Any, *inputs: Any) -> Any:
        """Coordinates from the standard-normal numbers."""
        loss, transfer = (c + s * value[p] for c, s, p in zip(self.centre, self.sigma, self.places, strict=True))
        along = (self.stay + loss - pt.softplus(loss - transfer)) / self.along  # log(1 + k/d) - log k is log(1/k + 1/d)
        apart = (loss - transfer - self.centre[0] + self.centre[1]) / self.apart
        return pt.set_subtensor(value[self.places.ravel()], pt.concatenate([along, apart]))

    def backward(self, value: Any, *inputs: Any) -> Any:
        """Standard-normal numbers from the coordinates."""
        along, apart = (value[places] for places in self.places)
        ratio = self.centre[0] - self.centre[1] + self.apart * apart
        rate = self.along * along - self.stay
        logs = pt.concatenate([rate + pt.softplus(ratio), rate + pt.softplus(-ratio)])
        return pt.set_subtensor(value[self.places.ravel()], (logs - self.centre.ravel()) / self.sigma.ravel())

    def log_jac_det(self, value: Any, *inputs: Any) -> Any:
        """Nothing: volumes stay."""
        return pt.zeros_like(value)


def straightened(whole: Together, own: Collection[str] = ()) -> Straight | None:
    """The transform for the vector behind some studies; None where no two rates are in series.

    own : parameters that have a prior of the user's own
    """
    found: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for study, joint in whole.joints.items():
        free = {parameter.name: i for i, parameter in enumerate(joint.free)}
        for pair in in_series(joint):
            if set(pair).isdisjoint(own):
                loss, transfer = (int(whole.places[study][free[name]]) for name in pair)
                priors = [joint.free[free[name]].prior for name in pair]
                found.setdefault((loss, transfer), [(float(np.log(p.centre)), float(p.sigma)) for p in priors])
    kept = _apart(found)
    if not kept:
        return None
    centre, sigma = (np.array([[scale[i] for scale in found[pair]] for pair in kept]).T for i in range(2))
    return Straight(np.array(kept, dtype=np.int64).T, centre, sigma)

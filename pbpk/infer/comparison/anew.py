"""Animals that nobody has seen yet: their deviates summed over, where the data of one are left out.

A posterior holds the deviates of each animal as its own data taught them. Given the parameters alone, the density of
its data is an integral over deviates, taken at draws of a normal about what the data taught (twice as wide in SD) with
the weight of the standard normal over that one. A posterior that never saw the animal holds draws of the prior in their
place; these taught as much as the weights say that its data give them.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import multivariate_normal, qmc

from pbpk.body.solve import Array
from pbpk.infer.matched.between import deviate
from pbpk.infer.matched.joint import Joint, predict_percent

NODES = 32  # of the integral, a power of two for Sobol's points
WIDER = 2.0
SEED = 1  # of the scrambling: the same posterior gives the same answer


def anew(
    joint: Joint, theta: Array, logs: Mapping[str, Array], rows: NDArray[np.int64], likely: Array | None = None
) -> Iterator[tuple[Array | float, dict[str, Array]]]:
    """Logarithm of a weight, and predictions in which one animal has other deviates; once, as it is, without deviates.

    theta : (draw, estimated); logs : reading -> (draw, row) logarithm of the percentages that theta says
    rows : those of one animal
    likely : (draw,) weights, summing to 1, by which its deviates are drawn from its posterior; None where they are
    """
    between = joint.between
    if between is None:
        yield 0.0, dict(logs)
        return
    subject = between.subjects[between.of_row[rows[0]]]
    got = np.log(joint.got(theta)[:, rows])
    columns = [joint.names.index(deviate(name, subject)) for name in between.varied]
    centre, covariance = _taught(theta[:, columns], likely)
    covariance = WIDER**2 * (covariance + 1e-6 * np.eye(len(columns)))
    about = multivariate_normal(centre, covariance)
    points = qmc.MultivariateNormalQMC(about.mean, covariance, rng=np.random.default_rng(SEED)).random(NODES)
    standard = multivariate_normal(np.zeros(len(columns)), np.eye(len(columns)))
    for point in points:
        moved = theta.copy()
        moved[:, columns] = point
        mixed = {reading: m.copy() for reading, m in logs.items()}
        if between.kinetic:
            for reading, percent in predict_percent(joint, moved, rows).items():
                mixed[reading][:, rows] = np.log(percent[:, rows])
        else:  # what an animal got moves all its values alike, and nothing need be solved
            for m in mixed.values():
                m[:, rows] += np.log(joint.got(moved)[:, rows]) - got
        yield float(standard.logpdf(point) - about.logpdf(point)), mixed


def _taught(seen: Array, likely: Array | None) -> tuple[Array, Array]:
    """Mean (deviate,) and covariance (deviate, deviate) of draws (draw, deviate)."""
    n, size = seen.shape
    weights = np.full(n, 1.0 / n) if likely is None else likely
    centre = weights @ seen
    covariance = (weights[:, np.newaxis] * (seen - centre)).T @ (seen - centre)
    if likely is None:
        return centre, covariance
    # where few draws carry the weight, the standard normal of the prior stands in for some
    share = 1.0 / (1.0 + (size + 1.0) * float((weights**2).sum()))
    return centre, share * covariance + (1.0 - share) * np.eye(size)

"""Shares of the variance over all that is believed: Sobol' indices of first and total order, by SALib."""

import numpy as np
import pandas as pd

from pbpk.errors import InputError
from pbpk.predict.sensitivity.inputs import Follow, Inputs

SAMPLES = 512  # of each of the two independent sets; a power of two, as the sequence wants
RESAMPLES = 200
SURPLUS = 1.15  # sum of first-order shares from which the samples are called too few
SOBOL = ["endpoint", "parameter", "first", "first_low", "first_high", "total", "total_low", "total_high", "evaluations",
         "flag"]  # fmt: skip


def sobol(inputs: Inputs, samples: int = SAMPLES, seed: int = 1, follow: Follow | None = None) -> pd.DataFrame:
    """First-order and total shares of the variance of the logarithm of each endpoint, with 95 % bootstrap intervals.

    first : of the parameter alone; total : with all that it does together with others. Their difference is interaction.

    Raises
    ------
    InputError
        if `samples` is no power of two

    Source: Saltelli et al. 2010, Comput Phys Commun 181:259, on a scrambled Sobol' sequence.
    """
    from SALib.analyze import sobol as analysis
    from SALib.sample import sobol as sampling

    if samples < 2 or samples & (samples - 1):
        raise InputError(f"--samples: {samples} is no power of two, as the sequence wants; take 256, 512 or 1024.")
    problem = inputs.problem((0.0, 1.0))
    points = sampling.sample(problem, samples, calc_second_order=False, seed=seed)
    values = inputs.logs(points, follow)
    rows = []
    for e, endpoint in enumerate(inputs.question.endpoints):
        found = analysis.analyze(problem, values[:, e], calc_second_order=False, num_resamples=RESAMPLES, seed=seed)
        flag = "first-order shares sum above 1: take more samples" if np.nansum(found["S1"]) > SURPLUS else ""
        for i, name in enumerate(inputs.names):
            first, total = float(found["S1"][i]), float(found["ST"][i])
            off, off_total = float(found["S1_conf"][i]), float(found["ST_conf"][i])
            rows.append([str(endpoint), name, first, first - off, first + off, total, total - off_total,
                         total + off_total, len(points), flag])  # fmt: skip
    return inputs.ranked(pd.DataFrame(rows, columns=SOBOL), "total")

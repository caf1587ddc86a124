"""Screening over all that is believed: Morris' elementary effects, by SALib."""

import pandas as pd

from pbpk.predict.sensitivity.inputs import Follow, Inputs

ENDS = (0.025, 0.975)  # of each input's distribution, between which trajectories walk
TRAJECTORIES, LEVELS = 32, 8
RESAMPLES = 200
MORRIS = ["endpoint", "parameter", "mu_star", "mu_star_low", "mu_star_high", "mu", "sigma", "evaluations"]


def morris(
    inputs: Inputs, trajectories: int = TRAJECTORIES, seed: int = 1, follow: Follow | None = None
) -> pd.DataFrame:
    """Elementary effects of each parameter on the logarithm of each endpoint, over the central 95 % of each.

    mu_star : mean size of the effects with its 95 % interval by resampling trajectories; mu : with sign; sigma : their
        SD, large where effects hang on other parameters or are not linear. In logarithms of the endpoint over the walk
        from end to end.

    Source: Morris 1991, Technometrics 33:161; mu_star of Campolongo et al. 2007, Environ Model Softw 22:1509.
    """
    from SALib.analyze import morris as analysis
    from SALib.sample import morris as sampling

    problem = inputs.problem(ENDS)
    points = sampling.sample(problem, trajectories, num_levels=LEVELS, seed=seed)
    values = inputs.logs(points, follow)
    rows = []
    for e, endpoint in enumerate(inputs.question.endpoints):
        found = analysis.analyze(problem, points, values[:, e], num_levels=LEVELS, num_resamples=RESAMPLES, seed=seed)
        for i, name in enumerate(inputs.names):
            middle, half = float(found["mu_star"][i]), float(found["mu_star_conf"][i])
            rows.append([str(endpoint), name, middle, max(middle - half, 0.0), middle + half, float(found["mu"][i]),
                         float(found["sigma"][i]), len(points)])  # fmt: skip
    return inputs.ranked(pd.DataFrame(rows, columns=MORRIS), "mu_star")

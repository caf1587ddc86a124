"""A row of counts of which nothing is known yet."""

import numpy as np

NOTHING = {
    "percent": np.nan,
    "sd": np.nan,
    "n": 1.0,
    "low": np.nan,
    "high": np.nan,
    "lloq": np.nan,
    "below_lloq": False,
}

"""How first-pass extraction changes with the diameter of the cells and the calibre of the capillaries.

E(d) = Phi((ln d - ln d50) / s): a cell is stopped by the capillaries narrower than itself, and calibres are log-normal.
Relative to what is known at one diameter, d50 drops out: E(d) = Phi(Phi^-1(E) + ln(d ratio / calibre ratio) / s).
A hypothesis, always labelled so.
"""

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri, ndtri_exp

from pbpk.body.solve import Array

MOST = 1.0 - 1e-12  # extraction of exactly 1 has no finite rate of arrest


def resized(extraction: Array, log_ratio: float, slope: Array) -> Array:
    """Extraction of cells whose diameter over capillary calibre changed by a factor.

    Parameters
    ----------
    extraction : (...,) in (0, 1)
    log_ratio : logarithm of the factor
    slope : (...,) SD of the logarithm of the calibre

    Returns
    -------
    (...,) in (0, 1)
    """
    shift = log_ratio / slope
    # the lower tail is followed in logarithms: extraction by the gut is 0.003, and small cells make it smaller
    z = np.where(extraction < 0.5, ndtri_exp(np.log(extraction)), ndtri(extraction)) + shift
    return np.minimum(np.where(z < 0.0, np.exp(log_ndtr(z)), ndtr(z)), MOST)

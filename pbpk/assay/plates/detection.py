"""The least that an assay can tell from nothing, and the least it can quantify, by each convention in use."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from pbpk.assay.plates.calibration import Calibration
from pbpk.errors import AssayError

# ICH Q2(R2): LOD = 3.3 sigma / slope, LOQ = 10 sigma / slope. The blank rule: mean + 3 SD and mean + 10 SD.
ICH_LOD, ICH_LOQ = 3.3, 10.0
BLANK_LOD, BLANK_LOQ = 3.0, 10.0
CURRIE_QUANTIFIED = 0.10  # relative standard deviation at Currie's L_Q (Currie 1968)

COLUMNS = ["method", "lod", "loq", "critical", "lod_amplitude", "loq_amplitude", "critical_amplitude"]


@dataclass(frozen=True)
class DetectionLimits:
    """Limits by every method, from one sigma.

    table : a row per method; critical, lod, loq [unit of the calibration]; the same as read from a well [amplitude].
        `critical` is where something is said to be there, `lod` the amount that is then missed with probability beta
    between_blanks : standard deviation of independent blanks [amplitude]
    within_trace : root mean square of their traces' standard errors [amplitude]
    sigma : the larger of the two, which all rows use [amplitude]; sigma_from : which one it is
    """

    table: pd.DataFrame
    between_blanks: float
    within_trace: float
    sigma: float
    sigma_from: Literal["between blanks", "within trace"]


def detection_limits(
    calibration: Calibration,
    blanks: ArrayLike,
    blank_se: ArrayLike = 0.0,
    *,
    replicates: int = 1,
    paired: bool = False,
    alpha: float = 0.05,
    beta: float = 0.05,
) -> DetectionLimits:
    """Limits of detection and quantification after ICH Q2(R2), Currie (1968) and from the blanks alone.

    blanks, blank_se : (blank) [amplitude], from independent digests of matrix without label
    replicates : wells whose mean a sample is; paired : each sample has its own blank rather than the mean of all
    alpha, beta : probability of a false detection, and of missing an amount at the limit

    Raises
    ------
    AssayError
        if there are fewer than two blanks, or none of them scatters
    """
    wells = np.asarray(blanks, float)
    if len(wells) < 2:
        raise AssayError("a limit of detection needs at least two independent blanks.")
    between = float(np.std(wells, ddof=1))
    within = float(np.sqrt(np.mean(np.broadcast_to(np.asarray(blank_se, float), wells.shape) ** 2)))
    sigma = max(between, within)
    if not sigma > 0.0 or not np.isfinite(sigma):
        raise AssayError("blanks that do not scatter, or are not finite, cannot tell a limit of detection.")
    # A trace's own error rests on thousands of samples; a scatter between blanks on as many as there are.
    quantile = stats.norm() if within > between else stats.t(len(wells) - 1)
    net = sigma * np.sqrt(1.0 / replicates + (1.0 if paired else 1.0 / len(wells)))
    critical = float(quantile.ppf(1.0 - alpha)) * net
    growth = calibration.cv**2 / replicates
    rises = {
        "ich_q2": (np.nan, ICH_LOD * sigma, ICH_LOQ * sigma),
        "currie": (critical, _detected(critical, net, growth, float(quantile.ppf(1 - beta))), _quantified(net, growth)),
    }
    upwards = float(np.sign(calibration.curve.slope(calibration.highest)))
    zero = float(calibration.curve.mean(0.0))
    rows = [_row(calibration, method, zero, upwards, rise) for method, rise in rises.items()]
    by_blanks = (np.nan, BLANK_LOD * between, BLANK_LOQ * between)
    rows.append(_row(calibration, "blank", float(wells.mean()), upwards, by_blanks))
    table = pd.DataFrame(rows)[COLUMNS]
    return DetectionLimits(table, between, within, sigma, "within trace" if within > between else "between blanks")


def _row(
    calibration: Calibration, method: str, zero: float, upwards: float, rises: tuple[float, float, float]
) -> dict[str, object]:
    row: dict[str, object] = {"method": method}
    for name, rise in zip(("critical", "lod", "loq"), rises, strict=True):
        amplitude = zero + upwards * rise
        row[f"{name}_amplitude"] = amplitude
        row[name] = float(calibration.curve.inverse(amplitude)) if np.isfinite(amplitude) else rise
    return row


def _detected(critical: float, net: float, growth: float, quantile: float) -> float:
    """L_D: the rise x with x - critical = quantile sqrt(net^2 + growth x^2); infinite where scatter outgrows it."""
    lead = 1.0 - quantile**2 * growth
    if lead <= 0.0:
        return float("inf")
    root = critical**2 - lead * (critical**2 - quantile**2 * net**2)
    return float((critical + np.sqrt(max(root, 0.0))) / lead)


def _quantified(net: float, growth: float) -> float:
    """L_Q: the rise whose standard deviation is a tenth of it; infinite where pipetting alone takes that much."""
    room = CURRIE_QUANTIFIED**2 - growth
    return float(net / np.sqrt(room)) if room > 0.0 else float("inf")

"""What a tissue digest does to the light: other slopes, lost label, too much label, label left by the well before."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from pbpk.assay.light.trace import Array, Well
from pbpk.assay.plates.calibration import LEVEL, Calibration, Estimate, estimate, fit_wells
from pbpk.errors import AssayError

# Borrowed from ICH M10 (2022), which is written for chromatography and ligand binding.
PARALLEL_CV = 0.30  # section 7.2: CV of a sample back-calculated from at least 3 dilutions
FEWEST_DILUTIONS = 3  # section 7.2
FEWEST_ADDITIONS = 3  # section 7.1: each sample split into 3 to 5 points
CARRY_OVER = 0.20  # section 3.2.6: a blank after the highest standard, as a share of the response at the LLOQ
DILUTION = 0.15  # section 3.2.7: dilution integrity


@dataclass(frozen=True)
class MatrixCurves:
    """A curve for each matrix.

    curves : matrix to calibration
    ratios : a row per matrix: slope, slope_sd [amplitude / unit], ratio to the reference's slope with its 95 %
        interval, low and high [1]
    """

    curves: dict[str, Calibration]
    ratios: pd.DataFrame


def fit_by_matrix(
    wells: Sequence[Well], amplitude: ArrayLike, amplitude_se: ArrayLike = 0.0, reference: str = "buffer"
) -> MatrixCurves:
    """Fit a straight line to the standards and blanks of each matrix, and compare its slope with the reference's.

    amplitude, amplitude_se : (well) [amplitude]

    Raises
    ------
    AssayError
        if the reference has no standards, or a matrix too few
    """
    y = np.asarray(amplitude, float)
    se = np.broadcast_to(np.asarray(amplitude_se, float), y.shape)
    matrices = sorted({well.matrix for well in wells if well.role == "standard"})
    if reference not in matrices:
        raise AssayError(f"no standards in `{reference}`; slopes were to be compared with it.")
    curves = {}
    for matrix in matrices:
        here = [i for i, well in enumerate(wells) if well.matrix == matrix]
        try:
            curves[matrix] = fit_wells([wells[i] for i in here], y[here], se[here])
        except AssayError as error:
            raise AssayError(f"matrix `{matrix}`: {error}") from error
    rows = []
    for matrix, curve in curves.items():
        ratio = Estimate(1.0, 0.0, 1.0, 1.0)
        if matrix != reference:
            ratio = _ratio(_slope(curve), _slope(curves[reference]), min(curve.degrees, curves[reference].degrees))
        value, sd = _slope(curve)
        rows.append((matrix, value, sd, ratio.value, ratio.low, ratio.high))
    return MatrixCurves(curves, pd.DataFrame(rows, columns=["matrix", "slope", "slope_sd", "ratio", "low", "high"]))


def _slope(calibration: Calibration) -> tuple[float, float]:
    if calibration.curve.kind != "linear":
        raise AssayError("slopes can be compared between straight lines only.")
    return float(calibration.curve.parameters[1]), float(np.sqrt(calibration.covariance[1, 1]))


def _ratio(upper: tuple[float, float], lower: tuple[float, float], degrees: float) -> Estimate:
    """Ratio of two independent slopes with Fieller's interval; infinite where the lower slope may be zero."""
    (a, sd_a), (b, sd_b) = upper, lower
    t = float(stats.t.ppf(0.5 + LEVEL / 2, degrees))
    g = (t * sd_b / b) ** 2
    value = a / b
    sd = abs(value) * float(np.hypot(sd_a / a, sd_b / b)) if a else sd_a / abs(b)
    if g >= 1.0:
        return Estimate(value, sd, -np.inf, np.inf)
    half = t / abs(b) * float(np.sqrt(sd_a**2 * (1.0 - g) + value**2 * sd_b**2)) / (1.0 - g)
    return Estimate(value, sd, value / (1.0 - g) - half, value / (1.0 - g) + half)


@dataclass(frozen=True)
class _Line:
    slope: float
    intercept: float
    slope_sd: float
    scatter: float
    n: int
    mean_x: float
    mean_y: float
    sxx: float


def _line(x: Array, y: Array) -> _Line:
    sxx = float(np.sum((x - x.mean()) ** 2))
    slope = float(np.sum((x - x.mean()) * (y - y.mean()))) / sxx
    intercept = float(y.mean() - slope * x.mean())
    scatter = float(np.sqrt(np.sum((y - intercept - slope * x) ** 2) / (len(x) - 2)))
    return _Line(slope, intercept, scatter / sxx**0.5, scatter, len(x), float(x.mean()), float(y.mean()), sxx)


def _additions(added: ArrayLike, amplitude: ArrayLike) -> _Line:
    x, y = np.asarray(added, float), np.asarray(amplitude, float)
    if len(np.unique(x)) < FEWEST_ADDITIONS or x.shape != y.shape:
        raise AssayError(f"standard addition needs at least {FEWEST_ADDITIONS} different amounts (ICH M10, 7.1).")
    return _line(x, y)


def standard_addition(added: ArrayLike, amplitude: ArrayLike, blank: float = 0.0, blank_se: float = 0.0) -> Estimate:
    """Amount [unit] that a sample held before known amounts were added: the negative intercept with the x axis.

    added : (well) [unit], zero included; amplitude : (well) [amplitude]
    blank, blank_se : mean amplitude of the same matrix without label, and its doubt [amplitude]

    Source: ICH M10, 7.1; SE = s_yx / k sqrt(1/n + (ybar - blank)^2 / (k^2 Sxx)).

    Raises
    ------
    AssayError
        if fewer than three different amounts were added, or they did not raise the light
    """
    line = _additions(added, amplitude)
    if line.slope == 0.0:
        raise AssayError("added label did not change the light; standard addition has no answer.")
    value = (line.intercept - blank) / line.slope
    lever = 1.0 / line.n + (line.mean_y - blank) ** 2 / (line.slope**2 * line.sxx)
    sd = float(np.sqrt(line.scatter**2 * lever + blank_se**2)) / abs(line.slope)
    return estimate(value, sd, line.n - 2)


def slope_ratio(added: ArrayLike, amplitude: ArrayLike, calibration: Calibration) -> Estimate:
    """Slope of standard additions over the slope of a curve [1]: what the matrix leaves of the light.

    added : (well) [unit]; amplitude : (well) [amplitude]

    Raises
    ------
    AssayError
        if fewer than three different amounts were added, or the curve is not a straight line
    """
    line = _additions(added, amplitude)
    return _ratio((line.slope, line.slope_sd), _slope(calibration), min(line.n - 2, calibration.degrees))


@dataclass(frozen=True)
class Parallelism:
    """Dilutions of one sample read off one curve.

    amounts : (well) amount in the undiluted sample by each dilution [unit]; cv : their relative scatter [1]
    slope : of log amount read against log share left by dilution; 1 where sample and standards are parallel
    passed : cv within the limit of ICH M10, 7.2
    """

    amounts: Array
    cv: float
    slope: Estimate
    passed: bool


def parallelism(dilution: ArrayLike, amplitude: ArrayLike, calibration: Calibration) -> Parallelism:
    """Whether a sample dilutes as the standards do (ICH M10, 7.2).

    dilution : (well) factor, at least 1; amplitude : (well) [amplitude]

    Raises
    ------
    AssayError
        if there are fewer than three dilutions, or one reads no label or more than the curve can tell
    """
    factor = np.asarray(dilution, float)
    if len(np.unique(factor)) < FEWEST_DILUTIONS:
        raise AssayError(f"parallelism needs at least {FEWEST_DILUTIONS} dilutions (ICH M10, 7.2).")
    read, _ = calibration.invert_many(amplitude)
    if not (np.isfinite(read) & (read > 0.0)).all():
        raise AssayError("a dilution reads no label, or more than the curve can tell; leave it out of the parallelism.")
    amounts = read * factor
    cv = float(np.std(amounts, ddof=1) / np.mean(amounts))
    line = _line(-np.log(factor), np.log(read))
    return Parallelism(amounts, cv, estimate(line.slope, line.slope_sd, line.n - 2), cv <= PARALLEL_CV)


def spike_recovery(
    spiked: float, unspiked: float, covariance: ArrayLike, added: float, added_sd: float = 0.0, degrees: float = np.inf
) -> Estimate:
    """Share [1] of an added amount that is found again: (spiked - unspiked) / added.

    spiked, unspiked : amounts found [unit]; covariance : (2, 2) of the two, as `Calibration.invert_many` gives it
    added, added_sd : what was put in, or what is found when it is put in after the processing (ICH M10, 7.3) [unit]

    Raises
    ------
    AssayError
        if nothing was added
    """
    if not added > 0.0:
        raise AssayError("recovery needs an added amount above zero.")
    between = np.asarray(covariance, float)
    share = (spiked - unspiked) / added
    variance = between[0, 0] + between[1, 1] - 2.0 * between[0, 1] + (share * added_sd) ** 2
    return estimate(share, float(np.sqrt(variance)) / added, degrees)


@dataclass(frozen=True)
class HookCheck:
    """Whether a sample holds so much label that it hides itself.

    table : a row per well, least diluted first: dilution, read and amount (read times dilution) [unit], rise over
        the least diluted [1], z of that rise, flagged
    flagged : the less diluted well reads too little; use a more diluted one
    """

    table: pd.DataFrame
    flagged: bool


def hook_check(
    dilution: ArrayLike,
    amplitude: ArrayLike,
    amplitude_se: ArrayLike,
    calibration: Calibration,
    limit: float = DILUTION,
) -> HookCheck:
    """Compare dilutions of one sample, each multiplied back: amounts that rise with dilution show a hook.

    A rise counts when it is above `limit` and above 1.96 of its standard deviations, the curve's doubt being shared.
    A well beyond the curve's plateau cannot be compared and is flagged.
    dilution : (well) factor, at least 1; amplitude, amplitude_se : (well) [amplitude]

    Raises
    ------
    AssayError
        if there are fewer than two dilutions
    """
    factor = np.asarray(dilution, float)
    order = np.argsort(factor, kind="stable")
    if len(np.unique(factor)) < 2:
        raise AssayError("a hook shows only between two dilutions of a sample.")
    factor = factor[order]
    y = np.asarray(amplitude, float)[order]
    read, covariance = calibration.invert_many(y, np.broadcast_to(np.asarray(amplitude_se, float), y.shape)[order])
    with np.errstate(invalid="ignore", divide="ignore"):
        amount = read * factor
        spread = covariance * np.outer(factor, factor)
        difference = amount - amount[0]
        sd = np.sqrt(np.maximum(np.diag(spread) + spread[0, 0] - 2.0 * spread[0], 0.0))
        rise = difference / amount[0]
        z = np.where(sd > 0.0, difference / sd, 0.0)
    z[0] = rise[0] = 0.0
    # Against nothing or less, any rise is beyond the limit.
    above = (rise > limit) | ((amount[0] <= 0.0) & (difference > 0.0))
    flagged = (above & (z > float(stats.norm.ppf(0.5 + LEVEL / 2)))) | ~np.isfinite(amount)
    table = pd.DataFrame({"dilution": factor, "read": read, "amount": amount, "rise": rise, "z": z, "flagged": flagged})
    return HookCheck(table, bool(flagged.any()))


@dataclass(frozen=True)
class CarryOver:
    """What a blank keeps of the highest standard before it, as a share [1] of the response at the LLOQ."""

    share: float
    passed: bool


def carry_over(after_highest: ArrayLike, lloq: ArrayLike, blanks: ArrayLike = 0.0) -> CarryOver:
    """Mean of blanks read after the highest standard over that of LLOQ wells, both less the mean of other blanks.

    after_highest, lloq, blanks : (well) [amplitude]. Source of the limit: ICH M10, 3.2.6.

    Raises
    ------
    AssayError
        if LLOQ wells read no more than blanks
    """
    zero = float(np.mean(np.asarray(blanks, float)))
    response = float(np.mean(np.asarray(lloq, float))) - zero
    if response == 0.0 or not np.isfinite(response):
        raise AssayError("wells at the LLOQ read the same as blanks; carry-over has no scale.")
    share = (float(np.mean(np.asarray(after_highest, float))) - zero) / response
    return CarryOver(share, share <= CARRY_OVER)

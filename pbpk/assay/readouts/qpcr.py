"""DNA of infused cells by quantitative PCR: cycles to copies and back, and copies as a reading of an organ.

A reaction that starts from c copies crosses the threshold at cycle Ct = intercept - slope log10(c); copies grow by
1 + efficiency = 10^(1/slope) a cycle. No copy in the reaction, no Ct: that has probability exp(-c).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from pbpk.assay.light.trace import Array
from pbpk.assay.plates.calibration import LEVEL, Estimate, estimate
from pbpk.assay.readouts.affine import Count, Unknown, Written, affine_signals, log_normal
from pbpk.assay.readouts.settings import Qpcr
from pbpk.assay.signals import Signals
from pbpk.errors import AssayError, StudyError

LN10 = float(np.log(10.0))
COPIES, YIELD, CV = "qpcr: log copies per cell", "qpcr: log extraction yield", "qpcr: log cv"
INTERCEPT, SLOPE = "qpcr: curve at its centre [Ct]", "qpcr: slope of the curve [Ct per log10]"
FEWEST = 4  # reactions of a standard curve: two for the line, two for their scatter


@dataclass(frozen=True)
class StandardCurve:
    """Ct = intercept - slope log10(copies).

    intercept : [Ct]; slope : positive [Ct per log10 copies]; covariance : of the two, in that order
    ct_sd : scatter of one reaction about the line [Ct]; degrees : its degrees of freedom
    centre : mean log10(copies) of the standards, where doubts of level and slope are independent
    """

    intercept: float
    slope: float
    covariance: Array
    ct_sd: float
    degrees: float
    centre: float

    @property
    def efficiency(self) -> Estimate:
        """Growth of copies in one cycle less one: 1 when every copy is doubled."""
        growth = 10.0 ** (1.0 / self.slope)
        sd = growth * LN10 / self.slope**2 * float(np.sqrt(self.covariance[1, 1]))
        return estimate(growth - 1.0, sd, self.degrees)

    def ct(self, copies: ArrayLike) -> Array:
        """Mean Ct of reactions with this many copies, (reaction) [Ct]."""
        return self.intercept - self.slope * np.log10(np.asarray(copies, float))

    def ct_reading(self, copies: float) -> Estimate:
        """Ct of one new reaction with this many copies: doubt of the curve and scatter of the reaction."""
        by = np.array([1.0, -np.log10(copies)])
        return estimate(float(self.ct(copies)), float(np.sqrt(by @ self.covariance @ by + self.ct_sd**2)), self.degrees)

    def copies(self, ct: float, replicates: int = 1) -> Estimate:
        """Copies in a reaction whose `replicates` crossed at this mean Ct; the interval is log-normal."""
        log10 = (self.intercept - ct) / self.slope
        by = np.array([1.0, -log10]) / self.slope
        variance = by @ self.covariance @ by + self.ct_sd**2 / replicates / self.slope**2
        logarithm = estimate(log10 * LN10, LN10 * float(np.sqrt(variance)), self.degrees)
        value = float(np.exp(logarithm.value))
        return Estimate(value, value * logarithm.sd, float(np.exp(logarithm.low)), float(np.exp(logarithm.high)))

    def no_ct_probability(self, copies: ArrayLike, cycles: float | None = None) -> Array:
        """Probability (reaction) that no Ct is seen: no copy in the reaction, or one that crosses after `cycles`.

        copies : (reaction) mean number of copies that a reaction gets
        """
        mean = np.asarray(copies, float)
        empty = np.exp(-mean)
        if cycles is None:
            return np.asarray(empty)
        # given that there is a copy there are this many
        held = mean / -np.expm1(-np.maximum(mean, 1e-12))
        late = stats.norm.sf(cycles, self.ct(np.maximum(held, 1.0)), max(self.ct_sd, 1e-12))
        return np.asarray(empty + (1.0 - empty) * late)


def fit_standard_curve(copies: ArrayLike, ct: ArrayLike) -> StandardCurve:
    """Fit a dilution series by least squares; copies : (reaction), ct : (reaction) [Ct].

    Raises
    ------
    AssayError
        if there are too few reactions or levels, or if Ct does not fall with copies
    """
    c, y = np.asarray(copies, float), np.asarray(ct, float)
    if c.shape != y.shape or not np.isfinite(y).all() or not np.isfinite(c).all() or not (c > 0.0).all():
        raise AssayError("a standard curve needs one Ct and one positive number of copies for every reaction.")
    x = np.log10(c)
    if len(x) < FEWEST or len(np.unique(x)) < 2:
        raise AssayError(f"a standard curve needs {FEWEST} reactions at two levels or more; {len(x)} reactions at "
                         f"{len(np.unique(x))} levels were given.")  # fmt: skip
    centre, spread = float(x.mean()), float(((x - x.mean()) ** 2).sum())
    slope = -float((x - centre) @ y) / spread
    if slope <= 0.0:
        raise AssayError("Ct of the standards does not fall with their copies; check which reaction holds what.")
    intercept = float(y.mean()) + slope * centre
    degrees = len(x) - 2
    variance = float(((y - intercept + slope * x) ** 2).sum()) / degrees
    by_level, by_slope = variance / len(x), variance / spread
    covariance = np.array([[by_level + centre**2 * by_slope, centre * by_slope], [centre * by_slope, by_slope]])
    return StandardCurve(intercept, slope, covariance, float(np.sqrt(variance)), float(degrees), centre)


def qpcr_signals(rows: Sequence[Written], settings: Qpcr) -> Signals:
    """Copies as readings of organs: negative binomial, so that 0 copies (no Ct) has its own probability.

    Scatter beyond Poisson is that between extracts; what the standards leave open is common to all rows.
    """
    unknowns = {COPIES: log_normal(settings.copies_per_cell), YIELD: log_normal(settings.extraction_yield)}
    unknowns[CV] = log_normal(settings.cv)
    curve = None
    if settings.standards:
        curve = fit_standard_curve([s.copies for s in settings.standards], [s.ct for s in settings.standards])
        wider = float(stats.t.ppf(0.5 + LEVEL / 2, curve.degrees) / stats.norm.ppf(0.5 + LEVEL / 2))
        at_centre = curve.ct_sd / np.sqrt(len(settings.standards))
        slope_sd = float(np.sqrt(curve.covariance[1, 1]))
        unknowns[INTERCEPT] = Unknown(0.0, max(wider * at_centre, 1e-6))
        unknowns[SLOPE] = Unknown(0.0, max(wider * slope_sd, 1e-6))
    counts = []
    for each in rows:
        value, gain = each.value, {COPIES: 1.0, YIELD: 1.0}
        if curve is not None:
            # a true curve above the fitted one makes later cycles of the same copies, hence fewer copies read
            above = np.log10(value) - curve.centre if value > 0.0 else 0.0
            gain |= {INTERCEPT: -LN10 / curve.slope, SLOPE: LN10 * above / curve.slope}
        counts.append(Count(value, each.log_cells, gain, cv=CV))
    return affine_signals(rows, counts, unknowns)


def qpcr_limit(each: Written, settings: Qpcr, weight_g: float | None) -> float:
    """Amount [% of the dose] below which a row was censored: its own limit in copies, else that of the method per gram.

    Raises
    ------
    StudyError
        if neither a limit in copies nor the organ's weight is known
    """
    if each.row.lloq is not None:
        copies_per_cell = settings.copies_per_cell.median * settings.extraction_yield.median
        return each.row.lloq / (copies_per_cell * float(np.exp(each.log_cells)))
    if weight_g is None:
        raise StudyError(f"{each.place}: the detection limit of qPCR is per gram and `{each.row.organ}` has no weight; "
                         "add it to organ_weights.csv, or give `lloq` in copies.")  # fmt: skip
    return 100.0 * settings.detection_limit_cells_per_g * weight_g / each.cells_given(each.row)

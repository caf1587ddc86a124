"""Gross counts of a gamma counter as readings of organs, against a standard of known share of the dose.

    counts = Poisson(rate * percent * fraction * T + background * seconds),  T = integral of 2^(-t / half-life)

Counts are never corrected: decay stands in the mean, so that a late count keeps the noise it has. The efficiency of the
counter and the activity of the dose cancel against the standard.
"""

import math
from collections.abc import Sequence

from pbpk.assay.readouts.affine import Count, Unknown, Written, affine_signals, log_normal
from pbpk.assay.readouts.settings import Gamma
from pbpk.assay.signals import Signals
from pbpk.errors import StudyError

RATE, BACKGROUND = "gamma: log counts/s of one percent of the dose at 0 h", "gamma: background [counts/s]"
CV = "gamma: log cv"
SECONDS_PER_HOUR = 3600.0
MOST_HALF_LIVES = 900.0  # 1e-271 of the activity; hours given as seconds look like this


def decayed_seconds(seconds: float, hours: float, half_life_hours: float) -> float:
    """Time [s] at the activity of 0 h that gives as many decays as `seconds` of counting from `hours` on.

    Raises
    ------
    StudyError
        if nothing is left by then
    """
    rate = math.log(2.0) / (half_life_hours * SECONDS_PER_HOUR)
    if hours > MOST_HALF_LIVES * half_life_hours:
        raise StudyError(f"study.toml: [readouts.gamma]: {hours:g} h is {hours / half_life_hours:.0f} half-lives after "
                         "the dose, when nothing is left to count; give hours, and the right half-life.")  # fmt: skip
    return math.exp(-rate * hours * SECONDS_PER_HOUR) * -math.expm1(-rate * seconds) / rate


def gamma_signals(rows: Sequence[Written], settings: Gamma) -> Signals:
    """Gross counts as readings of organs; background and standard are controls with counts of their own.

    Raises
    ------
    StudyError
        if a row has no time of counting, or the standard does not stand above the background
    """
    background = settings.background_counts / settings.background_seconds
    above = settings.standard_counts - background * settings.standard_seconds
    spread = math.sqrt(settings.standard_counts + settings.background_counts)
    if above <= 3.0 * spread * max(1.0, settings.standard_seconds / settings.background_seconds):
        raise StudyError("study.toml: [readouts.gamma]: the standard does not stand above the background; check "
                         "`standard_counts` and `background_counts`, or count both for longer.")  # fmt: skip
    time = decayed_seconds(settings.standard_seconds, settings.standard_hours, settings.half_life_hours)
    unknowns = {
        RATE: Unknown(math.log(above / (time * settings.standard_percent_dose)), math.inf),
        BACKGROUND: Unknown(background, math.inf),
    }
    if settings.cv is not None:
        unknowns[CV] = log_normal(settings.cv)
    cv = CV if settings.cv is not None else ""
    controls = [
        Count(settings.background_counts, 0.0, {}, {BACKGROUND: settings.background_seconds}),
        Count(settings.standard_counts, math.log(time), {RATE: 1.0}, {BACKGROUND: settings.standard_seconds}, cv,
              amount=settings.standard_percent_dose),
    ]  # fmt: skip
    return affine_signals(rows, [_count(each, settings, cv) for each in rows], unknowns, controls)


def _count(each: Written, settings: Gamma, cv: str) -> Count:
    row = each.row
    missing = [name for name in ("seconds", "counted_hours") if getattr(row, name) is None]
    if missing:
        raise StudyError(f"{each.place}: `{missing[0]}` is missing; decay and background need it.")
    seconds, hours = float(row.seconds or 0.0), float(row.counted_hours or 0.0)
    if hours < row.hours:
        raise StudyError(f"{each.place}: counted at {hours:g} h, before it was taken; write both after the first dose.")
    time = decayed_seconds(seconds, hours, settings.half_life_hours)
    return Count(each.value, math.log(time * row.fraction), {RATE: 1.0}, {BACKGROUND: seconds}, cv)

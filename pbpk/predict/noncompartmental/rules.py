"""The rules of an analysis by name, with the defaults that most programs share."""

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from pbpk.errors import InputError, did_you_mean

Method = Literal["linear", "linear_up_log_down"]
Start = Literal["carry_back", "first", "zero", "back_extrapolate"]
Below = Literal["zero", "drop", "half", "limit"]
Interval = Literal["t", "bootstrap_t"]
BelowMean = Literal["mostly", "zero", "drop", "half", "limit"]

CHOICES: dict[str, tuple[str, ...]] = {
    "method": get_args(Method),
    "start": get_args(Start),
    **dict.fromkeys(("below_first", "below_middle", "below_last"), get_args(Below)),
    "below_mean": get_args(BelowMean),
    "interval": get_args(Interval),
}


@dataclass(frozen=True)
class Rules:
    """How areas, tails and values below a limit are treated.

    method : trapezoids of areas; means of destructive sampling always take linear ones, which alone have a variance
    start : what stands at 0 h where the first sample is later: its own value, nothing (areas begin with it), zero, or
        the line through the logarithms of the first two, for a bolus into plasma
    below_first, below_middle, below_last : a subject's values below the limit before its first measurable one, among
        them and after its last: zero, dropped, half the limit or the limit. A measured zero is below every limit
    below_mean : such values in the mean of animals killed at one hour; "mostly" makes the mean zero where more than
        half of them are below, and them zero elsewhere
    tail : points of the terminal slope; where None, those by which the adjusted R2 is largest, and within `tolerance`
        of that the most
    least_points, least_r2, least_span, most_extrapolated : what a slope is flagged by: points, adjusted R2, hours over
        half-lives, percent of the area beyond the last value
    level : of intervals; interval : of areas of single animals killed at their hour, by Student's t with
        Satterthwaite's degrees of freedom, or by the bootstrap-t, which draws animals again and need not be symmetric
    partial : hours from and to of areas in part
    """

    method: Method = "linear"
    start: Start = "carry_back"
    below_first: Below = "zero"
    below_middle: Below = "drop"
    below_last: Below = "zero"
    below_mean: BelowMean = "mostly"
    tail: int | None = None
    tolerance: float = 1e-4
    least_points: int = 3
    least_r2: float = 0.9
    least_span: float = 2.0
    most_extrapolated: float = 20.0
    level: float = 0.95
    interval: Interval = "t"
    partial: tuple[tuple[float, float], ...] = field(default=())

    def __post_init__(self) -> None:
        """Refuse words and numbers that no rule has.

        Raises
        ------
        InputError
        """
        for name, known in CHOICES.items():
            given = str(getattr(self, name))
            if given not in known:
                raise InputError(f"{name}: `{given}` is no rule.{did_you_mean(given, known)} Take {', '.join(known)}.")
        if self.tail is not None and self.tail < 2:
            raise InputError(f"tail: {self.tail} points make no slope; take 3 or more.")
        if self.least_points < 2:
            raise InputError(f"least_points: {self.least_points} points make no slope; take 3 or more.")
        if not 0.0 < self.level < 1.0:
            raise InputError(f"level: {self.level:g} is no probability; an interval of 95 % is 0.95.")
        for start, stop in self.partial:
            if not 0.0 <= start < stop:
                raise InputError(f"partial: an area from {start:g} to {stop:g} h; the hours must rise from 0 on.")


USUAL = Rules()


def rules_of(partial: str = "", **given: Any) -> Rules:
    """Rules from words, as a command line has them.

    partial : hours from and to of areas in part, "0-24, 24-168"

    Raises
    ------
    InputError
    """
    ends = []
    for part in filter(None, (part.strip() for part in partial.split(","))):
        try:
            start, stop = (float(hour) for hour in part.split("-"))
        except ValueError:
            raise InputError(f"partial: `{part}` is no span of hours; write it as 0-24.") from None
        ends.append((start, stop))
    return Rules(partial=tuple(ends), **given)

"""Technical criteria as data: what is computed of a run, and which threshold it must keep."""

from typing import Annotated, Any, Literal

import pydantic

from pbpk.reading import Schema

Quantity = Literal[
    "rhat_max", "ess_min", "divergences", "inside_share", "geometric_mean_fold_error", "average_fold_error",
    "within_twofold_share", "mass_balance_residual", "interval_width", "probability_below", "probability_above",
    "contraction",
]  # fmt: skip
Comparison = Literal["<=", ">=", "between"]
Words = Annotated[str, pydantic.StringConstraints(strip_whitespace=True, min_length=1)]


class Criterion(Schema):
    """One row of `[[criteria]]`: a quantity of the run, and the threshold it must keep.

    organ, parameter, scenario, endpoint, limit : what the quantity is of, where it needs that
    threshold : a number, or the two that it must lie between
    """

    id: Words
    about: str = ""
    quantity: Quantity
    organ: str = ""
    parameter: str = ""
    scenario: str = ""
    endpoint: str = ""
    limit: float | None = None
    comparison: Comparison
    threshold: float | list[float]

    @pydantic.model_validator(mode="after")
    def _fits_itself(self) -> "Criterion":
        bounds = self.threshold if isinstance(self.threshold, list) else [self.threshold]
        if len(bounds) != (2 if self.comparison == "between" else 1):
            wanted = "two numbers, as [0.5, 2.0]" if self.comparison == "between" else "one number"
            raise ValueError(f"threshold: `{self.comparison}` needs {wanted}")
        if bounds != sorted(bounds):
            raise ValueError("threshold: put the smaller number first")
        return self

    def __str__(self) -> str:
        """As a table says it, `inside_share of liver >= 0.8`."""
        return f"{self.subject} {self.demand}"

    @property
    def told(self) -> dict[str, Any]:
        """What a plan holds of it, without its id and what is blank."""
        return self.model_dump(mode="json", exclude={"id"}, exclude_defaults=True)

    @property
    def subject(self) -> str:
        """What is judged, in words."""
        of = " ".join(each for each in (self.endpoint, self.organ, self.parameter) if each)
        where = f" in {self.scenario}" if self.scenario else ""
        limit = "" if self.limit is None else f", limit {self.limit:g}"
        return f"{self.quantity}{f' of {of}' if of else ''}{where}{limit}"

    @property
    def demand(self) -> str:
        """Threshold in words, `>= 0.8` or `between 0.8 and 1.25`."""
        if isinstance(self.threshold, list):
            return "between " + " and ".join(f"{each:g}" for each in self.threshold)
        return f"{self.comparison} {self.threshold:g}"

    def met(self, value: float) -> bool:
        """Whether a value keeps the threshold; what is no number keeps none."""
        if isinstance(self.threshold, list):
            low, high = self.threshold
            return low <= value <= high
        return value <= self.threshold if self.comparison == "<=" else value >= self.threshold

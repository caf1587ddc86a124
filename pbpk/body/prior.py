"""What is believed of a parameter before the data: a transform of a standard normal, written in one line.

lognormal(median=0.029, sigma=1.0)       positive numbers; sigma is the SD of the logarithm
logit_normal(median=0.85, sigma=1.2)     shares between 0 and 1; sigma is the SD of the log-odds
fixed(value=1.0)                         not estimated
"""

import ast
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from pbpk.errors import ModelFileError, did_you_mean

FORMS = {
    "lognormal": ("median", "sigma"),
    "logit_normal": ("median", "sigma"),
    "fixed": ("value",),
}
NORMAL_QUANTILE = 1.959963984540054  # of 97.5 %


@dataclass(frozen=True)
class Prior:
    """A prior as a form with a centre and a spread."""

    form: str
    centre: float
    sigma: float

    @property
    def is_fixed(self) -> bool:
        """True where there is nothing to learn."""
        return self.form == "fixed"

    def value(self, z: Any, functions: Any = np) -> Any:
        """Parameter for a standard-normal z, of any array kind that has exp in `functions`."""
        if self.form == "lognormal":
            return self.centre * functions.exp(self.sigma * z)
        if self.form == "logit_normal":
            odds = self.centre / (1.0 - self.centre)
            return 1.0 / (1.0 + functions.exp(-self.sigma * z) / odds)
        return self.centre + 0.0 * z

    def standardised(self, value: Any) -> Any:
        """Standard-normal z that `value` came from; 0 where the prior is fixed."""
        if self.form == "lognormal":
            return (np.log(value) - np.log(self.centre)) / self.sigma
        if self.form == "logit_normal":
            odds = np.log(value) - np.log1p(-value)
            return (odds - np.log(self.centre / (1.0 - self.centre))) / self.sigma
        return 0.0 * value

    def interval(self) -> tuple[float, float]:
        """Central 95 % of the prior."""
        low, high = self.value(np.array([-NORMAL_QUANTILE, NORMAL_QUANTILE]))
        return float(low), float(high)

    def scaled(self, factor: float) -> "Prior":
        """Same prior in another unit."""
        if factor == 1.0 or self.form == "logit_normal":
            return self
        return Prior(self.form, self.centre * factor, self.sigma)

    def __str__(self) -> str:
        if self.is_fixed:
            return f"fixed(value={self.centre:g})"
        return f"{self.form}(median={self.centre:g}, sigma={self.sigma:g})"


def parse_prior(text: str) -> Prior:
    """Read a prior.

    >>> parse_prior("lognormal(median=0.029, sigma=1)").interval()
    (0.004085..., 0.205873...)

    Raises
    ------
    ModelFileError
        if the form is unknown, or a number is missing or out of range
    """
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        call = None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and not call.args):
        raise ModelFileError(f"the prior `{text}` cannot be read; write it like lognormal(median=1, sigma=1).")
    form = call.func.id
    if form not in FORMS:
        raise ModelFileError(f"the prior `{text}` has an unknown form.{did_you_mean(form, FORMS)}")
    given: dict[str, float] = {}
    for keyword in call.keywords:
        if keyword.arg is None or keyword.arg in given:
            raise ModelFileError(f"the prior `{text}`: give each of {', '.join(FORMS[form])} once, by its name.")
        try:
            given[str(keyword.arg)] = float(ast.literal_eval(keyword.value))
        except (ValueError, TypeError):
            raise ModelFileError(f"the prior `{text}`: `{keyword.arg}` must be a number.") from None
    for name in given:
        if name not in FORMS[form]:
            raise ModelFileError(f"the prior `{text}`: unknown `{name}`.{did_you_mean(name, FORMS[form])}")
    for name in FORMS[form]:
        if name not in given:
            raise ModelFileError(f"the prior `{text}`: `{name}` is missing.")
    centre, sigma = given[FORMS[form][0]], given.get("sigma", 0.0)
    if not (math.isfinite(centre) and math.isfinite(sigma)):
        raise ModelFileError(f"the prior `{text}`: every number must be finite.")
    if form != "fixed" and not sigma > 0.0:
        raise ModelFileError(f"the prior `{text}`: sigma must be above zero.")
    if form == "lognormal" and not centre > 0.0:
        raise ModelFileError(f"the prior `{text}`: the median must be above zero.")
    if form == "logit_normal" and not 0.0 < centre < 1.0:
        raise ModelFileError(f"the prior `{text}`: the median must lie between 0 and 1.")
    return Prior(form, centre, sigma)

"""What is believed of a parameter before the data: a transform of a standard normal, written in one line.

lognormal(median=0.029, sigma=1.0)       positive numbers; sigma is the SD of the logarithm
logit_normal(median=0.85, sigma=1.2)     shares between 0 and 1; sigma is the SD of the log-odds
normal(mean=0, sd=1)                     any number
half_normal(sd=0.5)                      positive numbers, as SDs: the upper half of a normal about 0
half_cauchy(scale=0.5)                   the same with a heavy tail; scale is the median
uniform(low=0, high=1)                   any number between two
correlation(sigma=0.7)                   numbers between -1 and 1: the hyperbolic tangent of a normal with SD sigma
fixed(value=1.0)                         not estimated
"""

import ast
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from pbpk.errors import ModelFileError, did_you_mean

FORMS = {
    "lognormal": ("median", "sigma"),
    "logit_normal": ("median", "sigma"),
    "normal": ("mean", "sd"),
    "half_normal": ("sd",),
    "half_cauchy": ("scale",),
    "uniform": ("low", "high"),
    "correlation": ("sigma",),
    "fixed": ("value",),
}
NORMAL_QUANTILE = 1.959963984540054  # of 97.5 %
HALF_NORMAL_MEDIAN = 0.6744897501960817  # of a half-normal with SD parameter 1
ROOT_2 = math.sqrt(2.0)


@dataclass(frozen=True)
class Prior:
    """A prior as a form with its median and a spread; both may be arrays, for many of one form.

    sigma : SD of the normal behind it, or the scale of a half-normal or half-Cauchy, or half the width of a uniform
    """

    form: str
    centre: Any
    sigma: Any

    @property
    def is_fixed(self) -> bool:
        """True where there is nothing to learn."""
        return self.form == "fixed"

    def value(self, z: Any, functions: Any = np) -> Any:
        """Parameter for a standard-normal z, of any kind whose exp, tan, tanh, erfc, erfcinv are in `functions`."""
        if self.form == "lognormal":
            return self.centre * functions.exp(self.sigma * z)
        if self.form == "logit_normal":
            odds = self.centre / (1.0 - self.centre)
            return 1.0 / (1.0 + functions.exp(-self.sigma * z) / odds)
        if self.form == "correlation":
            return functions.tanh(self.sigma * z)
        if self.form in ("fixed", "normal"):
            return self.centre + self.sigma * z
        special_functions = special if functions is np else functions
        above = 0.5 * special_functions.erfc(z / ROOT_2)  # probability of what is larger
        if self.form == "uniform":
            return self.centre + self.sigma * (1.0 - 2.0 * above)
        if self.form == "half_cauchy":
            return self.sigma / functions.tan(0.5 * math.pi * above)
        return self.sigma * ROOT_2 * special_functions.erfcinv(above)

    def standardised(self, value: Any) -> Any:
        """Standard-normal z that `value` came from; 0 where the prior is fixed."""
        if self.form == "lognormal":
            return (np.log(value) - np.log(self.centre)) / self.sigma
        if self.form == "logit_normal":
            odds = np.log(value) - np.log1p(-value)
            return (odds - np.log(self.centre / (1.0 - self.centre))) / self.sigma
        if self.form == "correlation":
            return np.arctanh(value) / self.sigma
        if self.form == "normal":
            return (value - self.centre) / self.sigma
        if self.form == "fixed":
            return 0.0 * value
        if self.form == "uniform":
            above = 0.5 * (1.0 - (value - self.centre) / self.sigma)
        elif self.form == "half_cauchy":
            above = np.arctan2(self.sigma, value) / (0.5 * math.pi)
        else:
            above = special.erfc(value / (self.sigma * ROOT_2))
        return ROOT_2 * special.erfcinv(2.0 * above)

    def moved(self, value: Any, by: Any, functions: Any = np) -> Any:
        """`value` moved by `by` on its natural scale: that of the log-odds for shares, of the logarithm for others."""
        if self.form == "logit_normal":
            return value / (value + (1.0 - value) * functions.exp(-by))
        return value * functions.exp(by)

    def interval(self) -> tuple[float, float]:
        """Central 95 % of the prior."""
        low, high = self.value(np.array([-NORMAL_QUANTILE, NORMAL_QUANTILE]))
        return float(low), float(high)

    def scaled(self, factor: float) -> "Prior":
        """Same prior in another unit."""
        if factor == 1.0 or self.form in ("logit_normal", "correlation"):
            return self
        return Prior(self.form, self.centre * factor, self.sigma * (1.0 if self.form == "lognormal" else factor))

    def __str__(self) -> str:
        given = {
            "normal": (self.centre, self.sigma),
            "half_normal": (self.sigma,),
            "half_cauchy": (self.sigma,),
            "uniform": (self.centre - self.sigma, self.centre + self.sigma),
            "correlation": (self.sigma,),
            "fixed": (self.centre,),
        }.get(self.form, (self.centre, self.sigma))
        written = ", ".join(f"{name}={value:g}" for name, value in zip(FORMS[self.form], given, strict=True))
        return f"{self.form}({written})"


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
    if not all(math.isfinite(value) for value in given.values()):
        raise ModelFileError(f"the prior `{text}`: every number must be finite.")
    for name in ("sigma", "sd", "scale"):
        if name in given and not given[name] > 0.0:
            raise ModelFileError(f"the prior `{text}`: {name} must be above zero.")
    if form == "lognormal" and not given["median"] > 0.0:
        raise ModelFileError(f"the prior `{text}`: the median must be above zero.")
    if form == "logit_normal" and not 0.0 < given["median"] < 1.0:
        raise ModelFileError(f"the prior `{text}`: the median must lie between 0 and 1.")
    if form == "uniform" and not given["low"] < given["high"]:
        raise ModelFileError(f"the prior `{text}`: low must lie below high.")
    return Prior(form, *_centred(form, given))


def _centred(form: str, given: dict[str, float]) -> tuple[float, float]:
    """Median and spread from the numbers of a form."""
    if form == "uniform":
        return (given["low"] + given["high"]) / 2.0, (given["high"] - given["low"]) / 2.0
    if form == "half_normal":
        return HALF_NORMAL_MEDIAN * given["sd"], given["sd"]
    if form == "half_cauchy":
        return given["scale"], given["scale"]
    if form == "correlation":
        return 0.0, given["sigma"]
    names = FORMS[form]
    return given[names[0]], given[names[1]] if len(names) > 1 else 0.0

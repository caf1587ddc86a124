"""One check: what was compared, what was found, what is allowed, whether it passed; and a table of them."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np
import pandas as pd

Group = Literal["installation", "balance", "solver", "oracles", "record", "convergence", "assay"]
GROUPS: dict[Group, str] = {
    "installation": "The package on this machine",
    "balance": "Mass balance, flows and volumes",
    "solver": "Solver tolerance study",
    "oracles": "Oracles: published and closed answers",
    "record": "The run as it was written",
    "convergence": "Convergence and identifiability of the fit",
    "assay": "Assay validation",
}


@dataclass(frozen=True)
class Check:
    """One comparison of something computed anew with what it must be.

    group : one of `GROUPS`; name : unique in its group
    about : what is compared with what, in one sentence
    value : found; limit : allowed; numbers in `unit`, or words where the unit is ""
    passed : whether it is allowed; sentence : what was found, in words
    source : where the limit or the expected answer comes from
    """

    group: Group
    name: str
    about: str
    value: float | str
    limit: float | str
    unit: str
    passed: bool
    sentence: str
    source: str

    @property
    def told(self) -> dict[str, Any]:
        """As a file of checks holds it; a number that is none is a word, which JSON has."""
        return {name: str(held) if isinstance(held, float) and not np.isfinite(held) else held
                for name, held in asdict(self).items()}  # fmt: skip


COLUMNS = [field.name for field in fields(Check)]


def at_most(
    group: Group, name: str, about: str, value: float, limit: float, unit: str, source: str, where: str = ""
) -> Check:
    """Check that passes where a number is at most its limit; one that is no number fails.

    where : of the largest value, for the sentence
    """
    passed = bool(value <= limit)
    place = f" ({where})" if where else ""
    word = "within" if passed else "above"
    digits = 3 if passed or f"{value:.3g}" != f"{limit:.3g}" else 6  # 1.012 is above 1.01, and must look so
    sentence = f"{name}: {_plain(value, unit, digits)}{place}, {word} the limit of {_plain(limit, unit, 3)}."
    return Check(group, name, about, float(value), float(limit), unit, passed, sentence, source)


def broken(group: Group, name: str, about: str, problem: str, source: str) -> Check:
    """Check that could not be made, and so did not pass."""
    return Check(group, name, about, "not computed", "computed", "", False, f"{name}: {problem}", source)


def same(group: Group, name: str, about: str, found: str, wanted: str, source: str) -> Check:
    """Check that passes where words are those that are wanted."""
    passed = found == wanted
    sentence = f"{name}: {found}." if passed else f"{name}: {found}; it must be {wanted}."
    return Check(group, name, about, found, wanted, "", passed, sentence, source)


def checks_table(checks: Iterable[Check]) -> pd.DataFrame:
    """One row for each check, in order; columns are those of `Check`."""
    return pd.DataFrame([asdict(check) for check in checks], columns=COLUMNS)


def failed(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Checks that did not pass."""
    return tuple(check for check in checks if not check.passed)


def _plain(number: float, unit: str, digits: int) -> str:
    """A number with its unit; the unit of a ratio is left out."""
    named = unit.removesuffix("s") if number == 1.0 else unit
    return f"{number:.{digits}g}" + (f" {named}" if unit not in ("", "1") else "")

"""Whether two runs of the same inputs are the same: to the byte, or within what chains of this length can tell.

Draws are the same to the last digit only with the same versions, processor and threads. Where they are not, the mean
and the SD of each parameter may differ by k of their Monte Carlo standard errors, those of both runs taken together
(Vehtari et al. 2021, Bayesian Analysis 16:667), where k lets all of them together stray in one of a hundred true
reproductions (Bonferroni). Intervals in tables may differ by k of the standard error that the quantile of so many
effective draws has: of a normal in the middle, at the ends of one with the heavier tails of an exponential, each taken
of the number or of its logarithm, whichever is the wider. Chains of other seeds pass, other data or priors do not.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import norm

from pbpk.body.solve import Array
from pbpk.errors import RunError
from pbpk.predict.environment import TOLD
from pbpk.predict.forecast import DRAWS
from pbpk.predict.record import read_json

FALSE_ALARM = 0.01  # of all that is compared together
NORMAL_97_5 = 1.959963984540054
MEDIAN_ERROR = math.sqrt(0.5 * math.pi) / NORMAL_97_5  # halves of an interval of 95 %, over root n
TAIL_ERROR = math.sqrt(0.975 / 0.025) / math.log(0.5 / 0.025)  # the same at its ends, where tails are exponential
# lower end, middle, upper end of an interval over draws, in columns of tables
INTERVALS = (
    ("q2.5", "q50", "q97.5"),
    ("p2.5", "p50", "p97.5"),
    ("difference_low", "difference", "difference_high"),
    ("ratio_low", "ratio", "ratio_high"),
)
OF_CONTRASTS = (("low", "value", "high"),)  # elsewhere these columns are measured
SHARES = ("probability_above",)
FOLLOW = {"mean", "sd", "rhat", "ess_bulk", "ess_tail", "contraction", "shift", "learned", "inside", "arrows_q50",
          "value_against", "deviate"}  # of what is compared by itself, or said of the chains  # fmt: skip


@dataclass(frozen=True)
class Reproduction:
    """Two runs, compared.

    same, other : files of the same bytes, and of other bytes, by name
    k : standard errors by which a number may differ, compared : how many numbers; both 0 where all bytes are the same
    apart : one sentence for each number that differs by more, or that must not differ and does
    changed : what was not the same beforehand: inputs, versions, machine
    """

    same: tuple[str, ...]
    other: tuple[str, ...]
    k: float
    compared: int
    worst: float
    apart: tuple[str, ...]
    changed: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """True where no number differs by more than chance."""
        return not self.apart

    @property
    def to_the_byte(self) -> bool:
        """True where all draws and tables are the same bytes; pages follow from them."""
        return not any(name.endswith((".nc", ".csv")) for name in self.other)


def read_reproduction(run: Path, again: Path) -> Reproduction:
    """Compare a run with what came out when it was made again.

    Raises
    ------
    RunError
        if either does not say what it wrote
    """
    then, now = read_json(run / "manifest.json"), read_json(again / "manifest.json")
    for folder, told in ((run, then), (again, now)):
        if "outputs" not in told or "diagnostics" not in told:
            raise RunError(
                f"{folder}: does not say what it wrote, so it cannot be compared; fit again with `pbpk run`."
            )
    wrote, writes = ({each["path"]: each["sha256"] for each in told["outputs"]} for told in (then, now))
    names = [
        name for name in sorted(wrote | writes) if not name.startswith(("study/", "model/", "species/", "scaling/"))
    ]
    same = tuple(name for name in names if wrote.get(name) == writes.get(name))
    other = tuple(name for name in names if name not in same)
    apart = [f"{name}: was written by one of the two runs only." for name in other if name not in wrote.keys() & writes]
    changed = tuple(_changed(then, now))
    if not {name for name in other if name.endswith((".nc", ".csv"))}:
        return Reproduction(same, other, 0.0, 0, 0.0, tuple(apart), changed)
    apart += [f"{folder}: its chains do not agree, so nothing tells how far numbers may differ by chance."
              for folder, told in ((run, then), (again, now)) if not told.get("converged")]  # fmt: skip
    drawn = list(_draws(run, again)) if "posterior.nc" in other else []
    tables = [name for name in other if name.endswith(".csv") and name in wrote and name in writes]
    n = min(DRAWS, *(told["diagnostics"]["ess_min"] or 1.0 for told in (then, now)))
    for name in tables:
        found, wrong = _read_tables(name, run / name, again / name, n)
        drawn += found
        apart += wrong
    k = float(norm.isf(0.5 * FALSE_ALARM / max(1, len(drawn))))
    apart += [
        f"{what} differs by {far:.1f} standard errors, {k:.1f} are allowed." for what, far in drawn if not far <= k
    ]
    worst = max((far for _, far in drawn), default=0.0)
    return Reproduction(same, other, k, len(drawn), worst, tuple(apart), changed)


def _changed(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What was not the same before anything was computed."""
    before, after = then.get("inputs", {}), now.get("inputs", {})
    for name in sorted(before | after):
        if name.startswith("study/traces/") and name not in after:
            continue  # raw light stays outside of a run: its amplitudes take its place
        if before.get(name) != after.get(name):
            yield f"input {name}: {_short(before.get(name))} then, {_short(after.get(name))} now"
    for key in TOLD:
        was, found = then.get(key), now.get(key)
        if key == "dependencies":
            old, new = ({each["name"]: each["version"] for each in told or ()} for told in (was, found))
            yield from (f"{name}: {old.get(name, 'none')} then, {new.get(name, 'none')} now"
                        for name in sorted(old | new) if old.get(name) != new.get(name))  # fmt: skip
        elif isinstance(was, dict) and isinstance(found, dict):
            yield from (f"{key}, {part}: {was.get(part)} then, {found.get(part)} now"
                        for part in sorted(was | found) if was.get(part) != found.get(part))  # fmt: skip
        elif was != found:
            yield f"{key}: {was} then, {found} now"


def _short(digest: str | None) -> str:
    return "none" if digest is None else digest[:12]


def _draws(run: Path, again: Path) -> Iterator[tuple[str, float]]:
    """Mean and SD of each parameter, and by how many standard errors they differ."""
    then, now = (_read_draws(folder / "posterior.nc") for folder in (run, again))
    for name in sorted(set(map(str, then)) ^ set(map(str, now))):
        yield f"`{name}`, a parameter of one of the two runs only,", float("inf")
    for name in sorted(set(map(str, then)) & set(map(str, now))):
        one, two = then[name], now[name]
        for what, of in (("mean", _mean), ("sd", _sd)):
            errors = [az.mcse(each, method=what) for each in (one, two)]
            far = standard_errors(of(one), of(two), *(np.asarray(error).ravel() for error in errors))
            labels = [""] if far.size == 1 else [f" of {label}" for label in one["deviate"].to_numpy()]
            yield from ((f"{what.upper() if what == 'sd' else what} of `{name}`{label}", float(each))
                        for label, each in zip(labels, far, strict=True))  # fmt: skip


def _read_draws(path: Path) -> xr.Dataset:
    try:
        with xr.open_dataset(path, group="posterior", engine="h5netcdf") as data:
            return data.load()
    except (OSError, KeyError) as problem:
        raise RunError(f"{path}: cannot be read ({problem}).") from None


def _mean(draws: xr.DataArray) -> Array:
    return draws.mean(("chain", "draw")).to_numpy().ravel()


def _sd(draws: xr.DataArray) -> Array:
    return draws.std(("chain", "draw"), ddof=1).to_numpy().ravel()


def standard_errors(one: Array, two: Array, error_one: Array, error_two: Array) -> Array:
    """By how many standard errors numbers differ, (number,): 0 where they are equal, without an error or with one."""
    error = np.hypot(np.nan_to_num(error_one), np.nan_to_num(error_two))
    gap = np.abs(one - two)
    equal = (gap == 0.0) | (np.isnan(one) & np.isnan(two))
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.where(equal, 0.0, gap / error)
    return np.where(np.isnan(far), np.inf, far)


def _read_tables(name: str, then: Path, now: Path, n: float) -> tuple[list[tuple[str, float]], list[str]]:
    """Cells of a table that were computed from draws, with how far they differ; sentences on others that differ."""
    one, two = (pd.read_csv(path, keep_default_na=False, na_values=[""]) for path in (then, now))
    if list(one.columns) != list(two.columns) or len(one) != len(two):
        return [], [f"{name}: has other rows or columns."]
    intervals = INTERVALS + (OF_CONTRASTS if "against" in one else ())
    found: list[tuple[str, float]] = []
    compared: set[str] = set()
    for columns in intervals:
        if set(columns) <= set(one.columns):
            compared |= set(columns)
            before, after = (table[list(columns)].to_numpy(float) for table in (one, two))
            far = _of_intervals(before, after, n)
            found += [
                (f"{name}: row {i + 2}, column `{columns[j]}`", float(far[i, j])) for i, j in np.ndindex(far.shape)
            ]
    for column in set(SHARES) & set(one.columns):
        compared.add(column)
        p, q = (table[column].to_numpy(float) for table in (one, two))
        error = np.sqrt(np.maximum(0.5 * (p + q) * (1.0 - 0.5 * (p + q)), 1.0 / n) / n)
        far = standard_errors(p, q, error, error)
        found += [(f"{name}: row {i + 2}, column `{column}`", float(each)) for i, each in enumerate(far)]
    rest = [column for column in one if column not in compared | FOLLOW]
    wrong = [column for column in rest if not one[column].equals(two[column])]
    return found, [f"{name}: column `{column}` does not come from draws and differs." for column in wrong]


def _of_intervals(one: Array, two: Array, n: float) -> Array:
    """By how many standard errors intervals (row, end or middle) over draws differ."""
    error_one, error_two = (_quantile_errors(each, n) for each in (one, two))
    return standard_errors(one, two, error_one, error_two)


def _quantile_errors(interval: Array, n: float) -> Array:
    """Standard error of the ends and the middle of intervals (row, 3) from n draws."""
    size = np.array([TAIL_ERROR, MEDIAN_ERROR, TAIL_ERROR]) / np.sqrt(n)
    positive = interval.min(axis=1, keepdims=True) > 0.0
    relative = _halves(np.log(np.where(positive, interval, np.nan)))
    return np.fmax(_halves(interval), np.abs(interval) * relative) * size


def _halves(interval: Array) -> Array:
    """Half of each interval that an end lies on, and the wider one for the middle, (row, 3)."""
    low, high = interval[:, 1] - interval[:, 0], interval[:, 2] - interval[:, 1]
    return np.stack([low, np.fmax(low, high), high], axis=-1)

"""Exposure by noncompartmental analysis: from the values themselves, from the fit by the same rules, of a forecast.

Animals killed at their hour give means, whose areas have a variance (`destructive`); a subject sampled through the
whole course gives a curve of its own (`profile`). Residence, the area over the dose, is the natural measure of organs:
mean cell-hours per cell given. Clearance and volumes mean something of plasma alone, and stand there alone.
The fit is the arrows and their misfit (`summary.mean_animals`); what the arrows alone say stands beside it and tells
how much of the agreement is theirs. Standard errors are those between animals: the doubt that all wells of a plate
share is in the fit, and not in them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pbpk.assay.counts import OrganCounts
from pbpk.assay.study import AucRow
from pbpk.body.solve import Array
from pbpk.errors import InputError, did_you_mean
from pbpk.infer.draws.posterior import Posterior
from pbpk.infer.draws.summary import mean_animals
from pbpk.infer.matched.joint import predict_percent
from pbpk.predict.forecast_exposure import exposure_of_forecast
from pbpk.predict.noncompartmental.contrast import difference, level_of, ratio
from pbpk.predict.noncompartmental.destructive import (
    Estimate,
    Sampled,
    area_weights,
    bootstrap_t,
    combined,
    moment_weights,
    of_animals,
    to_infinity,
)
from pbpk.predict.noncompartmental.draws import areas, tails
from pbpk.predict.noncompartmental.profile import STARTS, Analysis, analyse, curve_of, named_part
from pbpk.predict.noncompartmental.rules import USUAL, Rules
from pbpk.predict.noncompartmental.slope import terminal_slope

LEAST_TIMES = 3
KEYS = ["group", "organ", "readout"]
FIT = ("q2.5", "q50", "q97.5", "arrows_q50")
COLUMNS = [*KEYS, "animal", "parameter", "value", "se", "df", "low", "high", "unit", "n", "flag", *FIT, "published",
           "published_error"]  # fmt: skip
CONTRASTS = ["organ", "readout", "parameter", "group", "against", "difference", "se", "df", "low", "high", "ratio",
             "ratio_low", "ratio_high", "unit"]  # fmt: skip
DOSE = 100.0  # percent of the dose: what areas are divided by for residence, clearance and volumes
TIMES = {"Tmax", "Tlast", "half_life", "MRTlast", "MRTinf_obs", "MRTinf_pred", "residence_last", "residence_inf",
         "lambda_z_first", "lambda_z_last"}  # fmt: skip
FROM_START = ("AUC", "AUMC", "MRT", "residence")  # parameters that hang on what stands at 0 h
BARE = {"lambda_z_points", "R2", "R2_adjusted", "span"}


@dataclass(frozen=True)
class _Part:
    """Values of one readout of one organ in one group.

    table : rows with a value or below a limit; unit : of the value; weight : what values are divided by for that unit
    """

    group: str
    organ: str
    readout: str
    table: pd.DataFrame
    unit: str
    weight: float
    published: AucRow | None
    routes: tuple[str, ...]

    @property
    def is_plasma(self) -> bool:
        """True where values are shares of the dose in each mL."""
        return self.unit == "percent_dose_per_mL"

    @property
    def given(self) -> float:
        """The dose, in the unit of values times the organ's weight."""
        return DOSE / self.weight

    @property
    def subjects(self) -> dict[str, pd.DataFrame]:
        """Rows of each animal that was seen at so many hours that it has a curve; empty unless all have."""
        named = self.table[self.table["animal"] != ""]
        own = {str(animal): rows for animal, rows in named.groupby("animal", sort=True)}
        dense = len(named) == len(self.table) and all(rows["hours"].nunique() >= LEAST_TIMES for rows in own.values())
        return own if dense else {}

    def sampled(self, rules: Rules) -> Sampled:
        """The animals, or the printed means, at their hours."""
        named = bool((self.table["animal"] != "").all())
        table = _once(self.table) if named else self.table
        limits = table["lloq"].to_numpy(float) / self.weight
        below = table["below_lloq"].to_numpy(bool)
        values = table["percent"].to_numpy(float) / self.weight
        if named:
            names = [str(name) for name in table["animal"]]
            return of_animals(
                table["hours"].to_numpy(float), names, np.where(below, 0.0, values), limits, below, rules.below_mean
            )
        hours: list[float] = []
        mean: list[float] = []
        sd: list[float] = []
        n: list[float] = []
        for hour, rows in table.assign(held=np.where(below, 0.0, values)).groupby("hours", sort=True):
            alone = len(rows) == 1
            hours.append(float(str(hour)))
            mean.append(float(np.average(rows["held"], weights=rows["n"])))
            sd.append(float(rows["sd"].iloc[0]) / self.weight if alone else np.nan)
            n.append(float(rows["n"].sum()))
        flags = ("printed means below their limit taken as zero",) if below.any() else ()
        return Sampled(np.array(hours), np.array(mean), np.array(sd), np.array(n), None, flags)


def _once(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows in which each animal has one value at an hour: the mean of several, below the limit where all are."""
    if not rows.duplicated(["animal", "hours"]).any():
        return rows
    held = rows.assign(percent=rows["percent"].mask(rows["below_lloq"], 0.0))
    how = {"percent": "mean", "below_lloq": "all", "lloq": "max"}
    return held.groupby(["animal", "hours"], as_index=False, sort=False).agg(how)


def exposure(what: OrganCounts | xr.Dataset, posterior: Posterior | None = None, rules: Rules = USUAL) -> pd.DataFrame:
    """Exposure of every organ with three or more sampled hours; of a forecast, of every organ and state.

    Parameters
    ----------
    what : counts of a study, or a forecast
    posterior : of these counts, for the same numbers from the fit

    Returns
    -------
    one row for each parameter, with standard error, degrees of freedom and confidence interval where there is one, in
    words what speaks against it, and with a posterior the median and 95 % credible interval from the fit and the median
    of its arrows alone. A forecast has its draws' median as value and their 95 % as low and high

    Raises
    ------
    InputError
        if a rule needs a limit that no row tells
    """
    if isinstance(what, xr.Dataset):
        return exposure_of_forecast(what, rules)
    # None where percentages are of what was recovered alone: such values have no area
    arrows = predict_percent(posterior.joint, posterior.theta()).get("dose") if posterior else None
    fitted = mean_animals(posterior, arrows) if posterior and arrows is not None else None
    rows: list[dict[str, Any]] = []
    for own in _parts(what):
        for animal, subjects, found in _analysed(own, rules):
            drawn = _drawn(own, subjects, fitted, arrows, rules)
            base = {"group": own.group, "organ": own.organ, "readout": own.readout, "animal": animal}
            rows += [base | row | drawn.get(row["parameter"], {}) | _printed(own, row["parameter"], animal)
                     for row in found]  # fmt: skip
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def compare_exposure(counts: OrganCounts, group: str, against: str, rules: Rules = USUAL) -> pd.DataFrame:
    """Areas of one group minus, and over, those of another, organ by organ.

    Intervals hold together over all organs (Bonferroni); that of the ratio is Fieller's, and without ends where the
    divisor may be zero.

    Raises
    ------
    InputError
        if a group is unknown or has no areas
    """
    found_of: dict[tuple[str, str], dict[str, tuple[Estimate, str]]] = {}
    known = [each.name for each in counts.study.about.groups]
    for name in (group, against):
        if name not in known:
            raise InputError(f"`{name}` is no group of {counts.study.name}.{did_you_mean(name, known)}")
    for own in _parts(counts):
        if own.group in (group, against):
            found_of.setdefault((own.organ, own.readout), {})[own.group] = _area(own, rules), f"{own.unit}*h"
    both = {key: found for key, found in found_of.items() if len(found) == 2}
    if not both:
        raise InputError(f"`{group}` and `{against}` have no organ of which both have an area.")
    level = level_of(rules.level, len(both))
    rows = []
    for (organ, readout), found in both.items():
        (first, unit), (second, _) = found[group], found[against]
        off, times = difference(first, second), ratio(first, second, level)
        low, high = off.interval(level)
        rows.append([organ, readout, "AUClast", group, against, off.value, off.se, off.df, low, high, times.value,
                     times.low, times.high, unit])  # fmt: skip
    return pd.DataFrame(rows, columns=CONTRASTS)


def _parts(counts: OrganCounts) -> Iterator[_Part]:
    """What has an area: percentages of the dose at three or more hours."""
    table = counts.table
    if counts.denominator != "dose":
        return
    for (group, organ, readout), rows in table[table["percent"].notna() | table["below_lloq"]].groupby(KEYS, sort=True):
        if rows.loc[rows["percent"].notna(), "hours"].nunique() < LEAST_TIMES:
            continue
        printed = next((row for row in counts.study.published if row.organ == organ), None)
        per = str(rows["per"].iloc[0])
        unit = printed.unit.removesuffix("*h") if printed else f"percent_dose{'_per_' + per if per else ''}"
        weight = float(rows["weight_g"].iloc[0]) if unit == "percent_dose_per_g" else 1.0
        routes = counts.study.group(str(group)).routes
        yield _Part(str(group), str(organ), str(readout), rows, unit, weight, printed, routes)


def _analysed(own: _Part, rules: Rules) -> Iterator[tuple[str, list[pd.DataFrame], list[dict[str, Any]]]]:
    """Animal ("" for all), the curves behind, and what they say."""
    subjects = own.subjects
    if not subjects:
        yield "", [own.table], list(_of_means(own, rules))
        return
    each: dict[str, list[float]] = {}
    for animal, rows in subjects.items():
        found = _of_subject(own, rows, rules)
        for name, value in found.parameters.items():
            each.setdefault(name, []).append(value)
        flag = "; ".join(found.flags)
        yield animal, [rows], [_row(own, name, Estimate(value), 1, flag, rules)
                             for name, value in found.parameters.items()]  # fmt: skip
    means = []
    for name, values in each.items():
        some = np.array(values)[np.isfinite(values)]
        if some.size:
            means.append(_row(own, name, _mean_of(some), some.size, f"mean of {some.size} subjects", rules))
    yield "", list(subjects.values()), means


def _mean_of(values: Array) -> Estimate:
    """Mean of subjects, (subject,); one alone has no error."""
    if values.size == 1:
        return _sure(float(values[0]))
    return Estimate(float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size)), values.size - 1.0)


def _of_subject(own: _Part, rows: pd.DataFrame, rules: Rules) -> Analysis:
    """Analysis of one subject's curve; where nothing is above its limit, nothing was there."""
    rows = _once(rows)
    below = rows["below_lloq"].to_numpy(bool)
    values = np.where(below, 0.0, rows["percent"].to_numpy(float)) / own.weight
    if not (values > 0.0).any():
        nothing = dict.fromkeys(("Cmax", "AUClast", "AUCall", "AUMClast"), 0.0)
        nothing |= {} if own.is_plasma else {"residence_last": 0.0}
        return Analysis(nothing, terminal_slope(np.zeros(0), np.zeros(0), rules), ("no value is above its limit",))
    try:
        curve = curve_of(rows["hours"].to_numpy(float), values, below, rows["lloq"].to_numpy(float) / own.weight, rules)
    except InputError as problem:
        raise InputError(f"{own.group}, {rows['animal'].iloc[0]}, {own.organ}: {problem}") from None
    found = analyse(curve, rules, bolus=own.is_plasma and rules.start == "back_extrapolate")
    return replace(found, parameters=found.parameters | _derived(own, found.parameters))


def _derived(own: _Part, known: Mapping[str, Any]) -> dict[str, Any]:
    """Residence of an organ; clearance and volumes of plasma, apparent ones unless the dose went into a vein."""
    if not own.is_plasma:
        return {"residence_last": known["AUClast"] / own.given, "residence_inf": known["AUCinf_obs"] / own.given}
    into_vein = own.routes == ("iv",)
    clearance = DOSE / known["AUCinf_obs"]
    found = {"CL" if into_vein else "CL_F": clearance, "Vz" if into_vein else "Vz_F": clearance / known["lambda_z"]}
    return found | ({"Vss": clearance * known["MRTinf_obs"]} if into_vein else {})


def _of_means(own: _Part, rules: Rules) -> Iterator[dict[str, Any]]:
    """What animals killed at their hour say together."""
    sampled = _named(own, rules)
    begins = "first" if rules.start == "back_extrapolate" else rules.start  # means have no bolus
    begun = (STARTS[begins],) if sampled.hours[0] > 0.0 else ()
    tail, last = to_infinity(sampled, rules), _last(sampled)
    peak = int(np.argmax(sampled.mean))
    top = Estimate(float(sampled.mean[peak]), float(sampled.sd[peak] / np.sqrt(sampled.n[peak])), sampled.n[peak] - 1.0)
    area = combined(sampled, area_weights(sampled.hours, last, rules))
    moment = combined(sampled, moment_weights(sampled.hours, last, rules))
    found = {"Cmax": top, "Tmax": _sure(sampled.hours[peak]), "Tlast": _sure(last), "AUClast": area,
             "AUMClast": moment, "MRTlast": _sure(moment.value / area.value if area.value else np.nan)}  # fmt: skip
    for start, stop in rules.partial:
        found[named_part(start, stop)] = combined(sampled, area_weights(sampled.hours, stop, rules, start))
    found |= tail.estimates or {"lambda_z": _sure(np.nan)}
    if not own.is_plasma:
        found["residence_last"] = _over(area, own.given)
        if "AUCinf_obs" in found:
            found["residence_inf"] = _over(found["AUCinf_obs"], own.given)
    ends = _resampled(sampled, {"AUClast": (0.0, last)} | {named_part(*span): span for span in rules.partial}, rules)
    for name, estimate in found.items():
        rests = name in tail.estimates or name in ("residence_inf", "lambda_z")
        flags = (*sampled.flags, *(begun if name.startswith(FROM_START) else ()), *(tail.flags if rests else ()))
        row = _row(own, name, estimate, int(sampled.n.sum()), "; ".join(flags), rules)
        low, high = ends.get(name, (row["low"], row["high"]))
        yield row | {"low": low, "high": high}


def _resampled(
    sampled: Sampled, spans: Mapping[str, tuple[float, float]], rules: Rules
) -> dict[str, tuple[float, float]]:
    """Intervals of areas by the bootstrap-t where that is the rule and there are animals to draw again."""
    if rules.interval != "bootstrap_t" or sampled.values is None:  # noqa: PD011
        return {}
    return {name: bootstrap_t(sampled, area_weights(sampled.hours, stop, rules, start or None), rules.level)
            for name, (start, stop) in spans.items()}  # fmt: skip


def _named(own: _Part, rules: Rules) -> Sampled:
    """The values; what is wrong with them is told with their place."""
    try:
        return own.sampled(rules)
    except InputError as problem:
        raise InputError(f"{own.group}, {own.organ}: {problem}") from None


def _area(own: _Part, rules: Rules) -> Estimate:
    """Area to the last measurable mean, or the mean of the subjects' areas."""
    subjects = own.subjects
    if not subjects:
        sampled = _named(own, rules)
        return combined(sampled, area_weights(sampled.hours, _last(sampled), rules))
    return _mean_of(np.array([_of_subject(own, rows, rules).parameters["AUClast"] for rows in subjects.values()]))


def _last(sampled: Sampled) -> float:
    """Hour of the last mean above its limit."""
    above = np.flatnonzero(sampled.mean > 0.0)
    return float(sampled.hours[above[-1]] if above.size else sampled.hours[-1])


def _sure(value: float) -> Estimate:
    return Estimate(float(value), np.nan, np.nan)


def _over(area: Estimate, given: float) -> Estimate:
    return Estimate(area.value / given, area.se / given, area.df)


def _unit(own: _Part, name: str) -> str:
    if name in TIMES:
        return "h"
    if name in BARE:
        return ""
    if "extrapolated" in name or name.startswith("AUCback"):
        return "percent"
    if name.startswith("AUMC"):
        return f"{own.unit}*h^2"
    if name.startswith("AUC"):
        return f"{own.unit}*h"
    fixed = {"lambda_z": "1/h", "CL": "mL/h", "CL_F": "mL/h", "Vz": "mL", "Vz_F": "mL", "Vss": "mL"}
    return fixed.get(name, own.unit)


def _row(own: _Part, name: str, found: Estimate, n: int, flag: str, rules: Rules) -> dict[str, Any]:
    low, high = found.interval(rules.level)
    df = found.df if np.isfinite(found.se) else np.nan
    return {"parameter": name, "value": found.value, "se": found.se, "df": df, "low": low, "high": high,
            "unit": _unit(own, name), "n": n, "flag": flag}  # fmt: skip


def _printed(own: _Part, name: str, animal: str) -> dict[str, float]:
    if name != "AUClast" or animal or own.published is None:
        return {}
    error = own.published.error
    return {"published": own.published.auc, "published_error": np.nan if error is None else error}


def _drawn(
    own: _Part, subjects: list[pd.DataFrame], fitted: Array | None, arrows: Array | None, rules: Rules
) -> dict[str, dict[str, float]]:
    """Median and 95 % of each parameter from the fit, and the median from its arrows alone; the mean over subjects."""
    if fitted is None or arrows is None:
        return {}
    found: dict[str, dict[str, float]] = {}
    for draws, names, levels in ((fitted, FIT[:3], (0.025, 0.5, 0.975)), (arrows, FIT[3:], (0.5,))):
        each = [_numbers(own, rows, draws, rules) for rows in subjects if rows["percent"].notna().any()]
        for name in each[0] if each else ():
            there = [numbers[name] for numbers in each]
            found.setdefault(name, {}).update(zip(names, _quantiles(np.mean(there, axis=0), levels), strict=True))
    return found


def _numbers(own: _Part, rows: pd.DataFrame, draws: Array, rules: Rules) -> dict[str, Array]:
    """Parameters of one curve, (draw,) each, at the hours that have a value; rows of one hour are averaged."""
    hours = np.unique(rows.loc[rows["percent"].notna(), "hours"].to_numpy(float))
    at = [list(rows.index[rows["hours"] == hour]) for hour in hours]
    values = np.stack([draws[:, places].mean(axis=1) for places in at], axis=-1) / own.weight
    found = areas(hours, values, rules)
    found |= tails(hours, values, found, rules)
    return found | _derived(own, found)


def _quantiles(values: Array, levels: tuple[float, ...]) -> Array:
    """Of those draws that have a number, if most of them have."""
    there = values[np.isfinite(values)]
    return np.quantile(there, levels) if there.size > values.size / 2 else np.full(len(levels), np.nan)

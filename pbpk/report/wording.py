"""Numbers and names as a reader sees them: three significant digits, intervals, times; sentences of the summary."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pbpk.predict.lineage.source import source

if TYPE_CHECKING:
    from pbpk.predict.run import Run

FOOTNOTE = "The analyte is labelled-cell equivalents: label is not viability."
CREDIBLE = "95 % credible interval"
PREDICTIVE = "95 % posterior predictive interval"
MISSING = "–"
TINY, HUGE = 1e-4, 1e6  # outside these a number is written with a power of ten
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
KINDS = {"live": "live cells", "label": "label of the dead"}  # what a state holds, where its name does not say it
READINGS = {"dose": "% of the dose", "recovered": "% of what was recovered"}
ROUTES = {"iv": "into a vein", "portal_vein": "into the portal vein", "artery": "into the arterial tree",
          "hepatic_artery": "into the hepatic artery"}  # fmt: skip
BEYOND = {  # what a scenario has that the study had not
    "route": "this route",
    "dose": "this dose",
    "schedule": "so many doses",
    "infusion": "so long an infusion",
    "species": "this animal",
}
UNITS = {
    "1": "",
    "percent_dose": "% of dose",
    "percent_dose_per_g": "% of dose/g",
    "percent_dose_per_mL": "% of dose/mL",
    "percent_dose*h": "% of dose · h",
    "percent_dose_per_g*h": "% of dose/g · h",
    "percent_dose_per_mL*h": "% of dose/mL · h",
}


def number(value: Any) -> str:
    """Value to three significant digits.

    >>> number(12345.0), number(0.02), number(3.2e-7), number(float("nan"))
    ('12 300', '0.0200', '3.20 × 10⁻⁷', '–')
    """
    if value is None or pd.isna(value):
        return MISSING
    value = float(value)
    if not np.isfinite(value):
        return "∞" if value > 0 else "−∞"
    if value == 0.0:
        return "0"
    mantissa, exponent = f"{abs(value):.2e}".split("e")
    sign, power = "−" * (value < 0), int(exponent)
    if not TINY <= abs(value) < HUGE:
        return f"{sign}{mantissa} × 10{str(power).translate(SUPERSCRIPT)}"
    rounded = float(f"{mantissa}e{exponent}")
    return sign + f"{rounded:,.{max(0, 2 - power)}f}".replace(",", " ")


def with_powers(sentence: str) -> str:
    """Sentence whose numbers with an exponent are written with a power of ten.

    >>> with_powers("1.5e+08 [7e-05, 3.2e+08] cells in data_e2")
    '1.5 × 10⁸ [7 × 10⁻⁵, 3.2 × 10⁸] cells in data_e2'
    """
    written = re.compile(r"\b(\d+(?:\.\d+)?)e([+-])0*(\d+)\b")
    return written.sub(lambda m: f"{m[1]} × 10{(m[2].strip('+') + m[3]).translate(SUPERSCRIPT)}", sentence)


def interval(low: Any, high: Any) -> str:
    """Both ends of an interval.

    >>> interval(0.5, 12)
    '0.500 to 12.0'
    """
    return MISSING if pd.isna(low) or pd.isna(high) else f"{number(low)} to {number(high)}"


def whole(value: Any) -> str:
    """Count, with thin groups of three digits; a missing one is a dash."""
    return MISSING if value is None or pd.isna(value) else f"{int(value):,}".replace(",", " ")


def span(hours: float) -> str:
    """Time in the unit that reads best.

    >>> span(0.25), span(1), span(24), span(120), span(0)
    ('15 min', '1 h', '24 h', '5 d', '0 h')
    """
    if 0.0 < hours < 1.0:
        return f"{hours * 60.0:.3g} min"
    if hours >= 72.0 and hours % 24.0 == 0.0:
        return f"{hours / 24.0:.3g} d"
    return f"{hours:.4g} h"


def unit(text: str) -> str:
    """Unit as written in a file, for print; a number without one stays bare.

    >>> unit("percent_of_dose*h"), unit("cells*h"), unit("1")
    ('% of dose · h', 'cells · h', '')
    """
    return UNITS.get(text, text.replace("percent_of_dose", "% of dose").replace("*", " · "))


def beyond(words: str) -> str:
    """What a scenario has that the study had not, in a sentence; empty where there is nothing.

    >>> beyond("route; dose; hours")
    'The study did not have this route and this dose: the model carries the answer there, the data do not.'
    """
    told = [BEYOND[word] for word in str(words).split("; ") if word in BEYOND]
    if not told:
        return ""
    return f"The study did not have {listed(told)}: the model carries the answer there, the data do not."


def named(organ: str) -> str:
    """Organ's name as a word: `kidney_left` is `kidney left`."""
    return organ.replace("_", " ")


def listed(words: Iterable[str]) -> str:
    """Words as an English list.

    >>> listed(["lung", "liver", "spleen"])
    'lung, liver and spleen'
    """
    *first, last = list(words) or [MISSING]
    return f"{', '.join(first)} and {last}" if first else last


def counted(n: int, noun: str, plural: str = "") -> str:
    """A count with its noun.

    >>> counted(1, "value"), counted(3, "value")
    ('1 value', '3 values')
    """
    return f"{whole(n)} {noun if n == 1 else plural or noun + 's'}"


def summary(run: "Run") -> list[tuple[str, str]]:
    """What a reader should know first, worked out from the numbers of the run, each sentence with its source."""
    parts = ((_learned, "parameters.csv"), (_coverage, "predictions.csv"), (_peaks, "predictions.csv"),
             (_denominator, "posterior.nc"))  # fmt: skip
    told = [(sentence, place) for part, place in parts for sentence in part(run)]
    return [(agreement(run), source("manifest.json", key="diagnostics")), *told]


def agreement(run: "Run") -> str:
    """Whether the chains agree, in a sentence with numbers."""
    found = run.diagnostics
    verdict = "passed its checks" if found.passed else "did not pass its checks"
    return (
        f"The fit {verdict}: {counted(found.chains, 'chain')} of {whole(found.draws)} draws each, largest R-hat "
        f"{found.max_rhat:.3f}, smallest effective sample size {whole(found.min_ess_bulk)} (bulk) and "
        f"{whole(found.min_ess_tail)} (tail), {counted(found.divergences, 'divergence')}."
    )


def _learned(run: "Run") -> list[str]:
    kinds = run.parameters["learned"].value_counts()
    n = {kind: int(kinds.get(kind, 0)) for kind in ("learned", "half learned", "not learned")}
    return [
        f"Of {counted(sum(n.values()), 'estimated parameter')} the data taught {n['learned']}, half taught "
        f"{n['half learned']}, and left {n['not learned']} where the prior had put them."
    ]


def _coverage(run: "Run") -> list[str]:
    sentences = []
    for reading, rows in run.predictions.groupby("reading", sort=False):
        judged = rows[rows["inside"].notna()]
        sentence = (
            f"{int(judged['inside'].astype(bool).sum())} of {counted(len(judged), 'value')} lie inside their "
            f"{PREDICTIVE}"
        )
        single = rows[(rows["value"] > 0.0) & (rows["q50"] > 0.0)]
        if len(single):
            fold = np.abs(np.log2(single["value"].astype(float) / single["q50"].astype(float)))
            near = int((fold <= 1.0).sum())
            sentence += f"; the median prediction is within a factor of two of {near} of {len(single)} single values"
        ranges = rows[rows["value"].isna() & rows["low"].notna() & rows["high"].notna()]
        if len(ranges):
            held = int(((ranges["q50"] >= ranges["low"]) & (ranges["q50"] <= ranges["high"])).sum())
            sentence += f"; the median prediction lies inside {held} of {counted(len(ranges), 'stated range')}"
        of = f", read as {READINGS.get(str(reading), reading)}" if len(run.joint.readings) > 1 else ""
        sentences.append(f"{sentence}{of}.")
    return sentences


def _peaks(run: "Run") -> list[str]:
    """Where the fit has label highest among the organs measured, and where at the last hour, in each group."""
    curves = run.curves[(run.curves["readout"] == "label") & (run.curves["per"] == "")]
    many, sentences = len(set(curves["group"])) > 1, []
    for group, rows in curves.groupby("group", sort=False):
        end = float(run.predictions.loc[run.predictions["group"] == group, "hours"].max())
        top = rows.sort_values("q50", kind="stable").iloc[-1]
        last = {str(organ): _at(own, end) for organ, own in rows.groupby("organ", sort=False)}
        most = max(last, key=lambda organ: last[organ]["q50"])
        where = f"In the group {group}, of the organs measured, label" if many else "Of the organs measured, label"
        sentences.append(
            f"{where} is highest in the {named(top['organ'])}, at {span(float(f'{top["hours"]:.2g}'))} with "
            f"{number(top['q50'])} % of the dose ({CREDIBLE} {interval(top['q2.5'], top['q97.5'])} %); at {span(end)} "
            f"the {named(most)} holds most, {number(last[most]['q50'])} % "
            f"({interval(last[most]['q2.5'], last[most]['q97.5'])} %)."
        )
    return sentences


def _at(curve: pd.DataFrame, hour: float) -> dict[str, float]:
    """Curve at one hour, by straight lines; the mean over animals that have a curve each."""
    at = [[np.interp(hour, own["hours"], own[name]) for name in ("q2.5", "q50", "q97.5")]
          for _, own in curve.groupby("animal", sort=False)]  # fmt: skip
    return dict(zip(("q2.5", "q50", "q97.5"), np.mean(at, axis=0).tolist(), strict=True))


def _denominator(run: "Run") -> list[str]:
    if run.study.about.denominator != "unknown":
        return []
    parts = [f"{READINGS.get(name, name)} {weight:.2f}" for name, weight in run.readings.items()]
    return [
        "The source does not say what its percentages are percent of; both readings were kept, with posterior "
        f"probability: {listed(parts)}."
    ]

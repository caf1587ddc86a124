"""Published and hand-counted answers, computed again: noncompartmental analysis, plates, units.

Data, answers and where both come from stand in `models/oracles/`, one file for each source.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pydantic

from pbpk.assay.plates.acceptance import accept_plate
from pbpk.body.library import LIBRARY
from pbpk.errors import InputError, PbpkError
from pbpk.predict.noncompartmental.destructive import (
    Estimate,
    area_weights,
    combined,
    moment_weights,
    of_animals,
    to_infinity,
)
from pbpk.predict.noncompartmental.profile import analyse, curve_of
from pbpk.predict.noncompartmental.rules import BelowMean, Method, Rules, Start
from pbpk.predict.qualification.checks import Check, at_most, broken
from pbpk.quantity import convert
from pbpk.reading import Schema, read_toml

CLOSE = 1e-9  # relative: what is kept of an answer that is printed with 15 digits
FOLDER = LIBRARY / "oracles"
ENDS = ("se", "df", "low", "high")
ABOUT = "{title}; answers of: {answers}"


class RulesEntry(Schema):
    """Rules of an analysis that are not the usual ones."""

    method: Method = "linear"
    start: Start = "carry_back"
    below_mean: BelowMean = "mostly"
    tail: int | None = None


class Samples(Schema):
    """Values at their hours, in the units of the source."""

    set: str
    hours: list[float]
    values: list[float]


class Expected(Schema):
    """One answer, with its standard error, degrees of freedom and 95 % interval where the source tells them."""

    set: str
    parameter: str
    value: float = pydantic.Field(gt=0.0)
    se: float | None = None
    df: float | None = None
    low: float | None = None
    high: float | None = None
    rules: RulesEntry = RulesEntry()


class Wells(Schema):
    """Wells of standards or QCs: what was put in and what was found."""

    nominal: list[float]
    found: list[float]


class Plate(Schema):
    """A plate whose verdict is known, and what each rule finds on it."""

    name: str
    preset: str
    carry_over: float
    passed: bool
    standards: Wells
    qcs: Wells
    rules: dict[str, float]


class Conversion(Schema):
    """A value in one unit and in another."""

    value: float
    unit: str
    to: str
    expected: float = pydantic.Field(gt=0.0)


class OracleFile(Schema):
    """A file of known answers as written."""

    title: str
    kind: Literal["destructive", "subject", "plates", "units"]
    source: str
    answers: str
    rules: RulesEntry = RulesEntry()
    bolus: bool = False
    samples: list[Samples] = pydantic.Field(default_factory=list)
    expected: list[Expected] = pydantic.Field(default_factory=list)
    plates: list[Plate] = pydantic.Field(default_factory=list)
    conversions: list[Conversion] = pydantic.Field(default_factory=list)


def of_oracles(folder: Path = FOLDER) -> tuple[Check, ...]:
    """Check every known answer of a folder."""
    found: list[Check] = []
    for file in sorted(folder.glob("*.toml")):
        try:
            found += of_oracle(read_oracle(file))
        except PbpkError as problem:
            found.append(broken("oracles", file.stem, "known answers are computed again", str(problem), str(file.name)))
    if not found:
        found.append(broken("oracles", "known answers", "the package brings known answers",
                            "models/oracles holds none; install the package again.", "models/oracles"))  # fmt: skip
    return tuple(found)


def read_oracle(path: Path) -> OracleFile:
    """Read a file of known answers.

    Raises
    ------
    InputError
        if it does not fit, or tells no answer
    """
    given = read_toml(path, OracleFile, InputError)
    if not (given.expected or given.plates or given.conversions):
        raise InputError(f"{path}: holds no answer; add [[expected]], [[plates]] or [[conversions]].")
    return given


def of_oracle(given: OracleFile) -> Iterator[Check]:
    """Check the answers of one file.

    Raises
    ------
    InputError
        if an answer is of a set that has no samples, or of nothing that is computed
    """
    about = ABOUT.format(title=given.title, answers=given.answers)
    for plate in given.plates:
        yield from _of_plate(plate, about, given.source)
    for known in given.conversions:
        apart = abs(convert(known.value, known.unit, known.to) / known.expected - 1.0)
        name = f"{known.value:g} {known.unit} in {known.to}"
        yield at_most("oracles", name, about, apart, CLOSE, "1", given.source)
    short = given.source.partition(",")[0]
    samples = {each.set: each for each in given.samples}
    for row in given.expected:
        if row.set not in samples:
            raise InputError(f"{short}: `{row.set}` has no samples.")
        rules = Rules(**(given.rules.model_dump(exclude_unset=True) | row.rules.model_dump(exclude_unset=True)))
        found = _of_animals(samples[row.set], rules) if given.kind == "destructive" else (
            _of_subject(samples[row.set], rules, given.bolus))  # fmt: skip
        if row.parameter not in found:
            raise InputError(f"{short}: `{row.parameter}` is not computed of `{row.set}`.")
        off = _off(found[row.parameter], row)
        where = "" if row.set == "all" else f", {row.set}"
        method = f", {rules.method}" if rules.method != "linear" else ""
        yield at_most("oracles", f"{short}{where}: {row.parameter}{method}", about, float(np.max(list(off.values()))),
                      CLOSE, "1", given.source, ", ".join(off))  # fmt: skip


def _of_animals(samples: Samples, rules: Rules) -> Mapping[str, Estimate]:
    """What animals killed at their hour say together."""
    names = [str(i) for i in range(len(samples.hours))]
    sampled = of_animals(samples.hours, names, samples.values, rule=rules.below_mean)
    last = float(sampled.hours[-1])
    found = {"AUClast": combined(sampled, area_weights(sampled.hours, last, rules)),
             "AUMClast": combined(sampled, moment_weights(sampled.hours, last, rules))}  # fmt: skip
    return found | to_infinity(sampled, rules).estimates


def _of_subject(samples: Samples, rules: Rules, bolus: bool) -> Mapping[str, Estimate]:
    curve = curve_of(np.array(samples.hours), np.array(samples.values), rules=rules)
    return {name: Estimate(value) for name, value in analyse(curve, rules, bolus=bolus).parameters.items()}


def _off(found: Estimate, wanted: Expected) -> dict[str, float]:
    """Relative difference of the value and of all that the source tells of its doubt."""
    low, high = found.interval()
    mine = {"value": found.value, "se": found.se, "df": found.df, "low": low, "high": high}
    told = {name: getattr(wanted, name) for name in ("value", *ENDS) if getattr(wanted, name) is not None}
    return {name: abs(mine[name] / number - 1.0) for name, number in told.items()}


def _of_plate(plate: Plate, about: str, source: str) -> Iterator[Check]:
    standards = pd.DataFrame({"nominal": plate.standards.nominal, "back_calculated": plate.standards.found})
    qcs = pd.DataFrame({"nominal": plate.qcs.nominal, "measured": plate.qcs.found})
    judged = accept_plate(standards, qcs, plate.preset, plate.carry_over)
    found = dict(zip(judged.rules["rule"], judged.rules["found"].to_numpy(float), strict=True))
    off = {rule: abs(found.get(rule, np.nan) - number) for rule, number in plate.rules.items()}
    worst = _largest(off)
    right = judged.passed == plate.passed
    verdict = "accepted" if judged.passed else "refused"
    yield Check("oracles", f"ICH M10: a plate that is {plate.name}", about, verdict,
                "accepted" if plate.passed else "refused", "", right,
                f"ICH M10: a plate that is {plate.name} is {verdict}.", source)  # fmt: skip
    yield at_most("oracles", f"ICH M10: rules of a plate that is {plate.name}", about, off[worst], CLOSE, "1", source,
                  f"`{worst}`")  # fmt: skip


def _largest(off: Mapping[str, float]) -> str:
    """Name of the largest, or of the first that is no number."""
    names: Sequence[str] = [name for name, value in off.items() if np.isnan(value)]
    return names[0] if names else max(off, key=lambda name: off[name])

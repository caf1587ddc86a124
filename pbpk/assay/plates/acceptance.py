"""Whether a plate may be used: the rules of ICH M10 (2022), borrowed and applied one by one."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pbpk.errors import AssayError

BORROWED = (
    "Limits are borrowed from ICH M10 (2022), which is written for chromatographic and ligand-binding assays of drugs; "
    "light of diamonds under a changing field is neither, so they are a convention here and bind nobody."
)


@dataclass(frozen=True)
class Limit:
    """A number that M10 sets, and the section that sets it; shares and deviations are [1], levels are counts."""

    value: float
    section: str


# ICH M10 (24 May 2022). `lba` stands for ligand-binding assays. That a range made narrower must still hold three levels
# of QCs, and that a range may lose its upper end too, is said with the acceptance of runs (3.3.2, 4.3.2).
PRESETS: dict[str, dict[str, Limit]] = {
    "chromatographic": {
        "standard deviation": Limit(0.15, "3.2.4"),
        "LLOQ deviation": Limit(0.20, "3.2.4"),
        "ULOQ deviation": Limit(0.15, "3.2.4"),
        "standards within": Limit(0.75, "3.2.4"),
        "levels within": Limit(6, "3.2.4"),
        "replicates within": Limit(0.50, "3.2.4"),
        "QC deviation": Limit(0.15, "3.2.5.2"),
        "QCs within": Limit(2 / 3, "3.3.2"),
        "QCs within a level": Limit(0.50, "3.3.2"),
        "QC levels in range": Limit(3, "3.3.2"),
        "carry-over": Limit(0.20, "3.2.6"),
    },
    "lba": {
        "standard deviation": Limit(0.20, "4.2.3"),
        "LLOQ deviation": Limit(0.25, "4.2.3"),
        "ULOQ deviation": Limit(0.25, "4.2.3"),
        "standards within": Limit(0.75, "4.2.3"),
        "levels within": Limit(6, "4.2.3"),
        "replicates within": Limit(0.50, "4.2.3"),
        "QC deviation": Limit(0.20, "4.2.4.2"),
        "QCs within": Limit(2 / 3, "4.3.2"),
        "QCs within a level": Limit(0.50, "4.3.2"),
        "QC levels in range": Limit(3, "4.3.2"),
        "carry-over": Limit(0.20, "3.2.6"),
    },
}

RULES = ["rule", "limit", "found", "passed", "section", "sentence"]


@dataclass(frozen=True)
class Acceptance:
    """The verdict on one plate.

    rules : a row per rule: rule, limit, found, passed, section of ICH M10, sentence that says it in words
    standards : the standards given, with their deviation [1] and whether each is within
    qcs : the same of the QCs
    lloq, uloq : lowest and highest level that may be used, after raising and lowering [unit]; NaN where none is left
    lloq_raised : whether the lowest level given is not the LLOQ any more
    """

    preset: str
    rules: pd.DataFrame
    standards: pd.DataFrame
    qcs: pd.DataFrame
    lloq: float
    uloq: float
    lloq_raised: bool
    note: str = BORROWED

    @property
    def passed(self) -> bool:
        """Whether every rule is kept."""
        return bool(self.rules["passed"].all())

    @property
    def rejected(self) -> pd.DataFrame:
        """Standards to leave out before the curve is fitted again."""
        return self.standards[~self.standards["within"]]

    @property
    def sentence(self) -> str:
        """What was broken, in words, or that nothing was."""
        broken = self.rules.loc[~self.rules["passed"], "sentence"]
        raised = f" The LLOQ is raised to {self.lloq:g}." if self.lloq_raised and np.isfinite(self.lloq) else ""
        if broken.empty:
            return f"The plate keeps the `{self.preset}` rules borrowed from ICH M10.{raised}"
        return f"The plate breaks the `{self.preset}` rules borrowed from ICH M10: {'; '.join(broken)}.{raised}"


def accept_plate(
    standards: pd.DataFrame, qcs: pd.DataFrame, preset: str = "lba", carry_over: float | None = None
) -> Acceptance:
    """Judge back-calculated standards and QCs by the limits of one preset.

    Standards out of limits are `rejected`; the curve is then to be fitted again without them and judged again.
    Shares count all wells given, rejected ones too. The LLOQ is raised, and the ULOQ lowered, past levels of which
    fewer than half of the wells are within; what then is the end of the range has the end's wider limit.

    standards : a row per well: nominal, back_calculated [unit], with the curve of `m10_curve`; no blanks
    qcs : a row per well: nominal, measured [unit]
    carry_over : blank after the highest standard as a share of the response at the LLOQ [1], if it was read

    Raises
    ------
    AssayError
        if a column is missing, a nominal value is not above zero, or the preset does not exist
    """
    if preset not in PRESETS:
        raise AssayError(f"no acceptance preset `{preset}`; choose from {', '.join(f'`{name}`' for name in PRESETS)}.")
    limits = PRESETS[preset]
    known = _deviations(standards, "back_calculated", "standard")
    checked = _deviations(qcs, "measured", "QC")
    levels, known = _range(known, limits)
    lloq, uloq = (float(levels[0]), float(levels[-1])) if levels else (np.nan, np.nan)
    raised = bool(levels) and lloq > known["nominal"].min()
    checked["in_range"] = (checked["nominal"] >= lloq) & (checked["nominal"] <= uloq)
    checked["within"] = checked["in_range"] & (checked["deviation"].abs() <= _edge(limits["QC deviation"]))
    rows = _standard_rules(known, levels, limits) + _qc_rules(checked, limits)
    if carry_over is not None:
        limit = limits["carry-over"]
        said = f"carry-over is {carry_over:.0%} of the response at the LLOQ, at most {limit.value:.0%} is allowed"
        rows.append(_rule("carry-over", limit, carry_over, carry_over <= _edge(limit), said))
    return Acceptance(preset, pd.DataFrame(rows)[RULES], known, checked, lloq, uloq, raised)


def require(acceptance: Acceptance) -> None:
    """Let an accepted plate pass.

    Raises
    ------
    AssayError
        with the rules that were broken, if any was
    """
    if not acceptance.passed:
        raise AssayError(acceptance.sentence)


def _edge(limit: Limit) -> float:
    """The limit itself is allowed, whatever the last digit of 1.15 - 1 is."""
    return limit.value + 1e-9


def _deviations(table: pd.DataFrame, column: str, what: str) -> pd.DataFrame:
    missing = {"nominal", column} - set(table.columns)
    if missing:
        raise AssayError(f"the table of {what}s lacks the column {', '.join(sorted(missing))}.")
    if not (table["nominal"] > 0.0).all():
        raise AssayError(f"each {what} needs a nominal value above zero; leave blanks out (ICH M10, 3.2.4).")
    table = table.copy()
    # A well that could not be back-calculated (NaN) is out of every limit, since comparisons with it are false.
    table["deviation"] = (table[column].astype(float) - table["nominal"]) / table["nominal"]
    return table


def _range(standards: pd.DataFrame, limits: dict[str, Limit]) -> tuple[list[float], pd.DataFrame]:
    """Levels left between the raised LLOQ and the lowered ULOQ, and the standards marked by the limits then."""
    levels = sorted(standards["nominal"].unique())
    share = limits["replicates within"].value

    def within(low: float, high: float) -> pd.Series:
        allowed = pd.Series(_edge(limits["standard deviation"]), index=standards.index)
        allowed[standards["nominal"] == high] = _edge(limits["ULOQ deviation"])
        allowed[standards["nominal"] == low] = _edge(limits["LLOQ deviation"])
        return standards["deviation"].abs() <= allowed

    while levels:
        good = within(levels[0], levels[-1]).groupby(standards["nominal"]).mean()
        if good[levels[0]] < share:
            levels = levels[1:]
        elif good[levels[-1]] < share:
            levels = levels[:-1]
        else:
            break
    standards = standards.copy()
    standards["in_range"] = standards["nominal"].isin(levels)
    ends = (levels[0], levels[-1]) if levels else (np.nan, np.nan)
    standards["within"] = standards["in_range"] & within(*ends)
    return levels, standards


def _standard_rules(standards: pd.DataFrame, levels: list[float], limits: dict[str, Limit]) -> list[dict[str, object]]:
    within = standards["within"]
    share = float(within.mean()) if len(within) else 0.0
    inside = standards[standards["in_range"]].groupby("nominal")["within"]
    level = inside.mean()
    # A level read once is a standard, not a set of replicates; it counts in the two shares above only.
    repeated = level[inside.size() > 1]
    kept = int((level >= limits["replicates within"].value).sum())
    least = float(repeated.min()) if len(repeated) else np.nan
    worst = f" at {repeated.idxmin():g}," if len(repeated) else ""
    wells, many, half = (limits[name] for name in ("standards within", "levels within", "replicates within"))
    said_share = (
        f"{int(within.sum())} of {len(within)} standards are within their limits, at least {wells.value:.0%} are needed"
    )
    said_level = f"{kept} levels of standards are within their limits, at least {many.value:g} are needed"
    said_half = f"of the standards{worst} {least:.0%} are within, at least {half.value:.0%} of a level are needed"
    return [
        _rule("standards within", wells, share, share >= wells.value - 1e-9, said_share),
        _rule("levels within", many, kept, kept >= many.value, said_level),
        _rule("replicates within", half, least, not least < half.value, said_half),
    ]


def _qc_rules(qcs: pd.DataFrame, limits: dict[str, Limit]) -> list[dict[str, object]]:
    whole, part, levels = (limits[name] for name in ("QCs within", "QCs within a level", "QC levels in range"))
    deviation = limits["QC deviation"].value
    share = float(qcs["within"].mean()) if len(qcs) else 0.0
    level = qcs.groupby("nominal")["within"].mean()
    least = float(level.min()) if len(level) else 0.0
    worst = f" at {level.idxmin():g}," if len(level) else ""
    seen = int(qcs.loc[qcs["in_range"], "nominal"].nunique())
    said_share = (
        f"{int(qcs['within'].sum())} of {len(qcs)} QCs are within {deviation:.0%}, at least two thirds are needed"
    )
    said_level = f"of the QCs{worst} {least:.0%} are within {deviation:.0%}, at least {part.value:.0%} are needed"
    said_seen = f"{seen} levels of QCs lie between LLOQ and ULOQ, at least {levels.value:g} are needed"
    return [
        _rule("QCs within", whole, share, share >= whole.value - 1e-9, said_share),
        _rule("QCs within a level", part, least, least >= part.value, said_level),
        _rule("QC levels in range", levels, seen, seen >= levels.value, said_seen),
    ]


def _rule(name: str, limit: Limit, found: float, passed: bool, sentence: str) -> dict[str, object]:
    said = f"{sentence} (section {limit.section})"
    return dict(zip(RULES, (name, limit.value, float(found), bool(passed), limit.section, said), strict=True))

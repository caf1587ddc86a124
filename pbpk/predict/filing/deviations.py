"""Where a run is not what its plan said, row by row, with the reason that the author gives."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pandas as pd

from pbpk.predict.filing.analysis_plan import canonical, data_files, planned
from pbpk.predict.filing.authored import Authored, Missing

if TYPE_CHECKING:
    from pbpk.predict.run import Run

USUAL_DRAWS = (800, 1600)  # what a chain has where nobody says how many
NOTHING = "not set"
SHORT = 12  # letters of a digest that are shown


@dataclass(frozen=True)
class Deviated:
    """One thing that was not done as planned.

    what : as `settings.seed`; reason : of the author, empty where none is given
    planned, done : in words; both empty where only the author tells of it
    """

    what: str
    planned: str
    done: str
    reason: str


def deviations(plan: Mapping[str, Any], run: "Run", authored: Authored) -> tuple[Deviated, ...]:
    """Every difference between a plan and what was done, then what the author tells besides."""
    found = [(what, _words(a), _words(b)) for what, a, b in _differences(plan, run, authored)]
    rows = [Deviated(what, a, b, _reason(what, authored)) for what, a, b in found]
    besides = [each for each in authored.deviations if not any(fnmatchcase(row.what, each.what) for row in rows)]
    return (*rows, *(Deviated(each.what, "", "", each.reason) for each in besides))


def deviations_table(rows: tuple[Deviated, ...]) -> pd.DataFrame:
    """One row for each deviation: what, planned, done, reason."""
    cells = [(row.what, row.planned, row.done, row.reason) for row in rows]
    return pd.DataFrame(cells, columns=["what", "planned", "done", "reason"])


def unexplained(rows: tuple[Deviated, ...]) -> tuple[Missing, ...]:
    """Deviations without a reason, as missing fields."""
    return tuple(
        Missing(f'deviations "{row.what}"', "Why was it not done as planned? Say it under [[deviations]].")
        for row in rows
        if not row.reason.strip()
    )


def _reason(what: str, authored: Authored) -> str:
    exact = [each.reason for each in authored.deviations if each.what == what]
    wide = [each.reason for each in authored.deviations if fnmatchcase(what, each.what)]
    return next(iter([*exact, *wide]), "")


def _differences(plan: Mapping[str, Any], run: "Run", authored: Authored) -> Iterator[tuple[str, Any, Any]]:
    """What, planned and done of all that differs, in the order of a plan."""
    settings = dict(run.manifest["settings"])
    asked = run.manifest.get("scenarios")
    done = json.loads(canonical(planned(run.study, run.joint.model, settings, authored, asked or {})))
    for part in ("question", "ratings"):
        yield from _unlike(part, plan[part], done[part])
    yield from _files(plan, run)
    for part in ("design", "model", "priors", "numbers", "likelihood"):
        yield from _of_part(part, plan, done)
    yield from _settings(plan["settings"], done["settings"])
    yield from _scenarios(plan, run, asked)
    yield from _unlike("criteria", plan["criteria"], done["criteria"])


def _of_part(part: str, plan: Mapping[str, Any], done: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    rows = list(_unlike(part, plan[part], done[part]))
    if part == "model":  # the registry is told by its priors and numbers, unless they look alike
        readable = any(plan[other] != done[other] for other in ("priors", "numbers"))
        rows = [row for row in rows if not (readable and row[0] == "model.registry_sha256")]
    yield from rows


def _files(plan: Mapping[str, Any], run: "Run") -> Iterator[tuple[str, Any, Any]]:
    """Data that are not those of the plan; what was measured after it was frozen is as planned."""
    before = plan["data"]["files"]
    given = {name.removeprefix("study/"): digest for name, digest in run.manifest["inputs"].items()
             if name.startswith("study/")}  # fmt: skip
    after = data_files(given)
    if any(name.startswith("traces/") for name in after) and "amplitudes.csv" not in before:
        after.pop("amplitudes.csv", None)  # read off the traces, which it stands for
    if not plan["data"]["at_hand"]:
        after = {name: digest for name, digest in after.items() if name in before}
    yield from _unlike("data", before, after)


def _settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for what, a, b in _unlike("settings", before, after):
        if what != "settings.draws" or a is not None:
            yield what, a, b
        elif b not in USUAL_DRAWS and not (before.get("quick") and after.get("quick")):  # of which nobody says how many
            yield what, "800, or 1600 where needed", b


def _scenarios(plan: Mapping[str, Any], run: "Run", asked: Mapping[str, Any] | None) -> Iterator[tuple[str, Any, Any]]:
    before = plan["scenarios"]
    answered = [] if run.draws is None else [str(name) for name in run.draws["scenario"].to_numpy()]
    for name in dict.fromkeys([*before, *answered]):
        what = f"scenarios.{name}"
        if name not in before:
            yield what, "not asked", "answered"
        elif name not in answered:
            yield what, "asked", "not answered"
        elif asked is not None:
            yield from _unlike(what, before[name], asked.get(name, {}))


def _unlike(what: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """Leaves of two trees that differ, by the path that leads to them."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            yield from _unlike(f"{what}.{name}", before.get(name), after.get(name))
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple):
        longest = max(len(before), len(after))
        for i in range(longest):
            a, b = (side[i] if i < len(side) else None for side in (before, after))
            yield from _unlike(f"{what}[{i + 1}]", a, b)
    elif before != after:
        yield what, before, after


def _words(value: Any) -> str:
    """A leaf as a table shows it."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(each)}" for name, each in value.items()) or "nothing"
    if isinstance(value, list | tuple):
        return ", ".join(_words(each) for each in value) or "nothing"
    text = str(value)
    is_digest = len(text) == 64 and all(letter in "0123456789abcdef" for letter in text)
    return text[:SHORT] if is_digest else text

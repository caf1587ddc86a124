"""A frozen plan on disk: written once, superseded with a reason, and read only as it was written."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pbpk.assay.study import PLAN
from pbpk.canonical import canonical
from pbpk.errors import FilingError
from pbpk.predict.filing.analysis_plan import PARTS, SEAL, sealed
from pbpk.predict.filing.fields import sayable

SHORT = 12  # letters of a digest that are printed
BACK = 'go back to a copy that was kept, or freeze anew with `pbpk plan --supersede "REASON"`'


def seal_of(plan: Mapping[str, Any]) -> str:
    """SHA-256 of a plan."""
    return str(plan[SEAL])


def write_plan(plan: Mapping[str, Any], folder: Path, supersede: str | None = None) -> dict[str, Any]:
    """Freeze a plan in the folder of its study.

    supersede : why the plan that is there is given up; it is kept as plan-1.json, plan-2.json and so on

    Returns
    -------
    the plan as written, with `supersedes` where it does

    Raises
    ------
    FilingError
        if a plan is there and no reason is given, or a reason and no plan
    """
    path = folder / PLAN
    if not path.is_file():
        if supersede is not None:
            raise FilingError(f"{path}: there is no plan to supersede; leave --supersede out.")
        return _write(sealed(plan), path, "x")
    if supersede is None:
        old = read_plan(path)
        raise FilingError(f"{path}: a plan was frozen {old['frozen']} ({seal_of(old)[:SHORT]}) and is kept; to give it "
                          'up for another, say why with --supersede "REASON".')  # fmt: skip
    if not supersede.strip():
        raise FilingError(f"{path}: --supersede needs a reason; say in a sentence why the plan is given up.")
    try:
        sayable(supersede)
    except ValueError as problem:
        raise FilingError(f"{path}: --supersede {problem}.") from None
    kept = next(name for name in (f"plan-{n}.json" for n in range(1, 1000)) if not (folder / name).exists())
    new = sealed({**plan, "supersedes": {"kept_as": kept, "reason": supersede.strip()} | _read_given_up(path)})
    (folder / kept).write_bytes(path.read_bytes())
    beside = path.with_name(f".{PLAN}.partial")
    _write(new, beside, "w")
    beside.replace(path)
    return new


def _read_given_up(path: Path) -> dict[str, Any]:
    """What a plan says of the one that it supersedes, which may have been changed since it was frozen."""
    try:
        old = read_plan(path)
    except FilingError:
        return {"file_sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "intact": False}
    return {SEAL: seal_of(old), "frozen": old["frozen"], "intact": True}


def _write(plan: dict[str, Any], path: Path, how: str) -> dict[str, Any]:
    try:
        with path.open(how, encoding="utf-8", newline="\n") as file:
            file.write(_text(plan))
    except OSError as problem:
        raise FilingError(f"{path}: cannot be written ({problem.strerror}).") from None
    return plan


def _text(plan: Mapping[str, Any]) -> str:
    return canonical(plan, indent=2) + "\n"


def read_plan(path: str | Path) -> dict[str, Any]:
    """Read a frozen plan, of a file or of the folder of a study.

    Raises
    ------
    FilingError
        if there is none, or it is not byte for byte what was frozen
    """
    path = Path(path)
    path = path / PLAN if path.is_dir() else path
    if not path.is_file():
        raise FilingError(f"{path}: there is no plan; freeze one with `pbpk plan`.")
    try:
        text = path.read_bytes().decode("utf-8")
        plan: Any = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as problem:
        raise FilingError(f"{path}: is no frozen plan ({problem}); {BACK}.") from None
    if not isinstance(plan, dict) or not {*PARTS, "seals", "frozen", SEAL} < set(plan):
        raise FilingError(f"{path}: is no frozen plan; {BACK}.")
    if not isinstance(plan["seals"], dict) or not isinstance(plan[SEAL], str):
        raise FilingError(f"{path}: its seals are not what was frozen; {BACK}.")
    again = sealed(plan)
    for name in dict.fromkeys((*again["seals"], *plan["seals"])):
        if again["seals"].get(name) != plan["seals"].get(name):
            raise FilingError(f"{path}: `{name}` is not what was frozen {plan['frozen']}; {BACK}.")
    if again[SEAL] != plan[SEAL]:
        raise FilingError(f"{path}: `{SEAL}` is not that of what was frozen {plan['frozen']}; {BACK}.")
    if text != _text(plan):
        pairs = zip(text.splitlines(), _text(plan).splitlines(), strict=False)
        line = next((number for number, (a, b) in enumerate(pairs, start=1) if a != b), len(_text(plan).splitlines()))
        raise FilingError(f"{path}: line {line}: is not written as it was frozen; {BACK}.")
    return plan


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def read_frozen(folder: Path) -> dict[str, Any] | None:
    """Plan of a study, None where none was frozen.

    Raises
    ------
    FilingError
        as `read_plan`
    """
    return read_plan(folder / PLAN) if (folder / PLAN).is_file() else None

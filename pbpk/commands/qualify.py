"""Whether this installation, and a run of it, do what they say: every check with what was found, and a file of them."""

import time
from pathlib import Path

from rich import box
from rich.markup import escape
from rich.table import Table

from pbpk.errors import NotQualified, RunError
from pbpk.predict.qualification.checks import Check, failed
from pbpk.predict.qualification.qualify import examine
from pbpk.predict.qualification.storing import FILE, Qualification, write_into_run, write_qualification
from pbpk.terminal import console

NAMED = 3  # checks that did not pass and are named in the last sentence


def tell_qualified(run: Path | None, out: Path | None, force: bool = False) -> None:
    """Make every check, say what was found, and write it; into the run where one is named.

    Raises
    ------
    RunError
        if the folder is not a run, or the file is in the way
    NotQualified
        if a check did not pass; all is written all the same
    """
    if out is not None and (out.suffix != ".json" or out.is_dir()):
        raise RunError(f"{out}: the checks are written as JSON; give a name that ends in .json.")
    if out is not None and out.exists() and not force:
        raise RunError(f"{out}: exists already; choose another --out, or replace it with --force.")
    if out is not None and not out.parent.is_dir():
        raise RunError(f"{out}: there is no folder {out.parent}; make it, or choose another --out.")
    begin = began = time.perf_counter()
    made: list[Check] = []
    for heading, part in examine(run):
        now = time.perf_counter()
        _say(heading, part, now - began)
        made += part
        began = now
    wrong = failed(made)
    console.print(f"\n{len(made) - len(wrong)} of {len(made)} checks passed in {time.perf_counter() - begin:.0f} s.")
    if out is not None:
        _written(out, write_qualification(made, out))
    if run is not None:
        _written(run / FILE, write_into_run(made, run))
    if wrong:
        more = f" And {len(wrong) - NAMED} others." if len(wrong) > NAMED else ""
        said = " ".join(check.sentence for check in wrong[:NAMED])
        raise NotQualified(f"{len(wrong)} of {len(made)} checks did not pass: {said}{more}")


def _written(path: Path, told: Qualification) -> None:
    console.print(f"Written: {escape(str(path))}, SHA-256 {told.sha256}", soft_wrap=True)


def _say(heading: str, part: tuple[Check, ...], seconds: float) -> None:
    """One line for a question; its checks below, those that failed first seen."""
    passed = sum(check.passed for check in part)
    colour = "green" if passed == len(part) else "red"
    console.print(f"\n[bold]{escape(heading)}[/bold]: [{colour}]{passed} of {len(part)} passed[/{colour}], "
                  f"{seconds:.1f} s", soft_wrap=True)  # fmt: skip
    shown = Table("check", "found", "limit", "", box=box.SIMPLE, pad_edge=False)
    for check in part:
        verdict = "[green]pass[/green]" if check.passed else "[red]FAIL[/red]"
        shown.add_row(escape(check.name), _told(check.value, check.unit), _told(check.limit, check.unit), verdict)
    console.print(shown)
    for check in part:
        if not check.passed:
            console.print("  " + check.sentence, markup=False, soft_wrap=True, style="red")


def _told(value: float | str, unit: str) -> str:
    if isinstance(value, str):
        return escape(value)
    return f"{value:.3g}" + ("" if unit in ("", "1") else f" {unit}")

"""Section 10: that the equations are solved right, from checks that were run and not remembered."""

from collections.abc import Sequence

from pbpk.predict.lineage.source import source
from pbpk.predict.qualification.checks import GROUPS, Check
from pbpk.report import wording
from pbpk.report.document.blocks import TO_BE_COMPLETED, Block, Heading, Paragraph, Table
from pbpk.report.document.inline import Code, Line, Mark
from pbpk.report.dossier import Dossier

FILE = "qualification.json"
METHODS = (
    "Cells are conserved by construction: each arrow takes from one state what it gives another. Forecasts solve "
    "blood and tissue together by repeated squaring of the matrix exponential, without subtraction; where rates "
    "move with amounts, an implicit Runge-Kutta pair of orders 5 and 4 follows them. The fit solves the same "
    "equations, in a linear model with the blood in balance, by uniformisation with an exact gradient. The checks "
    "below were computed on this installation."
)


def verification(dossier: Dossier) -> list[Block]:
    """Checks of the installation and of the run, by group."""
    blocks: list[Block] = [Paragraph(METHODS)]
    if dossier.checks is None:
        missing = Line((f"{TO_BE_COMPLETED}: the checks were not run; ", Code("pbpk qualify RUN"), " runs them."))
        return [*blocks, Paragraph(missing, "missing")]
    bad = [check for check in dossier.checks if not check.passed]
    said = f"{len(dossier.checks) - len(bad)} of {wording.counted(len(dossier.checks), 'check')} passed."
    blocks.append(Paragraph(said, "alert" if bad else "", FILE))
    for group, title in GROUPS.items():
        own = [check for check in dossier.checks if check.group == group]
        if own:
            blocks += [Heading(title, 2, f"checks-{group}"), _table(own, title)]
    return blocks


def _table(checks: Sequence[Check], title: str) -> Table:
    rows = [
        (check.name, check.about, _value(check.value, check.unit), _value(check.limit, check.unit),
         Mark("passed", "good") if check.passed else Mark("failed", "bad"), check.source)
        for check in checks
    ]  # fmt: skip
    head = ("Check", "What is compared", "Found", "Allowed", "", "Source of the limit")
    places = [source(FILE, name=check.name) for check in checks]
    return Table(f"Checks: {title[:1].lower()}{title[1:]}", head, "llrrll", rows, places, folded=True)


def _value(value: float | str, unit: str) -> str:
    if isinstance(value, str):
        return value
    return wording.number(value) + (f" {unit}" if unit not in ("", "1") else "")

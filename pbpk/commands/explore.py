"""A run, or a prior, in the browser of this machine until somebody presses Ctrl-C."""

import shlex
import webbrowser
from importlib.util import find_spec
from pathlib import Path

from pbpk.commands.whom import Whom
from pbpk.errors import RunError
from pbpk.predict.origin import Origin
from pbpk.predict.scenario import Scenario, read_scenarios
from pbpk.share.tables import write_table
from pbpk.terminal import console

EXTRA = "shiny"


def tell_explored(whom: Whom, scenarios: Path | None, cells: float | None, port: int, browser: bool) -> None:
    """Serve the page, say where it is, open it where somebody wants that.

    Raises
    ------
    RunError
        if the extra is not installed
    """
    if find_spec(EXTRA) is None:
        raise RunError("the page needs Shiny, which is not installed: pip install 'pbpk[explore]'.")
    from pbpk.report.explore.page import begun, usual
    from pbpk.report.explore.serving import Exploring, address_of, listening, new_token, serve

    with listening(port) as door:
        origin = whom.read()
        starts = starting(origin, whom.run, scenarios) or {"bolus": usual(origin)}
        first = begun(starts, scenarios is not None)
        options = options_of(whom, cells)
        what = Exploring(origin, starts, first, cells, shlex.quote(whom.run), options, write_table)
        token = new_token()
        address = address_of(door, token)
        console.print(f"Scenarios from {origin.words}: {address}", markup=False, soft_wrap=True)
        console.print("Only this machine can open it, with this address. Ctrl-C ends it.", markup=False, soft_wrap=True)
        if browser:
            webbrowser.open(address)
        serve(what, door, token)


def starting(origin: Origin, run: str, given: Path | None) -> dict[str, Scenario]:
    """Scenarios that a form can begin with, by name: those named, else the shipped ones and those the run answered."""
    if given is not None:
        return {scenario.name: scenario for scenario in read_scenarios(given, origin.model)}
    own = Path(run) / "scenarios"
    found = [*read_scenarios(None, origin.model), *(read_scenarios(own) if own.is_dir() else [])]
    return {scenario.name: scenario for scenario in found if scenario.can_be_asked(origin.model)}


def options_of(whom: Whom, cells: float | None) -> str:
    """What `pbpk simulate` must be told beside the run and the scenarios for the same numbers."""
    told = {"species": whom.species, "body-weight": whom.body_weight, "sex": whom.sex, "label": whom.label,
            "physiology": whom.physiology, "cells": cells}  # fmt: skip
    told |= {"rates": whom.rates if whom.rates != "carried" else None, "seed": whom.seed if whom.seed != 1 else None}
    return "".join(f" --{name} {shlex.quote(f'{value:g}' if isinstance(value, float) else str(value))}"
                   for name, value in told.items() if value is not None)  # fmt: skip

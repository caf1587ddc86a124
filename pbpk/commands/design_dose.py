"""Dose, split and route by what they reach and what they risk: a table, the frontier, a page."""

from pathlib import Path

from rich.markup import escape

from pbpk.commands.reading import numbers, read_one_scenario, words, write_if_wanted
from pbpk.commands.whom import Whom
from pbpk.errors import InputError
from pbpk.predict.dose_choice import Choice, Limit, choose_dose, ways_of
from pbpk.predict.endpoint import parse_endpoint
from pbpk.predict.record import write_manifest
from pbpk.share.tables import write_table
from pbpk.terminal import console, progress, say_choice

WRITTEN = ("choices.csv",)
DRAWS = 1000  # the tail beyond 95 % then rests on fifty of them


def tell_dose(
    whom: Whom,
    out: Path | None,
    target: str,
    limit: str,
    probability: float,
    most: float,
    ways: tuple[str, str, str, str],
    like: str | None,
    force: bool,
) -> None:
    """Find the dose, split and route; print them, and write them where a folder is named.

    limit : organ and cells, as "lung 2e5"; ways : routes, doses, intervals [h] and minutes, each apart by commas
    like : scenario whose product, species and modifiers hold
    """
    origin = whom.read(DRAWS)
    routes, doses, intervals, minutes = ways
    asked = ways_of(origin, words(routes), numbers("--doses", doses),
                    numbers("--intervals", intervals), numbers("--minutes", minutes))  # fmt: skip
    given = None if like is None else read_one_scenario(like, origin.model)
    wanted, allowed = parse_endpoint(target), limit_of(limit, probability)
    with write_if_wanted(out, force, WRITTEN) as folder:
        with progress() as follow:
            choice = choose_dose(origin, asked, wanted, allowed, most, given,
                                 lambda done, total: follow("ways of giving", done, total, 0))  # fmt: skip
        say_choice(choice, f"From {origin.words}")
        if folder is not None:
            _write(choice, origin.words, whom.seed, folder)
    if out is not None:
        console.print(f"Written: {escape(str(out))} (choices.csv, frontier.csv, choice.html)")


def _write(choice: Choice, origin: str, seed: int, folder: Path) -> None:
    from pbpk.report.choice import write_choice_page  # draws: nobody waits for it before the answer is there

    write_table(choice.table, folder / "choices.csv")
    write_table(choice.frontier, folder / "frontier.csv")
    write_choice_page(choice, origin, folder / "choice.html")
    limit = {"organ": choice.limit.organ, "cells": choice.limit.cells, "probability": choice.limit.probability}
    told = {"origin": origin, "seed": seed, "target": str(choice.target), "limit": limit, "most": choice.most}
    write_manifest(told, folder)


def limit_of(text: str, probability: float) -> Limit:
    """Limit from an organ and a number of cells.

    >>> limit_of("lung 2e5", 0.9)
    Limit(organ='lung', cells=200000.0, probability=0.9)

    Raises
    ------
    InputError
        if it is not written as one
    """
    organ, _, cells = text.strip().partition(" ")
    found = numbers("--limit", cells)
    if not organ or len(found) != 1 or not found[0] > 0.0:
        raise InputError(f"--limit: `{text}` is no organ with a number of cells; write it as 'lung 2e5'.")
    return Limit(organ, found[0], probability)

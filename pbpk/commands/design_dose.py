"""Dose, split and route by what they reach and what they risk: a table, the frontier, a page."""

from pathlib import Path

from rich.markup import escape

from pbpk.commands.simulate import Whom
from pbpk.errors import InputError
from pbpk.predict.dose_choice import Choice, Limit, choose_dose, ways_of
from pbpk.predict.endpoint import parse_endpoint
from pbpk.predict.record import write_folder, write_manifest
from pbpk.predict.scenario import read_scenarios
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
    asked = ways_of(origin, _words(routes), [int(n) for n in numbers("--doses", doses)],
                    numbers("--intervals", intervals), numbers("--minutes", minutes))  # fmt: skip
    given = read_scenarios(like, origin.model) if like is not None else [None]
    if len(given) != 1:
        raise InputError(f"--like: {like} holds {len(given)} scenarios; name one.")
    wanted, allowed = parse_endpoint(target), limit_of(limit, probability)
    with progress() as follow:
        choice = choose_dose(origin, asked, wanted, allowed, most, given[0],
                             lambda done, total: follow("ways of giving", done, total, 0))  # fmt: skip
    say_choice(choice, f"From {origin.words}")
    if out is not None:
        _write(choice, origin.words, whom.seed, out, force)
        console.print(f"Written: {escape(str(out))} (choices.csv, frontier.csv, choice.html)")


def _write(choice: Choice, words: str, seed: int, out: Path, force: bool) -> None:
    from pbpk.report.choice import write_choice_page  # draws: nobody waits for it before the answer is there

    with write_folder(out, force, WRITTEN) as folder:
        write_table(choice.table, folder / "choices.csv")
        write_table(choice.frontier, folder / "frontier.csv")
        write_choice_page(choice, words, folder / "choice.html")
        limit = {"organ": choice.limit.organ, "cells": choice.limit.cells, "probability": choice.limit.probability}
        told = {"origin": words, "seed": seed, "target": str(choice.target), "limit": limit, "most": choice.most}
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
    (number,) = numbers("--limit", cells)[:1] or [float("nan")]
    if not organ or not number > 0.0:
        raise InputError(f"--limit: `{text}` is no organ with a number of cells; write it as 'lung 2e5'.")
    return Limit(organ, number, probability)


def numbers(option: str, text: str) -> list[float]:
    """Numbers apart by commas.

    Raises
    ------
    InputError
        if one is none
    """
    try:
        return [float(word) for word in _words(text)]
    except ValueError as problem:
        raise InputError(f"{option}: {problem}; write numbers apart by commas, as 1,2,3.") from None


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]

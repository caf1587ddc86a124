"""Where a printed number comes from: from words of the report, or a source, down to rows, wells, priors and papers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.text import Text
from rich.tree import Tree

from pbpk.canonical import canonical
from pbpk.errors import RunError
from pbpk.predict.lineage.entries import Match, find, read_entries
from pbpk.predict.lineage.folder import RunFolder, read_run_folder
from pbpk.predict.lineage.source import Source, parse_source
from pbpk.predict.lineage.tree import Lineage, read_lineage
from pbpk.terminal import console

SHOWN = 12  # digits of a hash
MOST_PLACES = 6  # that are traced at once
MOST_NAMED = 20  # that are listed when they are more
LINE = 10_000  # letters of a line at most: what a terminal has no room for it wraps, and nothing is cut off in a file
MOST_BELOW = 30  # branches of one thing that are printed
LONGEST = 60  # letters of a value in the tree
UNSAID = ("source", "note")  # columns that are followed, or too long for a tree


def tell_traced(run: Path, where: str, as_json: bool) -> None:
    """Print what the places that some words mean, or the rows of a source, were made of.

    Raises
    ------
    RunError
        if the words mean nothing or too much, the source leads nowhere, or the run cannot be read
    """
    folder = read_run_folder(run)
    traced = _by_source(folder, where) if _is_source(folder, where) else _by_words(folder, where)
    if as_json:
        print(canonical([_told(places, lineage, set()) for places, lineage in traced], indent=1))
        return
    for places, lineage in traced:
        for match in places:
            console.print(f"[bold]{escape(match.entry.place)}[/bold] {escape(match.entry.caption)}", soft_wrap=True)
            console.print(f"  {escape(match.entry.words)}", soft_wrap=True)
        seen: set[str] = set()
        tree = Tree(_label(lineage))
        _grow(tree, lineage, seen)
        for line in console.render_lines(tree, console.options.update(width=LINE, no_wrap=True), pad=False):
            console.print(Text.assemble(*((each.text, each.style or "") for each in line)), soft_wrap=True)


def _is_source(folder: RunFolder, where: str) -> bool:
    return "#" in where or folder.holds(where) or where in folder.digests


def _by_source(folder: RunFolder, where: str) -> list[tuple[list[Match], Lineage]]:
    lineage = read_lineage(folder, parse_source(where))
    if not lineage.resolved:
        raise RunError(f"{folder.path}: `{where}` leads nowhere: {lineage.note}.")
    return [([], lineage)]


def _by_words(folder: RunFolder, where: str) -> list[tuple[list[Match], Lineage]]:
    """Lineage of each source that the words mean, with the places that bear it."""
    matches = find(read_entries(folder.path), where)
    traced: dict[str, list[Match]] = {}
    for match in matches:
        traced.setdefault(str(_narrowed(folder, match)), []).append(match)
    if len(traced) > MOST_PLACES:
        named = [f"{each.entry.place}: {each.entry.words}" for each in matches[:MOST_NAMED]]
        more = f"\n  and {len(matches) - MOST_NAMED} more" if len(matches) > MOST_NAMED else ""
        raise RunError(f"`{where}` may mean {len(matches)} places of the report; add a word, as a number of a table or "
                       "an hour:\n  " + "\n  ".join(_short(each, 110) for each in named) + more)  # fmt: skip
    return [(places, read_lineage(folder, parse_source(text))) for text, places in traced.items()]


def _narrowed(folder: RunFolder, match: Match) -> Source:
    """Source of a row, of which only one hour was asked for."""
    whole = parse_source(match.entry.source)
    if match.hours is None or "hours" in whole.rows or not folder.holds(whole.file) or not whole.file.endswith(".csv"):
        return whole
    if "hours" not in folder.read_table(whole.file).columns:
        return whole
    at = {**whole.rows, "hours": f"{match.hours:.6g}"}
    return next(iter(folder.read_select(whole.file, **at)), whole)


# ---- printed ----------------------------------------------------------------------------------------------------


def _grow(tree: Tree, lineage: Lineage, seen: set[str]) -> None:
    grown: set[tuple[Any, ...]] = set()  # what rows of one table were made of is shown of the first of them
    for each in lineage.made_of[:MOST_BELOW]:
        again, kind = bool(each.made_of) and _key(each) in seen, _kind(each)
        like = bool(each.made_of) and each.line is not None and kind in grown
        branch = tree.add(_label(each) + (" [dim](as above)[/dim]" if again else " [dim](likewise)[/dim]" * like))
        if not again and not like:
            seen.add(_key(each))
            grown.add(kind)
            _grow(branch, each, seen)
    if len(lineage.made_of) > MOST_BELOW:
        tree.add(f"[dim]and {len(lineage.made_of) - MOST_BELOW} more; --json has all[/dim]")


def _kind(lineage: Lineage) -> tuple[Any, ...]:
    """What a thing is and what kinds of thing it was made of."""
    return (lineage.file, lineage.what, *(_kind(each) for each in lineage.made_of))


def _label(lineage: Lineage) -> str:
    place = lineage.file + (f":{lineage.line}" if lineage.line is not None else "")
    digest = f" [dim]{lineage.sha256[:SHOWN]}[/dim]" if lineage.sha256 else ""
    told = _values(lineage.values)
    words = f"{lineage.what}: {told}" if told else lineage.what
    note = f" [red]{escape(lineage.note)}[/red]" if lineage.note else ""
    return f"[bold]{escape(place)}[/bold]{digest} {escape(words)}{note}"


def _values(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {_short(value, LONGEST)}" for name, value in values.items() if name not in UNSAID)


def _short(text: str, longest: int) -> str:
    words = " ".join(text.split())
    return words if len(words) <= longest else words[: longest - 1] + "…"


# ---- as JSON ----------------------------------------------------------------------------------------------------


def _told(places: list[Match], lineage: Lineage, seen: set[str]) -> dict[str, Any]:
    named = [{"place": each.entry.place, "caption": each.entry.caption, "head": list(each.entry.head),
              "cells": list(each.entry.cells), "source": each.entry.source} for each in places]  # fmt: skip
    return {"places": named, "lineage": _branch(lineage, seen)}


def _branch(lineage: Lineage, seen: set[str]) -> dict[str, Any]:
    """A lineage as a record; what stands above already is not told twice."""
    told = {name: getattr(lineage, name) for name in ("what", "source", "file", "line", "sha256", "note")}
    told["values"] = dict(lineage.values)
    again = bool(lineage.made_of) and _key(lineage) in seen
    seen.add(_key(lineage))
    return told | ({"as_above": True} if again else {"made_of": [_branch(each, seen) for each in lineage.made_of]})


def _key(lineage: Lineage) -> str:
    return f"{lineage.source} {lineage.line}"

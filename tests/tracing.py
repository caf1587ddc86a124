"""Whether the numbers of a report say where they come from, and whether something is there."""

import json
import math
import re
import tomllib
from urllib.parse import unquote

import pandas as pd

from pbpk.report.document.blocks import Bullets, Facts, Figure, Paragraph, Table

PLACES = re.compile(r"\b[2-5]\.\d\.\d+(\.\d+)*[A-Z]*\b|ICH [SM]\d+")  # numbers of the dossier and of guidelines


def numbers_in(piece):
    """Whether text holds a digit that is no number of a section."""
    return bool(re.search(r"\d", PLACES.sub("", str(piece))))


def told(blocks):
    """Pairs of text and source, one for each paragraph, row, list or figure."""
    for block in blocks:
        match block:
            case Paragraph():
                yield str(block.words), block.source
            case Bullets():
                yield " ".join(str(item) for item in block.items), block.source
            case Facts():
                yield from ((f"{name} {value}", block.source_of(i)) for i, (name, value) in enumerate(block.pairs))
            case Figure():
                yield block.caption, block.source
            case Table():
                for i, row in enumerate(block.rows):
                    yield " | ".join(str(cell) for cell in row), block.source_of(i)
                head = " ".join([block.caption, *block.head, *map(str, block.notes)])
                yield head, next((block.source_of(i) for i in range(len(block.rows)) if block.source_of(i)), "")


def untraced(blocks):
    """Texts with a number and no source."""
    return [text for text, source in told(blocks) if numbers_in(text) and not source]


def lost(blocks, folder):
    """Sources that name no file of a run folder, or select nothing in it."""
    sources = dict.fromkeys(source for _, source in told(blocks) if source)
    return [source for source in sources if not selects(source, folder)]


def selects(source, folder):
    """Whether a source names a key or at least one row."""
    name, _, asked = source.partition("#")
    path = folder / name
    if not path.is_file():
        return False
    if not asked:
        return True
    if path.suffix in (".toml", ".json"):
        held = tomllib.loads(path.read_text()) if path.suffix == ".toml" else json.loads(path.read_text())
        for key in unquote(asked.removeprefix("key=")).split("."):
            if not isinstance(held, dict) or key not in held:
                return False
            held = held[key]
        return True
    found = rows_of(source, folder)
    return found is not None and len(found) > 0


def rows_of(source, folder, kept={}):  # noqa: B006  # one read of each file
    """Rows of a CSV that a source selects, as text; None where a column is none of its own."""
    name, _, asked = source.partition("#")
    path = folder / name
    if path not in kept:
        kept[path] = pd.read_csv(path, dtype=str, keep_default_na=False)
    table = kept[path]
    for condition in asked.split("&"):
        key, _, value = condition.partition("=")
        if key not in table:
            return None
        value = unquote(value)
        table = table[[same(each, value) for each in table[key]]]
    return table


def same(one, other):
    """Alike as text, or as numbers of six digits."""
    if one == other:
        return True
    try:
        return math.isclose(float(one), float(other), rel_tol=2e-6)
    except ValueError:
        return False

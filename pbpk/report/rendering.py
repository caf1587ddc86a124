"""From a template to a file: pages are rendered with one environment and written whole."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2

from pbpk.report import wording


def rendered(name: str, cells: bool = True, **context: Any) -> str:
    """A template of this room as text; a name that the template asks for and nobody gives is an error.

    cells : whether it speaks of live cells and the label of dead ones, and so must say that these are not the same
    """
    template = _environment().get_template(name)
    return template.render(cells=cells, footnote=wording.FOOTNOTE if cells else "", **context)


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_read_template),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _read_template(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def write_whole(text: str, path: Path) -> Path:
    """Write a file of text beside its place and rename it, so that an interrupted write leaves no half of it."""
    return write_bytes(text.encode("utf-8"), path)


def write_bytes(content: bytes, path: Path) -> Path:
    """Write a file beside its place and rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".partial")
    beside.write_bytes(content)
    os.replace(beside, path)
    return path

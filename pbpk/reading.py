"""How a file the user wrote becomes checked values, or one sentence that says what is wrong where.

TOML files and CSV tables are both described by a pydantic class, one for the file or one for each row. What
pydantic finds is said again as: file, place, what, what to do, did-you-mean.
"""

import csv
import re
import tomllib
from pathlib import Path
from typing import Any

import pydantic

from pbpk.errors import InputError, did_you_mean
from pbpk.place import given_twice, line_at, lines, owner_of


class Schema(pydantic.BaseModel):
    """A file or a row: unknown keys are refused, values do not change after reading."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _first(error: pydantic.ValidationError, given: Any) -> tuple[Any, tuple[int | str, ...]]:
    """Finding of pydantic that is said, and the keys that lead to it in what is given.

    An unknown key first, since a key misspelt is also a key missing; where a value may be of two kinds, the finding
    that goes deeper.
    """
    found = [(each, _keys_in(each, given)) for each in error.errors()]
    said, keys = next((pair for pair in found if pair[0]["type"] == "extra_forbidden"), found[0])
    deeper = [pair for pair in found if len(pair[1]) > len(keys) > 0 and pair[1][: len(keys)] == keys]
    return deeper[0] if deeper and said["type"] != "extra_forbidden" else (said, keys)


def _keys_in(found: Any, given: Any) -> tuple[int | str, ...]:
    """Keys of a finding without pydantic's names for the kinds of value that it tried."""
    keys: list[int | str] = []
    for i, part in enumerate(found["loc"]):
        held = part in given if isinstance(given, dict) else isinstance(given, list) and part in range(len(given))
        if held:
            given = given[part]
        if held or (found["type"] == "missing" and i == len(found["loc"]) - 1):
            keys.append(part)
    return tuple(keys)


def _sentence(found: Any, keys: tuple[int | str, ...], schema: type[Schema]) -> str:
    """What pydantic found, said so that the reader knows what to do."""
    place = ".".join(str(part) for part in keys)
    kind = found["type"]
    if kind == "extra_forbidden":
        known = _keys_at(schema, found["loc"][:-1])
        return f"unknown key `{place}`.{did_you_mean(str(found['loc'][-1]), known)}"
    if kind == "missing":
        return f"`{place}` is missing; add it."
    if kind == "literal_error":
        options = found["ctx"]["expected"].replace(" or ", ", ").split(",")
        allowed = [word for word in (option.strip().strip("'") for option in options) if word]
        return f"`{place}` is `{found['input']}`.{did_you_mean(str(found['input']), allowed)}"
    if kind == "value_error":
        prefix = f"`{place}`: " if place else ""
        said = f"{prefix}{found['ctx']['error']}"
        return said if said.endswith((".", "?")) else f"{said}."
    said = found["msg"][0].lower() + found["msg"][1:]
    return f"`{place}` is `{found['input']}`: {said}."


def _keys_at(schema: type[Schema], path: tuple[int | str, ...]) -> list[str]:
    """Keys that the schema allows at a place inside the file."""
    here: Any = schema
    for part in path:
        if not (isinstance(here, type) and issubclass(here, pydantic.BaseModel)):
            return []
        if isinstance(part, str) and part in here.model_fields:
            here = _inner(here.model_fields[part].annotation)
    if isinstance(here, type) and issubclass(here, pydantic.BaseModel):
        return list(here.model_fields)
    return []


def _inner(annotation: Any) -> Any:
    """Return the pydantic class inside list[X], dict[str, X] or X | None."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        inner = _inner(argument)
        if inner is not None:
            return inner
    return None


def read_toml[S: Schema](path: Path, schema: type[S], error: type[InputError]) -> S:
    """Read a TOML file into its schema.

    Raises
    ------
    InputError
        of the given kind, when the file is missing, is not TOML, or does not fit the schema
    """
    if not path.is_file():
        raise error(f"{path}: there is no such file.")
    given = read_keys(path, error)
    try:
        return validated(given, schema, error)
    except InputError as problem:
        raise read_placed(problem, path) from None


def read_keys(path: Path, error: type[InputError]) -> dict[str, Any]:
    """Read a TOML file as it is.

    Raises
    ------
    InputError
        of the given kind, saying the line where the text is no TOML
    """
    written = path.read_bytes()
    try:
        text = written.decode("utf-8-sig")
        return tomllib.loads(text)
    except UnicodeDecodeError as problem:
        line = written[: problem.start].count(b"\n") + 1
        raise error(f"{path}: line {line}: not readable as TOML: it is not UTF-8; save the file as UTF-8.") from None
    except RecursionError:
        raise error(f"{path}: not readable as TOML: its arrays or tables are nested too deeply.") from None
    except tomllib.TOMLDecodeError as problem:
        raise error(f"{path}: {_no_toml(text, str(problem))}") from None


def _no_toml(text: str, said: str) -> str:
    """What `tomllib` says, with the line first; of keys that stand twice it knows only where the second one ends."""
    twice = given_twice(text)
    if twice and re.match("Cannot|Duplicate", said):
        key, first, second = twice
        return f"line {second}: `{'.'.join(map(str, key))}` stands in line {first} already; keep one."
    at = re.search(r" \(at line (\d+), column (\d+)\)$", said)
    what = said.removesuffix(at.group() if at else " (at end of document)")
    what = "not readable as TOML: " + what[0].lower() + what[1:]
    if re.match("Cannot|Duplicate", said):
        return f"{what}."
    if at is None:
        return f"{what}, at the end of the file; close every quote and bracket."
    hints = {"Invalid value": "; put text in quotes, and close every bracket before it",
             "Unclosed array": "; a comma or a bracket is missing before it"}  # fmt: skip
    hint = next((hints[start] for start in hints if said.startswith(start)), "")
    return f"line {at.group(1)}: {what}, column {at.group(2)}{hint}."


def read_placed[E: InputError](problem: E, *files: Path) -> E:
    """Same problem, after the file and, if that is certain, the line in which it stands.

    Parameters
    ----------
    files : the file, after those whose keys it takes over
    """
    # a file may be gone by now: then it is named without a line
    texts = [file.read_text(encoding="utf-8-sig") if file.is_file() else "" for file in files]
    owner = owner_of(problem.at, [lines(text) for text in texts]) if len(files) > 1 else 0
    line = None if owner is None else line_at(texts[owner], problem.at)
    place = f"{files[-1]}: "
    if owner is not None and line is not None:
        place += ("" if files[owner] == files[-1] else f"like: {files[owner]}: ") + f"line {line}: "
    return type(problem)(f"{place}{problem}")


def validated[S: Schema](given: Any, schema: type[S], error: type[InputError]) -> S:
    """Fit what a file holds to its schema, or raise the sentence, which knows the keys it speaks of."""
    try:
        return schema.model_validate(given)
    except pydantic.ValidationError as problem:
        found, keys = _first(problem, given)
        raise error(_sentence(found, keys, schema), at=keys) from None


def read_cells(path: Path, error: type[InputError]) -> tuple[list[str], list[list[str]]]:
    """Read the names of the columns of a CSV table and the cells of its rows, without empty lines at its end.

    Raises
    ------
    InputError
        of the given kind, if there is no such file or it is no table
    """
    if not path.is_file():
        raise error(f"{path}: there is no such file.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            columns, *table = [*csv.reader(file)] or [[]]
    except UnicodeDecodeError as problem:
        raise error(f"{path}: not readable as UTF-8: {problem}.") from None
    except csv.Error as problem:
        raise error(f"{path}: not readable as a table: {problem}; close every quote.") from None
    while table and not table[-1]:
        table.pop()
    if not columns:
        raise error(f"{path}: the file is empty; its first line must name the columns.")
    return columns, table


def read_rows[S: Schema](path: Path, schema: type[S], error: type[InputError]) -> list[S]:
    """Read a CSV table with one header line into one checked row each; an empty cell is a missing value.

    Raises
    ------
    InputError
        of the given kind, naming the row and the column
    """
    columns, table = read_cells(path, error)
    if len(columns) == 1 and (";" in columns[0] or "\t" in columns[0]):
        raise error(f"{path}: the columns are not separated by commas; save the table with commas.")
    known = list(schema.model_fields)
    for column in columns:
        if columns.count(column) > 1:
            raise error(f"{path}: the column `{column}` stands twice; remove one.")
        if column not in known:
            raise error(f"{path}: unknown column `{column}`.{did_you_mean(column, known)}")
    for name, field in schema.model_fields.items():
        if field.is_required() and name not in columns:
            raise error(f"{path}: the column `{name}` is missing; add it to the first line.")
    if not table:
        raise error(f"{path}: the table has no rows under its header.")
    rows = []
    for line, cells in enumerate(table, start=2):
        if not cells:
            raise error(f"{path}: row {line} is empty; remove it.")
        if len(cells) != len(columns):
            raise error(f"{path}: row {line} has {len(cells)} cells, the header has {len(columns)}; make them agree.")
        filled = {name: cell.strip() for name, cell in zip(columns, cells, strict=True) if cell.strip()}
        try:
            rows.append(schema.model_validate(filled))
        except pydantic.ValidationError as problem:
            raise error(f"{path}: row {line}: {_sentence(*_first(problem, filled), schema)}") from None
    return rows

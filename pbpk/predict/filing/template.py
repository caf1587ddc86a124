"""A `report.toml` to fill in: every field with the question that it answers, made of the schema."""

from collections.abc import Iterator
from pathlib import Path
from textwrap import fill
from typing import Any, get_args

import pydantic

from pbpk.assay.study import AUTHORED
from pbpk.errors import FilingError
from pbpk.predict.filing.authored import Authored, Section, Waivable
from pbpk.predict.filing.criteria import Comparison, Quantity
from pbpk.predict.filing.fields import NotApplicable

HEAD = """\
# report.toml: what only the author of the report can say. It lies in the folder of a study, beside study.toml.
#
# Each field stands below the question that it answers. Write "text" in quotes; text of several lines, or with
# backslashes, between three single quotes. Where a field does not apply, say why: field = {na = "reason"}.
# A field that is blank prints TO BE COMPLETED, and the report cannot become final.
# What is written here is no input of a fit: it may be changed afterwards, and the run stays what it is. Only the
# question, the context of use, the objectives, the ratings and the criteria are frozen, by `pbpk plan`.

# Where no record was left out, take the mark away from this line; else list them below under [[exclusions]].
# exclusions = {na = "no record was left out"}
"""


def template() -> str:
    """Text of a `report.toml` in which nothing is said yet; it can be read as it stands."""
    return HEAD + "".join(_tables(Authored, "", "")).rstrip("\n") + "\n"


def write_template(folder: Path) -> Path:
    """Write it into the folder of a study.

    Raises
    ------
    FilingError
        if there is one already
    """
    path = folder / AUTHORED
    if not folder.is_dir():
        raise FilingError(f"{folder}: there is no such folder.")
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(template())
    except FileExistsError:
        raise FilingError(f"{path}: exists already and is not replaced; edit it, or move it away first.") from None
    return path


def _tables(schema: type[Section], name: str, mark: str) -> Iterator[str]:
    """Tables within a schema; `mark` stands before each line of a table that is only shown."""
    for field, info in schema.model_fields.items():
        place, inner, listed = f"{name}.{field}" if name else field, *_inner(info.annotation)
        if _is_dict(info):
            yield f'\n# {info.description}\n# [{place}]\n# coverage_liver = ""\n'
        if inner is None:
            continue
        if not issubclass(inner, Section):
            yield _criteria(place, info.description or "")
            continue
        own = "# " if listed and not name else mark
        head = f"[[{place}]]" if listed else f"[{place}]"
        yield "\n" + "".join(f"# {line}\n" for line in _about(inner, info.description)) + f"{own}{head}\n"
        yield from _fields(inner, own)
        yield from _tables(inner, place, own)


def _is_dict(info: Any) -> bool:
    return getattr(info.annotation, "__origin__", None) is dict


def _inner(annotation: Any) -> tuple[Any, bool]:
    """Schema of a table, or of the rows of a list of tables, and whether it is a list; None for a field."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return (None, False) if annotation is NotApplicable else (annotation, False)
    if getattr(annotation, "__origin__", None) is list:
        return get_args(annotation)[0], True
    for argument in get_args(annotation):
        if getattr(argument, "__origin__", None) is list:
            return get_args(argument)[0], True
    return None, False


def _about(schema: type[Section], question: str | None) -> list[str]:
    """What a table is, and how all of it is n/a."""
    if question:
        return [question]
    said = (schema.__doc__ or "").splitlines()[0].split("] ", 1)[-1].lstrip("]").strip()
    waived = 'Put na = "reason" first in this table where the rest of it does not apply.'
    return [said, waived] if issubclass(schema, Waivable) else [said]


def _fields(schema: type[Section], mark: str) -> Iterator[str]:
    for field, info in schema.model_fields.items():
        if field == "na" or _is_dict(info) or _inner(info.annotation)[0] is not None:
            continue
        if isinstance(info.default, bool):
            yield f"# {info.description}\n# {field} = {str(not info.default).lower()}\n"
        else:
            shown = f'{field} = ""'
            yield f"{mark}{shown:24}  # {info.description}\n" if mark else f"# {info.description}\n{shown}\n"


def _criteria(place: str, question: str) -> str:
    """How a criterion is written; what each quantity is stands in `criteria`."""
    from pbpk.predict.filing.judging import QUANTITIES

    told = [f"{name}: {QUANTITIES[name].about}" for name in get_args(Quantity)]
    lines = [fill(each, 116, initial_indent="#   ", subsequent_indent="#     ") for each in told]
    kinds = ", ".join(f'"{each}"' for each in get_args(Comparison))
    return (
        f"\n# {question}\n# Each is a quantity of the run and the threshold that it must keep. Quantities:\n"
        + "\n".join(lines)
        + f"\n# comparison is one of {kinds}; between needs two thresholds, as [0.8, 1.25].\n"
        + f'# [[{place}]]\n# id = "coverage_liver"\n# about = "Values of the liver lie where the fit expects them."\n'
        + '# quantity = "inside_share"\n# organ = "liver"\n# comparison = ">="\n# threshold = 0.8\n'
    )

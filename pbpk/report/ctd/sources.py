"""Where a row or a sentence comes from: a file of the run folder, and the rows of it that the numbers were made of.

`counts.csv#group=iv&organ=lung` is every row of counts.csv of that group and organ; an empty value is an empty cell.
`study/NAME/study.toml#product.viability` is a key of a TOML, `manifest.json#seed` one of JSON. Of the signs `%`, `&`
and `#` within a value stands the code of an address, as `%26`.
"""

from typing import TYPE_CHECKING, Any

from pbpk.assay.records import FILE as NONMEM

if TYPE_CHECKING:
    from pbpk.predict.run import Run

CODES = {"%": "%25", "&": "%26", "#": "%23", "\n": "%0A", "\r": "%0D"}
DIGITS = 6  # of a number in the tables of a run folder


def where(file: str, **rows: Any) -> str:
    """Source of what was made of some rows of a file.

    >>> where("counts.csv", group="iv & portal", hours=0.25)
    'counts.csv#group=iv %26 portal&hours=0.25'
    """
    told = "&".join(f"{key}={_spelt(value)}" for key, value in rows.items())
    return f"{file}#{told}" if told else file


def _spelt(value: Any) -> str:
    text = f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value)
    return "".join(CODES.get(letter, letter) for letter in text)


def in_study(run: "Run", file: str, **rows: Any) -> str:
    """Source in the run's copy of the study."""
    return where(f"study/{run.name}/{file}", **rows)


def stated(run: "Run", *path: str) -> str:
    """Source of a key of study.toml; of the whole file where the key is not written there."""
    held: Any = run.study.about
    for name in path:
        if name not in held.model_fields_set:
            return in_study(run, "study.toml")
        held = getattr(held, name)
    return f"{in_study(run, 'study.toml')}#{'.'.join(path)}"


def given(run: "Run") -> str:
    """Source of what was given."""
    return in_study(run, run.study.doses_file.name)


def measured(run: "Run", **rows: Any) -> str:
    """Source of what was measured, as the study wrote it; a table with NONMEM's columns has none of these names."""
    file = run.study.measurements_file.name
    if file == NONMEM:
        return in_study(run, file)
    return in_study(run, file, **{key: value for key, value in rows.items() if value != ""})

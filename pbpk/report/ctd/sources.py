"""Where a row or a sentence of the CTD's tables comes from, in the run's copy of the study."""

from typing import TYPE_CHECKING, Any

from pbpk.assay.records import FILE as NONMEM
from pbpk.predict.lineage.source import source

if TYPE_CHECKING:
    from pbpk.predict.run import Run


def in_study(run: "Run", file: str, **rows: Any) -> str:
    """Source in the run's copy of the study."""
    return source(f"study/{run.name}/{file}", **rows)


def stated(run: "Run", *path: str) -> str:
    """Source of a key of study.toml; of the whole file where the key is not written there."""
    held: Any = run.study.about
    for name in path:
        if name not in held.model_fields_set:
            return in_study(run, "study.toml")
        held = getattr(held, name)
    return in_study(run, "study.toml", key=".".join(path))


def given(run: "Run") -> str:
    """Source of what was given."""
    return in_study(run, run.study.doses_file.name)


def measured(run: "Run", **rows: Any) -> str:
    """Source of what was measured, as the study wrote it; a table with NONMEM's columns has none of these names."""
    file = run.study.measurements_file.name
    if file == NONMEM:
        return in_study(run, file)
    return in_study(run, file, **{key: value for key, value in rows.items() if value != ""})

"""From a source down to rows, wells, priors and papers: the tree of what a printed number was made of."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import xarray as xr

from pbpk.errors import RunError
from pbpk.predict.lineage.folder import Row, RunFolder
from pbpk.predict.lineage.keys import Found, read_found, read_references
from pbpk.predict.lineage.rows import parents_of, parents_of_all
from pbpk.predict.lineage.source import KEY, Source

NOT_KEPT = "not kept in the run"
CHANGED = "is not the file that was written"
WORDS = {
    "exposure.csv": "area, peak or tail",
    "counts.csv": "count",
    "predictions.csv": "prediction",
    "parameters.csv": "parameter",
    "forecast.csv": "answer",
    "contrasts.csv": "contrast",
    "measurements.csv": "measurement",
    "doses.csv": "dose",
    "wells.csv": "well",
    "amplitudes.csv": "amplitude",
    "organ_weights.csv": "weight",
    "published_auc.csv": "printed area",
    "source_rows.csv": "row of the paper",
    "weights_source_rows.csv": "row of the paper",
}


@dataclass(frozen=True)
class Lineage:
    """A file, a row or a key of it, and what that was made of.

    what : in a word or two; source : finds it again; line : in the file, None for all of it
    sha256 : of the file as the run recorded it, empty where it recorded none
    values : cells of the row, or what stands at the key; note : what cannot be told
    """

    what: str
    source: str
    file: str
    line: int | None = None
    sha256: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    made_of: tuple["Lineage", ...] = ()

    @property
    def resolved(self) -> bool:
        """Whether the source leads to something that the run holds, or holds the hash of."""
        return not self.note or (self.note.startswith(NOT_KEPT) and bool(self.sha256))


def read_lineage(folder: RunFolder, source: Source) -> Lineage:
    """Follow a source down to what nothing stands behind; what is not there is told by a note, not by an error.

    Raises
    ------
    RunError
        if a file of the run cannot be read
    """
    return folder.once(("lineage", str(source)), lambda: _read_lineage(folder, source))


def _read_lineage(folder: RunFolder, source: Source) -> Lineage:
    bare = Lineage("file", str(source), source.file, sha256=folder.digests.get(source.file, ""))
    if not folder.holds(source.file):
        light = "raw light, " if "/traces/" in source.file else ""
        return replace(bare, note=f"{NOT_KEPT}: {light}{source.file}")
    if folder.read_changed(source.file):
        bare = replace(bare, note=CHANGED)
    if source.file.endswith(".csv"):
        return _read_rows(folder, source, bare)
    if source.file.endswith((".toml", ".json")):
        return _read_key(folder, source, bare)
    if source.file == "posterior.nc":
        return _read_draws(folder, source, bare)
    return replace(bare, note=f"{source.file} has no rows to look for {source}" if source.rows else bare.note)


# ---- tables -----------------------------------------------------------------------------------------------------


def _read_rows(folder: RunFolder, source: Source, bare: Lineage) -> Lineage:
    table = folder.read_table(source.file)
    if not source.rows:
        behind = tuple(read_lineage(folder, each) for each in parents_of_all(folder, source.file))
        return replace(bare, what="table", values={"rows": str(len(table.rows))}, made_of=behind)
    unknown = [name for name in source.rows if name not in table.columns]
    found = [] if unknown else table.where(source.rows)
    if not found:
        why = f"has no column `{unknown[0]}`" if unknown else "has no such row"
        return replace(bare, what="table", note=f"{source.file} {why}")
    behind_each = [parents_of(folder, source.file, row) for row in found]
    seen = Counter(str(each) for behind in behind_each for each in behind)
    rows = [_row(folder, source, bare, row, [each for each in behind if seen[str(each)] == 1 or len(found) == 1])
            for row, behind in zip(found, behind_each, strict=True)]  # fmt: skip
    if len(rows) == 1:
        return rows[0]
    shared = {str(each): each for behind in behind_each for each in behind if seen[str(each)] > 1}
    below = (*rows, *(read_lineage(folder, each) for each in shared.values()))
    return replace(bare, what=f"{len(rows)} rows", values=dict(source.rows), made_of=below)


def _row(folder: RunFolder, source: Source, bare: Lineage, row: Row, behind: list[Source]) -> Lineage:
    told = {name: cell for name, cell in row.cells.items() if cell}
    what = WORDS.get(source.file.rpartition("/")[2], "row")
    below = tuple(read_lineage(folder, each) for each in behind)
    return replace(bare, what=what, line=row.line, values=told, made_of=below)


# ---- keys, draws ------------------------------------------------------------------------------------------------


def _read_key(folder: RunFolder, source: Source, bare: Lineage) -> Lineage:
    if not source.rows:
        return _read_whole(folder, source, bare)
    found = read_found(folder, source)
    if found is None:
        named = source.rows.get(KEY) or ", ".join(source.rows.values())
        return replace(bare, what="key", note=f"{source.file} has no `{named}`")
    told, cited = _told(source, found)
    below = tuple(read_lineage(folder, each) for each in read_references(folder, cited) if each != source)
    what = "reference" if source.rows.get(KEY, "").startswith("sources.") else "key"
    what = "prior" if "prior" in told else what
    return replace(bare, what=what, line=found.line, values=told, made_of=below)


def _told(source: Source, found: Found) -> tuple[dict[str, str], str]:
    """What stands at a key, and the keys of the sources that it cites."""
    if not isinstance(found.value, dict):
        return {source.rows.get(KEY, "").rpartition(".")[2] or "value": found.words}, ""
    told = {str(name): Found(value, None).words for name, value in found.value.items()}
    cited = found.value.get("source", "")
    return told, cited if isinstance(cited, str) else ""


def _read_whole(folder: RunFolder, source: Source, bare: Lineage) -> Lineage:
    """A whole TOML or JSON: its title, and of a scenario its doses."""
    _, held = folder.read_keys(source.file)
    told: dict[str, Any] = held if isinstance(held, dict) else {}
    values = {name: str(told[name]) for name in ("name", "title", "about") if isinstance(told.get(name), str)}
    doses = [Source(source.file, {KEY: "doses"})] if source.file.startswith("scenarios/") and "doses" in told else []
    below = tuple(replace(read_lineage(folder, each), what="doses") for each in doses)
    return replace(bare, what="scenario" if doses else "file", values=values, made_of=below)


def _read_draws(folder: RunFolder, source: Source, bare: Lineage) -> Lineage:
    """Draws of the posterior, all or those of one variable."""
    told = {name: str(folder.manifest[name]) for name in ("seed", "method") if name in folder.manifest}
    sizes, medians = folder.once(("draws", source.file), lambda: _read_medians(folder, source.file))
    told |= {f"{name}s": str(size) for name, size in sizes.items()}
    name = source.rows.get("variable", "")
    if name and name not in medians:
        return replace(bare, what="draws", values=told, note=f"{source.file} has no variable `{name}`")
    told |= {"variable": name, "median": f"{medians[name]:.4g}"} if name else {}
    return replace(bare, what="draws", values=told)


def _read_medians(folder: RunFolder, file: str) -> tuple[dict[str, int], dict[str, float]]:
    """How many chains and draws there are, and the median of each variable that has one number a draw."""
    try:
        with xr.open_dataset(folder.path / file, group="posterior", engine="h5netcdf") as draws:
            sizes = {str(name): size for name, size in draws.sizes.items() if name in ("chain", "draw")}
            plain = {str(name): each for name, each in draws.data_vars.items() if each.dims == ("chain", "draw")}
            return sizes, {name: float(each.median()) for name, each in plain.items()}
    except (OSError, KeyError) as problem:
        raise RunError(f"{folder.path / file}: cannot be read ({problem}).") from None

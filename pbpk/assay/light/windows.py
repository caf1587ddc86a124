"""Tables of raw light, read in windows so that a trace may be longer than memory: CSV, Parquet and HDF5.

A table has the columns `seconds`, `light`, `field_mt` and, if it was recorded, `laser`. Wells share one by the column
`well` (and `plate`); in HDF5 each well is a group of these, named PLATE/WELL or WELL.
A table is gone through twice: for whose light it holds, so that nothing is demodulated before all of it is known to be
there, and for the light. A trace longer than a window is read several times: in HDF5, Parquet or a file of its own that
costs little; in a CSV of many wells all rows before it are read again.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pandas as pd
import pyarrow.parquet as parquet
from numpy.typing import NDArray

from pbpk.assay.light.amplitude import Window, Windows
from pbpk.assay.light.trace import Array
from pbpk.errors import StudyError, did_you_mean

CHANNELS = ("seconds", "light", "field_mt")
OPTIONAL = ("laser",)
KEYS = ("plate", "well")
HDF5 = (".h5", ".hdf5")
KINDS = (".csv", ".parquet", *HDF5)
WINDOW = 2**18  # samples read at a time
BUFFER = 2**20  # bytes of each Parquet column read at a time
HELD = 2**23  # samples held of wells that a table mixes; beyond, each well goes through the table on its own

type Key = tuple[str, str]  # plate, well; "" where a table does not say
NOBODY: Key = ("", "")


class Span(NamedTuple):
    """First and last row of a well in a table, and how many rows are its own."""

    first: int
    last: int
    number: int


def read_spans(path: Path) -> dict[Key, Span]:
    """Whose light a file holds, and where.

    Raises
    ------
    StudyError
        one sentence: file, row, column, what to do
    """
    if not path.is_file():
        raise StudyError(f"{path}: there is no such file.")
    if path.suffix not in KINDS:
        raise StudyError(f"{path}: a trace is a table of one of these kinds: {', '.join(KINDS)}.")
    if path.suffix in HDF5:
        return _read_groups(path)
    names, rows = _read_names(path)
    _check_names(path, names, rows)
    if "well" not in names:
        return {NOBODY: Span(0, -1, 0)}  # as many rows as there are
    spans: dict[Key, Span] = {}
    for table in _read_tables(path, [key for key in KEYS if key in names]):
        for key, mine in _rows_by_well(path, table):
            first, last = int(table.index[mine[0]]), int(table.index[mine[-1]])
            before = spans.get(key, Span(first, last, 0))
            spans[key] = Span(before.first, last, before.number + mine.size)
    return spans


def read_light(path: Path, spans: Mapping[Key, Span], whole: bool = False) -> Iterator[tuple[Key, Windows]]:
    """Light of these wells of a file, as it comes; `whole` holds all of a table that mixes wells, whatever its size.

    Raises
    ------
    StudyError
        one sentence: file, row, column, what to do
    """
    if path.suffix in HDF5:
        yield from ((key, partial(_read_group, path, key, span)) for key, span in spans.items())
        return
    together = {key for key in spans if key != NOBODY} if whole else _short(spans)
    yield from ((key, partial(_read_windows, path, key, spans[key])) for key in spans if key not in together)
    parts: dict[Key, list[Window]] = {key: [] for key in together}
    for table in _read_tables(path) if parts else ():
        numbers = _numbers(path, table)
        for key, mine in _rows_by_well(path, table):
            if key in parts:
                parts[key].append(_window(numbers, mine))
                if sum(part[0].size for part in parts[key]) == spans[key].number:
                    yield key, partial(iter, [joined(parts.pop(key))])
        if not parts:
            return


def joined(windows: list[Window]) -> Window:
    """All windows as one."""
    seconds, light, field, laser = zip(*windows, strict=True)
    known = [part for part in laser if part is not None]
    return (
        np.concatenate(seconds),
        np.concatenate(light),
        np.concatenate(field),
        np.concatenate(known) if known else None,
    )


def _short(spans: Mapping[Key, Span]) -> set[Key]:
    """Wells to collect while a table is read once: those of one window, if few enough lie open at any row."""
    short = {key: span for key, span in spans.items() if key != NOBODY and span.number <= WINDOW}
    ends = [(span.first, span.number) for span in short.values()]
    ends += [(span.last + 1, -span.number) for span in short.values()]
    return set(short) if max(accumulate(number for _, number in sorted(ends)), default=0) <= HELD else set()


def _read_windows(path: Path, key: Key, span: Span) -> Iterator[Window]:
    """Light of one well, read through its part of the table."""
    for table in _read_tables(path, None, span.first, None if key == NOBODY else span.last):
        numbers = _numbers(path, table)
        if key == NOBODY:
            yield _window(numbers, slice(None))
        else:
            yield from (_window(numbers, mine) for found, mine in _rows_by_well(path, table) if found == key)


def _read_names(path: Path) -> tuple[list[str], int]:
    """Columns of a table, and whether it has rows: their number, or at most one."""
    try:
        if path.suffix == ".csv":
            table = pd.read_csv(path, encoding="utf-8-sig", nrows=1)
            return [str(name) for name in table.columns], len(table)
        with parquet.ParquetFile(path) as file:
            names = [name for name in file.schema_arrow.names if not name.startswith("__index_level_")]
            return names, file.metadata.num_rows
    except (OSError, ValueError) as problem:
        raise StudyError(f"{path}: not readable as a table: {problem}.") from None


def _read_tables(
    path: Path, columns: list[str] | None = None, first: int = 0, last: int | None = None
) -> Iterator[pd.DataFrame]:
    """Rows `first` to `last` of a table in parts; their index counts the rows of the file."""
    try:
        for table in _read_parquet(path, columns, first) if path.suffix == ".parquet" else _read_csv(path, columns):
            if last is not None and table.index[0] > last:
                return
            if table.index[-1] >= first:
                yield table.loc[first:last]
    except (OSError, ValueError) as problem:
        raise StudyError(f"{path}: not readable as a table: {problem}.") from None


def _read_csv(path: Path, columns: list[str] | None) -> Iterator[pd.DataFrame]:
    kinds: Any = dict.fromkeys(KEYS, str)
    with pd.read_csv(
        path, encoding="utf-8-sig", usecols=columns, dtype=kinds, chunksize=WINDOW, low_memory=False
    ) as tables:
        yield from tables


def _read_parquet(path: Path, columns: list[str] | None, first: int) -> Iterator[pd.DataFrame]:
    """Batches of a Parquet table from the row group on that holds the row `first`."""
    names, _ = _read_names(path)
    keys = [key for key in KEYS if key in names]
    with parquet.ParquetFile(path, read_dictionary=keys, pre_buffer=False, buffer_size=BUFFER) as file:
        rows = [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]
        ends = np.cumsum(rows)
        skipped = int(np.searchsorted(ends, first, side="right"))
        start = int(ends[skipped - 1]) if skipped else 0
        groups = list(range(skipped, len(rows)))
        for batch in file.iter_batches(WINDOW, groups, columns or names):
            table = batch.to_pandas(strings_to_categorical=True, ignore_metadata=True)
            table.index = pd.RangeIndex(start, start + len(table))
            start += len(table)
            if len(table):
                yield table


def _rows_by_well(path: Path, table: pd.DataFrame) -> Iterator[tuple[Key, NDArray[np.intp]]]:
    """Rows of each well in a table."""
    codes, labels = {}, {}
    for name in KEYS:
        if name in table:
            found, names = pd.factorize(table[name])
            codes[name] = found.astype(np.int64)
            labels[name] = [*(str(label) for label in names), ""]  # an empty cell has the code -1
        else:
            codes[name], labels[name] = np.zeros(len(table), dtype=np.int64), [""]
    if (codes["well"] < 0).any():
        row = int(table.index[int(np.argmax(codes["well"] < 0))])
        raise StudyError(f"{path}: row {row + 2}: `well` is empty; say whose light it is.")
    both = codes["plate"] * len(labels["well"]) + codes["well"]
    order = np.argsort(both, kind="stable")
    cuts = np.flatnonzero(np.diff(both[order])) + 1
    for mine in np.split(order, cuts):
        yield (labels["plate"][codes["plate"][mine[0]]], labels["well"][codes["well"][mine[0]]]), mine


def _numbers(path: Path, table: pd.DataFrame) -> dict[str, Array]:
    """Channels of a table, if all are numbers."""
    for name in (*CHANNELS, *OPTIONAL):
        if name in table and not pd.api.types.is_numeric_dtype(table[name]):
            raw = table[name]
            bad = raw[pd.to_numeric(raw, errors="coerce").isna() & raw.notna()]
            if len(bad):
                raise StudyError(f"{path}: row {int(bad.index[0]) + 2}: `{name}` is `{bad.iloc[0]}`, not a number; "
                                 "leave it empty where a sample is missing.")  # fmt: skip
    return {name: np.asarray(table[name], dtype=float) for name in (*CHANNELS, *OPTIONAL) if name in table}


def _window(numbers: Mapping[str, Any], rows: Any) -> Window:
    seconds, light, field = (np.asarray(numbers[name][rows], dtype=float) for name in CHANNELS)
    return seconds, light, field, np.asarray(numbers["laser"][rows], dtype=float) if "laser" in numbers else None


def _check_names(path: Path, names: list[str], rows: int) -> None:
    known = (*KEYS, *CHANNELS, *OPTIONAL)
    for name in names:
        if name not in known:
            raise StudyError(f"{path}: unknown column `{name}`.{did_you_mean(name, known)}")
    if not rows:
        raise StudyError(f"{path}: the table has no rows under its header.")
    for name in CHANNELS:
        if name not in names:
            raise StudyError(f"{path}: the column `{name}` is missing; add it.")


def _read_groups(path: Path) -> dict[Key, Span]:
    """Groups of channels in an HDF5 file."""
    spans: dict[Key, Span] = {}

    def look(name: str, item: object) -> None:
        if isinstance(item, h5py.Group) and "light" in item:
            plate, _, well = name.rpartition("/")
            _check_names(path, list(item), item["light"].size)
            for channel in item:
                if item[channel].shape != (item["light"].size,) or item[channel].dtype.kind not in "fiu":
                    raise StudyError(f"{path}: `{name}/{channel}` is not a row of numbers as long as `light`; "
                                     "make them agree.")  # fmt: skip
            spans[plate, well] = Span(0, item["light"].size - 1, item["light"].size)

    try:
        with h5py.File(path, "r") as file:
            look("", file)
            file.visititems(look)
    except (OSError, ValueError) as problem:
        raise StudyError(f"{path}: not readable as a table: {problem}.") from None
    return spans


def _read_group(path: Path, key: Key, span: Span) -> Iterator[Window]:
    """Light of one well in an HDF5 file."""
    try:
        with h5py.File(path, "r") as file:
            group = file["/".join(part for part in key if part) or "/"]
            for first in range(0, span.number, WINDOW):
                yield _window(group, slice(first, first + WINDOW))
    except (OSError, ValueError) as problem:
        raise StudyError(f"{path}: not readable as a table: {problem}.") from None

"""The raw light of a study as it was written: `instrument.toml`, `wells.csv` and the tables in `traces/`.

`wells.csv` says what each well is; a well's samples lie in the file it names, or in any table of `traces/` that holds
the column `well` (and `plate`, if there are several). Tables are CSV, Parquet or HDF5 with the columns `seconds`,
`light`, `field_mt` and, if it was recorded, `laser`; in HDF5 each well is a group of these, named PLATE/WELL or WELL.
"""

from pathlib import Path
from typing import Literal

import h5py
import numpy as np
import pandas as pd
import pydantic

from pbpk.assay.trace import Role, Setup, Trace, Well
from pbpk.errors import StudyError, did_you_mean
from pbpk.reading import Schema, read_rows, read_toml

CHANNELS = ("seconds", "light", "field_mt")
OPTIONAL = ("laser",)
KEYS = ("plate", "well")
KINDS = (".csv", ".parquet", ".h5", ".hdf5")


class InstrumentFile(Schema):
    """`instrument.toml` as written: how the instrument was set for all wells."""

    sampling_hz: float = pydantic.Field(gt=0)
    modulation_hz: float = pydantic.Field(gt=0)
    waveform: Literal["square", "sine"] = "square"
    duty: float = pydantic.Field(default=0.5, gt=0, lt=1)
    full_scale: float | None = pydantic.Field(default=None, gt=0)
    adc_bits: int | None = pydantic.Field(default=None, ge=1, le=64)
    gain: float | None = pydantic.Field(default=None, gt=0)
    excitation_nm: float | None = pydantic.Field(default=None, gt=0)
    mains_hz: Literal[50, 60] = 50


class WellRow(Schema):
    """One row of `wells.csv`."""

    plate: str
    well: str
    role: Role
    matrix: str = "buffer"
    nominal: float | None = pydantic.Field(default=None, ge=0)
    unit: str = ""
    group: str = ""
    animal: str = ""
    organ: str = ""
    hours: float | None = pydantic.Field(default=None, ge=0)
    dilution: float = pydantic.Field(default=1.0, ge=1)
    fraction: float = pydantic.Field(default=1.0, gt=0, le=1)
    file: str = ""

    @pydantic.model_validator(mode="after")
    def _says_what_it_holds(self) -> "WellRow":
        if self.role in ("standard", "qc", "reference_cells", "spike") and self.nominal is None:
            raise ValueError(f"a well of the role `{self.role}` needs `nominal`, what was put in")
        if self.nominal is not None and not self.unit:
            raise ValueError("`nominal` needs its `unit`")
        if self.role == "sample" and not self.organ:
            raise ValueError("a sample needs its `organ`")
        return self


def read_traces(folder: str | Path) -> list[Trace]:
    """Read the light of every well of a study, in the order of `wells.csv`.

    Raises
    ------
    StudyError
        one sentence: file, row, column, what to do
    """
    folder = Path(folder)
    setup = Setup(**read_toml(folder / "instrument.toml", InstrumentFile, StudyError).model_dump())
    rows = read_rows(folder / "wells.csv", WellRow, StudyError)
    seen: set[tuple[str, str]] = set()
    for line, row in enumerate(rows, start=2):
        if (row.plate, row.well) in seen:
            raise StudyError(f"{folder / 'wells.csv'}: row {line}: {row.plate} {row.well} stands twice; keep one.")
        seen.add((row.plate, row.well))
    tables = _read_tables(folder, rows)
    traces = []
    for line, row in enumerate(rows, start=2):
        found = tables.get((row.plate, row.well), tables.get(("", row.well)))
        if found is None:
            raise StudyError(
                f"{folder / 'wells.csv'}: row {line}: no table in traces/ holds the light of {row.plate} {row.well}; "
                "add its samples, or name its file in the column `file`."
            )
        seconds, light, field = (np.asarray(found[name], dtype=float) for name in CHANNELS)
        laser = np.asarray(found["laser"], dtype=float) if "laser" in found else None
        traces.append(Trace(Well(**row.model_dump(exclude={"file"})), setup, seconds, light, field, laser))
    return traces


def _read_tables(folder: Path, rows: list[WellRow]) -> dict[tuple[str, str], pd.DataFrame]:
    """Samples of each (plate, well); plate is "" where a table does not say."""
    found: dict[tuple[str, str], pd.DataFrame] = {}

    def keep(path: Path, key: tuple[str, str], table: pd.DataFrame) -> None:
        if key in found:
            raise StudyError(f"{path}: the well {' '.join(key).strip()} is in another table too; keep one of them.")
        found[key] = table

    named = {row.file: (row.plate, row.well) for row in rows if row.file}
    for name, key in named.items():
        parts = _read_table(folder / "traces" / name)
        if len(parts) > 1:
            raise StudyError(f"{folder / 'traces' / name}: wells.csv names it for {' '.join(key)} but it holds "
                             f"{len(parts)} wells; leave `file` empty.")  # fmt: skip
        ((plate, well), table) = parts.popitem()
        if well not in ("", key[1]) or plate not in ("", key[0]):
            raise StudyError(f"{folder / 'traces' / name}: wells.csv names it for {' '.join(key)} but it holds "
                             f"{plate} {well}; make them agree.")  # fmt: skip
        keep(folder / "traces" / name, key, table)
    for path in sorted((folder / "traces").glob("*")):
        if path.name not in named and path.suffix in KINDS:
            for key, table in _read_table(path).items():
                if key == ("", ""):
                    raise StudyError(f"{path}: it does not say whose light it is; name it in wells.csv, column `file`.")
                keep(path, key, table)
    return found


def _read_table(path: Path) -> dict[tuple[str, str], pd.DataFrame]:
    """Samples in one file, by (plate, well)."""
    if not path.is_file():
        raise StudyError(f"{path}: there is no such file.")
    if path.suffix not in KINDS:
        raise StudyError(f"{path}: a trace is a table of one of these kinds: {', '.join(KINDS)}.")
    try:
        if path.suffix == ".csv":
            table = pd.read_csv(path, encoding="utf-8-sig", dtype=dict.fromkeys(KEYS, str))
        elif path.suffix == ".parquet":
            table = pd.read_parquet(path)
        else:
            return {key: _checked(path, part) for key, part in _read_hdf5(path).items()}
    except (OSError, ValueError, pd.errors.ParserError) as problem:
        raise StudyError(f"{path}: not readable as a table: {problem}.") from None
    table = _checked(path, table)
    if "well" not in table:
        return {("", ""): table}
    plates = table["plate"].astype(str) if "plate" in table else pd.Series("", index=table.index)
    by_well = table.groupby([plates, table["well"].astype(str)], sort=False)
    return {(str(plate), str(well)): part for (plate, well), part in by_well}


def _read_hdf5(path: Path) -> dict[tuple[str, str], pd.DataFrame]:
    """Groups of channels in an HDF5 file, by (plate, well)."""
    found = {}
    with h5py.File(path, "r") as file:

        def look(name: str, item: object) -> None:
            if isinstance(item, h5py.Group) and "light" in item:
                plate, _, well = name.rpartition("/")
                found[(plate, well)] = pd.DataFrame({key: np.asarray(item[key]) for key in item})

        look("", file)
        file.visititems(look)
    return found


def _checked(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    """The table, if its columns are what they should be and all are numbers."""
    known = (*KEYS, *CHANNELS, *OPTIONAL)
    for column in table.columns:
        if column not in known:
            raise StudyError(f"{path}: unknown column `{column}`.{did_you_mean(str(column), known)}")
    if table.empty:
        raise StudyError(f"{path}: the table has no rows under its header.")
    for column in CHANNELS:
        if column not in table:
            raise StudyError(f"{path}: the column `{column}` is missing; add it.")
    for column in (*CHANNELS, *OPTIONAL):
        if column in table and not pd.api.types.is_numeric_dtype(table[column]):
            raw = table[column]
            bad = raw[pd.to_numeric(raw, errors="coerce").isna() & raw.notna()]
            raise StudyError(f"{path}: row {int(bad.index[0]) + 2}: `{column}` is `{bad.iloc[0]}`, not a number; "
                             "leave it empty where a sample is missing.")  # fmt: skip
    return table

"""The wells of a study as they were written: `instrument.toml`, `wells.csv`, and their light in `traces/`.

`wells.csv` says what each well is; a well's samples lie in the file it names, or in any table of `traces/` that holds
the column `well` (and `plate`, if there are several); `windows` says what a table looks like.
Where the light was demodulated before, `amplitudes.csv` with a row per well stands for `instrument.toml` and `traces/`.
"""

import csv
import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
import pydantic

from pbpk.assay.light.amplitude import LOSSES, Amplitude, Reading, Windows, demodulate_windows
from pbpk.assay.light.regression import HARMONICS
from pbpk.assay.light.trace import Role, Setup, Trace, Well
from pbpk.assay.light.windows import KINDS, NOBODY, Key, Span, joined, read_light, read_spans
from pbpk.errors import StudyError, did_you_mean
from pbpk.reading import Schema, read_rows, read_toml

AMPLITUDES = "amplitudes.csv"
BETWEEN = " | "  # sentences in one cell


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


class AmplitudeRow(Schema):
    """One row of `amplitudes.csv`: fields of `Amplitude`, empty where not a number."""

    plate: str
    well: str
    delta: float | None = None
    se: float | None = pydantic.Field(default=None, ge=0)
    df: float | None = pydantic.Field(default=None, gt=0)
    quadrature: float | None = None
    quadrature_se: float | None = pydantic.Field(default=None, ge=0)
    harmonic_1: float | None = None
    harmonic_2: float | None = None
    harmonic_3: float | None = None
    level: float | None = None
    samples: int = pydantic.Field(default=0, ge=0)
    used: int = pydantic.Field(default=0, ge=0)
    lost_clipped: int = pydantic.Field(default=0, ge=0)
    lost_missing: int = pydantic.Field(default=0, ge=0)
    lost_without_laser: int = pydantic.Field(default=0, ge=0)
    lost_dropout: int = pydantic.Field(default=0, ge=0)
    lost_out_of_order: int = pydantic.Field(default=0, ge=0)
    lost_repeated: int = pydantic.Field(default=0, ge=0)
    lost_outlier: int = pydantic.Field(default=0, ge=0)
    flags: str = ""
    notes: str = ""

    @pydantic.model_validator(mode="after")
    def _says_its_doubt(self) -> "AmplitudeRow":
        for name in ("delta", "se", "df"):
            if getattr(self, name) is None and not self.flags:
                raise ValueError(f"`{name}` is missing; add it, or say in `flags` why there is none")
        return self


def read_traces(folder: str | Path) -> list[Trace]:
    """Read the light of every well of a study, in the order of `wells.csv`.

    Raises
    ------
    StudyError
        one sentence: file, row, column, what to do
    """
    traces = {(trace.well.plate, trace.well.well): trace for trace in read_traces_in_turn(folder)}
    return [traces[row.plate, row.well] for row in _read_wells(Path(folder))]


def read_traces_in_turn(folder: str | Path) -> Iterator[Trace]:
    """Read the light of every well of a study one after the other, file by file; none is kept.

    Raises
    ------
    StudyError
        one sentence: file, row, column, what to do
    """
    wells = _read_wells(Path(folder))
    setup = _read_setup(Path(folder))
    for at, windows in _read_light(Path(folder), wells, whole=True):
        seconds, light, field, laser = joined([*windows()])
        yield Trace(_well(wells[at]), setup, seconds, light, field, laser)


def read_amplitudes(
    folder: str | Path, workers: int = 2, follow: Callable[[int, int], None] | None = None
) -> list[Reading]:
    """Read the amplitude of every well of a study, in the order of `wells.csv`: from its light or from its table.

    Light is read in windows and demodulated on `workers` threads, so that a few windows are held and no more; a table
    sorted by time and not by well is held up to 8 million rows. `follow(done, total)` is called after each well.

    Raises
    ------
    StudyError
        one sentence: file, row, column, what to do
    """
    folder = Path(folder)
    wells = _read_wells(folder)
    if (folder / AMPLITUDES).exists():
        if (folder / "traces").exists():
            raise StudyError(
                f"{folder}: it holds {AMPLITUDES} and traces/, which may disagree; remove {AMPLITUDES} to demodulate "
                "the light again, or traces/ to use the table."
            )
        return _read_amplitude_table(folder / AMPLITUDES, wells)
    setup = _read_setup(folder)
    found: dict[int, Reading] = {}
    waiting: deque[tuple[int, Future[Amplitude]]] = deque()

    def take() -> None:
        at, amplitude = waiting.popleft()
        found[at] = Reading(_well(wells[at]), amplitude.result())
        if follow is not None:
            follow(len(found), len(wells))

    with ThreadPoolExecutor(workers) as pool:
        for at, windows in _read_light(folder, wells):
            waiting.append((at, pool.submit(demodulate_windows, _well(wells[at]), setup, windows)))
            if len(waiting) > workers:
                take()
        while waiting:
            take()
    return [found[at] for at in range(len(wells))]


def _well(row: WellRow) -> Well:
    return Well(**row.model_dump(exclude={"file"}))


def _read_setup(folder: Path) -> Setup:
    return Setup(**read_toml(folder / "instrument.toml", InstrumentFile, StudyError).model_dump())


def _read_wells(folder: Path) -> list[WellRow]:
    """Rows of `wells.csv`, each well once."""
    rows = read_rows(folder / "wells.csv", WellRow, StudyError)
    seen: set[Key] = set()
    for line, row in enumerate(rows, start=2):
        if (row.plate, row.well) in seen:
            raise StudyError(f"{folder / 'wells.csv'}: row {line}: {row.plate} {row.well} stands twice; keep one.")
        seen.add((row.plate, row.well))
    return rows


def _read_light(folder: Path, wells: list[WellRow], whole: bool = False) -> Iterator[tuple[int, Windows]]:
    """Place in `wells` and light of each well, in the order of the files."""
    for path, wanted in _read_places(folder, wells).items():
        for key, windows in read_light(path, {key: span for key, (_, span) in wanted.items()}, whole):
            yield wanted[key][0], windows


def _read_places(folder: Path, wells: list[WellRow]) -> dict[Path, dict[Key, tuple[int, Span]]]:
    """Place in `wells` and rows of each well, by file and by how the file names it."""
    found: dict[Key, tuple[Path, Key, Span]] = {}

    def keep(path: Path, key: Key, named: Key, span: Span) -> None:
        if key in found:
            raise StudyError(f"{path}: the well {' '.join(key).strip()} is in another table too; keep one of them.")
        found[key] = path, named, span

    files: dict[str, Key] = {}
    for at, row in enumerate(wells):
        if row.file in files:
            raise StudyError(
                f"{folder / 'wells.csv'}: row {at + 2}: the file `{row.file}` is named for another well too; a file of "
                "several wells has the columns plate and well, and is not named here."
            )
        if row.file:
            files[row.file] = (row.plate, row.well)
    for name, key in files.items():
        path = folder / "traces" / name
        spans = read_spans(path)
        if len(spans) > 1:
            raise StudyError(f"{path}: wells.csv names it for {' '.join(key)} but it holds {len(spans)} wells; "
                             "leave `file` empty.")  # fmt: skip
        ((named, span),) = spans.items()
        if named[1] not in ("", key[1]) or named[0] not in ("", key[0]):
            raise StudyError(f"{path}: wells.csv names it for {' '.join(key)} but it holds {' '.join(named)}; "
                             "make them agree.")  # fmt: skip
        keep(path, key, named, span)
    for path in sorted((folder / "traces").glob("*")):
        if path.name not in files and path.suffix in KINDS:
            for named, span in read_spans(path).items():
                if named == NOBODY:
                    raise StudyError(f"{path}: it does not say whose light it is; name it in wells.csv, column `file`.")
                keep(path, named, named, span)
    places: dict[Path, dict[Key, tuple[int, Span]]] = {}
    for at, row in enumerate(wells):
        place = found.get((row.plate, row.well), found.get(("", row.well)))
        if place is None:
            raise StudyError(
                f"{folder / 'wells.csv'}: row {at + 2}: no table in traces/ holds the light of {row.plate} {row.well}; "
                "add its samples, or name its file in the column `file`."
            )
        path, named, span = place
        if named in places.setdefault(path, {}):
            raise StudyError(f"{path}: wells.csv has {row.well} on several plates and this table does not say which it "
                             "holds; add the plate.")  # fmt: skip
        places[path][named] = at, span
    return places


def write_amplitudes(readings: Iterable[Reading], path: str | Path) -> None:
    """Write amplitudes as the table that `read_amplitudes` reads, exact to the last digit."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(AmplitudeRow.model_fields)
    for reading in readings:
        found = reading.amplitude
        numbers = [
            found.delta,
            found.se,
            found.df,
            found.quadrature,
            found.quadrature_se,
            *found.harmonics,
            found.level,
        ]
        table.writerow(
            [
                *(reading.well.plate, reading.well.well),
                *("" if np.isnan(number) else repr(float(number)) for number in numbers),
                *(found.samples, found.used, *(found.lost.get(reason, 0) for reason in LOSSES)),
                *(BETWEEN.join(found.flags), BETWEEN.join(found.notes)),
            ]
        )
    Path(path).write_text(text.getvalue(), encoding="utf-8")


def _read_amplitude_table(path: Path, wells: list[WellRow]) -> list[Reading]:
    """Amplitudes demodulated before, in the order of `wells`."""
    named = {(row.plate, row.well): _well(row) for row in wells}
    found: dict[Key, Reading] = {}
    for line, row in enumerate(read_rows(path, AmplitudeRow, StudyError), start=2):
        key = row.plate, row.well
        if key not in named:
            near = did_you_mean(" ".join(key), (" ".join(each) for each in named))
            raise StudyError(f"{path}: row {line}: {' '.join(key)} is not in wells.csv; add it there or remove the row."
                             f"{near}")  # fmt: skip
        if key in found:
            raise StudyError(f"{path}: row {line}: {' '.join(key)} stands twice; keep one.")
        found[key] = Reading(named[key], _amplitude(row))
    for line, each in enumerate(wells, start=2):
        if (each.plate, each.well) not in found:
            raise StudyError(f"{path}: it has no row for {each.plate} {each.well}, row {line} of wells.csv; add its "
                             "amplitude, or remove the well.")  # fmt: skip
    return [found[row.plate, row.well] for row in wells]


def _amplitude(row: AmplitudeRow) -> Amplitude:
    def number(name: str) -> float:
        value = getattr(row, name)
        return float("nan") if value is None else value

    return Amplitude(
        delta=number("delta"),
        se=number("se"),
        df=number("df"),
        quadrature=number("quadrature"),
        quadrature_se=number("quadrature_se"),
        harmonics=tuple(number(f"harmonic_{h}") for h in range(1, HARMONICS + 1)),
        level=number("level"),
        samples=row.samples,
        used=row.used,
        lost={reason: getattr(row, f"lost_{reason.replace(' ', '_')}") for reason in LOSSES},
        flags=tuple(row.flags.split(BETWEEN)) if row.flags else (),
        notes=tuple(row.notes.split(BETWEEN)) if row.notes else (),
    )

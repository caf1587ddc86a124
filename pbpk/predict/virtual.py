"""A study that nobody did: virtual animals, their organs on virtual plates, raw light, and the truth behind it.

It answers what an assay and a design could teach before any animal is used, and it tests the whole line: an analysis
of the light must find the truth again. Everything it writes says that it is synthetic.
"""

import csv
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pydantic

from pbpk.assay.doses import DoseRow
from pbpk.assay.light.amplitude import Reading, demodulate_many
from pbpk.assay.light.instrument import Instrument, Truth, simulate_plate
from pbpk.assay.light.trace import Trace, Well
from pbpk.assay.study import Study, StudyFile
from pbpk.body.expansion import read_model
from pbpk.body.library import read_path
from pbpk.body.model import Model
from pbpk.body.solve import Array
from pbpk.dosing import Dose
from pbpk.errors import ScenarioError, did_you_mean
from pbpk.reading import Schema, read_toml

FIELD_STEP_MT = 0.2  # to which the field channel is written


Hours = Annotated[float, pydantic.Field(ge=0)]
Amount = Annotated[float, pydantic.Field(gt=0)]


class VirtualGroup(Schema):
    """Animals dosed alike."""

    name: str
    route: str


class VirtualTruth(Schema):
    """Parameters of the body: a draw from the prior, but for those that are named."""

    seed: int
    parameters: dict[str, float] = pydantic.Field(default_factory=dict)


class VirtualOrgan(Schema):
    """What becomes of an organ: the part of its digest in a well, the part of its label in the digest."""

    fraction: float = pydantic.Field(gt=0, le=1)
    recovery: float = pydantic.Field(gt=0, le=1)


class VirtualPlate(Schema):
    """Controls on every plate; amounts are those in the well."""

    blanks: int = pydantic.Field(ge=2)
    standards_ng: list[Amount] = pydantic.Field(min_length=3)
    standard_wells: int = pydantic.Field(default=2, ge=1)
    qcs_ng: list[Amount]
    qc_wells: int = pydantic.Field(default=2, ge=1)
    reference_cells: list[Amount]
    reference_wells: int = pydantic.Field(default=2, ge=1)
    spikes_ng: float = pydantic.Field(gt=0)
    spike_wells: int = pydantic.Field(default=3, ge=0)


class VirtualFile(Schema):
    """A virtual study as written."""

    title: str
    model: str
    species: str
    label: str
    cell_type: str
    cells: float = pydantic.Field(gt=0)
    viability: float = pydantic.Field(default=1.0, ge=0, le=1)
    hours: list[Hours] = pydantic.Field(min_length=1)
    animals: int = pydantic.Field(ge=1)
    spread: float = pydantic.Field(ge=0)
    misfit: float = pydantic.Field(ge=0)
    load_ng: float = pydantic.Field(gt=0)
    load_cv: float = pydantic.Field(ge=0)
    groups: list[VirtualGroup] = pydantic.Field(min_length=1)
    truth: VirtualTruth
    organs: dict[str, VirtualOrgan] = pydantic.Field(min_length=1)
    plate: VirtualPlate
    instrument: dict[str, float] = pydantic.Field(default_factory=dict)

    @pydantic.model_validator(mode="after")
    def _known_to_the_instrument(self) -> "VirtualFile":
        known = [name for name, value in vars(Instrument()).items() if isinstance(value, int | float)] + ["gain"]
        for name in self.instrument:
            if name not in known:
                raise ValueError(f"instrument.{name} is not a number of the instrument.{did_you_mean(name, known)}")
        for what, given in (("hours", self.hours), ("groups", [group.name for group in self.groups])):
            if len(set(given)) < len(given):
                raise ValueError(f"{what} holds the same twice; keep one")
        return self


@dataclass(frozen=True)
class VirtualStudy:
    """What `imagine` made.

    parameters : of the body, by name; spread and misfit among them
    cells : (row) columns group, animal, organ, hours, percent [% of the dose], cells
    plates : plate -> traces of its wells and the truth of each
    """

    asked: VirtualFile
    seed: int
    parameters: Mapping[str, float]
    cells: pd.DataFrame
    plates: Mapping[str, list[tuple[Trace, Truth]]]


def read_virtual(name: str | Path) -> VirtualFile:
    """Read a virtual study by its file or shipped name.

    Raises
    ------
    ScenarioError
        if there is none, or it does not fit
    """
    return read_toml(read_path("virtual", name, ScenarioError), VirtualFile, ScenarioError)


def imagine(asked: VirtualFile, seed: int = 1) -> VirtualStudy:
    """Make animals, organs, plates and light; the same seed makes the same study.

    Raises
    ------
    ScenarioError
        if an organ, a route or a parameter is unknown to the model
    """
    model = read_model(asked.model, asked.species, asked.label)
    for organ in asked.organs:
        if organ not in model.observed:
            raise ScenarioError(f"virtual study: `{organ}` is not an organ of {model.name}."
                                + did_you_mean(organ, model.observed))  # fmt: skip
    theta = _theta(asked, model)
    animals, plates = np.random.SeedSequence(seed).spawn(2)
    cells = _cells(asked, model, theta, np.random.default_rng(animals))
    instrument = Instrument(**asked.instrument)  # type: ignore[arg-type]
    light = {}
    for organ, child in zip(asked.organs, plates.spawn(len(asked.organs)), strict=True):
        layout, noise = child.spawn(2)
        wells = _wells(asked, organ, cells, np.random.default_rng(layout))
        light[organ] = simulate_plate(wells, instrument, int(noise.generate_state(1)[0]))
    known = dict(zip(model.parameter_names, (float(x) for x in theta), strict=True))
    return VirtualStudy(asked, seed, known | {"spread": asked.spread, "misfit": asked.misfit}, cells, light)


def _theta(asked: VirtualFile, model: Model) -> Array:
    """Parameters of the body (parameter,)."""
    theta = model.draw_prior(1, asked.truth.seed)[0]
    for name, value in asked.truth.parameters.items():
        if name not in model.parameter_names:
            raise ScenarioError(f"virtual study: truth.parameters: `{name}` is not a parameter of {model.name}."
                                + did_you_mean(name, model.parameter_names))  # fmt: skip
        theta[model.parameter_names.index(name)] = value
    return theta


def _cells(asked: VirtualFile, model: Model, theta: Array, rng: np.random.Generator) -> pd.DataFrame:
    """Labelled cells in each organ of each animal, scattered as the likelihood of `infer` says that animals scatter."""
    rows = []
    for group in asked.groups:
        dose = Dose(group.route, 100.0, viability=asked.viability)
        states = model.solve(theta[np.newaxis], [dose], np.array(asked.hours), fidelity="full")[0]
        for h, hours in enumerate(asked.hours):
            for organ in asked.organs:
                percent = float(states[h] @ model.observer(organ, "label"))
                off = asked.misfit * rng.standard_normal()
                for i in range(asked.animals):
                    held = percent * float(np.exp(off + asked.spread * rng.standard_normal()))
                    animal = f"{group.name}-{hours:g}h-{i + 1}"
                    rows.append((group.name, animal, organ, hours, held, asked.cells * held / 100.0))
    return pd.DataFrame(rows, columns=["group", "animal", "organ", "hours", "percent", "cells"])


def _wells(asked: VirtualFile, organ: str, cells: pd.DataFrame, rng: np.random.Generator) -> list[tuple[Well, float]]:
    """Wells of one organ's plate with the label in each [ng], in the order of the plate."""
    plate, fate = asked.plate, asked.organs[organ]
    wells: list[tuple[Well, float]] = []

    def add(role: Any, ng: float, **what: Any) -> None:
        row, column = divmod(len(wells), 12)
        wells.append((Well(organ, f"{chr(ord('A') + row)}{column + 1}", role, organ, **what), ng))

    def load(number: float) -> float:
        """Label of so many cells [ng]: their loads scatter."""
        return asked.load_ng * number * float(1.0 + asked.load_cv / np.sqrt(max(number, 1.0)) * rng.standard_normal())

    for _ in range(plate.blanks):
        add("blank", 0.0)
    for ng in plate.standards_ng:
        for _ in range(plate.standard_wells):
            add("standard", ng, nominal=ng, unit="ng")
    add("carry_over", 0.0)
    for ng in plate.qcs_ng:
        for _ in range(plate.qc_wells):
            add("qc", ng, nominal=ng, unit="ng")
    for number in plate.reference_cells:
        for _ in range(plate.reference_wells):
            add("reference_cells", load(number), nominal=number, unit="cells")
    for _ in range(plate.spike_wells):
        whole = plate.spikes_ng / fate.fraction
        add("spike", plate.spikes_ng * fate.recovery, nominal=whole, unit="ng", fraction=fate.fraction)
    add("laser_off", 0.0)
    for row in cells[cells["organ"] == organ].to_dict("records"):
        ng = load(row["cells"]) * fate.recovery * fate.fraction
        add("sample", max(ng, 0.0), group=row["group"], animal=row["animal"], organ=organ, hours=row["hours"],
            fraction=fate.fraction)  # fmt: skip
    return wells


def as_study(made: VirtualStudy) -> Study:
    """A virtual study as `read_study` would give it, without going through a folder."""
    asked = made.asked
    about = StudyFile.model_validate(tomllib.loads(_study_toml(made)))
    doses = tuple(DoseRow(group=g.name, hours=0.0, cells=asked.cells, route=g.route) for g in asked.groups)
    traces = [trace for pairs in made.plates.values() for trace, _ in pairs]
    amplitudes = demodulate_many(traces)
    readings = tuple(Reading(trace.well, each) for trace, each in zip(traces, amplitudes, strict=True))
    return Study(Path("virtual"), about, doses, (), (), (), {}, readings)


def write_virtual(study: VirtualStudy, folder: Path) -> None:
    """Write a virtual study as a study folder, with its truth beside it in truth.json."""
    asked = study.asked
    (folder / "traces").mkdir(parents=True)
    (folder / "study.toml").write_text(_study_toml(study), encoding="utf-8")
    doses = [{"group": g.name, "hours": 0, "cells": f"{asked.cells:.10g}", "route": g.route} for g in asked.groups]
    _write_csv(folder / "doses.csv", doses)
    wells, setup = [], None
    for plate, pairs in study.plates.items():
        for trace, _ in pairs:
            setup = trace.setup
            well = {k: v for k, v in vars(trace.well).items()}
            wells.append({k: "" if v is None else f"{v:.10g}" if isinstance(v, float) else v for k, v in well.items()})
        _write_traces(folder / "traces" / f"{plate}.parquet", pairs)
    _write_csv(folder / "wells.csv", wells)
    assert setup is not None
    lines = [f"{name} = {json.dumps(getattr(setup, name))}" for name in
             ("sampling_hz", "modulation_hz", "waveform", "duty", "full_scale", "adc_bits")]  # fmt: skip
    lines.append(f"mains_hz = {setup.mains_hz:.0f}")
    (folder / "instrument.toml").write_text("\n".join(["# SYNTHETIC", *lines, ""]), encoding="utf-8")
    truth = {
        "about": "SYNTHETIC: what an analysis of the light must find again",
        "seed": study.seed,
        "parameters": study.parameters,
        "load_ng": asked.load_ng,
        "recovery": {organ: fate.recovery for organ, fate in asked.organs.items()},
        "cells": study.cells.round(6).to_dict("list"),
    }
    (folder / "truth.json").write_text(json.dumps(truth) + "\n", encoding="utf-8")


def _study_toml(study: VirtualStudy) -> str:
    """`study.toml` of a virtual study."""
    asked = study.asked
    groups = "".join(
        f"\n[[groups]]\nname = {json.dumps(g.name, ensure_ascii=False)}\nroute = {json.dumps(g.route)}\n"
        for g in asked.groups
    )
    assumptions = [
        "SYNTHETIC: no animal and no instrument was involved; the light was computed, and its truth is in truth.json.",
        "Each animal gives one value of each organ, at the hour at which it was killed; each organ was digested whole.",
        "Animals scatter about the model as the likelihood of the fit says, each organ by itself, so that coverage can "
        "be judged; the organs of one animal can so sum to more than it was given.",
    ]
    title = asked.title if "SYNTHETIC" in asked.title.upper() else f"SYNTHETIC: {asked.title}"
    return f"""title = {json.dumps(title, ensure_ascii=False)}
kind = "synthetic"
species = {json.dumps(asked.species)}
model = {json.dumps(asked.model)}
label = {json.dumps(asked.label)}
denominator = "dose"
assumptions = {json.dumps(assumptions, indent=4, ensure_ascii=False)}

[product]
cell_type = {json.dumps(asked.cell_type, ensure_ascii=False)}
viability = {asked.viability:g}
{groups}
[[sources]]
key = "virtual"
text = "virtual study of pbpk, seed {study.seed}: synthetic, measured by nobody"
"""


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write_traces(path: Path, pairs: list[tuple[Trace, Truth]]) -> None:
    """One plate's samples as Parquet: readings are whole numbers, and the field is written in steps."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"plate": pa.string(), "well": pa.string(), "seconds": pa.float64(), "light": pa.int32(),
             "field_mt": pa.float32(), "laser": pa.int32()}  # fmt: skip
    schema = pa.schema(kinds)
    parts = []
    for trace, _ in pairs:
        n, lost = trace.seconds.size, ~np.isfinite(trace.light)
        parts.append(pa.table({
            "plate": pa.array([trace.well.plate] * n),
            "well": pa.array([trace.well.well] * n),
            "seconds": trace.seconds,
            "light": pa.array(np.where(lost, 0, trace.light).astype(np.int32), mask=lost),
            "field_mt": (np.round(trace.field / FIELD_STEP_MT) * FIELD_STEP_MT).astype(np.float32),
            "laser": pa.nulls(n, pa.int32()) if trace.laser is None else np.round(trace.laser).astype(np.int32),
        }, schema=schema))  # fmt: skip
    # whole pages let the compressor see that all wells have the same clock
    pq.write_table(
        pa.concat_tables(parts), path, compression="zstd", compression_level=19, data_page_size=2**26,
        use_dictionary=["plate", "well", "field_mt"],
        column_encoding={"seconds": "PLAIN", "light": "DELTA_BINARY_PACKED", "laser": "DELTA_BINARY_PACKED"},
    )  # fmt: skip

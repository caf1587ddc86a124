"""What is kept of each subject: rows in Parquet, one folder a scenario, and all curves in Zarr if they are wanted."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pbpk.predict.population.blocks import Block, Plan
from pbpk.predict.population.gather import Take
from pbpk.predict.population.people import BLOCK

TOGETHER = 16  # blocks in a file
DIMENSIONS = ("subject", "hours", "organ", "state")


@contextmanager
def write_subjects(plan: Plan, folder: Path) -> Iterator[Take]:
    """Write what every block holds of its subjects as it is handed over.

    folder/subjects/scenario=NAME/part-00000.parquet : subject, body_weight_g, sex, draw, dose, dose_got, one column for
        each endpoint; folder/curves.zarr/NAME : (subject, hours, organ, state), a chunk for each block, xarray opens it
    """
    inside = folder / "subjects" / f"scenario={plan.scenario.name}"
    inside.mkdir(parents=True)
    curves = _write_frame(plan, folder / "curves.zarr") if plan.curves else None
    waiting: list[pa.Table] = []

    def flush(number: int) -> None:
        if waiting:
            pq.write_table(pa.concat_tables(waiting), inside / f"part-{number // TOGETHER:05d}.parquet")
            waiting.clear()

    def take(block: Block) -> None:
        waiting.append(_rows(plan, block))
        if curves is not None:
            curves[block.number * BLOCK : block.number * BLOCK + len(block.curves)] = block.curves
        if (block.number + 1) % TOGETHER == 0:
            flush(block.number)

    yield take
    flush(plan.blocks - 1)


def _rows(plan: Plan, block: Block) -> pa.Table:
    """One row for each subject."""
    columns: dict[str, Any] = dict(block.subjects)
    columns |= {str(each): block.endpoints[:, i] for i, each in enumerate(plan.endpoints)}
    return pa.table(columns)


def _write_frame(plan: Plan, path: Path) -> Any:
    """Make the array of all curves of a scenario, empty, with its coordinates."""
    import zarr  # not needed where curves are not kept

    hours = plan.hours[plan.told]
    shape = (plan.size, hours.size, len(plan.organs), len(plan.states))
    group = zarr.open_group(path, mode="a", zarr_format=2).create_group(plan.scenario.name)
    named = {"hours": hours, "organ": np.array(plan.organs), "state": np.array(plan.states)}
    for name, values in named.items():
        held = group.create_array(name, shape=values.shape, dtype=values.dtype)
        held[:] = values
        held.attrs["_ARRAY_DIMENSIONS"] = [name]
    group["hours"].attrs["units"] = "h"
    array = group.create_array("amount", shape=shape, chunks=(min(BLOCK, plan.size), *shape[1:]), dtype=np.float32)
    array.attrs["_ARRAY_DIMENSIONS"] = list(DIMENSIONS)
    return array

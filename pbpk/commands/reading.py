"""A study as every command reads it: with a bar while its light is read."""

from pathlib import Path

from pbpk.assay.study import Study, read_study
from pbpk.terminal import progress


def read_with_bar(folder: str | Path) -> Study:
    """Study, with a bar where somebody is looking; errors are those of `read_study`."""
    with progress() as follow:
        return read_study(folder, lambda done, total: follow("reading light", done, total, 0))

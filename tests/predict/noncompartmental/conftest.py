"""Data sets with known answers."""

import csv
from pathlib import Path

import numpy as np
import pytest

ORACLES = Path(__file__).with_name("oracles")


@pytest.fixture(scope="session")
def read_oracle():
    """Rows of one of the tables, with numbers where they are numbers."""

    def read(name):
        with (ORACLES / f"{name}.csv").open(encoding="utf-8") as file:
            return [{key: _number(value) for key, value in row.items()} for row in csv.DictReader(file)]

    return read


def _number(text):
    try:
        return float(text) if text else np.nan
    except ValueError:
        return text

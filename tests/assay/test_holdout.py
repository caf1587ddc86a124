"""Values taken out of a study: whole animals, rows and readings alike, and nothing else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pbpk.assay.counts import count_cells
from pbpk.assay.holdout import apart, units_of, without
from pbpk.assay.study import read_study
from pbpk.errors import StudyError

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def khot():
    return count_cells(read_study(DATA / "khot_2019_t_cells_mouse"))


@pytest.fixture(scope="module")
def lit():
    return count_cells(read_study(DATA / "synthetic_fnd_mouse"))


def test_where_no_animal_is_known_a_group_at_an_hour_is_one(khot):
    table, units = khot.table, units_of(khot)
    assert len(units) == len(table)
    assert set(units) == {f"iv at {hour:g} h" for hour in table["hours"]}
    assert all(unit == f"{row.group} at {row.hours:g} h" for unit, row in zip(units, table.itertuples(), strict=True))


def test_an_animal_is_one_on_all_its_occasions(khot):
    animals = np.where(np.arange(len(khot.table)) % 2, "7", "7, occasion 2")
    assert set(units_of(replace(khot, table=khot.table.assign(animal=animals)))) == {"iv: 7"}


def test_rows_are_dropped_and_counted_again(khot):
    left = without(khot, ["iv at 24 h"])
    kept = khot.table[khot.table["hours"] != 24.0].reset_index(drop=True)
    assert left.table.equals(kept)
    assert left.study is khot.study


def test_readings_go_with_their_rows(lit):
    """Each reading that is left tells the amount that its row holds."""
    assert lit.signals is not None
    units = units_of(lit)
    out = sorted(set(units.tolist()))[:3]
    left = without(lit, out)
    assert len(left.signals.rows) == np.isin(units[lit.signals.rows], out, invert=True).sum()
    amount, _, _ = left.signals.estimates()
    assert left.table["percent"].to_numpy()[left.signals.rows] == pytest.approx(amount, rel=1e-12)
    assert left.signals.shared is lit.signals.shared  # the controls are no animal's
    names = [(o.group, o.animal) for o in left.quantified.organs]
    assert not {f"{group}: {animal}" for group, animal in names} & set(out)
    assert len(names) == len(left.signals.rows)


def test_what_is_no_unit_is_said(khot):
    with pytest.raises(StudyError, match=r"nothing was measured of `iv at 25 h`\. Did you mean `iv at "):
        without(khot, ["iv at 25 h"])
    with pytest.raises(StudyError, match="no value would be left; leave fewer animals out"):
        without(khot, units_of(khot).tolist())


def test_an_hour_is_one_for_all_its_animals(khot):
    """Animals are left out with all others of their group and hour."""
    table = khot.table.assign(animal=[f"m{i % 3}" for i in range(len(khot.table))])
    counts = replace(khot, table=table)
    assert set(units_of(counts, "hour")) == {f"iv at {hour:g} h" for hour in table["hours"]}
    left = without(counts, ["iv at 24 h"], "hour")
    assert left.table.equals(table[table["hours"] != 24.0].reset_index(drop=True))
    with pytest.raises(StudyError, match="leave fewer hours out"):
        without(counts, set(units_of(counts, "hour")), "hour")


def test_hours_are_apart_where_animals_share_them_and_animals_where_they_do_not(khot):
    """What tells of a unit but through the model is what else is seen in its organ at its hour."""
    table = khot.table.reset_index(drop=True)
    assert apart(khot) == "animal"  # a mean stands alone in its cell
    twice = pd.concat([table.assign(animal="a"), table.assign(animal="b")], ignore_index=True)
    assert apart(replace(khot, table=twice)) == "hour"
    own = twice.assign(hours=twice["hours"] + 0.01 * (twice["animal"] == "b"))
    assert apart(replace(khot, table=own)) == "animal"  # each bled at times of its own
    once = twice[twice["hours"] == 24.0].reset_index(drop=True)
    assert apart(replace(khot, table=once)) == "animal"  # without other hours nothing would be left
    groups = pd.concat([once, once.assign(group="ia")], ignore_index=True)
    assert apart(replace(khot, table=groups)) == "hour"

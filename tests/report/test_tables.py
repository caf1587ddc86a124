from types import SimpleNamespace

import pytest

from pbpk.assay.doses import DoseRow
from pbpk.report import tables
from pbpk.report.references import references


def test_every_parameter_is_in_the_table(khot):
    table = tables.parameters_table(khot, references(khot))
    names = [str(row[0]).removeprefix("<code>").removesuffix("</code>") for row in table.rows]
    assert names == list(khot.parameters["parameter"])


def test_all_tables_are_rectangles(khot, zhuang, patients):
    for run in (khot, zhuang, patients):
        known = references(run)
        made = [tables.groups_table(run), tables.design_table(run), tables.arrows_table(run), tables.checks_table(run)]
        made += [tables.animal_table(run, known), tables.parameters_table(run, known)]
        made += [tables.predictions_table(run, known), tables.exposure_table(run), tables.convergence_table(run)]
        for table in made:
            assert table.rows
            assert len(table.align) == len(table.head)
            assert {len(row) for row in table.rows} == {len(table.head)}


def test_what_never_changes_is_told_once(khot, zhuang):
    once = tables.predictions_table(khot, {})
    assert "unit: % of the dose" in once.caption
    assert "Unit" not in once.head
    assert "Unit" in tables.predictions_table(zhuang, {}).head


def test_animals_that_nobody_counted_are_not_invented(zhuang, khot):
    assert {row[-1] for row in tables.design_table(zhuang).rows} == {"not stated"}
    assert {row[-1] for row in tables.design_table(khot).rows} == {"3"}


def test_values_ranges_and_limits_are_told_apart():
    nan = float("nan")
    assert tables.observed({"value": 1.0, "low": nan, "high": nan}) == "1.00"
    assert tables.observed({"value": nan, "low": 0.0, "high": 70.0}) == "0 to 70.0"
    assert tables.observed({"value": nan, "low": nan, "high": nan}) == tables.LIMITED


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"cells": 1e6}, "1.00 × 10⁶ cells at 0 h, bolus"),
        ({"cells": 1e6, "duration_min": 10.0}, "1.00 × 10⁶ cells at 0 h over 10.0 min"),
        ({"amount": 6.0, "unit": "mg", "rate_per_h": 2.0}, "6.00 mg at 0 h at 2.00 mg/h"),
        ({"cells": 5.0, "addl": 2, "interval_h": 24.0}, "5.00 cells at 0 h, bolus, 2 more every 24 h"),
        ({"cells": 5.0, "ss": 1, "interval_h": 24.0}, "5.00 cells at 0 h, bolus, at steady state every 24 h"),
        ({"rate_per_h": 2.0, "unit": "mg", "ss": 1}, "infused since ever at 2.00 mg/h until 0 h"),
        ({"cells": 5.0, "lag_h": 1.0, "bioavailability": 0.5},
         "5.00 cells at 0 h, bolus, after a lag of 1 h, of which 50.0 % is available"),
        ({"cells": 5.0, "reset": True}, "5.00 cells at 0 h, bolus, the animal emptied before"),
        ({"reset": True}, "emptied at 0 h"),
        ({}, "amount not stated at 0 h, bolus"),
    ],
)  # fmt: skip
def test_a_dose_is_told_in_words(khot, fields, words):
    rows = [DoseRow(**{"group": "iv", "animal": animal, "hours": 0.0, "route": "iv", **fields}) for animal in "ab"]
    study = SimpleNamespace(about=khot.study.about, doses=tuple(rows), hashes={})
    run = SimpleNamespace(study=study, name="khot")
    assert tables.groups_table(run).rows[0][2] == f"{words} (animals a, b)"

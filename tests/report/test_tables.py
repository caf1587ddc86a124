import pytest

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


@pytest.mark.parametrize(
    ("unit", "words"), [("cells", "of the 1.00 × 10⁶ cells given"), ("percent of dose", "of the dose")]
)
def test_a_scenario_says_what_its_percent_is_of(khot, unit, words):
    part = khot.forecast[khot.forecast["scenario"] == "s0"].assign(unit=unit)
    table = tables.scenario_table(part)
    assert words in table.caption
    assert len(table.rows) == 7
    assert len(table.head) == 1 + 3 * 2


def test_values_ranges_and_limits_are_told_apart():
    nan = float("nan")
    assert tables.observed({"value": 1.0, "low": nan, "high": nan}) == "1.00"
    assert tables.observed({"value": nan, "low": 0.0, "high": 70.0}) == "0 to 70.0"
    assert tables.observed({"value": nan, "low": nan, "high": nan}) == tables.LIMITED

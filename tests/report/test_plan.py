"""The page of the next study: every animal is drawn, every design told."""

import pytest

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.infer.matched.joint import join
from pbpk.predict.planned_study import from_study, plan_study
from pbpk.predict.record import model_of
from pbpk.report.plan import (
    contraction_figure,
    design_table,
    plan_html,
    quantities_table,
    ranking_table,
    timeline_figure,
)


@pytest.fixture(scope="module")
def plan():
    study = read_study("data/khot_2019_t_cells_mouse")
    joint = join(model_of(study), count_cells(study))
    return plan_study(from_study(joint, draws=1), "alive_lung,residence liver live", animals=6, hours=(1.0, 6.0, 24.0))


def test_every_hour_is_a_dot_with_its_animals(plan):
    (axes,) = timeline_figure(plan).axes
    assert sum(len(each.get_offsets()) for each in axes.collections) == len(plan.timeline)
    assert sorted(int(text.get_text()) for text in axes.texts) == sorted(plan.timeline["animals"])


def test_every_design_has_its_mark_for_every_quantity(plan):
    (axes,) = contraction_figure(plan).axes
    marks = [line for line in axes.lines if line.get_marker() not in ("None", None, "")]
    assert len(marks) == len(plan.quantities)
    assert sorted(line.get_xdata()[0] for line in marks) == pytest.approx(sorted(plan.quantities["contraction"]))


def test_tables_hold_all(plan):
    assert sum(row[2] for row in design_table(plan.design).rows) == 6
    assert len(quantities_table(plan).rows) == 2
    assert len(ranking_table(plan.ranking).rows) == 3
    for table in (design_table(plan.design), quantities_table(plan), ranking_table(plan.ranking)):
        assert {len(row) for row in table.rows} == {len(table.head)} == {len(table.align)}


def test_the_page_escapes(plan):
    page = plan_html(plan, ("Kill <b>none</b> at 1e-05 h",))
    assert "Kill &lt;b&gt;none" in page
    assert "10⁻⁵" in page

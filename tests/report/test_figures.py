import pytest

from pbpk.report import figures


def panels(figure):
    return [axes for axes in figure.axes if axes.axison]


def test_one_panel_for_each_organ(khot):
    figure = figures.fit_figure(khot)
    assert {axes.get_title(loc="left") for axes in panels(figure)} == set(khot.joint.counts.table["organ"])


def test_groups_have_their_own_panels(zhuang):
    titles = [axes.get_title(loc="left") for axes in panels(figures.fit_figure(zhuang))]
    assert titles == [
        "lung\niv",
        "kidney left\nportal_injured",
        "kidney right\nportal_injured",
        "kidney\nportal_injured",
    ]


def test_a_range_from_zero_is_not_lost_on_a_logarithmic_axis(patients):
    for figure in (figures.fit_figure(patients), figures.observed_predicted_figure(patients)):
        for axes in panels(figure):
            low, high = axes.get_ylim()
            assert low < high
            assert axes.get_yscale() == "linear" or low > 0.0


def test_one_panel_for_each_reading(khot, zhuang):
    assert len(panels(figures.observed_predicted_figure(khot))) == 1
    assert len(panels(figures.observed_predicted_figure(zhuang))) == 2


def test_every_free_parameter_has_its_line(khot):
    (axes,) = panels(figures.parameters_figure(khot))
    free = [parameter.name for parameter in khot.joint.estimated if not parameter.prior.is_fixed]
    assert [label.get_text() for label in axes.get_yticklabels()] == free


def test_one_scenario_fills_a_grid(khot):
    part = khot.forecast[khot.forecast["scenario"] == "s0"]
    found = panels(figures.scenario_figure(part, "A $title$"))
    assert len(found) == 7
    assert all(axes.get_xscale() == axes.get_yscale() == "log" for axes in found)
    assert all(len(axes.lines) == len(axes.collections) == 2 for axes in found)


@pytest.mark.parametrize("scenarios", [2, 8])
def test_scenarios_are_rows_and_organs_columns(make_run, scenarios):
    forecast = make_run("khot_2019_t_cells_mouse", scenarios=scenarios).forecast
    assert len(panels(figures.scenario_figure(forecast, "all"))) == 7 * scenarios


def test_an_organ_that_holds_nothing_is_not_drawn(khot):
    part = khot.forecast[khot.forecast["scenario"] == "s0"].copy()
    part.loc[part["organ"] == "rest", ["mean", "q2.5", "q50", "q97.5"]] = 1.0
    assert "rest" not in {axes.get_title(loc="left") for axes in panels(figures.scenario_figure(part, ""))}


def test_bars_stack_organs_and_states(khot):
    (axes,) = panels(figures.scenario_bars_figure(khot.forecast))
    assert len(axes.patches) == 2 * 3 * 7 * 2
    assert sum(patch.get_hatch() is not None for patch in axes.patches) == len(axes.patches) / 2
    assert any("(hypothesis)" in text.get_text() for text in axes.texts)

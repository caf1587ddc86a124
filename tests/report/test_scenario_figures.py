"""Figures of answers: every scenario and organ where it belongs, hours without data shaded, ratios by organ."""

import pytest

from pbpk.body.species import read_species
from pbpk.predict.contrast import contrast_scenarios
from pbpk.predict.origin import read_prior, simulate
from pbpk.predict.scenario import read_scenarios
from pbpk.report import scenario_figures


def panels(figure):
    return [axes for axes in figure.axes if axes.axison]


def test_one_scenario_fills_a_grid(khot):
    part = khot.forecast[khot.forecast["scenario"] == "s0"]
    found = panels(scenario_figures.scenario_figure(part, "A $title$"))
    assert len(found) == 7
    assert all(axes.get_xscale() == axes.get_yscale() == "log" for axes in found)
    assert all(len(axes.lines) == len(axes.collections) == 2 for axes in found)


@pytest.mark.parametrize("scenarios", [2, 8])
def test_scenarios_are_rows_and_organs_columns(make_run, scenarios):
    forecast = make_run("khot_2019_t_cells_mouse", scenarios=scenarios).forecast
    assert len(panels(scenario_figures.scenario_figure(forecast, "all"))) == 7 * scenarios


def test_an_organ_that_holds_nothing_is_not_drawn(khot):
    part = khot.forecast[khot.forecast["scenario"] == "s0"].copy()
    part.loc[part["organ"] == "rest", ["mean", "q2.5", "q50", "q97.5"]] = 1.0
    assert "rest" not in {axes.get_title(loc="left") for axes in panels(scenario_figures.scenario_figure(part, ""))}


def test_bars_stack_organs_and_states(khot):
    (axes,) = panels(scenario_figures.scenario_bars_figure(khot.forecast))
    assert len(axes.patches) == 2 * 3 * 7 * 2
    assert sum(patch.get_hatch() is not None for patch in axes.patches) == len(axes.patches) / 2
    assert any("(hypothesis)" in text.get_text() for text in axes.texts)


def test_hours_after_the_last_value_are_shaded(khot):
    part = khot.forecast[khot.forecast["scenario"] == "s0"].copy()
    part["beyond"] = ""
    before = [len(axes.patches) for axes in panels(scenario_figures.scenario_figure(part, ""))]
    part.loc[part["hours"] > 48.0, "beyond"] = "hours"
    after = panels(scenario_figures.scenario_figure(part, ""))
    assert [len(axes.patches) - n for axes, n in zip(after, before, strict=True)] == [1] * len(before)
    assert after[0].patches[-1].get_x() == pytest.approx(part.loc[part["hours"] <= 48.0, "hours"].max())


def test_a_ratio_for_each_organ_state_and_scenario():
    prior = read_prior("msc", read_species("mouse"), "FND", draws=20)
    asked = [each for each in read_scenarios() if each.name in ("iv_bolus", "portal_vein")]
    contrasts = contrast_scenarios(simulate(prior, asked))
    figure = scenario_figures.contrast_figure(contrasts)
    live, label = panels(figure)
    areas = contrasts[(contrasts["endpoint"] == "AUC") & (contrasts["ratio"] > 0)]
    larger = areas[["value", "value_against"]].max(axis=1)
    shown = areas[(areas["state"] == "live") & (larger > 1e-3 * larger.max())]
    assert sum(line.get_marker() == "o" for line in live.lines) == len(shown)
    assert live.get_xscale() == label.get_xscale() == "log"


def test_a_stack_holds_all_that_was_given(khot):
    (axes,) = scenario_figures.stack_figure(khot.forecast, "s0").axes
    first = khot.forecast.query("scenario == 's0' and state == 'total'").groupby("hours")[["mean", "dose_cells"]].sum()
    share = 100.0 * first["mean"] / khot.forecast["dose_cells"].iloc[0]
    top = max(path.vertices[:, 1].max() for each in axes.collections for path in each.get_paths())
    assert top == pytest.approx(share[share.index > 0].max(), rel=0.01)
    assert {each.get_hatch() for each in axes.collections} == {"/////", None}

from parsed import parsed

from pbpk.report.scenario_page import write_scenario_page


def test_scenarios_alone_make_a_page(khot, tmp_path):
    path = write_scenario_page(khot.forecast, "the prior of <b>", tmp_path / "scenarios.html")
    page = path.read_text()
    parsed(page)
    assert "the prior of &lt;b&gt;" in page
    assert page.count("<svg") == 3 + 2 * 2  # each with its stack and its body
    assert "read it as a hypothesis" in page


def test_more_than_was_given_is_told(khot, tmp_path):
    forecast = khot.forecast.copy()
    calm = write_scenario_page(forecast.assign(mean=forecast["mean"] / 2), "x", tmp_path / "a.html").read_text()
    assert "which cannot be" not in calm
    wild = write_scenario_page(forecast.assign(mean=forecast["mean"] * 3), "x", tmp_path / "b.html").read_text()
    assert "which cannot be" in wild

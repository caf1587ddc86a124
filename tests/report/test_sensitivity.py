"""Figures of a sensitivity analysis: every endpoint a panel, the largest first, names apart."""

import numpy as np
import pandas as pd
import pytest

from pbpk.report import sensitivity

NAMES = [f"parameter_{i}" for i in range(20)]


@pytest.fixture
def tables():
    rng = np.random.default_rng(1)
    keys = pd.DataFrame([(endpoint, name) for endpoint in ("AUC liver", "Cmax $lung$") for name in NAMES],
                        columns=["endpoint", "parameter"])  # fmt: skip
    size = np.tile(np.linspace(1.0, 0.0, 20), 2)
    local = keys.assign(coefficient=size, least=size - 0.1, most=size + 0.1, per_log_odds=np.nan, variance_share=0.05,
                        grade=["high" if x >= 0.5 else "negligible" for x in size])  # fmt: skip
    morris = keys.assign(mu_star=size, mu_star_low=size * 0.9, mu_star_high=size * 1.1, mu=size,
                         sigma=0.01 * rng.uniform(size=40), evaluations=100)  # fmt: skip
    sobol = keys.assign(first=size / 12, first_low=0.0, first_high=0.1, total=size / 10, total_low=0.0, total_high=0.12,
                        evaluations=100, flag="")  # fmt: skip
    return {"local": local, "morris": morris, "sobol": sobol}


@pytest.mark.parametrize(("name", "draw"), [("local", "tornado"), ("morris", "morris"), ("sobol", "sobol")])
def test_a_panel_for_each_endpoint(tables, name, draw):
    figure = getattr(sensitivity, f"{draw}_figure")(tables[name])
    assert len([axes for axes in figure.axes if axes.axison]) == 2


def test_a_tornado_has_its_largest_on_top(tables):
    axes = sensitivity.tornado_figure(tables["local"]).axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == NAMES[: sensitivity.MOST]
    low, high = axes.get_ylim()
    assert low > high


def test_names_in_the_plane_keep_their_distance(tables):
    axes = sensitivity.morris_figure(tables["morris"]).axes[0]
    heights = sorted(text.get_position()[1] for text in axes.texts)
    top = axes.get_ylim()[1]
    assert len(heights) == sensitivity.NAMED
    assert np.diff(heights).min() >= 0.0749 * top
    assert heights[-1] <= top


def test_the_largest_are_in_the_tables(tables):
    for name, table in tables.items():
        found = sensitivity.sensitivity_table(name, table)
        assert len(found.rows) == 2 * sensitivity.MOST
        assert len(found.head) == len(found.rows[0]) == len(found.align)


def test_the_page_tells_and_escapes(tables):
    page = sensitivity.sensitivity_html(tables, ("`a` decides <b>",), "IV & <i>")
    assert "IV &amp; &lt;i&gt;" in page
    assert "decides &lt;b&gt;" in page

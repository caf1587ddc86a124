"""The figure and the page of a comparison: every number of the table is there, and what cannot be trusted is marked."""

import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from pbpk.infer.comparison.compare import COLUMNS, Comparison
from pbpk.report.comparison import comparison_figure, comparison_table, write_comparison_page

MODELS = ["msc:no_release", "msc", "msc:no_label_transfer", "msc:loss_in_lung_only"]


@pytest.fixture
def comparison():
    rng = np.random.default_rng(2)
    units = [f"iv: m{i}" for i in range(8)]
    off = np.array([0.0, -0.3, -2.0])[:, np.newaxis] + rng.normal(0.0, 0.4, (3, 8)) * [[0.0], [1.0], [1.0]]
    off = np.concatenate([off, np.full((1, 8), -np.inf)])
    elpd = -12.0 + off
    each = pd.DataFrame([
        {"model": model, "unit": unit, "elpd": elpd[m, u], "difference": off[m, u],
         "k": 0.9 if u < 2 and m == 1 else 0.2,
         "refitted": u == 0 and m == 1, "doubtful": u == 1 and m == 1}
        for m, model in enumerate(MODELS) for u, unit in enumerate(units)
    ])  # fmt: skip
    se = [np.sqrt(8 * row.var(ddof=1)) if np.isfinite(row).all() else np.nan for row in off]
    rows = [
        (model, f"says <{model}>", elpd[m].sum(), se[m], off[m].sum(), se[m], 6.1, 2 * (m == 1), int(m == 1),
         (0.7, 0.3, 0.0, 0.0)[m], m != 2, (0.0, 0.4, 2.2, np.inf)[m],
         ("best", "as well", "leaning against", "ruled out")[m])
        for m, model in enumerate(MODELS)
    ]  # fmt: skip
    return Comparison(pd.DataFrame(rows, columns=COLUMNS), each, ("no_release & co: the data do not choose.",))


def test_each_model_has_its_row_its_bar_and_its_weight(comparison):
    figure = comparison_figure(comparison)
    FigureCanvasAgg(figure).draw()
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == MODELS
    table = comparison.table
    bars = [line for line in left.lines if len(line.get_xdata()) == 2 and line.get_linewidth() == 1.5]
    for line, row in zip(bars, table.to_dict("records")[:3], strict=True):
        reach = 2.0 * row["difference_se"]
        assert line.get_xdata() == pytest.approx([row["difference"] - reach, row["difference"] + reach])
    assert [patch.get_width() for patch in right.patches] == table["weight"].tolist()
    assert "ruled out" in [text.get_text() for text in left.texts]
    assert [text.get_text() for text in figure.legends[0].texts][2:] == ["not to be trusted", "chains disagree"]


def test_the_table_says_what_is_not_a_number_in_words(comparison):
    rows = comparison_table(comparison).rows
    assert rows[0][4:6] == ["0.0", "–"]
    assert rows[3][2] == "−∞"
    assert rows[1][7:9] == ["2", "1"]
    assert [row[10] for row in rows] == ["yes", "yes", "no", "yes"]
    assert [row[11] for row in rows] == ["–", "0.4", "2.2", "∞"]
    assert [row[12] for row in rows] == ["best", "as well", "leaning against", "ruled out"]


def test_the_page_holds_it_all_and_is_the_same_each_time(comparison, tmp_path):
    page, again = (
        write_comparison_page(comparison, "Models of a <study>", tmp_path / name) for name in ("a.html", "b.html")
    )
    text = page.read_text()
    assert page.read_bytes() == again.read_bytes()
    assert "Models of a &lt;study&gt;" in text
    assert "no_release &amp; co: the data do not choose." in text
    assert "says &lt;msc&gt;" in text
    for unit in comparison.by_unit["unit"]:
        assert unit in text
    assert not re.search(r"(src|href)=\"https?:", text)
    doubtful = next(row for row in re.findall(r"<tr>.*?</tr>", text, re.DOTALL) if "iv: m1<" in row)
    assert '<td class="l">msc</td>' in doubtful

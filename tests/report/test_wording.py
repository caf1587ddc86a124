import numpy as np
import pandas as pd
import pytest

from pbpk.report.wording import counted, interval, listed, number, span, summary


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (1.0, "1.00"), (-2.5, "−2.50"), (0.0099996, "0.0100"), (99.96, "100"), (999.6, "1 000"),
        (123456.0, "123 000"), (1e6, "1.00 × 10⁶"), (9.999e-5, "1.00 × 10⁻⁴"), (float("nan"), "–"), (None, "–"),
        (pd.NA, "–"), (float("inf"), "∞"),
    ],
)  # fmt: skip
def test_a_number_has_three_digits(value, text):
    assert number(value) == text


@pytest.mark.parametrize("value", np.geomspace(1e-9, 1e12, 211))
def test_a_number_reads_back_to_three_digits(value):
    text = number(value).replace(" × 10", "e").replace(" ", "").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    assert float(text) == pytest.approx(value, rel=5.1e-3)


def test_words():
    assert interval(float("nan"), 1.0) == "–"
    assert (listed([]), listed(["a"]), listed(["a", "b"])) == ("–", "a", "a and b")
    assert (counted(0, "value"), counted(1, "row"), counted(2, "axis", "axes")) == ("0 values", "1 row", "2 axes")
    assert [span(h) for h in (1 / 60, 1.5, 36, 72, 336)] == ["1 min", "1.5 h", "36 h", "3 d", "14 d"]


def test_the_summary_counts_what_the_tables_hold(khot):
    text = " ".join(sentence for sentence, _ in summary(khot))
    inside = khot.predictions["inside"].dropna().astype(bool)
    assert f"{inside.sum()} of {len(inside)} values lie inside" in text
    ratio = khot.predictions["value"] / khot.predictions["q50"]
    assert f"of {int(ratio.between(0.5, 2.0).sum())} of 40 single values" in text
    assert "1.004" in text
    assert "peak" not in text
    assert "label is highest in the liver" in text


def test_the_summary_says_when_the_denominator_is_unknown(zhuang, khot):
    assert any("0.63" in sentence and "recovered" in sentence for sentence, _ in summary(zhuang))
    assert not any("percent of;" in sentence for sentence, _ in summary(khot))

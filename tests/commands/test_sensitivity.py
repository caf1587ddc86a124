"""Sensitivity from the command line."""

import pandas as pd
import pytest
from saying import say

ASKED = ["sensitivity", "msc", "iv_bolus", "--label", "FND"]


def test_all_methods_are_said_and_written(tmp_path):
    out = tmp_path / "sens"
    said = say(*ASKED, "--of", "residence liver live, Cmax lung live", "--samples", "64", "--out", out)
    assert said.code == 0, said.err
    for words in ("over the prior", "have high coefficients", "Of the variance of ln", "sensitivity.html"):
        assert words in said.out
    for name, column in (("local", "grade"), ("morris", "mu_star"), ("sobol", "total")):
        table = pd.read_csv(out / f"{name}.csv")
        assert column in table
        assert set(table["endpoint"]) == {"residence liver live", "Cmax lung live"}
    assert (out / "sensitivity.html").read_text().count("<svg") == 3
    assert say(*ASKED, "--out", out).code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--methods", "sobel"], "Did you mean `sobol`"),
        (["--over", "posteriors"], "Did you mean `posterior`"),
        (["--of", "AUC livr live"], "Did you mean `liver`"),
        (["--samples", "100"], "no power of two"),
        (["--of", "liver"], "write a measure"),
    ],
)
def test_a_mistake_is_one_sentence(words, said):
    found = say(*ASKED, *words)
    assert found.code == 2
    assert said in found.err
    assert "Traceback" not in found.err

"""The complete whole-body study, fitted as it ships: what the fit must reproduce.

Khot 2019 print areas under the curves with their errors. The fit sees the values that were read from the figure, never
these areas.
"""

from pathlib import Path

import pytest

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.infer.draws.fit import fit
from pbpk.infer.draws.summary import predictions
from pbpk.predict.exposure import exposure
from pbpk.predict.record import model_of

STUDY = Path(__file__).parents[2] / "data" / "khot_2019_t_cells_mouse"


@pytest.fixture(scope="module")
def posterior():
    study = read_study(STUDY)
    return fit(model_of(study), count_cells(study), seed=1)


def test_the_shipped_settings_converge(posterior):
    assert posterior.diagnostics.passed, posterior.diagnostics.sentences


def test_values_lie_where_the_fit_expects_them(posterior):
    table = predictions(posterior)
    assert len(table) == 40
    assert table["inside"].mean() >= 0.9
    assert (table["q50"] / table["value"]).between(0.5, 2.0).mean() >= 0.8


@pytest.mark.parametrize("organ", ["lung", "liver", "spleen", "kidney", "blood", "heart"])
def test_areas_are_as_printed_within_their_errors(posterior, organ):
    table = exposure(posterior.joint.counts, posterior)
    row = table[table["parameter"] == "AUClast"].set_index("organ").loc[organ]
    print(f"{organ}: {row['q50']:.4g} [{row['q2.5']:.4g}, {row['q97.5']:.4g}], arrows alone {row['arrows_q50']:.4g}, "
          f"printed {row['published']:.4g} +/- {row['published_error']:.3g}")  # fmt: skip
    assert abs(row["q50"] - row["published"]) <= row["published_error"]
    assert row["q2.5"] < row["published"] < row["q97.5"]

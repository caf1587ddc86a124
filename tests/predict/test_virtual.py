"""A virtual study: what is asked is what is written, and the shipped one is what its file makes."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pbpk.assay.counts import count_cells
from pbpk.assay.light.wells import read_traces
from pbpk.assay.study import read_study
from pbpk.body.library import LIBRARY
from pbpk.errors import ScenarioError
from pbpk.predict.virtual import as_study, imagine, read_virtual, write_virtual

SHIPPED = Path(__file__).parents[2] / "data" / "synthetic_fnd_mouse"


@pytest.fixture(scope="module")
def made():
    return imagine(read_virtual("fnd_mouse"), 1)


def asked(tmp_path, *edits):
    text = (LIBRARY / "virtual" / "fnd_mouse.toml").read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "asked.toml"
    path.write_text(text)
    return read_virtual(path)


def test_the_shipped_study_is_what_its_file_makes(made):
    truth = json.loads((SHIPPED / "truth.json").read_text())
    assert truth["parameters"] == pytest.approx(dict(made.parameters))
    np.testing.assert_allclose(truth["cells"]["cells"], made.cells["cells"], rtol=1e-5)
    traces = read_traces(SHIPPED)
    again = [trace for plate in made.plates.values() for trace, _ in plate]
    assert [trace.well for trace in traces] == [trace.well for trace in again]
    for here, there in list(zip(traces, again, strict=True))[::97]:
        np.testing.assert_array_equal(here.light, there.light)
        np.testing.assert_allclose(here.field, there.field, atol=0.11)


def test_what_is_written_can_be_read_and_says_that_it_is_synthetic(tmp_path):
    small = asked(tmp_path, ("animals      = 5", "animals      = 1"), ("hours        = [1.0, 6.0, 24.0, 72.0, 168.0]",
                  "hours        = [24.0]"), ("title        = \"SYNTHETIC: ", "title        = \""))  # fmt: skip
    made = imagine(small, 3)
    write_virtual(made, tmp_path / "study")
    study = read_study(tmp_path / "study")
    assert study.about.kind == "synthetic"
    assert study.about.title.startswith("SYNTHETIC")
    counts = count_cells(study)
    assert len(counts.table) == 14
    apart = (count_cells(as_study(made)).table["percent"] - counts.table["percent"]).abs()
    assert (apart < 0.3 * counts.table["error"]).all()  # the file has the field in steps of 0.2 mT
    truth = made.cells.set_index(["group", "organ"])["percent"]
    found = counts.table.set_index(["group", "organ"])
    off = (found["percent"] - truth) / found["error"]
    assert off.abs().max() < 4.0
    assert np.isfinite(off).all()


def test_the_same_seed_makes_the_same_study(made):
    pd.testing.assert_frame_equal(imagine(made.asked, 1).cells, made.cells)
    other = imagine(made.asked, 2)
    assert other.parameters == made.parameters
    assert not np.allclose(other.cells["cells"], made.cells["cells"])


def test_animals_scatter_as_asked(tmp_path):
    many = asked(tmp_path, ("animals      = 5", "animals      = 40"), ("hours        = [1.0, 6.0, 24.0, 72.0, 168.0]",
                 "hours        = [1.0, 24.0]"), ("blanks          = 6", "blanks          = 2"))  # fmt: skip
    from pbpk.body.expansion import read_model
    from pbpk.predict.virtual import _cells, _theta

    model = read_model(many.model, many.species, many.label)
    cells = _cells(many, model, _theta(many, model), np.random.default_rng(1))
    log_sd = cells.assign(log=np.log(cells["percent"])).groupby(["group", "organ", "hours"])["log"].std()
    assert np.sqrt((log_sd**2).mean()) == pytest.approx(many.spread, rel=0.1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[organs.heart]", "[organs.hart]", "`hart` is not an organ of msc. Did you mean `heart`?"),
        ("loss_lung     = 0.03", "los_lung = 0.03", "`los_lung` is not a parameter of msc. Did you mean `loss_lung`?"),
        ("adc_bits  ", "adc_bit ", "instrument.adc_bit is not a number of the instrument. Did you mean `adc_bits`?"),
        ("recovery = 0.92", "recovery = 1.2", "organs.lung.recovery"),
    ],
)
def test_what_cannot_be_imagined_is_said(tmp_path, old, new, said):
    with pytest.raises(ScenarioError) as refusal:
        imagine(asked(tmp_path, (old, new)))
    assert said in str(refusal.value)


def test_no_such_virtual_study():
    with pytest.raises(ScenarioError, match=r"there is no virtual.*named `fnd_mice`.* Did you mean `fnd_mouse`\?"):
        read_virtual("fnd_mice")

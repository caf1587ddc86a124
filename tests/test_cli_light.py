"""Raw light on the command line: counted, refused with the rule, made up with known truth."""

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from saying import say

from pbpk.assay.light.wells import read_amplitudes, write_amplitudes

SHIPPED = Path(__file__).parents[1] / "data" / "synthetic_fnd_mouse"


@pytest.fixture(scope="module")
def amplitudes(tmp_path_factory):
    """The shipped study with its amplitudes in place of its traces."""
    folder = tmp_path_factory.mktemp("light") / "study"
    shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("traces"))
    write_amplitudes(read_amplitudes(SHIPPED), folder / "amplitudes.csv")
    return folder


@pytest.fixture
def edited(amplitudes, tmp_path):
    """The same with one cell of a table changed in the rows of a role."""

    def edit(file, role, column, change):
        folder = tmp_path / "study"
        shutil.copytree(amplitudes, folder)
        wells, rows = (list(csv.DictReader((folder / name).read_text().splitlines())) for name in ("wells.csv", file))
        for well, row in zip(wells, rows, strict=True):
            if well["role"] == role:
                row[column] = change(row[column])
        with (folder / file).open("w", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return folder

    return edit


def test_count_says_and_writes_cells_plates_and_balance(amplitudes, tmp_path):
    said = say("count", amplitudes, "--out", tmp_path / "counts")
    assert said.code == 0, said.err
    again = say("count", amplitudes, "--out", tmp_path / "counts")
    assert again.code == 2
    assert "--force" in again.err
    assert say("count", amplitudes, "--out", tmp_path / "counts", "--force").code == 0
    assert said.out.count("keeps the `lba` rules borrowed from ICH M10") == 7
    assert "SYNTHETIC" in said.out
    assert re.search(r"portal +168 +5 +\d", said.out)
    folder = tmp_path / "counts"
    assert {path.name for path in folder.iterdir()} == {
        "counts.csv", "covariance.csv", "shared.csv", "balance.csv", "flags.csv", "plates.html"}  # fmt: skip
    counts = pd.read_csv(folder / "counts.csv")
    assert len(counts) == 350
    assert (counts["low"] < counts["cells"]).all()
    assert (counts["cells"] < counts["high"]).all()
    np.testing.assert_allclose(counts["percent_dose"], counts["cells"] / 1e4, rtol=1e-5)
    whole = counts.groupby("animal")["percent_recovered"].sum()
    np.testing.assert_allclose(whole, 100.0, rtol=1e-4)
    covariance = pd.read_csv(folder / "covariance.csv", index_col=0).to_numpy()
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), counts["sd"], rtol=1e-4)
    np.testing.assert_allclose(covariance, covariance.T, rtol=1e-5)
    flags = pd.read_csv(folder / "flags.csv")
    assert list(flags.columns)[-1] == "flag"
    truth = json.loads((SHIPPED / "truth.json").read_text())["cells"]
    held = dict(zip(zip(truth["animal"], truth["organ"], strict=True), truth["cells"], strict=True))
    inside = [row.low < held[row.animal, row.organ] < row.high for row in counts.itertuples()]
    assert np.mean(inside) > 0.9


def test_amplitudes_stand_for_traces_to_the_last_digit(amplitudes):
    from pbpk.assay.counts import count_cells
    from pbpk.assay.study import read_study

    ours, theirs = count_cells(read_study(amplitudes)).table, count_cells(read_study(SHIPPED)).table
    pd.testing.assert_frame_equal(ours, theirs)


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        (("amplitudes.csv", "qc", "delta", lambda x: str(1.6 * float(x))), r"plate lung, lung: the plate breaks.*QCs"),
        (("amplitudes.csv", "standard", "flags", lambda _: "clipped"), r"plate lung, lung: a curve needs two blanks"),
        (("amplitudes.csv", "sample", "delta", lambda x: str(30 * float(x))), r"highest accepted standard.*dilute"),
        (("wells.csv", "spike", "nominal", lambda x: str(0.5 * float(x))), r"spikes in lung \(ng\) recover 1\d\d%"),
        (("wells.csv", "standard", "unit", lambda _: "furlong"), r"have the units"),
        (("wells.csv", "sample", "animal", lambda _: ""), r"wells\.csv: row \d+: a sample needs its `animal`"),
        (
            ("wells.csv", "sample", "group", lambda _: "vi"),
            r"wells\.csv: row \d+: the group `vi` is not in study\.toml",
        ),
        (("wells.csv", "sample", "role", lambda _: "smaple"), r"`role` is `smaple`\. Did you mean `sample`"),
        (("wells.csv", "sample", "organ", lambda x: x.replace("lung", "lnug")), r"`lnug` is not in the model"),
    ],
)
def test_a_plate_that_must_not_be_used_is_refused_with_the_rule(edited, tmp_path, change, pattern):
    folder = edited(*change)
    said = say("check", folder)
    assert said.code == 2, said.out
    assert said.err.count("\n") == 1
    assert re.search(pattern, said.err), said.err


def test_light_needs_the_dose_as_denominator(amplitudes, tmp_path):
    folder = Path(shutil.copytree(amplitudes, tmp_path / "study"))
    text = (folder / "study.toml").read_text()
    (folder / "study.toml").write_text(text.replace('"dose"', '"unknown"\nharvested = ["lung"]'))
    said = say("check", folder)
    assert said.code == 2
    assert 'say denominator = "dose"' in said.err


def test_a_virtual_study_is_made_and_never_in_the_way(tmp_path):
    said = say("virtual", "fnd_mouse", "--seed", "5", "--out", tmp_path / "made")
    assert said.code == 0, said.err
    assert "synthetic" in said.out
    assert 'kind = "synthetic"' in (tmp_path / "made" / "study.toml").read_text()
    again = say("virtual", "fnd_mouse", "--out", tmp_path / "made")
    assert again.code == 2
    assert "--force" in again.err
    wrong = say("virtual", "fnd_mice", "--out", tmp_path / "other")
    assert wrong.code == 2
    assert "Did you mean `fnd_mouse`" in wrong.err
    assert not (tmp_path / "other").exists()


def test_an_organ_that_is_not_used_is_left_out_of_the_light_too(amplitudes, tmp_path):
    folder = Path(shutil.copytree(amplitudes, tmp_path / "study"))
    tissues = "".join(f'{organ} = "{organ}"\n' for organ in ("lung", "liver", "spleen", "kidney", "gut", "rest"))
    with (folder / "study.toml").open("a") as file:
        file.write(f'\n[tissues]\nheart = "none"\n{tissues}')
    said = say("check", folder)
    assert said.code == 0, said.err
    assert "300 values in" in said.out
    assert "heart: 50 values left out, as [tissues] in study.toml says" in said.out


def test_a_refused_plate_is_drawn_and_nothing_is_counted(edited, tmp_path):
    folder = edited("amplitudes.csv", "qc", "delta", lambda x: str(1.6 * float(x)))
    said = say("count", folder, "--out", tmp_path / "counts")
    assert said.code == 2
    assert re.search(r"plate lung, lung: the plate breaks the `lba` rules.*Refused too: plate liver", said.err)
    assert [path.name for path in (tmp_path / "counts").iterdir()] == ["plates.html"]
    page = (tmp_path / "counts" / "plates.html").read_text()
    assert "refused" in page
    assert "QCs are within 20%" in page

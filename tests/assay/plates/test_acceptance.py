import re

import numpy as np
import pandas as pd
import pytest

from pbpk.assay.plates.acceptance import BORROWED, PRESETS, accept_plate, require
from pbpk.errors import AssayError

LEVELS = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 80.0, 100.0]
QC_LEVELS = [2.5, 40.0, 90.0]


def standards(levels=LEVELS, replicates=2, **off):
    """Standards on the curve, but those named `L1r2=0.3` (level 1 in order, replicate 2) off it by a share."""
    rows = [
        (level, r, level * (1 + off.get(f"L{i}r{r}", 0.02)))
        for i, level in enumerate(levels, 1)
        for r in range(1, replicates + 1)
    ]
    return pd.DataFrame(rows, columns=["nominal", "replicate", "back_calculated"])


def qcs(*off):
    """Three levels twice; one deviation for each of the six, 0 where none is given."""
    nominal = np.repeat(QC_LEVELS, 2)
    return pd.DataFrame({"nominal": nominal, "measured": nominal * (1 + np.array(off or [0.0] * 6))})


def broken(acceptance):
    return set(acceptance.rules.loc[~acceptance.rules["passed"], "rule"])


@pytest.mark.parametrize("preset", PRESETS)
def test_a_good_plate(preset):
    found = accept_plate(standards(), qcs(), preset, carry_over=0.1)
    assert found.passed
    assert (found.lloq, found.uloq, found.lloq_raised) == (1.0, 100.0, False)
    assert found.rejected.empty
    require(found)


def test_one_bad_standard_is_rejected_and_the_plate_passes():
    found = accept_plate(standards(L4r2=0.5), qcs(), "chromatographic")
    assert found.passed
    assert list(found.rejected["nominal"]) == [10.0]
    rules = found.rules.set_index("rule")
    assert rules.loc["standards within", "found"] == 15 / 16
    assert rules.loc["replicates within", "found"] == 0.5


def test_too_many_bad_standards():
    """5 of 16 out, never two of a level: 69 % are within."""
    found = accept_plate(standards(L2r1=0.5, L3r1=0.5, L4r1=0.5, L5r1=-0.5, L6r1=0.5), qcs(), "chromatographic")
    assert broken(found) == {"standards within"}
    assert found.rules.set_index("rule").loc["standards within", "found"] == 11 / 16
    four = accept_plate(standards(L2r1=0.5, L3r1=0.5, L4r1=0.5, L5r1=-0.5), qcs(), "chromatographic")
    assert four.passed  # 12 of 16 is 75 %


def test_a_lost_lowest_level_raises_the_lloq():
    found = accept_plate(standards(L1r1=0.5, L1r2=0.4), qcs(), "chromatographic")
    assert found.passed
    assert (found.lloq, found.lloq_raised) == (2.0, True)
    assert "The LLOQ is raised to 2." in found.sentence


def test_the_raised_lloq_has_the_wider_limit():
    """18 % off is out at the second level, but within at the LLOQ that this level becomes."""
    off = {"L2r1": 0.18, "L2r2": 0.18}
    assert broken(accept_plate(standards(**off), qcs(), "chromatographic")) == {"replicates within"}
    found = accept_plate(standards(L1r1=0.5, L1r2=0.5, **off), qcs(), "chromatographic")
    assert found.passed
    assert len(found.rejected) == 2


def test_a_lost_lowest_of_six_levels_leaves_too_few():
    found = accept_plate(standards(LEVELS[1:7], L1r1=0.5, L1r2=0.5), qcs()[:4], "chromatographic")
    assert {"levels within"} <= broken(found)
    assert found.lloq == 5.0
    assert found.rules.set_index("rule").loc["levels within", "found"] == 5


def test_three_lost_levels_leave_too_few_standards():
    levels = [0.2, 0.5, *LEVELS]
    bad = {f"L{i}r{r}": 0.6 for i in (1, 2, 3) for r in (1, 2)}
    found = accept_plate(standards(levels, **bad), qcs(), "chromatographic")
    assert broken(found) == {"standards within"}  # 14 of 20
    assert found.lloq == 2.0


def test_a_raised_lloq_above_a_qc_leaves_two_levels_of_qcs():
    bad = {f"L{i}r{r}": 0.6 for i in (1, 2) for r in (1, 2)}
    found = accept_plate(standards(**bad), qcs(), "chromatographic")
    assert broken(found) == {"QC levels in range", "QCs within a level"}
    assert found.lloq == 5.0


def test_a_lost_highest_level_lowers_the_uloq():
    found = accept_plate(standards(L8r1=-0.3, L8r2=-0.4), qcs(0, 0, 0, 0, 0, 0), "chromatographic")
    assert found.uloq == 80.0
    assert "QC levels in range" in broken(found)  # the QC at 90 lies above


def test_an_inner_level_with_all_its_replicates_out():
    found = accept_plate(standards(L4r1=0.5, L4r2=0.5), qcs(), "lba")
    assert broken(found) == {"replicates within"}
    assert "of the standards at 10, 0% are within" in found.sentence


def test_a_level_read_once_is_no_set_of_replicates():
    assert accept_plate(standards(replicates=1, L4r1=0.5), qcs(), "lba").passed


def test_two_thirds_of_qcs():
    two_out = accept_plate(standards(), qcs(0.3, 0, 0, 0.3, 0, 0), "lba")
    assert two_out.passed
    three_out = accept_plate(standards(), qcs(0.3, 0, 0, 0.3, -0.3, 0), "lba")
    assert broken(three_out) == {"QCs within"}
    assert "3 of 6 QCs are within 20%, at least two thirds are needed (section 4.3.2)" in three_out.sentence


def test_half_of_the_qcs_of_each_level():
    found = accept_plate(standards(), qcs(0, 0, 0.3, 0.3, 0, 0), "lba")
    assert broken(found) == {"QCs within a level"}
    assert "of the QCs at 40, 0% are within 20%" in found.sentence


def test_the_presets_differ_where_m10_does():
    """17 % off: out of chromatography's 15, within ligand binding's 20; 22 % at the ends: 20 and 25."""
    off = qcs(0.17, 0.17, 0.17, 0.17, 0.17, 0.17)
    assert broken(accept_plate(standards(), off, "chromatographic")) == {"QCs within", "QCs within a level"}
    assert accept_plate(standards(), off, "lba").passed
    ends = standards(L1r1=0.22, L1r2=0.22, L8r1=0.22, L8r2=0.22)
    strict, wide = accept_plate(ends, qcs(), "chromatographic"), accept_plate(ends, qcs(), "lba")
    assert ((strict.lloq, strict.uloq), (wide.lloq, wide.uloq)) == ((2.0, 80.0), (1.0, 100.0))


def test_the_limit_itself_is_within():
    assert accept_plate(standards(), qcs(0.15, -0.15, 0.15, 0.15, -0.15, 0.15), "chromatographic").passed


def test_a_well_that_could_not_be_read_is_out():
    found = accept_plate(standards(L4r1=np.nan, L5r1=np.inf), qcs(np.nan, 0, 0, 0, 0, 0), "lba")
    assert list(found.rejected["nominal"]) == [10.0, 20.0]
    assert not found.qcs["within"].iloc[0]


def test_nothing_left():
    found = accept_plate(standards(**{f"L{i}r{r}": 3.0 for i in range(1, 9) for r in (1, 2)}), qcs(), "lba")
    assert np.isnan(found.lloq)
    assert {"standards within", "levels within", "QCs within"} <= broken(found)
    assert not accept_plate(standards(), qcs().iloc[:0], "lba").passed


def test_a_failed_plate_fails_loudly_with_the_rule_it_broke():
    found = accept_plate(standards(), qcs(), "chromatographic", carry_over=0.35)
    with pytest.raises(AssayError, match=re.escape("carry-over is 35% of the response at the LLOQ")) as failed:
        require(found)
    assert "3.2.6" in str(failed.value)


def test_limits_say_that_they_are_borrowed():
    assert accept_plate(standards(), qcs()).note == BORROWED
    assert "neither" in BORROWED
    assert {limit.section[0] for limit in PRESETS["chromatographic"].values()} == {"3"}


@pytest.mark.parametrize(
    ("table", "preset", "said"),
    [
        (standards(), "elisa", "`lba`"),
        (standards().drop(columns="back_calculated"), "lba", "back_calculated"),
        (standards([0.0, *LEVELS]), "lba", "leave blanks out"),
    ],
)
def test_tables_that_cannot_be_judged(table, preset, said):
    with pytest.raises(AssayError, match=said):
        accept_plate(table, qcs(), preset)

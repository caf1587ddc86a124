import re

import numpy as np
import pytest

from pbpk.assay.plates.quantify import Known
from pbpk.report.document.inline import Mark
from pbpk.report.plate_tables import (
    cell_load,
    cells_table,
    checked,
    checked_table,
    found_again,
    left_out,
    left_out_table,
    lognormal,
    overview_tables,
    rules_table,
    spikes_table,
)
from pbpk.report.wording import number
from pbpk.share.tables import flags_table


@pytest.fixture(scope="module")
def overview(plated):
    (table,) = overview_tables(plated.counts.panels, plated.counts.quantified)
    assert table.head == ("", "lung", "liver")
    return {row[0]: list(row[1:]) for row in table.rows}


def test_what_the_overview_says_is_what_the_panels_hold(plated, overview):
    for i, panel in enumerate(plated.counts.panels):
        curve, limits = panel.curve, panel.limits.table.set_index("method")
        slope, doubt = curve.curve.parameters[1], np.sqrt(curve.covariance[1, 1])
        assert overview["Slope [reading/ng] ± SD"][i] == f"{number(slope)} ± {number(doubt)}"
        assert overview["LLOQ"][i] == f"{number(panel.acceptance.lloq)} ng"
        assert overview["ULOQ"][i] == f"{number(panel.acceptance.uloq)} ng"
        for name, method in (("ICH Q2", "ich_q2"), ("Currie", "currie"), ("blanks alone", "blank")):
            told = f"{number(limits['lod'][method])}, {number(limits['loq'][method])} ng"
            assert overview[f"LOD, LOQ by {name}"][i] == told
        assert overview["Blanks scatter between digests [reading]"][i] == number(panel.limits.between_blanks)
        assert overview["Blanks scatter within their traces [reading]"][i] == number(panel.limits.within_trace)
        rule = panel.acceptance.rules.set_index("rule")["found"]["carry-over"]
        assert overview["Carry-over, of the response at the lowest standard"][i] == f"{number(100 * rule)} %"


def test_recovery_and_load_are_those_that_organs_use(plated, overview):
    shared = plated.counts.quantified.signals.shared
    mean, sd = (x["log_recovery: lung"] for x in (dict(zip(shared.names, shared.mean, strict=True)),
                dict(zip(shared.names, np.sqrt(np.diag(shared.covariance)), strict=True))))  # fmt: skip
    middle, low, high = (100 * x for x in lognormal(mean, sd))
    assert overview["Recovery of label, 95 % interval"][0] == f"{number(middle)} % ({number(low)} to {number(high)} %)"
    load = cell_load(plated.counts.quantified)
    signals = plated.counts.quantified.signals
    panel = plated.counts.quantified.organs[0].panel
    known = dict(zip(shared.names, shared.mean, strict=True))
    slope = panel.curve.curve.parameters[1] * np.exp(known[f"log_slope: {panel.name}"])
    rise = slope * load[0] * np.exp(known[f"log_recovery: {panel.matrix}"])
    assert signals.response.rise(shared.mean, 1.0)[0] == pytest.approx(rise)  # of one cell
    assert load[1] < load[0] < load[2]
    assert load[0] == pytest.approx(1e-3, rel=0.1)  # what the virtual study was made with


def test_the_verdict_stands_out(plated, plain_plate, overview):
    assert overview["Verdict"][0] == Mark("accepted", "good")
    assert overview["Rules kept"][0] == "7 of 7 by lba"
    (table,) = overview_tables(plain_plate.counts.panels, plain_plate.counts.quantified)
    assert "not judged" in str(dict(table.rows)["Verdict"])


def test_every_well_left_out_is_told_with_its_reason(plated, overview):
    lung, liver = plated.counts.panels
    told = {reading.well.well: why for reading, why in left_out(lung, plated.counts.quantified)}
    assert set(told) == {"D1", "A10", "C9"}
    assert "missing" in told["D1"]
    assert told["A10"] == "out of the limits for standards"
    assert "off the median of its kind" in told["C9"]
    assert not left_out(liver, plated.counts.quantified)
    assert overview["Wells left out"] == [Mark("3 wells", "bad"), "none"]
    assert overview["Wells used"] == ["37 of 40", "40 of 40"]
    rows = left_out_table(plated.counts.panels, plated.counts.quantified).rows
    assert [row[1] for row in rows] == ["D1", "A10", "C9"]
    flags = flags_table(plated.counts)  # the same wells in flags.csv
    wells = flags[flags["well"].notna()]
    assert list(wells["well"]) == ["D1", "A10", "C9"]
    assert list(wells["flag"]) == [f"left out: {row[-1]}" for row in rows]
    assert rows[0][3] == "lung of iv-24h-1 at 24 h"


def test_each_standard_has_its_own_number_and_the_rejected_one_says_no(plated):
    panel = plated.counts.panels[0]
    table = checked(panel, "standard")
    nominal = {r.well.well: r.well.nominal for r in plated.study.readings if r.well.plate == "lung"}
    assert [nominal[well] for well in table["well"]] == list(table["nominal"])
    assert list(table["well"][~table["within"].astype(bool)]) == ["A10"]
    rows = checked_table(panel, "standard").rows
    assert len(rows) == 12
    assert [row[0] for row in rows if row[4] == Mark("no", "bad")] == ["A10"]
    assert rows[0][2] == number(panel.acceptance.standards["back_calculated"].iloc[0])


def test_qcs_are_read_off_the_curve_that_judged_them(plated, plain_plate):
    panel = plated.counts.panels[0]
    table = checked(panel, "qc")
    assert list(table["found"]) == list(panel.acceptance.qcs["measured"])
    assert table["within"].all()
    free = plain_plate.counts.panels[0]
    table = checked(free, "qc")
    amounts = [float(free.curve.curve.inverse(reading.amplitude.delta)) for reading in free.of("qc")]
    assert list(table["found"]) == amounts
    assert set(table["within"]) == {None}


def test_rules_stand_with_their_section(plated, plain_plate):
    rows = rules_table(plated.counts.panels[0]).rows
    assert len(rows) == len(plated.counts.panels[0].acceptance.rules)
    assert all(re.fullmatch(r"\d(\.\d)+", row[4]) for row in rows)
    assert rules_table(plain_plate.counts.panels[0]) is None


def test_spikes_and_reference_cells(plated):
    panel, quantified = plated.counts.panels[0], plated.counts.quantified
    spikes = {row[0]: row for row in spikes_table(panel, quantified).rows}
    assert set(spikes) == {"C8", "C9", "C10", "C11"}
    assert "no: " in str(spikes["C9"][5])
    reading = next(r for r in panel.used if r.well.well == "C8")
    assert spikes["C8"][4] == f"{number(100 * Known(panel, reading).found)} %"
    cells = cells_table(panel, quantified)
    assert "label of a cell from all plates" in cells.caption
    assert all(row[4].endswith("ng/cell") for row in cells.rows)


def test_a_blank_has_nothing_to_find_again(plated):
    panel = plated.counts.panels[0]
    assert found_again(panel, panel.of("blank")[0]) == "–"


def test_many_plates_need_several_tables(plated):
    panels = plated.counts.panels * 5
    tables = overview_tables(panels, plated.counts.quantified)
    assert [len(table.head) - 1 for table in tables] == [7, 3]
    assert tables[1].caption.endswith("8 to 10 of 10")

from pbpk.report.ctd.panel import CORE, collected, missing, panel_table


def test_what_was_not_collected_is_said(run_of):
    rows = {row[0]: str(row[1]) for row in panel_table(run_of("khot_2019_t_cells_mouse")).rows}
    assert list(rows) == list(CORE)
    assert rows["gonads"] == "testes (not in the model: testes)"
    assert rows["adrenal gland"] == "not collected"
    assert missing(run_of("khot_2019_t_cells_mouse")) == [
        "injection site",
        "adrenal gland",
        "spinal cord (cervical, thoracic, lumbar)",
    ]


def test_parts_of_an_organ_count_for_it(run_of):
    rows = {row[0]: str(row[1]) for row in panel_table(run_of("zhuang_2021_fnd_msc_mouse")).rows}
    assert rows["kidney"] == "kidney left, kidney right and kidney"


def test_light_is_collected_too_and_a_drug_has_no_panel(run_of):
    assert "lung" in collected(run_of("synthetic_fnd_mouse"))
    assert panel_table(run_of("kwan_1976_indomethacin_human")) is None

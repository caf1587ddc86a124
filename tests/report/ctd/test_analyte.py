import pytest

from pbpk.report.ctd.analyte import amount_unit, analyte, analytes, caveat, footnote, is_cells, product, share_unit

NAMES = {
    "khot_2019_t_cells_mouse": "51Cr-labelled cell equivalents",
    "gholamrezanezhad_2011_msc_human": "111In-labelled cell equivalents",
    "synthetic_fnd_mouse": "FND-labelled cell equivalents",
    "boeckmann_1994_theophylline_human": "theophylline",
    "kwan_1976_indomethacin_human": "indomethacin",
    "barone_2018_fnd_rat": "FND",
}


@pytest.mark.parametrize(("name", "expected"), NAMES.items())
def test_the_analyte_is_what_was_counted(run_of, name, expected):
    run = run_of(name)
    assert analytes(run) == [expected]
    assert expected in caveat(run)
    assert is_cells(run) == ("cell" in expected)
    assert ("label is not viability" in footnote(run)) == is_cells(run)
    assert not product(run.study).endswith("no cells")


def test_a_readout_of_living_cells_is_not_called_label(run_of):
    run = run_of("khot_2019_t_cells_mouse")
    assert analyte(run, "live") == "living cells"
    assert analyte(run, "dna") == "donor-DNA cell equivalents"


def test_units(run_of):
    assert share_unit(run_of("zhuang_2021_fnd_msc_mouse")) == "% (of what is not stated)"
    assert share_unit(run_of("kwan_1976_indomethacin_human"), "mL") == "% of the dose/mL"
    assert amount_unit("cell") == "cells"
    assert amount_unit("mg") == "mg"

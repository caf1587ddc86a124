import pytest

from pbpk.report.ctd.inapplicable import REASONS, TITLES, inapplicable


@pytest.mark.parametrize("number", TITLES)
def test_each_has_its_reason(run_of, number):
    heading, words = inapplicable(run_of("khot_2019_t_cells_mouse"), number)
    assert heading.text == f"{TITLES[number]} (CTD {number})"
    assert words.words == f"Not applicable to a cellular product: {REASONS[number]}"
    _, drug = inapplicable(run_of("kwan_1976_indomethacin_human"), number)
    assert drug.words == "Not studied: this study has no such data."

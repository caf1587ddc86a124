from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from pbpk.report.ctd.sources import in_study, measured, stated, where


@given(st.dictionaries(st.sampled_from(["group", "organ", "animal"]), st.text(max_size=12), min_size=1))
def test_any_text_comes_back(rows):
    file, _, told = where("counts.csv", **rows).partition("#")
    back = dict(pair.split("=", 1) for pair in told.split("&"))
    assert file == "counts.csv"
    assert {key: unquote(value) for key, value in back.items()} == rows


def test_hours_have_the_digits_of_the_file():
    assert where("counts.csv", hours=1 / 3) == "counts.csv#hours=0.333333"
    assert where("counts.csv") == "counts.csv"


def test_a_key_that_is_not_written_leads_to_the_file(run_of):
    run = run_of("khot_2019_t_cells_mouse")
    assert stated(run, "product", "cell_type") == f"study/{run.name}/study.toml#product.cell_type"
    assert stated(run, "product", "lot") == in_study(run, "study.toml")


def test_empty_cells_of_the_study_are_not_asked_for(run_of):
    run = run_of("barone_2018_fnd_rat")
    assert measured(run, group="iv", animal="", hours=1.5) == f"study/{run.name}/measurements.csv#group=iv&hours=1.5"

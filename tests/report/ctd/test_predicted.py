from pbpk.report.ctd.predicted import ABREAST, at_hours_tables, predicted_tables
from pbpk.report.document.inline import Doubtful
from pbpk.report.wording import CREDIBLE, number


def test_predictions_say_that_they_are_none_of_the_observations(run_of, study):
    for table in predicted_tables(run_of(study)):
        assert table.caption.startswith("MODEL-PREDICTED, not observed: ")
        assert CREDIBLE in table.caption
        assert len(table.head) <= ABREAST + 1


def test_medians_are_those_of_the_run(run_of):
    run = run_of("khot_2019_t_cells_mouse")
    table = at_hours_tables(run)[0]
    own = run.predictions
    own = own[(own["organ"] == "lung") & (own["hours"] == 24.0)].iloc[0]
    cell = table.rows[0][table.head.index("24 h")]
    assert isinstance(cell, Doubtful)
    assert cell.number == number(own["q50"])
    assert cell.interval == f"{number(own['q2.5'])} to {number(own['q97.5'])}"
    assert table.source_of(0) == "predictions.csv#group=iv&organ=lung&readout=label&reading=dose"


def test_hours_of_its_own_make_no_table(run_of):
    assert not at_hours_tables(run_of("boeckmann_1994_theophylline_human"))


def test_both_readings_of_a_denominator_are_told(run_of):
    captions = [table.caption for table in at_hours_tables(run_of("zhuang_2021_fnd_msc_mouse"))]
    assert any("% of the dose" in caption for caption in captions)
    assert any("% of what was recovered" in caption for caption in captions)

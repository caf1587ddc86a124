from pbpk.report.ctd.sources import in_study, measured, stated


def test_a_key_that_is_not_written_leads_to_the_file(run_of):
    run = run_of("khot_2019_t_cells_mouse")
    assert stated(run, "product", "cell_type") == f"study/{run.name}/study.toml#key=product.cell_type"
    assert stated(run, "product", "lot") == in_study(run, "study.toml")


def test_empty_cells_of_the_study_are_not_asked_for(run_of):
    run = run_of("barone_2018_fnd_rat")
    assert measured(run, group="iv", animal="", hours=1.5) == f"study/{run.name}/measurements.csv#group=iv&hours=1.5"

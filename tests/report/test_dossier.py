from pbpk.report.dossier import Dossier


def test_a_run_alone_is_a_dossier_of_which_nobody_said_anything(khot):
    dossier = Dossier(khot)
    assert not dossier.final
    assert dossier.plan is None
    assert all(entry.status == "missing" for entry in dossier.entries)
    assert dossier.study_file == "study/khot_2019_t_cells_mouse/study.toml"
    assert dossier.of_cells
    assert set(dossier.known) >= {"khot_2019"}

from pbpk.report.ctd.overview import glp, overview_blocks
from pbpk.report.document.blocks import Paragraph, Table
from pbpk.report.dossier import Dossier


def table_of(run):
    return next(block for block in overview_blocks(Dossier(run)) if isinstance(block, Table))


def test_kinds_of_study_are_told_apart(run_of):
    kinds = {row[0]: str(row[1]) for row in table_of(run_of("khot_2019_t_cells_mouse")).rows}
    assert kinds["Circulating cells (2.6.5.3)"].startswith("mouse, C57BL/6")
    assert kinds["Organ distribution (2.6.5.5)"].startswith("mouse, C57BL/6")
    assert kinds["Excretion (2.6.5.13)"] == "not studied"
    assert kinds["Metabolism (2.6.5.9)"] == "not applicable to a cellular product"
    drug = {row[0]: str(row[1]) for row in table_of(run_of("kwan_1976_indomethacin_human")).rows}
    assert drug["Absorption (2.6.5.3)"] == "human"
    assert drug["Organ distribution (2.6.5.5)"] == "not studied"
    assert drug["Metabolism (2.6.5.9)"] == "not studied"


def test_blanks_of_the_author_are_named(run_of):
    blocks = overview_blocks(Dossier(run_of("zhuang_2021_fnd_msc_mouse")))
    (owed,) = [str(block.words) for block in blocks if isinstance(block, Paragraph)]
    for words in ("testing facility", "study number", "GLP", "volume and section"):
        assert words in owed


def test_no_glp_needs_a_reason(odd):
    run, _ = odd
    assert str(glp(Dossier(run))) == "no; reason: TO BE COMPLETED"
    (owed,) = [str(block.words) for block in overview_blocks(Dossier(run)) if isinstance(block, Paragraph)]
    assert "why the study was not under GLP" in owed
    assert "study number" not in owed
    assert "S-1" in [str(cell) for cell in table_of(run).rows[0]]

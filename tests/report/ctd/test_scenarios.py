from pbpk.report.ctd.scenarios import evidence, marks, other_distribution_blocks, probability, together
from pbpk.report.document.blocks import Paragraph, Table
from pbpk.report.wording import number


def tables_of(run):
    return [block for block in other_distribution_blocks(run) if isinstance(block, Table)]


def test_hypotheses_are_marked(run_of):
    tables = tables_of(run_of("khot_2019_t_cells_mouse"))
    dilated = next(table for table in tables if "vasodilator" in table.caption)
    assert "(HYPOTHESIS)" in dilated.caption
    assert any(note.startswith("HYPOTHESIS: ") for note in dilated.notes)
    contrasts = tables[-1]
    for row in contrasts.rows:
        assert (str(row[4]) == "HYPOTHESIS") == (row[0] == "iv_vasodilator")


def test_ratios_are_those_of_the_run(run_of):
    run = run_of("khot_2019_t_cells_mouse")
    table = tables_of(run)[-1]
    own = run.contrasts
    own = own[(own["endpoint"] == "AUC") & (own["state"] == "total")].iloc[0]
    assert table.rows[0][2].number == number(own["ratio"])
    assert table.rows[0][3] == probability(own["probability_above"])
    assert [row[0] for row in table.rows] == sorted(
        [row[0] for row in table.rows], key=[*run.contrasts["scenario"]].index
    )


def test_without_scenarios_nothing_is_told(run_of):
    _, words = other_distribution_blocks(run_of("kwan_1976_indomethacin_human"))
    assert isinstance(words, Paragraph)
    assert words.words.startswith("Not studied")


def test_words_on_evidence():
    assert evidence("data") == "as studied"
    assert marks(["data"]) == []
    assert len(marks(["hypothesis", "prior", "hypothesis"])) == 2


def test_what_is_counted_together(run_of):
    assert "label is not viability" in together(run_of("khot_2019_t_cells_mouse"))
    assert together(run_of("kwan_1976_indomethacin_human")) == "The analyte is indomethacin."

import re

from pbpk.report.ctd.narrative import TITLES, narrative_blocks
from pbpk.report.document.blocks import Heading, Paragraph
from pbpk.report.dossier import Dossier
from pbpk.report.wording import CREDIBLE, PREDICTIVE, number


def words_of(run):
    return [str(block.words) for block in narrative_blocks(Dossier(run)) if isinstance(block, Paragraph)]


def test_ten_parts_in_order(run_of, study):
    titles = [
        block.text
        for block in narrative_blocks(Dossier(run_of(study)))
        if isinstance(block, Heading) and block.level == 3
    ]
    assert titles == [f"2.6.4.{i} {title}" for i, title in enumerate(TITLES, start=1)]


def test_numbers_are_those_of_the_run(run_of):
    run = run_of("khot_2019_t_cells_mouse")
    words = " ".join(words_of(run))
    own = run.exposure
    liver = own[(own["organ"] == "liver") & (own["parameter"] == "AUClast")].iloc[0]
    assert f"observed: {number(liver['value'])} % of dose/g · h" in words
    assert f"{number(liver['q50'])} % of dose/g · h ({CREDIBLE} {number(liver['q2.5'])} to" in words
    inside = int(run.predictions["inside"].dropna().astype(bool).sum())
    assert f"{inside} lie inside the {PREDICTIVE}" in words


def test_intervals_have_a_name_everywhere(run_of, study):
    for words in words_of(run_of(study)):
        for found in re.finditer(r"95 % (\w+ )+", words):
            assert found[0].startswith(("95 % credible interval", "95 % posterior predictive interval"))


def test_hypotheses_are_called_so(run_of):
    run = run_of("khot_2019_t_cells_mouse")
    told = [words for words in words_of(run) if "in the scenario iv_vasodilator" in words]
    assert told
    assert all(words.startswith("HYPOTHESIS: ") for words in told)


def test_what_is_below_the_limit_counts_as_nothing(odd):
    words = words_of(odd[0])
    assert any("every value is below the limit" in said for said in words)
    assert any("Below the limit of quantification (BLQ): 2 of 11 values." in said for said in words)
    assert any("the liver was measured, 3.61 % of the dose (mean; SD 3.37; n = 3; 1 BLQ)" in said for said in words)
    assert not any("– %" in said for said in words)


def test_a_fit_that_failed_stands_in_red(make_run):
    run = make_run("khot_2019_t_cells_mouse", scenarios=0, passed=False)
    told = [block for block in narrative_blocks(Dossier(run)) if isinstance(block, Paragraph) and block.kind == "alert"]
    assert ["did not pass" in str(block.words) for block in told] == [True]

from wordsof import words_of

from pbpk.report.diagnosis import shown
from pbpk.report.document.blocks import Figure
from pbpk.report.sections.inference import inference


def test_likelihood_limits_seed_and_chains_are_told(told):
    words = words_of(inference(told))
    assert "method M3" in words
    assert "largest R-hat 1.004" in words
    assert "seed" in words


def test_a_shut_gate_says_why(make_run, but, silent):
    run = make_run("zhuang_2021_fnd_msc_mouse", scenarios=0, passed=False)
    words = words_of(inference(but(silent, run=run)))
    assert all(sentence.replace("`", "") in words for sentence in run.diagnostics.sentences)
    assert "Warning:" in words


def test_figures_of_the_chains_and_of_the_prior(sampled, believed, but, silent):
    found = but(silent, run=sampled, shown=shown(sampled, None, believed), prior_check=believed)
    blocks = inference(found)
    assert sum(isinstance(block, Figure) for block in blocks) >= 4
    assert "The prior against the data" in words_of(blocks)

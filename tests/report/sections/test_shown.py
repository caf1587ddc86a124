from pbpk.report.diagnosis import shown
from pbpk.report.document.blocks import Figure, Paragraph
from pbpk.report.sections.shown import drawn


def test_each_figure_has_what_to_look_for_and_its_verdict(sampled, but, silent):
    found = but(silent, run=sampled, shown=shown(sampled))
    look, figure, *_ = drawn(found, "chains", "posterior.nc")
    first = found.shown["chains"][0]
    assert isinstance(look, Paragraph)
    assert isinstance(figure, Figure)
    assert first.verdict.sentence in figure.caption
    assert figure.source == "posterior.nc"


def test_no_figure_no_block(silent):
    assert drawn(silent, "chains", "posterior.nc") == []

from matplotlib.figure import Figure

from pbpk.report.diagnosis import shown


def test_every_question_has_its_figures(sampled, believed):
    found = shown(sampled, None, believed)
    assert {"prior", "chains", "energy", "predictions", "learned"} <= set(found)
    assert "influence" not in found
    for part in found.values():
        for each in part:
            assert isinstance(each.figure, Figure)
            assert each.look
            assert each.verdict.sentence
    anchors = [each.anchor for part in found.values() for each in part]
    assert len(set(anchors)) == len(anchors)

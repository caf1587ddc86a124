import pytest

from pbpk.assay.readouts.settings import Readouts
from pbpk.errors import StudyError


def test_as_it_is_written(readouts):
    all_of_it = readouts()
    assert all_of_it.qpcr.standards[0].ct == 31.1
    assert all_of_it.sections.spiked.found == 88
    assert Readouts() == Readouts(qpcr=None, gamma=None, flow=None, sections=None)


def test_the_detection_limit_of_the_seed_review_comes_with_its_source(readouts):
    assert readouts().qpcr.detection_limit_cells_per_g == 100.0
    assert "s12929-021-00725-7" in readouts().qpcr.detection_limit_source


@pytest.mark.parametrize(
    ("block", "key"),
    [
        *(("qpcr", key) for key in ("copies_per_cell", "extraction_yield", "cv")),
        *(("gamma", key) for key in ("half_life_hours", "half_life_source", "standard_counts", "background_seconds")),
        *(("flow", key) for key in ("dissociation_yield", "cv", "naive")),
        *(("sections", key) for key in ("thickness_um", "diameter_um", "rule", "cv", "unlabelled")),
    ],
)
def test_numbers_that_nobody_knows_have_no_default(readouts, block, key):
    with pytest.raises(StudyError, match=rf"`{block}.{key}` is missing; add it"):
        readouts(**{block: {key: None}})


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        ({"qpcr": {"extraction_yield": {"median": 1.2, "sigma": 0.1, "source": "x"}}}, "less than or equal to 1"),
        ({"qpcr": {"cv": {"median": 0.1, "sigma": 0.1}}}, "`qpcr.cv.source` is missing"),
        ({"flow": {"naive": [{"positives": 4, "acquired": 3}]}}, "4 positives are more than the 3 events acquired"),
        ({"flow": {"naive": []}}, "at least 1 item"),
        ({"sections": {"spiked": {"found": 4, "known": 3}}}, "4 found are more than the 3 known"),
        ({"sections": {"spiked": None}}, "either `detection` or `spiked`"),
        ({"sections": {"detection": {"median": 0.9, "sigma": 0.1, "source": "x"}}}, "either `detection` or `spiked`"),
        ({"sections": {"rule": "disektor"}}, "Did you mean `disector`"),
        ({"gamma": {"standard_percent_dose": 120.0}}, "less than or equal to 100"),
    ],
)
def test_settings_that_cannot_be(readouts, blocks, said):
    with pytest.raises(StudyError, match=said):
        readouts(**blocks)

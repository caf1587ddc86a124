import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from pbpk.report.ink import ALERT
from pbpk.report.plate_sheets import ROLES, layout, light_sheet, spectrum_sheet
from pbpk.report.sketches import sketch


@pytest.fixture(scope="module")
def sketches(plated):
    return [sketch(trace) for trace in plated.traces if trace.well.plate == "lung"]


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.mark.parametrize(
    ("names", "shape"),
    [
        (["A1", "B02"], (8, 12)),
        (["a1", "H12"], (8, 12)),
        (["A1", "P24"], (16, 24)),
        (["A1", "AF48"], (32, 48)),
    ],
)
def test_wells_stand_where_their_names_say(names, shape):
    found = layout(names)
    assert found.told
    assert (found.rows, found.columns) == shape
    assert found.places[names[0]] == (0, 0)


@pytest.mark.parametrize("names", [["A1", "tube 7"], ["A1", "A01"], ["A1", "Z99"], ["A0"], ["1", "2", "3"]])
def test_other_names_make_a_plain_grid(names):
    found = layout(names)
    assert not found.told
    assert sorted(found.places.values()) == [(0, i) for i in range(len(names))]


def test_a_plain_grid_has_as_many_rows_as_it_needs():
    found = layout([f"tube {i}" for i in range(30)])
    assert (found.rows, found.columns) == (3, 12)
    assert found.places["tube 29"] == (2, 5)
    assert layout([]).places == {}


def test_a_well_left_out_stands_in_red(sketches):
    for figure in (light_sheet(sketches, {}, {"C9": "why"}), spectrum_sheet(sketches, {"C9": "why"})):
        frames = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
        red = [patch for patch in frames if to_hex(patch.get_edgecolor()) == ALERT]
        assert [(int(patch.get_x()), int(patch.get_y())) for patch in red] == [(8, 2)]
        assert texts(figure).count("left out") == 1
        assert len(frames) == 96


def test_words_and_colours(sketches):
    figure = light_sheet(sketches, {"A7": ("0.05 ng", "1.44")}, {})
    said = {text.get_text(): text for text in figure.axes[0].texts}
    assert to_hex(said["0.05 ng"].get_color()) == ROLES["standard"].lower()
    assert "1.44" in said
    assert {"A", "H", "1", "12"} <= set(said)
    assert "left out" not in said
    assert any("[reading] high" in text.get_text() for text in figure.texts)


def test_odd_names_are_written_into_the_boxes(plain_plate):
    figure = light_sheet([sketch(trace) for trace in plain_plate.traces[:15]], {}, {})
    assert sum(text.startswith("tube ") for text in texts(figure)) == 15


def test_a_plate_that_cannot_be_fitted_says_so(sketches):
    from dataclasses import replace

    import numpy as np

    none = np.zeros(0)
    blind = [replace(each, hertz=none, density=none, why="no field") for each in sketches]
    assert "no well of this plate could be fitted" in [text.get_text() for text in spectrum_sheet(blind, {}).texts]
    assert texts(light_sheet(blind, {}, {})).count("no fit") == len(blind)

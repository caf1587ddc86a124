"""The body shows the median of each organ at an hour, in the colours of the printed map."""

from dataclasses import replace

import matplotlib as mpl
from matplotlib.colors import LogNorm, to_hex
from parsed import parsed

from pbpk.report.body_map import LEAST, MOST, PALETTE
from pbpk.report.explore.bodies import bodies, colour_bar
from pbpk.report.explore.cube import cube_of
from pbpk.report.wording import number


def test_each_kind_has_a_body_with_its_numbers(answer):
    cube = cube_of(answer.table, "iv_bolus")
    text = str(bodies(cube, 1.0))
    parsed(text + colour_bar())
    assert text.count("<svg") == 2
    lung = cube.at(1.0)[cube.organs.index("lung"), 0, 1]
    assert f"lung {number(lung)}" in text
    assert to_hex(mpl.colormaps[PALETTE](LogNorm(LEAST, MOST)(lung))) in text
    assert "live cells after 1 h: most in lung" in text


def test_an_organ_without_a_place_stands_below(answer):
    cube = cube_of(answer.table, "iv_bolus")
    odd = replace(cube, organs=("fin & <i>", *cube.organs[1:]))
    text = bodies(odd, 24.0)
    assert "fin &amp; &lt;i&gt; " in text
    assert "<i>" not in text

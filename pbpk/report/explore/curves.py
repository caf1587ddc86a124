"""Curves that follow a slider: the axes of a panel drawn once by matplotlib, what moves written into them as paths.

A figure of fourteen panels takes matplotlib 800 ms and these 15 ms. Colours, dashes, floors and ticks are those of
`scenario_figures`, and so is the figure that is downloaded.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from pbpk.body.solve import Array
from pbpk.report.explore.cube import Cube
from pbpk.report.figures import CEILING, FLOOR, drawable, share_axis
from pbpk.report.ink import FAINT, INK, bare_svg, colour, hours_axis, inked
from pbpk.report.scenario_figures import BEYOND, STYLES
from pbpk.report.wording import KINDS, named, number, span

WIDE, HIGH = 172.0, 118.0  # of a panel, in points, which are the units of its picture
LEFT, RIGHT, TOP, BOTTOM = 29.0, 6.0, 5.0, 17.0  # around its axes
TEXT = 9.0  # [pt]: as large as the panel is drawn on a laptop and on a phone
FIRST = 0.05  # where the axis of hours begins [h]


@dataclass(frozen=True)
class Frame:
    """Axes of every panel: a picture, and where an hour and a share lie in it.

    last : the last hour shown [h]
    """

    last: float
    picture: Markup

    def x(self, hours: Array) -> Array:
        """Hours as places from the left, (time,)."""
        along = np.log(np.maximum(hours, FIRST) / FIRST) / np.log(self.last / FIRST)
        return np.asarray(LEFT + along * (WIDE - LEFT - RIGHT))

    def y(self, shares: Array) -> Array:
        """Shares of the dose [%] as places from the top, (time,)."""
        up = np.log(drawable(shares) / FLOOR) / np.log(CEILING / FLOOR)
        return np.asarray(HIGH - BOTTOM - up * (HIGH - TOP - BOTTOM))


@lru_cache(maxsize=16)
def frame(last: float) -> Frame:
    """Axes up to an hour, drawn the first time they are asked for."""
    text = bare_svg(_axes(last))
    inside = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
    inside = re.sub(r'(id="|href="#|url\(#)', rf"\1f{last:g}-", inside)
    return Frame(last, Markup(inside))


@inked
def _axes(last: float) -> Figure:
    figure = Figure(figsize=(WIDE / 72.0, HIGH / 72.0))
    figure.patch.set_visible(False)
    axes = figure.add_axes((LEFT / WIDE, BOTTOM / HIGH, (WIDE - LEFT - RIGHT) / WIDE, (HIGH - TOP - BOTTOM) / HIGH))
    axes.patch.set_visible(False)
    share_axis(axes)
    hours_axis(axes, FIRST, last, True, most=4)
    axes.minorticks_off()
    axes.tick_params(labelsize=TEXT, pad=2.0)
    return figure


def curves(cube: Cube, organs: Sequence[str], last: float, hour: float | None = None) -> Markup:
    """One panel for each of some organs: living cells and label of the dead, medians and 95 % bands.

    last : hours shown [h]; hour : where a line stands [h]
    """
    own = frame(last)
    ground = [_late(own, cube), Markup('<use href="#frame"/>'), Markup('<g clip-path="url(#inside)">')]
    if hour is not None and FIRST <= hour <= last:
        at = float(own.x(np.array([hour]))[0])
        ground.append(Markup(f'<path d="M{at:.1f} {TOP}V{HIGH - BOTTOM}" stroke="{FAINT}" stroke-width=".7"/>'))
    start = Markup("").join(ground)
    return Markup("").join(_panel(own, cube, cube.organs.index(organ), start) for organ in organs)


def _panel(own: Frame, cube: Cube, organ: int, start: Markup) -> Markup:
    """Picture of one organ, with what it shows in words."""
    name, shown = cube.organs[organ], cube.hours > 0.0
    shade, x = colour(name), own.x(cube.hours[shown])
    parts, told = [], []
    for k, (kind, (dashes, alpha)) in enumerate(zip(cube.kinds, STYLES, strict=False)):
        low, middle, high = (own.y(cube.shares[shown, organ, k, level]) for level in range(3))
        band = _path(np.concatenate([x, x[::-1]]), np.concatenate([low, high[::-1]]))
        parts.append(f'<path d="{band}Z" fill="{shade}" fill-opacity="{alpha}"/><path d="{_path(x, middle)}" '
                     f'fill="none" stroke="{shade}" stroke-width="1.6"{_dash(dashes)}/>')  # fmt: skip
        seen = cube.hours <= own.last * 1.001
        told.append(_in_words(cube.hours[seen], cube.shares[seen, organ, k, 1], KINDS.get(kind, kind)))
    picture = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}: {}">').format(
        WIDE, HIGH, named(name), "; ".join(told))  # fmt: skip
    return Markup("<figure><figcaption>{}</figcaption>{}</figure>").format(
        named(name), picture + start + Markup("".join(parts)) + Markup("</g></svg>"))  # fmt: skip


def _path(x: Array, y: Array) -> str:
    return "M" + "L".join([f"{a:.1f} {b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True)])


def _dash(style: object) -> str:
    """Dashes of a style as SVG has them, in points."""
    return "" if style == "-" else f' stroke-dasharray="{"1.6 2.6" if style == ":" else "5 2.5"}"'


def _late(own: Frame, cube: Cube) -> Markup:
    """Ground of the hours after the last value of the study."""
    if not cube.late.any():
        return Markup("")
    before = cube.hours[~cube.late]
    begin = float(own.x(np.array([before.max() if before.size else FIRST]))[0])
    wide = max(WIDE - RIGHT - begin, 0.0)
    return Markup(
        f'<rect x="{begin:.1f}" y="{TOP}" width="{wide:.1f}" height="{HIGH - TOP - BOTTOM}" fill="{BEYOND}"/>'
    )


def _in_words(hours: Array, shares: Array, kind: str) -> str:
    """Peak and end of a curve, for who does not see it."""
    peak = int(shares.argmax())
    return (f"{kind} peak at {number(shares[peak])} % of the dose after {span(float(hours[peak]))}, "
            f"{number(shares[-1])} % after {span(float(hours[-1]))}")  # fmt: skip


def frame_picture(last: float) -> Markup:
    """Axes that all panels of a page use, and the window they draw in."""
    inside = f'<rect x="{LEFT}" y="{TOP}" width="{WIDE - LEFT - RIGHT}" height="{HIGH - TOP - BOTTOM}"/>'
    return Markup(
        '<svg class="shared" aria-hidden="true" width="0" height="0"><defs>'
        f'<clipPath id="inside">{inside}</clipPath><g id="frame">{frame(last).picture}</g></defs></svg>'
    )


def legend(kinds: Sequence[str], late: bool) -> Markup:
    """What lines, bands and grounds mean."""
    keys = [(KINDS.get(kind, kind) + ": median, 95 % credible",
             f'<rect y="1" width="34" height="10" fill="{INK}" fill-opacity="{alpha}"/>'
             f'<path d="M0 6H34" stroke="{INK}" stroke-width="1.6"{_dash(dashes)}/>')
            for kind, (dashes, alpha) in zip(kinds, STYLES, strict=False)]  # fmt: skip
    if late:
        keys.append(("after the last value of the study", f'<rect width="34" height="12" fill="{BEYOND}"/>'))
    found = (Markup('<li><svg viewBox="0 0 34 12" aria-hidden="true">{}</svg>{}</li>').format(Markup(key), words)
             for words, key in keys)  # fmt: skip
    return Markup('<ul class="legend">{}</ul>').format(Markup("").join(found))

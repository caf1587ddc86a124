"""The body as a map that follows a slider: shapes, places and colours of `body_map`, written as a picture at once."""

from functools import lru_cache

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.colors import LogNorm, to_hex

from pbpk.report.body_map import BELOW, GROUND, LABELS, LEAST, MOST, PALETTE, PLACES, outline, told
from pbpk.report.explore.cube import Cube
from pbpk.report.ink import FAINT, INK
from pbpk.report.wording import KINDS, listed, named, number, span

UNIT = 100.0  # of the picture, in one of the map
LEFT, RIGHT, HEAD = -0.66, 1.66, 1.88  # ends of the picture, in units of the map
LINE = 0.13  # of text below the body
TICKS = (0.01, 0.1, 1.0, 10.0, 100.0)  # % of the dose, along the colours


def bodies(cube: Cube, hour: float) -> Markup:
    """One body for each kind of cell at an hour: median share of the dose in each organ, as colour and number."""
    shares = cube.at(hour)[:, :, 1]
    pictures = []
    for k, kind in enumerate(cube.kinds):
        held = dict(zip(cube.organs, shares[:, k].tolist(), strict=True))
        words = KINDS.get(kind, kind)
        most = sorted(held, key=lambda organ: -held[organ])[:3]
        told_of = listed(f"{named(organ)} {number(held[organ])} %" for organ in most)
        picture = _picture(held, f"{words} after {span(hour)}: most in {told_of}")
        pictures.append(Markup("<figure><figcaption>{}</figcaption>{}</figure>").format(words, picture))
    return Markup("").join(pictures)


def _picture(held: dict[str, float], about: str) -> Markup:
    unplaced = [organ for organ in held if organ not in PLACES]
    low = BELOW - LINE * len(unplaced) - 0.04
    parts = [Markup(f'<path d="{each}" fill="{GROUND}" stroke="{FAINT}" stroke-width=".8"/>') for each in _outline()]
    norm, colours = LogNorm(LEAST, MOST), mpl.colormaps[PALETTE]
    lines, texts = [], []
    for organ, share in held.items():
        shade = to_hex(colours(norm(np.clip(share, LEAST, MOST))))
        for x, y, wide, high, tilt in PLACES.get(organ, ()):
            parts.append(Markup(
                f'<ellipse rx="{50.0 * wide:.1f}" ry="{50.0 * high:.1f}" fill="{shade}" stroke="{INK}" '
                f'stroke-width=".6" transform="translate({_x(x)} {_y(y)}) rotate({-tilt:g})"/>'))  # fmt: skip
        if organ in LABELS:
            x, y = LABELS[organ]
            near = min(PLACES[organ], key=lambda place: abs(place[0] - x))
            side = 1.0 if x > 0.5 else -1.0
            lines.append(f"M{_x(x)} {_y(y)}L{_x(near[0])} {_y(near[1])}")
            texts.append(_text(x + 0.03 * side, y, told(organ, share), "start" if side > 0.0 else "end"))
    texts += [_text(0.5, BELOW - LINE * (i + 0.6), told(organ, held[organ]), "middle")
              for i, organ in enumerate(unplaced)]  # fmt: skip
    parts.append(Markup(f'<path d="{"".join(lines)}" stroke="{FAINT}" stroke-width=".5"/>'))
    size = f"0 0 {UNIT * (RIGHT - LEFT):.0f} {UNIT * (HEAD - low):.0f}"
    start = Markup('<svg viewBox="{}" role="img" aria-label="{}">').format(size, about)
    return start + Markup("").join([*parts, *texts]) + Markup("</svg>")


def _x(x: float) -> str:
    return f"{UNIT * (x - LEFT):.1f}"


def _y(y: float) -> str:
    return f"{UNIT * (HEAD - y):.1f}"


def _text(x: float, y: float, words: str, anchor: str) -> Markup:
    return Markup('<text x="{}" y="{}" dy=".35em" text-anchor="{}">{}</text>').format(_x(x), _y(y), anchor, words)


@lru_cache(maxsize=1)
def _outline() -> tuple[str, ...]:
    """Head and trunk as paths."""
    found = []
    for patch in outline():
        shape = patch.get_patch_transform().transform_path(patch.get_path())
        for polygon in shape.to_polygons():
            found.append("M" + "L".join(f"{_x(x)} {_y(y)}" for x, y in np.asarray(polygon)) + "Z")
    return tuple(found)


def colour_bar() -> Markup:
    """What the colours mean."""
    colours = mpl.colormaps[PALETTE]
    stops = "".join(f'<stop offset="{at:g}" stop-color="{to_hex(colours(at))}"/>' for at in np.linspace(0.0, 1.0, 9))
    ticks = "".join(f'<text x="{20 + 65 * i}" y="27" text-anchor="middle">{"≤ " * (i == 0)}{tick:g}</text>'
                    for i, tick in enumerate(TICKS))  # fmt: skip
    return Markup(
        '<svg class="bar" viewBox="0 0 300 32" role="img" aria-label="Colours, from 0.01 % of the dose to 100 %">'
        f'<defs><linearGradient id="shares">{stops}</linearGradient></defs>'
        f'<rect x="20" y="2" width="260" height="10" fill="url(#shares)"/>{ticks}</svg>'
    )

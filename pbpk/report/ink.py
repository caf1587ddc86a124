"""Ink: the colour of each organ, the look of an axis, and a figure as one piece of SVG."""

import io
import re
import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary

import matplotlib as mpl
import numpy as np
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from pbpk.report.wording import span

WIDTH = 7.6  # [in], the text width of the page
INK, FAINT, ALERT = "#222222", "#8a8a8a", "#b3261e"
# Okabe and Ito's palette, told apart with any colour vision; markers tell the organs apart in grey print too.
COLOURS = {
    "lung": "#0072B2",
    "liver": "#D55E00",
    "spleen": "#CC79A7",
    "kidney": "#E69F00",
    "heart": "#009E73",
    "gut": "#56B4E9",
    "rest": "#7A7A7A",
    "blood": "#000000",
    "excreted": "#B9A46B",
}
MARKERS = {"lung": "o", "liver": "s", "spleen": "^", "kidney": "D", "heart": "v", "gut": "P", "rest": "X",
           "blood": "*"}  # fmt: skip
SPARE = ("#882255", "#332288", "#999933", "#117733", "#AA4499", "#44AA99")
SHADES = {"left": -0.25, "right": 0.35}  # towards black, towards white
ROUND_LOG = (
    1,
    24,
    168,
    0.25,
    6,
    72,
    672,
    5 / 60,
    1 / 60,
    3,
    336,
    2160,
    8760,
)  # hours, the ones to show first
ROUND_STEPS = (0.25, 0.5, 1, 2, 4, 6, 12, 24, 48, 72, 120, 168, 336, 672, 2160, 8760)
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.0,
    "axes.edgecolor": "#555555",
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.5,
    "axes.grid": True,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.visible": False,
    "ytick.minor.visible": False,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "hatch.linewidth": 0.7,
    "text.usetex": False,
}
PRINT: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "pbpk", "svg.image_inline": True}
DRAWN: WeakKeyDictionary[Figure, str] = WeakKeyDictionary()  # drawing takes longer than all else of a report
NO_TRACE = {"Date": None, "Creator": None, "Format": None, "Type": None}


def inked[**P](draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw with the house style, whatever the reader's own settings are."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update(STYLE)
            return draw(*args, **kwargs)

    return drawn


def colour(organ: str) -> str:
    """Colour of an organ, the same in every figure; the parts of a split organ are shades of it."""
    stem, _, side = organ.partition("_")
    found = COLOURS.get(organ) or COLOURS.get(stem) or SPARE[sum(map(ord, organ)) % len(SPARE)]
    shade = SHADES.get(side, 0.0)
    end = np.ones(3) if shade > 0.0 else np.zeros(3)
    red, green, blue = (1.0 - abs(shade)) * np.array(to_rgb(found)) + abs(shade) * end
    return to_hex((red, green, blue))


def marker(organ: str) -> str:
    """Marker of an organ."""
    return MARKERS.get(organ) or MARKERS.get(organ.partition("_")[0], "h")


def plain(text: str) -> str:
    """Text that is drawn as it stands: no dollar sign begins a formula."""
    return str(text).replace("$", r"\$")


def hours_axis(axes: Axes, low: float, high: float, logarithmic: bool, most: int = 5) -> None:
    """Give an axis its hours, with ticks where people look: 1 h, 24 h, 7 d."""
    if logarithmic:
        axes.set_xscale("log")
        gap = np.log(high / low) / (most + 1)
        ticks: list[float] = []
        for tick in ROUND_LOG:
            if low <= tick <= high and all(abs(np.log(tick / other)) > gap for other in ticks):
                ticks.append(tick)
    else:
        step = next((s for s in ROUND_STEPS if (high - low) / s <= most), high - low)
        ticks = [float(t) + 0.0 for t in np.arange(np.ceil(low / step) * step, high + 1e-9, step)]
    axes.set_xlim(low, high)
    axes.set_xticks(sorted(ticks), [span(tick) for tick in sorted(ticks)])
    axes.xaxis.set_minor_locator(mpl.ticker.NullLocator())


def svg(figure: Figure, about: str, prefix: str) -> Markup:
    """Figure as inline SVG: no date, no outside address, names of its parts its own within a page.

    Parameters
    ----------
    about : what a reader who cannot see it is told
    prefix : set before every id, so that figures of one page do not meet
    """
    text = bare_svg(figure)
    text = re.sub(r'(<[^<>]*? id=")', rf"\g<1>{prefix}-", text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", text)
    size = re.search(r'viewBox="0 0 ([\d.]+)', text)
    wide = f"{float(size.group(1)) / 72.0:.3f}in" if size else "100%"
    text = re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', rf'<svg \1 role="img" width="{wide}" '
                  rf'aria-label="{_in_pattern(str(escape(about)))}" xmlns="http://www.w3.org/2000/svg" '
                  r'xmlns:xlink="http://www.w3.org/1999/xlink">', text, count=1)  # fmt: skip
    return Markup(text)


def bare_svg(figure: Figure) -> str:
    """Figure as an SVG element without a date or other traces; text stays text. Each is drawn once, for all formats."""
    if figure not in DRAWN:
        DRAWN[figure] = _draw(figure)
    return DRAWN[figure]


def _draw(figure: Figure) -> str:
    buffer = io.StringIO()
    with mpl.rc_context(PRINT), warnings.catch_warnings():
        # the reader's own fonts write the text, so a sign that this machine's font lacks is no loss
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font", category=UserWarning)
        FigureCanvasSVG(figure).print_svg(buffer, metadata=NO_TRACE)
    text = buffer.getvalue()
    return re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], count=1, flags=re.DOTALL)


def _in_pattern(text: str) -> str:
    return text.replace("\\", r"\\")

"""Areas of scenarios over those of one of them, as `contrast_figure` draws them, written as pictures at once."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from markupsafe import Markup

from pbpk.predict.studied import TOTAL
from pbpk.report.ink import FAINT, colour
from pbpk.report.scenario_figures import SURE
from pbpk.report.wording import KINDS, named, number

WIDE, LEFT, RIGHT, LINE, TOP, BOTTOM = 300.0, 62.0, 8.0, 15.0, 6.0, 18.0  # of a picture, in points
ROUND = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)  # ratios where ticks may stand
APART = 26.0  # of two ticks at least


def ratios(contrasts: pd.DataFrame) -> Markup:
    """One picture for each scenario and kind: ratio of areas in each organ, median and 95 % credible interval.

    contrasts : areas only, as `contrast_scenarios` gives them; ratios that are none are left out
    """
    rows = contrasts[contrasts["ratio"].notna() & (contrasts["ratio_low"] > 0.0)]
    states = [state for state in dict.fromkeys(rows["state"]) if state != TOTAL] or [TOTAL]
    if not len(rows):
        return Markup("")
    ends = (min(0.5, float(rows["ratio_low"].min())) / 1.1, max(2.0, float(rows["ratio_high"].max())) * 1.1)
    organs = [str(organ) for organ in dict.fromkeys(rows["organ"])]
    pictures = []
    for scenario, own in rows.groupby("scenario", sort=False):
        for state in states:
            head = f"{scenario} over {own['against'].iloc[0]}: {KINDS.get(state, 'both')}"
            pictures.append(_picture(own[own["state"] == state], organs, ends, head))
    return Markup("").join(pictures)


def _picture(rows: pd.DataFrame, organs: list[str], ends: tuple[float, float], head: str) -> Markup:
    def x(ratio: float) -> float:
        return float(LEFT + np.log(ratio / ends[0]) / np.log(ends[1] / ends[0]) * (WIDE - LEFT - RIGHT))

    low = TOP + LINE * len(organs)
    parts = []
    for tick in _ticks(ends, x):
        shade, width = (FAINT, 0.9) if tick == 1.0 else ("#e4e4e4", 0.6)
        parts.append(f'<path d="M{x(tick):.1f} {TOP}V{low}" stroke="{shade}" stroke-width="{width}"/>'
                     f'<text x="{x(tick):.1f}" y="{low + 11.0}" text-anchor="middle">{tick:g}</text>')  # fmt: skip
    told = []
    for row in rows.to_dict("records"):
        organ, y = str(row["organ"]), TOP + LINE * (organs.index(str(row["organ"])) + 0.5)
        shade = colour(organ)
        sure = max(row["probability_above"], 1.0 - row["probability_above"]) >= SURE
        parts.append(f'<path d="M{x(row["ratio_low"]):.1f} {y}H{x(row["ratio_high"]):.1f}" stroke="{shade}" '
                     f'stroke-width="1.8"/><circle cx="{x(row["ratio"]):.1f}" cy="{y}" r="3.2" stroke="{shade}" '
                     f'stroke-width="1.3" fill="{shade if sure else "#ffffff"}"/>')  # fmt: skip
        told.append(f"{named(organ)} {number(row['ratio'])}")
    names = Markup("").join(
        Markup('<text x="{}" y="{}" dy=".35em" text-anchor="end">{}</text>').format(
            LEFT - 7.0, TOP + LINE * (i + 0.5), named(organ)
        )
        for i, organ in enumerate(organs)
    )
    start = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}. {}">').format(
        WIDE, low + BOTTOM, head, ", ".join(told))  # fmt: skip
    return Markup("<figure><figcaption>{}</figcaption>{}</figure>").format(
        head, start + Markup("".join(parts)) + names + Markup("</svg>"))  # fmt: skip


def _ticks(ends: tuple[float, float], x: Callable[[float], float]) -> list[float]:
    """Round ratios apart enough to be read, 1 among them."""
    found = [1.0]
    for tick in sorted(ROUND, key=lambda ratio: (f"{ratio:g}".strip("0.") != "1", abs(np.log(ratio)))):
        if ends[0] <= tick <= ends[1] and all(abs(x(tick) - x(other)) >= APART for other in found):
            found.append(tick)
    return sorted(found)

"""The answer as a page shows it: one view at a time, as HTML, from the tables that the command line writes."""

import base64
from typing import Any

import numpy as np
from markupsafe import Markup

from pbpk.errors import PbpkError
from pbpk.predict.dose_choice import Burden, Limit
from pbpk.predict.scenario import Scenario, scenario_toml
from pbpk.report.explore.answer import Answer, file_name
from pbpk.report.explore.bodies import bodies, colour_bar
from pbpk.report.explore.cube import Cube, cube_of
from pbpk.report.explore.curves import curves, frame_picture, legend
from pbpk.report.explore.form import dose_words, equal_doses
from pbpk.report.explore.ratios import ratios
from pbpk.report.explore.shown import Shown
from pbpk.report.figures import FLOOR
from pbpk.report.rendering import rendered
from pbpk.report.scenario_figures import FAINTEST, SURE
from pbpk.report.scenario_page import REACH, surplus
from pbpk.report.scenario_tables import contrasts_table, exposure_table, scenario_table
from pbpk.report.wording import ROUTES, beyond, interval, named, number, span

UNSEEN = "Nothing was measured in this animal."
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def view_html(answer: Answer, shown: Shown) -> Markup:
    """One view of an answer."""
    filled = answer.filed is not None
    words: dict[str, Any] = {"answer": answer, "view": shown.view, "filled": filled}
    if filled:
        words |= {"heads": [_head(answer, scenario, i) for i, scenario in enumerate(answer.scenarios)]}
        words |= _VIEWS[shown.view](answer, shown)
    return Markup(rendered("explore/answer.html.j2", **words))


def letter(i: int) -> str:
    """Letter of a scenario by its place."""
    return LETTERS[i] if i < len(LETTERS) else str(i + 1)


def _head(answer: Answer, scenario: Scenario, i: int) -> dict[str, Any]:
    """What stands above whatever is shown of a scenario."""
    evidence = answer.headline.evidence[scenario.name]
    moved = answer.origin.animal(scenario).moved
    reach = [REACH.get(evidence, ""), UNSEEN if moved else "", moved.sentence if moved else "",
             beyond("; ".join(answer.headline.beyond[scenario.name]))]  # fmt: skip
    text = base64.b64encode(scenario_toml(scenario).encode()).decode()
    return {
        "letter": letter(i), "name": scenario.name, "title": scenario.title, "evidence": evidence,
        "words": conditions(answer, scenario), "reach": " ".join(sentence for sentence in reach if sentence),
        "surplus": surplus(answer.table[answer.table["scenario"] == scenario.name]),
        "file": file_name(scenario), "toml": f"data:application/toml;base64,{text}",
    }  # fmt: skip


def conditions(answer: Answer, scenario: Scenario) -> str:
    """What is asked, in a line."""
    there = answer.origin.animal(scenario)
    amount = there.dose(scenario, answer.cells)
    dose = f"{number(amount)} {there.model.amount}" if amount else "100 % of the dose"
    if scenario.cells_per_kg is not None:
        dose += f" ({number(scenario.cells_per_kg)} per kg)"
    way = equal_doses(scenario)
    given = dose_words(scenario) if way is None else ROUTES.get(way.route, f"by {named(way.route)}")
    if way is not None:
        given += " at once" if way.doses == 1 and not way.duration_min else ""
        given += f" in {way.doses} doses {span(way.interval_h)} apart" if way.doses > 1 else ""
        each = ", each" if way.doses > 1 else ""
        given += f"{each} over {way.duration_min:g} min" if way.duration_min else ""
    return "; ".join([
        there.model.species.name, dose, given,
        *([f"cells {scenario.diameter_ratio:g} times as wide"] if scenario.diameter_ratio != 1.0 else []),
        *([f"{100.0 * scenario.viability:g} % alive"] if scenario.viability != 1.0 else []),
        *(f"{named(o)} capillaries {factor:g} times as wide" for o, factor in (scenario.vasodilation or {}).items()),
        *(f"{named(o)} injured, arrest times {factor:g}" for o, factor in (scenario.injury or {}).items()),
        *(f"{name} {value:g}" for name, value in (scenario.modifiers or {}).items()),
        *([f"clotting {scenario.clotting:g}, anticoagulant {scenario.anticoagulant:g}"] if scenario.clotting else []),
    ])  # fmt: skip


def _cubes(answer: Answer) -> list[Cube]:
    return [cube_of(answer.table, scenario.name) for scenario in answer.scenarios]


def _visible(cubes: list[Cube]) -> list[str]:
    """Organs drawn of any scenario, the same for all."""
    found = {organ for cube in cubes for organ in cube.visible}
    return [organ for organ in cubes[0].organs if organ in found]


def _curves(answer: Answer, shown: Shown) -> dict[str, Any]:
    cubes = _cubes(answer)
    organs, last = _visible(cubes), shown.last_of(cubes[0].hours)
    late = any((cube.late & (cube.hours <= last)).any() for cube in cubes)
    tables = [scenario_table(part) for _, part in answer.table.groupby("scenario", sort=False)]
    return {
        "day": answer.headline,
        "frame": frame_picture(last),
        "pictures": [curves(cube, organs, last, None) for cube in cubes],
        "legend": legend(cubes[0].kinds, late),
        "tables": tables,
        "floor": FLOOR,
    }


def _body(answer: Answer, shown: Shown) -> dict[str, Any]:
    cubes = _cubes(answer)
    hour = min(shown.hour, float(cubes[0].hours[-1]))
    return {"pictures": [bodies(cube, hour) for cube in cubes], "hour": span(float(f"{hour:.3g}")), "bar": colour_bar(),
            "kinds": len(cubes[0].kinds)}  # fmt: skip


def _differences(answer: Answer, shown: Shown) -> dict[str, Any]:
    found = answer.contrasts(shown.against, areas=True)
    if found is None:
        return {"table_of_differences": None}
    titles = {scenario.name: scenario.title for scenario in answer.scenarios}
    larger = found[["value", "value_against"]].max(axis=1)
    told = found[larger > FAINTEST * larger.max()].assign(scenario=lambda rows: rows["scenario"].map(titles),
                                                          against=lambda rows: rows["against"].map(titles))  # fmt: skip
    if not len(told):
        return {"table_of_differences": None}
    return {"table_of_differences": contrasts_table(told), "ratios": ratios(told), "sure": round(100.0 * SURE)}


def _exposure(answer: Answer, shown: Shown) -> dict[str, Any]:
    organs = _visible(_cubes(answer))
    by_name = dict(iter(answer.exposure.groupby("scenario", sort=False)))
    return {"tables": [exposure_table(by_name[scenario.name], organs) for scenario in answer.scenarios]}


def _limit(answer: Answer, shown: Shown) -> dict[str, Any]:
    try:
        limit = shown.limit
        rows = [_risk(scenario, found, limit, i) for i, (scenario, found) in enumerate(answer.burdens(limit))]
    except PbpkError as problem:
        return {"rows": [], "problem": str(problem), "limit": None, "amount": ""}
    told = f"{named(limit.organ)} under {number(limit.cells)} {answer.origin.model.amount} at once"
    return {"rows": rows, "problem": "", "limit": told, "probability": f"{limit.probability:g}",
            "amount": answer.origin.model.amount}  # fmt: skip


def _risk(scenario: Scenario, found: Burden | str, limit: Limit, i: int) -> dict[str, Any]:
    """One scenario against a limit, as a row."""
    row: dict[str, Any] = {"letter": letter(i), "title": scenario.title, "problem": ""}
    if isinstance(found, str):
        return row | {"problem": found}
    middle, low, high = found.interval
    under = found.probability_under
    return row | {
        "cells": number(found.cells), "peak": number(middle), "interval": interval(low, high),
        "under": f"{under:.3f}".rstrip("0").rstrip(".") if under not in (0.0, 1.0) else f"{under:.0f}",
        "width": f"{100.0 * under:.1f}", "held": under >= limit.probability,
        "most": "–" if found.most is None else number(found.most), "draws": int(np.size(found.peak)),
    }  # fmt: skip


_VIEWS = {"curves": _curves, "body": _body, "differences": _differences, "exposure": _exposure, "limit": _limit}


def command_line(run: str, answer: Answer, shown: Shown, options: str = "") -> str:
    """What to type for the same numbers, after the scenario files were downloaded; run : quoted as a shell wants it."""
    words = f"pbpk simulate {run} scenarios --out answers{options}"
    against = answer.against(shown.against)
    return words + (f" --against {against}" if against and len(answer.scenarios) > 1 else "")

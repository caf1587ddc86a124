"""The page itself: forms of scenarios, settings of the view, links to take away; one file without outside assets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pbpk.body.library import read_names
from pbpk.predict.origin import Origin
from pbpk.predict.scenario import WEIGHT, Scenario, scenario_of
from pbpk.report.explore.form import MOST_DOSES, Form, digits, dose_words, equal_doses, kept_words
from pbpk.report.explore.shown import SPANS, VIEWS, Shown
from pbpk.report.rendering import rendered
from pbpk.report.wording import named, span

FIRST = ("iv_bolus", "portal_vein")  # shipped scenarios that a page begins with
MOST_FIRST = 3  # of a user's own
DOWNLOADS = {
    "forecast": "Table (CSV)",
    "differences": "Differences (CSV)",
    "exposure": "Exposure (CSV)",
    "figure_svg": "Figure (SVG)",
    "figure_png": "Figure (PNG)",
    "scenarios": "Scenarios (zip)",
    "report": "Report (HTML)",
}


@dataclass(frozen=True)
class Slider:
    """A range: its ends, and a step on which its value lies, whatever a file said."""

    value: str
    low: float
    high: float
    step: str

    @staticmethod
    def of(value: str, low: float, high: float, step: float) -> "Slider":
        """Wide enough for a value; a step of any size where it lies between two."""
        try:
            at = float(value)
        except ValueError:
            return Slider(value, low, high, f"{step:g}")
        low, high = min(low, at), max(high, at)
        on_grid = abs((at - low) / step - round((at - low) / step)) < 1e-9
        return Slider(value, low, high, f"{step:g}" if on_grid else "any")


@dataclass(frozen=True)
class Card:
    """A form with what it may choose from."""

    form: Form
    ranges: Mapping[str, Slider]
    routes: Mapping[str, Sequence[str]]
    kept: str
    doses_of_file: str


def begun(starts: Mapping[str, Scenario], given: bool) -> list[Scenario]:
    """Scenarios that a page begins with; given : whether somebody named them."""
    if given:
        return list(starts.values())[:MOST_FIRST]
    return [starts[name] for name in FIRST if name in starts] or list(starts.values())[:1]


def usual(origin: Origin) -> Scenario:
    """A bolus by the first route of a model: where no scenario is known that it can answer."""
    free = [name for name, route in origin.model.routes.items() if not route.needs]
    route = "iv" if "iv" in free else (free or list(origin.model.routes))[0]
    return scenario_of("bolus", {"title": "Bolus", "doses": [{"route": route}]})


def page_html(
    origin: Origin, starts: Mapping[str, Scenario], first: Sequence[Scenario], cells: float | None, command: str
) -> str:
    """The whole page.

    starts : scenarios that a form can begin with, by name; first : those it begins with; command : how it is asked in
        the terminal
    """
    model = origin.model
    amount = cells or origin.amount
    return rendered(
        "explore/page.html.j2",
        set(model.kinds) >= {"live", "label"},
        origin=origin,
        title=f"{origin.words[0].upper()}{origin.words[1:]}",
        first=[_card(origin, scenario) for scenario in first],
        starts=[_card(origin, scenario) for scenario in starts.values()],
        species=[name for name in read_names("species") if name != model.species.name],
        own=model.species.name,
        weighs=WEIGHT in model.species.quantities,
        amount=model.amount,
        given="" if amount is None else digits(amount),
        organs=list(model.organs),
        sized=model.size_law is not None,
        injurable=[organ for organ in model.organs if f"injury_{organ}" in {each.name for each in model.modifiers}],
        limited=_limited(origin),
        most_doses=MOST_DOSES,
        views=VIEWS,
        spans=[(hours, span(hours)) for hours in SPANS],
        shown=Shown(),
        downloads=DOWNLOADS,
        draws=len(origin.theta),
        command=command,
        named=named,
    )


def _limited(origin: Origin) -> list[str]:
    """Organs that may have a limit: where living cells stay."""
    model = origin.model
    lasting = set(model.states[: model.n_lasting])
    living = model.kinds.get("live", frozenset(model.states))
    return [organ for organ in model.organs if lasting & living & set(model.observed.get(organ, ()))]


def _card(origin: Origin, scenario: Scenario) -> Card:
    form = Form.of(scenario)
    ranges = {
        "diameter_ratio": Slider.of(form.diameter_ratio, 0.3, 2.0, 0.05),
        "viability": Slider.of(form.viability, 0.0, 100.0, 1.0),
        "calibre": Slider.of(form.calibre, 0.5, 2.0, 0.05),
        "arrest": Slider.of(form.arrest, 0.1, 5.0, 0.1),
        "duration_min": Slider.of(form.duration_min, 0.0, 120.0, 1.0),
    }
    doses = dose_words(scenario) if equal_doses(scenario) is None else ""
    return Card(form, ranges, _routes(origin, form.route), kept_words(scenario), doses)


def _routes(origin: Origin, own: str) -> dict[str, list[str]]:
    """Routes under headings; those that need a number only a file can give are left out, but for a file's own."""
    groups: dict[str, list[str]] = {"Vessels": [], "One organ's artery": [], "Into an organ": [], "Depots": []}
    for name, route in origin.model.routes.items():
        if route.needs and name != own:
            continue
        organ, _, kind = name.rpartition("_")
        head = "Depots" if route.needs else "Vessels"
        if organ in origin.model.organs and name != "hepatic_artery":
            head = {"artery": "One organ's artery", "tissue": "Into an organ"}.get(kind, head)
        groups[head].append(name)
    return {head: names for head, names in groups.items() if names}


def form_words(values: Any) -> list[Form]:
    """Forms as a browser sends them, in the order of the page; anything else is no form."""
    return [Form.sent(each) for each in values if isinstance(each, dict)] if isinstance(values, list | tuple) else []

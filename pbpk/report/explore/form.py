"""A scenario as the fields of a form, and back: what a form asks is what the file holds that it downloads as.

What a scenario file can say and the form has no field for (a sex, clotting, modifiers, doses that are not alike) is
kept from the scenario that the form began with, and told in words.
"""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from pbpk.errors import ScenarioError
from pbpk.predict.dose_choice import Way
from pbpk.predict.scenario import Scenario, ScenarioDose, scenario_of
from pbpk.report.wording import counted, listed, named, span

MOST_DOSES = 60  # of one scenario: as many as anybody gives, and what a page can follow
CLOSE = 1e-9  # of a share or an hour, within which doses are alike
NO_ORGAN = ""
KEPT = ("sex", "clotting", "anticoagulant", "modifiers")  # keys of a file without a field


@dataclass(frozen=True)
class Form:
    """Fields as a browser sends them, all text; empty where nothing is asked.

    title : what the scenario is called; start : the scenario it began with
    species, body_weight_g, rates : another animal; dose, per : how much, in `cells` or `cells_per_kg`
    way : "equal" for equal doses, "file" for those of the scenario it began with; route, doses, interval_h,
        duration_min : of equal ones
    diameter_ratio, viability [%]; vasodilated, calibre : an organ and the factor on its capillaries; injured, arrest :
        an organ and the factor on its rate of arrest
    """

    title: str
    start: str = ""
    species: str = ""
    body_weight_g: str = ""
    rates: str = "carried"
    dose: str = ""
    per: str = "cells"
    way: str = "equal"
    route: str = ""
    doses: str = "1"
    interval_h: str = "24"
    duration_min: str = "0"
    diameter_ratio: str = "1"
    viability: str = "100"
    vasodilated: str = NO_ORGAN
    calibre: str = "1.2"
    injured: str = NO_ORGAN
    arrest: str = "2"
    uid: str = field(default="", compare=False)

    @staticmethod
    def sent(values: Mapping[str, Any]) -> "Form":
        """As a browser sends it; what is unknown is left out, what is missing is empty."""
        given = {each.name: str(values[each.name])[:400] for each in fields(Form) if each.name in values}
        return Form(**({"title": ""} | given))

    @staticmethod
    def of(scenario: Scenario) -> "Form":
        """Fields that say a scenario."""
        way = equal_doses(scenario)
        wide, hurt = (next(iter((each or {}).items()), None) for each in (scenario.vasodilation, scenario.injury))
        amount = scenario.cells if scenario.cells_per_kg is None else scenario.cells_per_kg
        found = Form(
            title=scenario.title,
            start=scenario.name,
            species=scenario.species or "",
            body_weight_g="" if scenario.body_weight_g is None else digits(scenario.body_weight_g),
            rates=scenario.rates,
            dose="" if amount is None else digits(amount),
            per="cells" if scenario.cells_per_kg is None else "cells_per_kg",
            way="equal" if way else "file",
            route=way.route if way else scenario.doses[0].route,
            diameter_ratio=digits(scenario.diameter_ratio),
            viability=digits(100.0 * scenario.viability),
        )
        if way:
            found = replace(found, doses=str(way.doses), duration_min=digits(way.duration_min),
                            interval_h=digits(way.interval_h or float(found.interval_h)))  # fmt: skip
        if wide:
            found = replace(found, vasodilated=wide[0], calibre=digits(wide[1]))
        return replace(found, injured=hurt[0], arrest=digits(hurt[1])) if hurt else found


def digits(value: float) -> str:
    """Number in as few digits as say it, a power of ten where it is large."""
    power = math.floor(math.log10(abs(value))) if value else 0
    short = f"{value:g}" if float(f"{value:g}") == value else repr(float(value))
    return short.replace("e+0", "e").replace("e+", "e") if power >= 5 else short


def equal_doses(scenario: Scenario) -> Way | None:
    """Way of giving, where all doses are alike, by one route and evenly apart from 0 h; None where they are not."""
    given: list[tuple[float, ScenarioDose]] = sorted(
        ((dose.hours + i * dose.interval_h, dose) for dose in scenario.doses for i in range(dose.addl + 1)),
        key=lambda pair: pair[0],
    )
    first = given[0][1]
    hours = [hour for hour, _ in given]
    gap = hours[1] - hours[0] if len(hours) > 1 else 0.0
    alike = all(
        dose.route == first.route and dose.duration_min == first.duration_min and not dose.ss and not dose.lag_h
        and math.isclose(dose.share, 1.0 / len(given), rel_tol=CLOSE)
        and math.isclose(hour, i * gap, rel_tol=CLOSE, abs_tol=CLOSE)
        for i, (hour, dose) in enumerate(given)
    )  # fmt: skip
    if not alike or (len(hours) > 1 and gap <= 0.0) or len(given) > MOST_DOSES:
        return None
    return Way(first.route, len(given), gap, first.duration_min)


def asked(form: Form, starts: Mapping[str, Scenario], taken: Sequence[str] = ()) -> Scenario:
    """Scenario that a form asks.

    Parameters
    ----------
    starts : scenarios that forms began with, by name
    taken : names that others have already

    Raises
    ------
    ScenarioError
        if a field holds what cannot be, in one sentence
    """
    like = starts.get(form.start)
    title = " ".join(form.title.split()) or "Scenario"
    keys: dict[str, Any] = {"title": title}
    if like is not None:
        keys |= {name: getattr(like, name) for name in KEPT}  # none of them has a field
    keys |= {
        "species": form.species or None,
        "body_weight_g": number_of(form.body_weight_g, "the body weight", above=True) if form.body_weight_g else None,
        "diameter_ratio": number_of(form.diameter_ratio, "the cell diameter", above=True),
        "viability": number_of(form.viability, "the viability", most=100.0) / 100.0,
        "doses": [dict(dose) for dose in _doses(form, like)],
    }
    if any(keys.get(name) is not None for name in ("species", "body_weight_g", "sex")):
        keys["rates"] = form.rates
    if form.dose.strip():
        keys["cells_per_kg" if form.per == "cells_per_kg" else "cells"] = number_of(form.dose, "the dose", above=True)
    for key, organ, factor, words in (("vasodilation", form.vasodilated, form.calibre, "the vasodilator's factor"),
                                      ("injury", form.injured, form.arrest, "the injury's factor")):  # fmt: skip
        others = list(((getattr(like, key) if like else None) or {}).items())[1:]  # the form shows the first of several
        keys[key] = dict([*([(organ, number_of(factor, words, above=True))] if organ else []), *others])
    name = _free(like.name if like and like.title == title else name_of(title), taken)
    found = scenario_of(name, {key: value for key, value in keys.items() if value is not None})
    if like is not None and replace(found, name=like.name, about=like.about, file=like.file) == _spelt_out(like):
        return replace(found, about=like.about)  # still what its file is about
    return found


def _spelt_out(like: Scenario) -> Scenario:
    """Scenario with a table where none was given, so that two that say the same are equal."""
    return replace(like, vasodilation=like.vasodilation or {}, injury=like.injury or {}, modifiers=like.modifiers or {})


def _doses(form: Form, like: Scenario | None) -> tuple[ScenarioDose, ...]:
    if form.way == "file" and like is not None:
        return like.doses
    n = number_of(form.doses, "the number of doses", above=True, most=MOST_DOSES)
    if n != int(n):
        raise ScenarioError(f"the number of doses is `{form.doses}`: give a whole number from 1 on.")
    interval = number_of(form.interval_h, "the hours between doses", above=True) if n > 1 else 0.0
    way = Way(form.route, int(n), interval, number_of(form.duration_min, "the infusion time"))
    if like is not None and equal_doses(like) == way:
        return like.doses  # as the file spells them, to the digit
    return way.scenario(Scenario("", "", "", ()), None).doses


def number_of(text: str, what: str, above: bool = False, most: float = math.inf) -> float:
    """Number of a field; `above` 0, or from 0 on.

    Raises
    ------
    ScenarioError
    """
    try:
        value = float(text.strip().replace(" ", "").replace("−", "-"))
    except ValueError:
        if re.fullmatch(r"\s*\d+,\d+\s*", text):
            raise ScenarioError(f"{what} is `{text}`: write a point for the comma.") from None
        raise ScenarioError(f"{what} is `{text}`: write a number, as 20 or 1e6.") from None
    low = value > 0.0 if above else value >= 0.0
    if not (math.isfinite(value) and low and value <= most):
        upper = f" and at most {most:g}" if math.isfinite(most) else ""
        raise ScenarioError(f"{what} is `{text}`: give a number {'above' if above else 'of at least'} 0{upper}.")
    return value


def name_of(title: str) -> str:
    """Name of a file from a title: small letters, digits and underscores.

    >>> name_of("IV bolus, ×1.3 – 2 d"), name_of("…")
    ('iv_bolus_1_3_2_d', 'scenario')
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:60] or "scenario"


def _free(name: str, taken: Sequence[str]) -> str:
    """Name that nobody has yet."""
    if name not in taken:
        return name
    return next(f"{name}_{i}" for i in range(2, len(taken) + 3) if f"{name}_{i}" not in taken)


def kept_words(scenario: Scenario) -> str:
    """What a scenario has that the form has no field for, in a sentence; empty where there is nothing."""
    told = [
        *([f"sex {scenario.sex}"] if scenario.sex else []),
        *([f"clotting {scenario.clotting:g}"] if scenario.clotting else []),
        *([f"anticoagulant {scenario.anticoagulant:g}"] if scenario.anticoagulant != 1.0 else []),
        *(f"{name} {value:g}" for name, value in (scenario.modifiers or {}).items()),
        *(f"wider capillaries of the {named(organ)} ({factor:g})" for organ, factor in _rest(scenario.vasodilation)),
        *(f"injury of the {named(organ)} ({factor:g})" for organ, factor in _rest(scenario.injury)),
    ]
    return f"Kept from its file: {listed(told)}." if told else ""


def _rest(factors: Mapping[str, float] | None) -> list[tuple[str, float]]:
    return list((factors or {}).items())[1:]


def dose_words(scenario: Scenario) -> str:
    """Doses of a scenario in words, as the form says those it cannot hold in fields."""
    told = []
    for dose in scenario.doses:
        words = f"{100.0 * dose.share:.3g} % {named(dose.route)} at {span(dose.hours)}"
        words += f" over {dose.duration_min:g} min" if dose.duration_min else ""
        words += f", then {counted(dose.addl, 'dose')} every {span(dose.interval_h)}" if dose.addl else ""
        told.append(words + (", for ever before" if dose.ss else ""))
    return "; ".join(told)

"""What must hold of any animal and any model: nothing is lost, nothing is negative, flows and volumes close.

The questions are those of the checklist of OECD Guidance Document 331 (2021): mass balance kept at all times, cardiac
output the sum of tissue flows, tissue volumes the body weight. They are asked of the numbers, not of the file reader.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from pbpk.body.library import LIBRARY
from pbpk.body.model import Model
from pbpk.body.solve import Array
from pbpk.body.species import CLOSURE, Species, read_species
from pbpk.errors import PbpkError
from pbpk.predict.qualification.checks import Check, at_most, broken
from pbpk.predict.qualification.courses import Course

OECD = "OECD Guidance Document 331 (2021), evaluation checklist"
LOST = 1e-9  # of the dose: what forecasts and fits may lose by rounding
BODY = 0.10  # of the body weight: sources leave up to 6 % of an animal in no organ, and tell volumes at 1 g/mL or not
ROUNDING = 1e-9  # of the cardiac output, in what a model made of the numbers of its animal


def of_animals(folder: Path = LIBRARY / "species") -> tuple[Check, ...]:
    """Check every animal of a folder, and each of its sexes."""
    found: list[Check] = []
    for file in sorted(folder.glob("*.toml")):
        try:
            species = read_species(file)
        except PbpkError as problem:
            found.append(broken("balance", f"{file.stem}: read", "an animal's file is read", str(problem), OECD))
            continue
        for animal in (species, *(species.of_sex(sex) for sex in species.sexes)):
            found += of_animal(animal)
    return tuple(found)


def of_animal(species: Species, name: str = "") -> tuple[Check, ...]:
    """Flows sum to the cardiac output, volumes to the body, and the lungs take no share of the arterial flow.

    name : of the animal in the checks, where it is not the species'
    """
    name = name or species.name
    numbers = species.numbers()
    output = numbers["cardiac_output"]
    flows = sum(numbers.get(f"artery_{organ}", 0.0) for organ in species.organs)
    organs = [(numbers[f"volume_{organ}"], numbers[f"density_{organ}"]) for organ in species.organs]
    blood = numbers["volume_vein"] + numbers["volume_artery"]
    grams = [blood + sum(volume for volume, _ in organs), blood + sum(volume * density for volume, density in organs)]
    weight = numbers["body_weight"]
    off = min(abs(each / weight - 1.0) for each in grams)
    lung = numbers.get("artery_lung", 0.0) / output
    return (
        at_most("balance", f"{name}: flows", "arterial flows of all organs sum to the cardiac output",
                abs(flows / output - 1.0), CLOSURE, "1", OECD,
                f"{flows:.6g} of {output:.6g} mL/h"),
        at_most("balance", f"{name}: volumes",
                "organs and blood sum to the body weight, at 1 g/mL or at the densities of the file", off, BODY, "1",
                OECD, f"{grams[0]:.5g} mL, {grams[1]:.5g} g at its densities, of {weight:.6g} g"),
        at_most("balance", f"{name}: lungs in series",
                "the lungs take no share of the arterial flow, for all of the cardiac output passes them", lung, 0.0,
                "1", OECD),
    )  # fmt: skip


def of_model(model: Model, theta: Array, name: str) -> Iterator[Check]:
    """Check what flows through the vessels of a linear model against the cardiac output: lungs, arteries, veins.

    theta : (parameter,); nothing is checked of a model without vessels named `vein` and `artery`
    """
    numbers = _numbers(model, theta)
    needed = {"cardiac_output", "volume_vein", "volume_artery"}
    if not model.is_linear or not {"vein", "artery"} <= set(model.states) or not needed <= set(numbers):
        return
    rates = model.rates(theta)
    output = numbers["cardiac_output"]
    for vessel, what in (("vein", "through the lungs"), ("artery", "to all organs")):
        leaving = model.source_states == model.states.index(vessel)
        flow = float(rates[leaving].sum()) * numbers[f"volume_{vessel}"]
        where = f"{flow:.6g} of {output:.6g} mL/h"
        yield at_most("balance", f"{name}: flow {what}",
                      f"what the model lets out of the {vessel} is the cardiac output", abs(flow / output - 1.0),
                      CLOSURE, "1", OECD, where)  # fmt: skip
    into = {model.states[target] for target in model.target_states[model.source_states == model.states.index("vein")]}
    passed = into == {"lung.blood"}
    told = f"{name}: the vein leads to {', '.join(sorted(into))}."
    yield Check("balance", f"{name}: lungs in series", "blood of the vein goes to the lungs and nowhere else",
                ", ".join(sorted(into)), "lung.blood", "", passed, told, OECD)  # fmt: skip


def _numbers(model: Model, theta: Array) -> dict[str, float]:
    """Symbols of a model by their names; where the animal's numbers are estimated, those that rates take."""
    known = {name: float(value) for name, value in zip(model.symbol_names, model.symbols(theta), strict=True)}
    following: dict[str, float] = {}

    def follows(name: str) -> float:
        if name not in model.derived:
            return known[name]
        if name not in following:
            rate = model.derived[name]
            following[name] = float(rate.evaluate({each: follows(each) for each in rate.names}, np))
        return following[name]

    known |= {name: follows(name) for name in model.derived}
    return known | {name.removeprefix("own_"): known[name] for name in model.derived if name.startswith("own_")}


def of_courses(courses: Iterable[Course]) -> tuple[Check, ...]:
    """Check mass balance and signs of courses, as forecasts compute them and as the sampler does."""
    found: list[Check] = []
    for course in courses:
        if course.schedule.is_steady:  # what has left the body is then without end
            continue
        for fidelity, who in (("full", "forecast"), ("reduced", "sampler")):
            try:
                found += _balanced(course, fidelity, who)
            except PbpkError as problem:
                found.append(broken("balance", f"{course.name}: {who}", "the course is followed", str(problem), OECD))
    return tuple(found)


def _balanced(course: Course, fidelity: str, who: str) -> Iterator[Check]:
    model, states = course.model, course.states(fidelity)
    # a passing state that is in balance holds no cells of its own: those that last are all of them
    held = states if fidelity == "full" else states[:, : model.n_lasting]
    off = np.abs(held.sum(axis=1) - course.entered()) / course.given
    worst = int(np.argmax(off))
    yield at_most("balance", f"{course.name}: mass balance of the {who}",
                  f"everything in all states is what was given, at each of {course.hours.size} hours",
                  float(off[worst]), LOST, "of the dose", OECD, f"at {course.hours[worst]:g} h")  # fmt: skip
    least = float(states.min()) / course.given
    where = "" if least >= 0.0 else f"in {model.states[int(np.argmin(states.min(axis=0)))]}"
    yield at_most("balance", f"{course.name}: no negative amount in the {who}", "the smallest amount is not below zero",
                  0.0 if least >= 0.0 else -least, 0.0, "of the dose", OECD, where)  # fmt: skip

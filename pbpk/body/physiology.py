"""The same model in another animal, and numbers of an animal that are believed within their spread instead of known.

A number X that is set free becomes a parameter of the model, with the prior of `scaling.spread`. In an animal of
another weight or sex it counts `ratio_X` times, the animal's own number over that of the animal the model was read for.
What rates take is `own_X`: flows brought to the cardiac output and volumes to the volume of the whole body, each by one
factor, as `scaling.draw_species` does. All that `[where]` makes of such numbers follows, within the tape.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from pbpk.body.model import Family, Model, Parameter
from pbpk.body.prior import Prior
from pbpk.body.rates import Rate, parse_rate
from pbpk.body.scaling import BLOOD, Allometry, numbers_at, spread
from pbpk.body.solve import Array
from pbpk.body.species import CLOSURE, Species
from pbpk.errors import ModelFileError, SpeciesError, did_you_mean
from pbpk.quantity import inside

FIXED, SPREAD = "fixed", "spread"
WHOLE, OUTPUT, WEIGHT = "volume_whole", "cardiac_output", "body_weight"


def takes_animal(model: Model, animal: Species) -> bool:
    """Whether a rate needs a number of an animal; a model may bring all its numbers itself."""
    return any(name in animal.quantities and name not in model.own for name in _used(model))


def in_animal(model: Model, animal: Species) -> Model:
    """Return the model with the numbers of another animal, its organs split as they were.

    Raises
    ------
    SpeciesError
        if the animal lacks a number that a rate needs, or no rate needs any of its numbers
    ModelFileError
        if what `where` makes of its numbers cannot be computed
    """
    for organ, parts in model.split.items():
        if organ in animal.organs:
            animal = animal.split(organ, parts)
    numbers = _numbers(model, animal)
    if not takes_animal(model, animal):
        raise SpeciesError(
            f"{model.name} takes no number of the animal, only its own, so another animal changes nothing; write "
            "a model with the numbers of that animal under [constants]."
        )
    for name in _used(model):
        if name not in numbers and name in model.constants and name not in model.where:
            place = f"{animal.file or animal.name}: {animal.name}"
            raise SpeciesError(f"{place} has no `{name}`, which {model.name} needs; add it."
                               + did_you_mean(name, numbers))  # fmt: skip
    before = model.species.sources
    theirs = {key: source for key, source in model.sources.items() if before.get(key) != source}
    sources = dict(animal.sources) | theirs
    return replace(model, constants=_settled(model, numbers), species=animal, sources=sources)


def opened(model: Model) -> Model:
    """Return the model with every constant as a parameter that follows its own, so that each draw has its own body."""
    about, units = f"number of the {model.species.name}", model.constant_units
    bodily = [Parameter(name, about, units.get(name, "1"), Prior("fixed", value, 0.0), "")
              for name, value in model.constants.items()]  # fmt: skip
    return replace(model, parameters=(*model.parameters, *bodily), constants={})


def constants_at(model: Model, weights: Array, law: Allometry | None = None) -> Array:
    """Constants of a model in animals of many weights, (animal, constant): of each, what `in_animal` gives `scaled`.

    weights : (animal,) [g]; law : exponents of body weight, of `models/scaling/allometry.toml` where None
    """
    numbers = numbers_at(model.species, weights, law)
    settled = _settled(model, _with_own(model, numbers, _volumes(model.species)))
    return np.stack([np.broadcast_to(value, weights.shape) for value in settled.values()], axis=-1)


def _numbers(model: Model, animal: Species) -> dict[str, Any]:
    """Numbers of an animal and the model's own, and what those that are free count in it."""
    return _with_own(model, animal.numbers(), _volumes(animal))


def _with_own(model: Model, animal: Mapping[str, Any], volumes: Sequence[str]) -> dict[str, Any]:
    """Numbers of animals, each one or (animal,), with the model's own and what those that are free count in them."""
    numbers = dict(animal) | {name: q.value * inside(q.unit)[1] for name, q in model.own.items()}
    for parameter in model.parameters:
        if f"ratio_{parameter.name}" in model.constants and parameter.name in numbers:
            numbers[f"ratio_{parameter.name}"] = numbers[parameter.name] / parameter.prior.centre
    return numbers | {WHOLE: sum(numbers[name] for name in volumes if name in numbers)}


def _settled(model: Model, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Constants in the model's order, free numbers at their medians; what is not known and not needed is NaN."""
    known = dict.fromkeys(model.constants, float("nan")) | dict(numbers)
    known |= {p.name: p.prior.centre for p in model.parameters if f"ratio_{p.name}" in model.constants}
    for name, rate in model.where.items():
        try:
            value = rate.evaluate(known, np)
        except ArithmeticError as problem:
            raise ModelFileError(f"{model.name}: where.{name}: `{rate.text}` cannot be computed for this animal: "
                                 f"{problem}.") from None  # fmt: skip
        known[name] = value if isinstance(value, np.ndarray) else float(value)
    return {name: known[name] for name in model.constants}


def _used(model: Model) -> list[str]:
    """Names that rates and volumes need, and those that they are made of."""
    brought = [family for modifier in model.modifiers for _, family in modifier.replaces]
    places = [at for family in (*model.families, *brought) for where in family.symbols.values() for at in where]
    used = dict.fromkeys([*(model.symbol_names[at] for at in places if at >= 0), *model.volumes.values()])
    for name in reversed(list(model.where)):  # each is made of what comes before it
        if name in used:
            used |= dict.fromkeys(model.where[name].names)
    return list(used)


def _flows(animal: Species) -> list[str]:
    return [f"artery_{organ}" for organ in animal.organs if f"artery_{organ}" in animal.quantities]


def _volumes(animal: Species) -> list[str]:
    return [*BLOOD, *(f"volume_{organ}" for organ in animal.organs)]


def chosen(text: str) -> str | list[str]:
    """What a command asks for: "fixed", "spread", or names and patterns apart by commas.

    >>> chosen("spread"), chosen("cardiac_output, volume_*")
    ('spread', ['cardiac_output', 'volume_*'])
    """
    return text if text in (FIXED, SPREAD) else [name.strip() for name in text.split(",") if name.strip()]


def freed(model: Model, asked: str | Sequence[str]) -> Model:
    """Return the model with numbers of its animal, or of its own, as parameters with priors, in a body that closes.

    asked : "fixed" for none, "spread" for all that have low or high and that a rate needs, or names and patterns, as
        ["cardiac_output", "volume_*"]

    Raises
    ------
    ModelFileError
        if a name is not that of such a number, or flows or volumes do not close
    """
    if asked == FIXED:
        return model
    used = dict.fromkeys(_used(model))
    closing = [(names, total) for names, total in ((_flows(model.species), OUTPUT), (_volumes(model.species), WHOLE))
               if any(name in used for name in names)]  # fmt: skip
    used |= dict.fromkeys(name for names, total in closing for name in (*names, total))
    can = [name for name, q in model.quantities.items()
           if name in used and name != WEIGHT and not q.value == q.ends[0] == q.ends[1]]  # fmt: skip
    for name, (low, high) in {name: model.quantities[name].ends for name in can}.items():
        if not 0.0 < low <= model.quantities[name].value <= high:
            place = f"physiology: {name} of {model.name}"
            raise ModelFileError(f"{place} lies between low = {low:g} and high = {high:g}; put low at or below its "
                                 "value, above zero, and high at or above it.")  # fmt: skip
    names = can if asked == SPREAD else _matching(model, can, [asked] if isinstance(asked, str) else asked)
    if not names:
        return model
    constants = dict(model.constants) | {f"ratio_{name}": 1.0 for name in names}
    constants[WHOLE] = sum(constants[name] for name in _volumes(model.species) if name in constants)
    own = {f"own_{name}": f"{name} * ratio_{name}" for name in names}
    for parts, total in closing:
        if any(name in names for name in (*parts, total)):
            own |= _closed(model, constants, parts, total, names)
    alias = {name.removeprefix("own_"): name for name in own}
    where = {name: parse_rate(text) for name, text in own.items()}
    follows = dict.fromkeys(where)
    for name, rate in model.where.items():
        where[name] = _renamed(rate, alias)
        if any(symbol in follows for symbol in where[name].names):
            follows[name] = None
    units = dict(model.constant_units) | {f"ratio_{name}": "1" for name in names} | {WHOLE: "mL"}
    units |= {f"own_{name}": units[name] for name in alias}
    constants = {name: value for name, value in constants.items() if name not in names} | dict.fromkeys(own, 0.0)
    found = [Parameter(name, _about(model, name, closing), units[name], spread(q), q.source)
             for name, q in model.quantities.items() if name in names]  # fmt: skip
    wider = replace(
        model,
        parameters=(*model.parameters, *found),
        constants=constants,
        constant_units=units,
        where=where,
        derived={name: where[name] for name in follows},
        volumes={organ: alias.get(name, name) for organ, name in model.volumes.items()},
    )
    wider = replace(wider, constants=_settled(wider, _numbers(wider, wider.species)))
    return _renumbered(wider, model.symbol_names, alias)


def _matching(model: Model, can: Sequence[str], asked: Sequence[str]) -> list[str]:
    """Numbers that names and patterns mean."""
    names: dict[str, None] = {}
    for pattern in asked:
        found = [name for name in can if fnmatchcase(name, pattern)]
        if not found:
            known = [name for name in model.quantities if fnmatchcase(name, pattern)]
            why = "has no low and high, or no rate needs it" if known else f"is no number of {model.species.name}"
            raise ModelFileError(f"physiology: `{pattern}` {why}, so {model.name} cannot estimate it."
                                 + did_you_mean(pattern, [*can, FIXED, SPREAD]))  # fmt: skip
        names |= dict.fromkeys(found)
    return list(names)


def _closed(
    model: Model, constants: Mapping[str, float], parts: list[str], total: str, free: Sequence[str]
) -> dict[str, str]:
    """Parts brought, all by one factor, to their total, as expressions."""
    known, whole = sum(constants.get(name, 0.0) for name in parts), constants.get(total, 0.0)
    if not abs(known - whole) <= CLOSURE * whole:
        raise ModelFileError(
            f"physiology: {', '.join(parts)} sum to {known:.4g} and {total} is {whole:.4g} in {model.name}, so none of "
            "them can be estimated; correct one, or leave them fixed."
        )
    each = {name: f"{name} * ratio_{name}" if name in free else name for name in (*parts, total)}
    own = {f"own_{total}": each[total]} if total in free else {}
    joined = " + ".join(each[name] for name in parts)
    return own | {f"own_{name}": f"{each[total]} * {each[name]} / ({joined})" for name in parts}


def _about(model: Model, name: str, closing: Sequence[tuple[list[str], str]]) -> str:
    """What a free number is."""
    for parts, total in closing:
        if name in parts:
            to = "the cardiac output" if total == OUTPUT else "the volume of the body"
            return f"number of the {model.species.name}; all of its kind are then brought to {to} by one factor"
    return f"number of the {model.species.name}"


def _renamed(rate: Rate, alias: Mapping[str, str]) -> Rate:
    """Rate with other names."""
    return parse_rate(re.sub(r"[A-Za-z_]\w*", lambda found: alias.get(found.group(), found.group()), rate.text))


def _renumbered(model: Model, before: Sequence[str], alias: Mapping[str, str]) -> Model:
    """Families with the places that their symbols, named as before, have now."""
    place = {name: at for at, name in enumerate(model.symbol_names)}

    def moved(family: Family) -> Family:
        symbols = {key: tuple(at if at < 0 else place[alias.get(before[at], before[at])] for at in where)
                   for key, where in family.symbols.items()}  # fmt: skip
        return replace(family, symbols=symbols)

    modifiers = tuple(
        replace(m, replaces=tuple((at, moved(family)) for at, family in m.replaces)) for m in model.modifiers
    )
    return replace(model, families=tuple(moved(family) for family in model.families), modifiers=modifiers)


def weighed(model: Model) -> list[str]:
    """Parameters in whose rates the body weight stands, itself or by what `where` makes of it."""
    heavy = {WEIGHT}
    for name, rate in model.where.items():
        if heavy.intersection(rate.names):
            heavy.add(name)
    found: dict[str, None] = {}
    for family in model.families:
        for i in range(len(family.organs)):
            used = {model.name_at(at[i]) for at in family.symbols.values()}
            if heavy & used:
                found |= dict.fromkeys(name for name in model.parameter_names if name in used)
    return list(found)

"""From a model file and an animal to a model: organs split, arrows written out, every name found."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from pbpk.body.model import Family, Model, Modifier, Parameter
from pbpk.body.modelfile import ModelFile, ParameterEntry, read_model_file
from pbpk.body.prior import parse_prior
from pbpk.body.rates import PLACEHOLDER, Rate, parse_rate
from pbpk.body.species import Species, read_species
from pbpk.errors import InputError, ModelFileError, SpeciesError, did_you_mean
from pbpk.quantity import convert, inside_unit


def read_model(
    name: str | Path,
    species: str | Path | Species = "mouse",
    label: str | None = None,
    split: Mapping[str, list[str]] | None = None,
) -> Model:
    """Read a model for one animal and one label.

    Parameters
    ----------
    name : a shipped model (`msc`) or the path of a model file
    species : a shipped animal (`mouse`) or the path of a species file
    label : what the cells carry, for models whose priors depend on it (`FND`, `51Cr`)
    split : organ -> its parts, equal in flow and volume, as {"kidney": ["kidney_left", "kidney_right"]}

    Raises
    ------
    ModelFileError, SpeciesError
        one sentence: file, place, what to do
    """
    path, given, files = read_model_file(name)
    animal = species if isinstance(species, Species) else read_species(species)
    try:
        return _expand(given, animal, label, dict(split or {}), files)
    except ModelFileError as problem:
        raise ModelFileError(f"{path}: {problem}") from None


def _expand(
    given: ModelFile, animal: Species, label: str | None, split: dict[str, list[str]], files: tuple[Path, ...]
) -> Model:
    organs, groups = _split_organs(given, split)
    for organ, parts in split.items():
        animal = animal.split(organ, tuple(parts))
    for organ in organs:
        if organ not in animal.organs:
            raise SpeciesError(
                f"{animal.file or animal.name}: {animal.name} has no organ `{organ}`, which the model has; add it."
                + did_you_mean(organ, animal.organs)
            )

    lines = [_Line(line, groups) for line in given.arrows]
    written = [end for line in lines for end in (*line.sources, *line.targets)]
    passing = [state for text in given.passing for state in _fill(text, groups)]
    states = [s for s in dict.fromkeys(written) if s not in passing] + list(dict.fromkeys(passing))
    for state in passing:
        if state not in written:
            raise ModelFileError(f"passing: no arrow touches `{state}`.{did_you_mean(state, written)}")

    owner = {part: organ for organ, parts in split.items() for part in parts}
    entries = dict(given.parameters)
    if label is not None and given.labels:
        if label not in given.labels:
            raise ModelFileError(f"there are no priors for the label `{label}`.{did_you_mean(label, given.labels)}")
        entries |= given.labels[label]
    parameters, found_parameter = _parameters(entries, organs, owner)
    modifiers = _modifiers(given, groups)
    constants, units = _constants(given, animal, groups)

    index = {p.name: i for i, p in enumerate(parameters)}
    index |= {name: len(index) + i for i, name in enumerate(constants)}
    index |= {m.name: len(index) + i for i, m in enumerate(modifiers)}
    used: dict[str, None] = {}
    families = tuple(_family(line, states, index, found_parameter, used) for line in lines)
    free = [p for p in parameters if p.name in used]
    families = tuple(_renumbered(family, index, free, constants, modifiers) for family in families)
    holds = {key: _held(given, key, groups, states) for key in ("live", "label", "outside")}
    _check_holds(holds, states)
    _check_readouts(given)
    return Model(
        name=given.name,
        about=given.about,
        amount=given.amount,
        label_name=label or "",
        organs=tuple(organs),
        states=tuple(states),
        n_lasting=len(states) - len(dict.fromkeys(passing)),
        families=families,
        parameters=tuple(free),
        constants=constants,
        constant_units=units,
        modifiers=tuple(modifiers),
        size_law=_parameters({"size_slope": given.size_law}, organs, {}, "size_law")[0][0],
        noise=tuple(_parameters(given.noise, organs, {}, "noise")[0]),
        **holds,
        readouts={name: tuple(seen) for name, seen in given.readouts.items()},
        observed=_observed(given, organs, states, split),
        routes=_routes(given, states),
        dead_enter=_known_state("dead_enter", given.dead_enter, states),
        species=animal,
        sources=dict(animal.sources) | dict(given.sources),
        files=files,
    )


class _Line:
    """One arrow line, read and filled for each organ of its group."""

    def __init__(self, text: str, groups: Mapping[str, list[str]]) -> None:
        arrow, colon, rate = text.partition(":")
        source, dash, target = arrow.partition("->")
        if not (colon and dash and source.strip() and target.strip() and rate.strip()):
            raise ModelFileError(f"arrows: `{text}` is not of the form `from -> to : rate`.")
        self.text = " ".join(text.split())
        self.rate = parse_rate(rate)
        placeholders = sorted(set(PLACEHOLDER.findall(text)))
        if len(placeholders) > 1:
            raise ModelFileError(f"arrows: `{self.text}` has more than one placeholder; use one.")
        self.group = placeholders[0] if placeholders else ""
        if self.group and self.group not in groups:
            raise ModelFileError(f"arrows: `{self.text}`: no group `{self.group}`.{did_you_mean(self.group, groups)}")
        self.organs = tuple(groups[self.group]) if self.group else ("",)
        self.sources = [self.fill(source.strip(), organ) for organ in self.organs]
        self.targets = [self.fill(target.strip(), organ) for organ in self.organs]

    def fill(self, text: str, organ: str) -> str:
        """Text with the organ in place of the placeholder."""
        return text.replace("{" + self.group + "}", organ) if self.group else text


def _fill(text: str, groups: Mapping[str, list[str]]) -> list[str]:
    """Text once for each organ of the group named in its placeholder."""
    found = PLACEHOLDER.findall(text)
    if not found:
        return [text]
    if found[0] not in groups:
        raise ModelFileError(f"`{text}`: no group `{found[0]}`.{did_you_mean(found[0], groups)}")
    return [text.replace("{" + found[0] + "}", organ) for organ in groups[found[0]]]


def _split_organs(given: ModelFile, split: Mapping[str, list[str]]) -> tuple[list[str], dict[str, list[str]]]:
    """Organs and groups with split organs replaced by their parts; `{organ}` always means all of them."""
    for organ in split:
        if organ not in given.organs:
            raise ModelFileError(f"split: there is no organ `{organ}`.{did_you_mean(organ, given.organs)}")

    def replaced(names: list[str]) -> list[str]:
        return [part for name in names for part in split.get(name, [name])]

    for place, named in (("organs", given.organs), *((f"groups.{n}", m) for n, m in given.groups.items())):
        twice = [name for name in named if named.count(name) > 1]
        if twice:
            raise ModelFileError(f"{place}: `{twice[0]}` stands there twice; name it once.")
    groups = {name: replaced(members) for name, members in given.groups.items()}
    organs = replaced(given.organs)
    for name, members in groups.items():
        for member in members:
            if member not in organs:
                raise ModelFileError(f"groups.{name}: `{member}` is not an organ.{did_you_mean(member, organs)}")
    return organs, groups | {"organ": organs}


def _parameters(
    entries: Mapping[str, ParameterEntry],
    organs: list[str],
    owner: Mapping[str, str],
    place: str = "parameters",
) -> tuple[list[Parameter], dict[str, str]]:
    """Parameters, one for each organ where the name says so, and which one a symbol means."""
    wholes = list(dict.fromkeys(owner.get(organ, organ) for organ in organs))
    filled: dict[str, ParameterEntry] = {}
    for name, entry in entries.items():
        if "{organ}" in name:
            for organ in wholes:
                filled.setdefault(name.replace("{organ}", organ), entry)
    filled |= {name: entry for name, entry in entries.items() if "{" not in name}
    parameters = []
    for name, entry in filled.items():
        try:
            unit = inside_unit(entry.unit)
            factor = convert(1.0, entry.unit, unit)
            prior = parse_prior(entry.prior).scaled(factor)
        except InputError as problem:
            raise ModelFileError(f"{place}.{name}: {problem}") from None
        parameters.append(Parameter(name, entry.about, unit, prior, entry.source))
    meant = {p.name: p.name for p in parameters}
    for part, organ in owner.items():
        for p in parameters:
            if p.name.endswith(f"_{organ}"):
                meant.setdefault(p.name[: -len(organ)] + part, p.name)
    return parameters, meant


def _modifiers(given: ModelFile, groups: Mapping[str, list[str]]) -> list[Modifier]:
    modifiers = []
    for name, entry in given.modifiers.items():
        try:
            prior = parse_prior(entry.prior)
        except ModelFileError as problem:
            raise ModelFileError(f"modifiers.{name}: {problem}") from None
        modifiers += [
            Modifier(filled, entry.about, entry.neutral, prior, entry.source, entry.evidence)
            for filled in _fill(name, groups)
        ]
    return modifiers


def _constants(
    given: ModelFile, animal: Species, groups: Mapping[str, list[str]]
) -> tuple[dict[str, float], dict[str, str]]:
    """Numbers of the animal, and what `where` makes of them, in mL, h and g."""
    import pint

    from pbpk.quantity import unit_registry

    numbers = animal.numbers()
    units = {name: inside_unit(q.unit) for name, q in animal.quantities.items()}
    units |= {name: "1" for name in numbers if name not in units}
    registry = unit_registry()
    for name, text in given.where.items():
        for filled, expression in zip(_fill(name, groups), _fill_rate(name, text, groups), strict=True):
            for symbol in expression.names:
                if symbol not in numbers:
                    raise ModelFileError(
                        f"where.{name}: {animal.name} has no `{symbol}`.{did_you_mean(symbol, numbers)}"
                    )
            with_units = {s: registry.Quantity(numbers[s], units[s]) for s in expression.names}
            try:
                numbers[filled] = float(expression.evaluate(numbers, np))
                units[filled] = inside_unit(str(registry.Quantity(expression.evaluate(with_units, np)).units))
            except (pint.DimensionalityError, InputError) as problem:
                raise ModelFileError(f"where.{name}: the units do not fit: {str(problem).rstrip('.')}.") from None
            except ArithmeticError as problem:
                raise ModelFileError(f"where.{name}: `{text}` cannot be computed: {problem}.") from None
            if not np.isfinite(numbers[filled]):
                raise ModelFileError(f"where.{name}: `{text}` is not a finite number.")
    return numbers, units


def _fill_rate(name: str, text: str, groups: Mapping[str, list[str]]) -> list[Rate]:
    found = PLACEHOLDER.findall(name)
    if not found:
        return [parse_rate(text)]
    rate = parse_rate(text)
    return [rate.filled(found[0], organ) for organ in groups[found[0]]]


def _family(
    line: _Line, states: list[str], index: Mapping[str, int], meant: Mapping[str, str], used: dict[str, None]
) -> Family:
    symbols: dict[str, tuple[int, ...]] = {}
    for name in line.rate.names:
        at = []
        for organ in line.organs:
            symbol = line.fill(name, organ)
            symbol = meant.get(symbol, symbol)
            if symbol in states:
                at.append(-1)
                continue
            if symbol not in index:
                options = [*index, *(s for s in meant)]
                raise ModelFileError(
                    f"arrows: `{line.text}`: `{symbol}` is neither a parameter, a number of the animal nor a "
                    f"modifier.{did_you_mean(symbol, options)}"
                )
            used[symbol] = None
            at.append(index[symbol])
        symbols[name] = tuple(at)
    places = {state: i for i, state in enumerate(states)}
    return Family(
        line.text,
        line.rate,
        line.organs,
        tuple(places[s] for s in line.sources),
        tuple(places[t] for t in line.targets),
        symbols,
    )


def _renumbered(
    family: Family,
    index: Mapping[str, int],
    free: list[Parameter],
    constants: Mapping[str, float],
    modifiers: list[Modifier],
) -> Family:
    """Symbols counted again once parameters that no rate uses are dropped."""
    names = {at: name for name, at in index.items()}
    kept = [p.name for p in free] + list(constants) + [m.name for m in modifiers]
    new = {name: at for at, name in enumerate(kept)}
    symbols = {key: tuple(-1 if a < 0 else new[names[a]] for a in at) for key, at in family.symbols.items()}
    return replace(family, symbols=symbols)


def _known_state(place: str, state: str, states: list[str]) -> str:
    if state not in states:
        raise ModelFileError(f"{place}: no arrow touches `{state}`.{did_you_mean(state, states)}")
    return state


def _held(given: ModelFile, key: str, groups: Mapping[str, list[str]], states: list[str]) -> frozenset[str]:
    """States that hold live cells, label of dead ones, or what has left the body."""
    filled = [state for text in getattr(given, key) for state in _fill(text, groups)]
    return frozenset(_known_state(key, state, states) for state in filled)


def _check_holds(holds: Mapping[str, frozenset[str]], states: list[str]) -> None:
    for state in states:
        found = [key for key, held in holds.items() if state in held]
        if len(found) != 1:
            raise ModelFileError(
                f"`{state}` must be listed once, under live, label or outside; it is "
                + (f"under {' and '.join(found)}." if found else "under none.")
            )


def _check_readouts(given: ModelFile) -> None:
    for readout, seen in given.readouts.items():
        for word in seen:
            if word not in ("live", "label"):
                raise ModelFileError(f"readouts.{readout}: `{word}`.{did_you_mean(word, ('live', 'label'))}")


def _observed(
    given: ModelFile, organs: list[str], states: list[str], split: Mapping[str, list[str]]
) -> dict[str, tuple[str, ...]]:
    """States that are harvested together under one organ name."""
    observed = {organ: tuple(s for s in states if s.startswith(f"{organ}.")) for organ in organs}
    for organ, parts in split.items():
        observed[organ] = tuple(state for part in parts for state in observed[part])
    for name, inside in given.observe.items():
        observed[name] = tuple(_known_state(f"observe.{name}", state, states) for state in inside)
    return observed


def _routes(given: ModelFile, states: list[str]) -> dict[str, str]:
    """State that each route leads to."""
    return {route: _known_state(f"routes.{route}", state, states) for route, state in given.routes.items()}

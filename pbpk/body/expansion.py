"""From a model file and an animal to a model: organs split, arrows written out, every name found."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from pbpk.body.arrows import Line, fill, split_organs
from pbpk.body.model import HOUR, STATE, Family, Model, Modifier, Parameter, Route
from pbpk.body.modelfile import ModelFile, ParameterEntry, read_model_file
from pbpk.body.prior import parse_prior
from pbpk.body.rates import PLACEHOLDER, Rate, parse_rate
from pbpk.body.species import Species, read_species
from pbpk.errors import InputError, ModelFileError, SpeciesError, did_you_mean
from pbpk.quantity import Quantity, inside, inside_unit


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
    organs, groups = split_organs(given, split)
    for organ, parts in split.items():
        animal = animal.split(organ, tuple(parts))
    _check_organs(given, animal, organs)
    lines = [Line(line, groups) for line in given.arrows]
    states, passing = _states(given, lines, groups)
    owner = {part: organ for organ, parts in split.items() for part in parts}
    parameters, found_parameter = _parameters(_labelled(given, label), organs, owner)
    modifiers = _modifiers(given, groups)
    own = {filled: Quantity(**dict(entry)) for name, entry in given.constants.items() for filled in fill(name, groups)}
    constants, units, where = _constants(given, animal, own, groups)

    index = {p.name: i for i, p in enumerate(parameters)}
    index |= {name: len(index) + i for i, name in enumerate(constants)}
    index |= {m.name: len(index) + i for i, m in enumerate(modifiers)}
    used: dict[str, None] = {}
    families = [_family(line, states, index, found_parameter, used) for line in lines]
    changes = {name: _changes(entry.changes, name, lines, groups) for name, entry in given.modifiers.items()}
    changed = {
        name: [(place, _family(line, states, index, found_parameter, used)) for place, line in found]
        for name, found in changes.items()
    }
    named = [name for text in given.observe for name in fill(text, groups)]
    observed, volumes = _observed(given, groups, states, split, index, used)
    free = [p for p in parameters if p.name in used]
    kept = [p.name for p in free] + list(constants) + [m.name for m in modifiers]
    families = [_renumbered(family, index, kept) for family in families]
    brought = {
        name: tuple((place, _renumbered(family, index, kept)) for place, family in found)
        for name, found in changed.items()
    }
    modifiers = [
        replace(m, replaces=brought[name])
        for name in given.modifiers
        for m in modifiers
        if m.name in fill(name, groups)
    ]
    kinds = {kind: _held(kind, written, groups, states) for kind, written in given.kinds.items()}
    outside = _held("outside", given.outside, groups, states)
    _check_holds(kinds | {"outside": outside}, states)
    _check_readouts(given)
    return Model(
        name=given.name,
        about=given.about,
        amount=given.amount,
        label_name=label or "",
        organs=tuple(organs),
        states=tuple(states),
        n_lasting=len(states) - len(passing),
        families=tuple(families),
        parameters=tuple(free),
        constants=constants,
        constant_units=units,
        modifiers=tuple(modifiers),
        size_law=_parameters({"size_slope": given.size_law}, organs, {}, "size_law")[0][0] if given.size_law else None,
        noise=tuple(_parameters(given.noise, organs, {}, "noise")[0]),
        kinds=kinds,
        outside=outside,
        readouts={name: tuple(seen) for name, seen in given.readouts.items()},
        observed=observed,
        volumes=volumes,
        places=tuple(dict.fromkeys((*organs, *named, *(s for s in states if s in outside)))),
        routes=_routes(given, groups, states, modifiers),
        dead_enter=None if given.dead_enter is None else _known_state("dead_enter", given.dead_enter, states),
        species=animal,
        own=own,
        sources=dict(animal.sources) | dict(given.sources),
        files=files,
        where=where,
        split={organ: tuple(parts) for organ, parts in split.items()},
    )


def _check_organs(given: ModelFile, animal: Species, organs: list[str]) -> None:
    """Refuse organs that neither the animal nor the model's own numbers know."""
    for organ in organs:
        own = any(name.endswith((f"_{organ}", "_{organ}")) for name in given.constants)
        if organ not in animal.organs and not own:
            raise SpeciesError(
                f"{animal.file or animal.name}: {animal.name} has no organ `{organ}`, which the model has; add it."
                + did_you_mean(organ, animal.organs)
            )


def _states(given: ModelFile, lines: list[Line], groups: Mapping[str, list[str]]) -> tuple[list[str], list[str]]:
    """All states, lasting ones first, and the passing ones among them."""
    written = [end for line in lines for end in (*line.sources, *line.targets)]
    passing = list(dict.fromkeys(state for text in given.passing for state in fill(text, groups)))
    for state in passing:
        if state not in written:
            raise ModelFileError(f"passing: no arrow touches `{state}`.{did_you_mean(state, written)}")
    return [s for s in dict.fromkeys(written) if s not in passing] + passing, passing


def _labelled(given: ModelFile, label: str | None) -> dict[str, ParameterEntry]:
    """Parameters with the priors of one label."""
    entries = dict(given.parameters)
    if label is not None and given.labels:
        if label not in given.labels:
            raise ModelFileError(f"there are no priors for the label `{label}`.{did_you_mean(label, given.labels)}")
        entries |= given.labels[label]
    return entries


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
            unit, factor = inside(entry.unit)
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
            prior = None if entry.prior is None else parse_prior(entry.prior)
            unit = inside_unit(entry.unit)
        except InputError as problem:
            raise ModelFileError(f"modifiers.{name}: {problem}") from None
        modifiers += [
            Modifier(filled, entry.about, unit, entry.neutral, prior, entry.source, entry.evidence)
            for filled in fill(name, groups)
        ]
    return modifiers


def _changes(
    written: Mapping[str, str], name: str, lines: list[Line], groups: Mapping[str, list[str]]
) -> list[tuple[int, Line]]:
    """Arrows that a modifier changes: where each stands, and the line that takes its place."""
    heads = [line.head for line in lines]
    found = []
    for arrow, rate in written.items():
        head = " ".join(arrow.split())
        if head not in heads:
            raise ModelFileError(f"modifiers.{name}.changes: there is no arrow `{head}`.{did_you_mean(head, heads)}")
        found.append((heads.index(head), Line(f"{head} : {rate}", groups)))
    return found


def _constants(
    given: ModelFile, animal: Species, own: Mapping[str, Quantity], groups: Mapping[str, list[str]]
) -> tuple[dict[str, float], dict[str, str], dict[str, Rate]]:
    """Numbers of the model and of the animal, what `where` makes of them, in mL, h and g, and how."""
    import pint

    from pbpk.quantity import unit_registry

    numbers = animal.numbers()
    units = {name: inside_unit(q.unit) for name, q in animal.quantities.items()}
    units |= {name: "1" for name in numbers if name not in units}
    for name, quantity in own.items():
        try:
            units[name], factor = inside(quantity.unit)
        except InputError as problem:
            raise ModelFileError(f"constants.{name}: {problem}") from None
        numbers[name] = quantity.value * factor
    registry = unit_registry()
    where: dict[str, Rate] = {}
    for name, text in given.where.items():
        for filled, expression in zip(fill(name, groups), _fill_rate(name, text, groups), strict=True):
            for symbol in expression.names:
                if symbol not in numbers:
                    raise ModelFileError(
                        f"where.{name}: {animal.name} has no `{symbol}`.{did_you_mean(symbol, numbers)}"
                    )
            where.pop(filled, None)  # what is said again counts from where it is said again
            where[filled] = expression
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
    return numbers, units, where


def _fill_rate(name: str, text: str, groups: Mapping[str, list[str]]) -> list[Rate]:
    found = PLACEHOLDER.findall(name)
    if not found:
        return [parse_rate(text)]
    rate = parse_rate(text)
    return [rate.filled(found[0], organ) for organ in groups[found[0]]]


def _family(
    line: Line, states: list[str], index: Mapping[str, int], meant: Mapping[str, str], used: dict[str, None]
) -> Family:
    symbols: dict[str, tuple[int, ...]] = {}
    for name in line.rate.names:
        at = []
        for organ in line.organs:
            symbol = line.fill(name, organ)
            symbol = meant.get(symbol, symbol)
            if symbol in states:
                at.append(STATE - states.index(symbol))
                continue
            if symbol == "hours":
                at.append(HOUR)
                continue
            if symbol not in index:
                options = [*index, *(s for s in meant), *states]
                raise ModelFileError(
                    f"arrows: `{line.text}`: `{symbol}` is neither a parameter, a number of the animal, a "
                    f"modifier nor a state.{did_you_mean(symbol, options)}"
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


def _renumbered(family: Family, index: Mapping[str, int], kept: list[str]) -> Family:
    """Symbols counted again once parameters that no rate uses are dropped."""
    names = {at: name for name, at in index.items()}
    new = {name: at for at, name in enumerate(kept)}
    symbols = {key: tuple(a if a < 0 else new[names[a]] for a in at) for key, at in family.symbols.items()}
    return replace(family, symbols=symbols)


def _known_state(place: str, state: str, states: list[str]) -> str:
    if state not in states:
        raise ModelFileError(f"{place}: no arrow touches `{state}`.{did_you_mean(state, states)}")
    return state


def _held(key: str, written: list[str], groups: Mapping[str, list[str]], states: list[str]) -> frozenset[str]:
    """States that hold one kind, or what has left the body."""
    filled = [state for text in written for state in fill(text, groups)]
    return frozenset(_known_state(key, state, states) for state in filled)


def _check_holds(holds: Mapping[str, frozenset[str]], states: list[str]) -> None:
    for state in states:
        found = [key for key, held in holds.items() if state in held]
        if len(found) != 1:
            raise ModelFileError(
                f"`{state}` must be listed once, under {', '.join(list(holds)[:-1])} or outside; it is "
                + (f"under {' and '.join(found)}." if found else "under none.")
            )


def _check_readouts(given: ModelFile) -> None:
    for readout, seen in given.readouts.items():
        for word in seen:
            if word not in given.kinds:
                raise ModelFileError(f"readouts.{readout}: `{word}`.{did_you_mean(word, given.kinds)}")


def _observed(
    given: ModelFile,
    groups: Mapping[str, list[str]],
    states: list[str],
    split: Mapping[str, list[str]],
    index: Mapping[str, int],
    used: dict[str, None],
) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """States that are harvested together under one organ name, and the symbol of the volume they are in."""
    volumes: dict[str, str] = {}
    observed = {organ: tuple(s for s in states if s.startswith(f"{organ}.")) for organ in groups["organ"]}
    for organ, parts in split.items():
        observed[organ] = tuple(state for part in parts for state in observed[part])
    for text, written in given.observe.items():
        inside = written if isinstance(written, list) else written.states
        for line in fill("\n".join((text, *inside)), groups):
            name, *filled = line.split("\n")
            observed[name] = tuple(_known_state(f"observe.{name}", state, states) for state in filled)
        if not isinstance(written, list) and written.per is not None:
            if written.per not in index:
                raise ModelFileError(f"observe.{text}: per: `{written.per}` is no parameter and no number of the "
                                     f"animal.{did_you_mean(written.per, index)}")  # fmt: skip
            volumes[text] = written.per
            used[written.per] = None
    return observed, volumes


def _routes(
    given: ModelFile, groups: Mapping[str, list[str]], states: list[str], modifiers: list[Modifier]
) -> dict[str, Route]:
    """State that each route leads to, and what must be set for it."""
    known = [modifier.name for modifier in modifiers]
    routes: dict[str, Route] = {}
    for text, written in given.routes.items():
        enters, needs = (written, []) if isinstance(written, str) else (written.enters, written.needs)
        # a placeholder in the name of a route is filled everywhere in its line
        for line in fill("\n".join((text, enters, *needs)), groups):
            name, state, *missing = line.split("\n")
            for need in missing:
                if need not in known:
                    raise ModelFileError(f"routes.{name}: needs: no modifier `{need}`.{did_you_mean(need, known)}")
            routes.setdefault(name, Route(_known_state(f"routes.{name}", state, states), tuple(missing)))
    return routes

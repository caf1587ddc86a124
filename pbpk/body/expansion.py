"""From a model file and an animal to a model: organs split, arrows written out, every name found."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from pbpk.body.arrows import Line, arrow_lines, fill, split_organs
from pbpk.body.model import HOUR, STATE, Family, Model, Modifier, Parameter
from pbpk.body.modelfile import ModelFile, ParameterEntry, read_model_file
from pbpk.body.prior import parse_prior
from pbpk.body.rates import PLACEHOLDER, Rate, parse_rate
from pbpk.body.rivals import chosen_rival, rival, rivals_of
from pbpk.body.species import Species, read_species
from pbpk.body.states import check_holds, check_names, held, known_state, observed, readouts_of, routes
from pbpk.errors import InputError, ModelFileError, did_you_mean
from pbpk.quantity import Quantity, inside, inside_unit
from pbpk.reading import read_placed

AMOUNTS = ("cell", "g", "mol", "Bq", "1")  # units in which something moves


def read_model(
    name: str | Path,
    species: str | Path | Species = "mouse",
    label: str | None = None,
    split: Mapping[str, list[str]] | None = None,
) -> Model:
    """Read a model for one animal and one label.

    Parameters
    ----------
    name : a shipped model (`msc`) or the path of a model file; `msc:no_release` for one of its rivals
    species : a shipped animal (`mouse`) or the path of a species file
    label : what the cells carry, for models whose priors depend on it (`FND`, `51Cr`)
    split : organ -> its parts, equal in flow and volume, as {"kidney": ["kidney_left", "kidney_right"]}

    Raises
    ------
    ModelFileError, SpeciesError
        one sentence: file, place, what to do
    """
    own, other = chosen_rival(str(name))
    _, given, files = read_model_file(own)
    animal = species if isinstance(species, Species) else read_species(species)
    try:
        model = _expand(given, animal, label, dict(split or {}), files)
        return rival(model, other) if other else model
    except ModelFileError as problem:
        raise read_placed(problem, *files) from None


def _expand(
    given: ModelFile, animal: Species, label: str | None, split: dict[str, list[str]], files: tuple[Path, ...]
) -> Model:
    _check_organs(given, animal)
    organs, groups = split_organs(given, split)
    for organ, parts in split.items():
        animal = animal.split(organ, tuple(parts))
    lines = arrow_lines(given.arrows, groups)
    states, passing = _states(given, lines, groups)
    owner = {part: organ for organ, parts in split.items() for part in parts}
    relabelled = dict.fromkeys(given.labels.get(label or "", ()), ("labels", label or ""))
    parameters, found_parameter = _parameters(_labelled(given, label), groups, owner, "parameters", relabelled)
    modifiers = _modifiers(given, groups)
    own = _own(given, groups)
    constants, units, where = _constants(given, animal, own, groups)
    check_names([p.name for p in parameters], [m.name for m in modifiers], constants, states)

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
    named = [name for text in given.observe for name in fill(text, groups, ("observe", text))]
    seen, volumes = observed(given, groups, states, split, index, used)
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
    kinds = {kind: held(("kinds", kind), written, groups, states) for kind, written in given.kinds.items()}
    outside = held(("outside",), given.outside, groups, states)
    check_holds(kinds | {"outside": outside}, states, lines)
    readouts, lost = readouts_of(given, [m.name for m in modifiers])
    left_out = [organ for organ in animal.organs if organ not in organs]
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
        size_law=_parameters({"size_slope": given.size_law}, groups, {}, "size_law")[0][0] if given.size_law else None,
        noise=tuple(_parameters(dict[str, ParameterEntry](given.noise.items()), groups, {}, "noise")[0]),
        kinds=kinds,
        outside=outside,
        readouts=readouts,
        lost=lost,
        observed=seen,
        volumes=volumes,
        places=tuple(dict.fromkeys((*organs, *named, *(s for s in states if s in outside)))),
        routes=routes(given, groups, states, modifiers),
        dead_enter=None if given.dead_enter is None else known_state(("dead_enter",), given.dead_enter, states),
        species=animal,
        own=own,
        sources=dict(animal.sources) | dict(given.sources),
        files=files,
        where=where,
        split={organ: tuple(parts) for organ, parts in split.items()},
        rivals=rivals_of(given, groups, parameters, found_parameter, modifiers, left_out),
    )


def _own(given: ModelFile, groups: Mapping[str, list[str]]) -> dict[str, Quantity]:
    """Numbers that the model itself brings, one for each organ where the name says so."""
    return {
        filled: Quantity(**dict(entry))
        for name, entry in given.constants.items()
        for filled in fill(name, groups, ("constants", name))
    }


def _check_organs(given: ModelFile, animal: Species) -> None:
    """Refuse organs that neither the animal nor the model's own numbers know, and amounts of what cannot move."""
    try:
        moves = inside_unit(given.amount)
    except InputError as problem:
        raise ModelFileError(f"amount: {problem}", at=("amount",)) from None
    if moves not in AMOUNTS:
        raise ModelFileError(
            f"amount: nothing moves in `{given.amount}`; give a unit of {', '.join(AMOUNTS)}.", at=("amount",)
        )
    for i, organ in enumerate(given.organs):
        own = any(name.endswith((f"_{organ}", "_{organ}")) for name in given.constants)
        if organ not in animal.organs and not own:
            raise ModelFileError(
                f"organs: {animal.name} has no organ `{organ}`; add it to {animal.file or 'the animal'}, or give its "
                f"numbers under [constants].{did_you_mean(organ, animal.organs)}",
                at=("organs", i),
            )


def _states(given: ModelFile, lines: list[Line], groups: Mapping[str, list[str]]) -> tuple[list[str], list[str]]:
    """All states, lasting ones first, and the passing ones among them."""
    written = [end for line in lines for end in (*line.sources, *line.targets)]
    found = [(s, ("passing", i)) for i, text in enumerate(given.passing) for s in fill(text, groups, ("passing", i))]
    passing = list(dict.fromkeys(known_state(at, state, written) for state, at in found))
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
    groups: Mapping[str, list[str]],
    owner: Mapping[str, str],
    place: str = "parameters",
    relabelled: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[list[Parameter], dict[str, str]]:
    """Parameters, one for each organ where the name says so, and which one a symbol means."""
    wholes = {group: list(dict.fromkeys(owner.get(m, m) for m in members)) for group, members in groups.items()}
    filled: dict[str, str] = {}
    for name in sorted(entries, key=lambda name: "{organ}" in name):  # of one group before of all organs
        if "{" in name:
            for whole in fill(name, wholes, _at(name, place, relabelled)):
                filled.setdefault(whole, name)
    filled |= {name: name for name in entries if "{" not in name}
    parameters = []
    for name, written in filled.items():
        entry = entries[written]
        at = _at(written, place, relabelled)
        try:
            unit, factor = inside(entry.unit)
        except InputError as problem:
            raise ModelFileError(f"{place}.{name}: {problem}", at=(*at, "unit")) from None
        try:
            prior = parse_prior(entry.prior).scaled(factor)
        except InputError as problem:
            raise ModelFileError(f"{place}.{name}: {problem}", at=(*at, "prior")) from None
        parameters.append(Parameter(name, entry.about, unit, prior, entry.source))
    meant = {p.name: p.name for p in parameters}
    for part, organ in owner.items():
        for p in parameters:
            if p.name.endswith(f"_{organ}"):
                meant.setdefault(p.name[: -len(organ)] + part, p.name)
    return parameters, meant


def _at(name: str, place: str, relabelled: Mapping[str, tuple[str, ...]] | None) -> tuple[str, ...]:
    """Keys that lead to a parameter in its file, which may stand under a label."""
    return (place,) if place == "size_law" else (*(relabelled or {}).get(name, (place,)), name)


def _modifiers(given: ModelFile, groups: Mapping[str, list[str]]) -> list[Modifier]:
    modifiers = []
    for name, entry in given.modifiers.items():
        try:
            prior = None if entry.prior is None else parse_prior(entry.prior)
        except InputError as problem:
            raise ModelFileError(f"modifiers.{name}: {problem}", at=("modifiers", name, "prior")) from None
        try:
            unit, one = inside(entry.unit)
        except InputError as problem:
            raise ModelFileError(f"modifiers.{name}: {problem}", at=("modifiers", name, "unit")) from None
        prior = None if prior is None else prior.scaled(one)
        modifiers += [
            Modifier(filled, entry.about, unit, entry.neutral * one, prior, entry.source, entry.evidence)
            for filled in fill(name, groups, ("modifiers", name))
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
            sentence = f"modifiers.{name}.changes: there is no arrow `{head}`.{did_you_mean(head, heads)}"
            raise ModelFileError(sentence, at=("modifiers", name, "changes", arrow))
        found.append((heads.index(head), Line(f"{head} : {rate}", groups, ("modifiers", name, "changes", arrow))))
    return found


@np.errstate(all="ignore")  # what is not finite is refused in words
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
            key = next(key for key in given.constants if name in fill(key, groups))
            raise ModelFileError(f"constants.{name}: {problem}", at=("constants", key, "unit")) from None
        numbers[name] = quantity.value * factor
    registry = unit_registry()
    where: dict[str, Rate] = {}
    for name, text in given.where.items():
        at = ("where", name)
        for filled, expression in zip(fill(name, groups, at), _fill_rate(name, text, groups), strict=True):
            for symbol in expression.names:
                if symbol not in numbers:
                    sentence = f"where.{name}: {animal.name} has no `{symbol}`.{did_you_mean(symbol, numbers)}"
                    raise ModelFileError(sentence, at=at)
            where.pop(filled, None)  # what is said again counts from where it is said again
            where[filled] = expression
            with_units = {s: registry.Quantity(numbers[s], units[s]) for s in expression.names}
            try:
                numbers[filled] = float(expression.evaluate(numbers, np))
                units[filled] = inside_unit(str(registry.Quantity(expression.evaluate(with_units, np)).units))
            except (pint.DimensionalityError, InputError) as problem:
                sentence = f"where.{name}: the units do not fit: {str(problem).rstrip('.')}."
                raise ModelFileError(sentence, at=at) from None
            except ArithmeticError as problem:
                raise ModelFileError(f"where.{name}: `{text}` cannot be computed: {problem}.", at=at) from None
            if not np.isfinite(numbers[filled]):
                raise ModelFileError(f"where.{name}: `{text}` is not a finite number.", at=at)
    return numbers, units, where


def _fill_rate(name: str, text: str, groups: Mapping[str, list[str]]) -> list[Rate]:
    found = PLACEHOLDER.findall(name)
    try:
        rate = parse_rate(text)
        other = set(PLACEHOLDER.findall(text)) - set(found[:1])
        if other:
            raise ModelFileError(f"`{text}` has the placeholder `{{{other.pop()}}}`, which its name does not have.")
    except ModelFileError as problem:
        raise ModelFileError(f"where.{name}: {problem}", at=("where", name)) from None
    return [rate] if not found else [rate.filled(found[0], organ) for organ in groups[found[0]]]


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
                raise line.refusal(
                    f"`{line.text}`: `{symbol}` is neither a parameter, a number of the animal, a "
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
        line.at,
    )


def _renumbered(family: Family, index: Mapping[str, int], kept: list[str]) -> Family:
    """Symbols counted again once parameters that no rate uses are dropped."""
    names = {at: name for name, at in index.items()}
    new = {name: at for at, name in enumerate(kept)}
    symbols = {key: tuple(a if a < 0 else new[names[a]] for a in at) for key, at in family.symbols.items()}
    return replace(family, symbols=symbols)

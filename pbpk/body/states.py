"""What each state holds, where it is seen, which routes lead to it: every state named is one that an arrow touches."""

from collections.abc import Iterable, Mapping

from pbpk.body.arrows import Line, fill
from pbpk.body.model import Modifier, Route
from pbpk.body.modelfile import ModelFile
from pbpk.errors import ModelFileError, did_you_mean


def known_state(at: tuple[str | int, ...], state: str, states: list[str]) -> str:
    """State, if an arrow touches it; `at` leads to where it is named in its file."""
    if state not in states:
        place = ".".join(part for part in at if isinstance(part, str))
        raise ModelFileError(f"{place}: no arrow touches `{state}`.{did_you_mean(state, states)}", at=at)
    return state


def held(at: tuple[str, ...], written: list[str], groups: Mapping[str, list[str]], states: list[str]) -> frozenset[str]:
    """States that hold one kind, or what has left the body."""
    filled: list[tuple[tuple[str | int, ...], str]] = [
        ((*at, i), state) for i, text in enumerate(written) for state in fill(text, groups, (*at, i))
    ]
    return frozenset(known_state(each, state, states) for each, state in filled)


def check_holds(holds: Mapping[str, frozenset[str]], states: list[str], lines: list[Line]) -> None:
    """Refuse a state that is listed nowhere, or twice."""
    for state in states:
        found = [key for key, held in holds.items() if state in held]
        if len(found) != 1:
            *kinds, outside = holds
            at = next(line.at for line in lines if state in (*line.sources, *line.targets))
            if found:
                at = (outside,) if found[1] == outside else ("kinds", found[1])
            raise ModelFileError(
                f"`{state}` must be listed once, under {', '.join(kinds) or 'a kind in [kinds]'} or {outside}; it is "
                + (f"under {' and '.join(found)}." if found else "under none."),
                at=at,
            )


def check_names(parameters: list[str], modifiers: list[str], numbers: Iterable[str], states: list[str]) -> None:
    """Refuse a parameter or a modifier whose name means something else already."""
    taken = dict.fromkeys(states, "a state") | dict.fromkeys(numbers, "a number of the animal or of the model")
    taken["hours"] = "the time"
    for name, what in [*((n, "parameters") for n in parameters), *((n, "modifiers") for n in modifiers)]:
        if name in taken:
            raise ModelFileError(f"{what}: `{name}` is {taken[name]} already; choose another name.", at=(what, name))
        taken[name] = f"one of [{what}]"


def readouts_of(given: ModelFile, names: Iterable[str]) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """What each readout sees, and the rate at which what it counts loses its label, where it counts cells.

    names : of modifiers
    """
    readouts, lost = {}, {}
    for readout, written in given.readouts.items():
        at = ("readouts", readout)
        seen, rate = (written, None) if isinstance(written, list) else (written.sees, written.lost)
        for word in seen:
            if word not in given.kinds:
                sentence = f"readouts.{readout}: `{word}` is not one of [kinds].{did_you_mean(word, given.kinds)}"
                raise ModelFileError(sentence, at=at)
        readouts[readout] = tuple(seen)
        if rate is not None:
            known = list(names)
            if rate not in known:
                sentence = f"readouts.{readout}: lost: `{rate}` is no modifier."
                raise ModelFileError(sentence + did_you_mean(rate, known), at=at)
            lost[readout] = rate
    return readouts, lost


def observed(
    given: ModelFile,
    groups: Mapping[str, list[str]],
    states: list[str],
    split: Mapping[str, list[str]],
    index: Mapping[str, int],
    used: dict[str, None],
) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """States that are harvested together under one organ name, and the symbol of the volume they are in."""
    volumes: dict[str, str] = {}
    seen = {organ: tuple(s for s in states if s.startswith(f"{organ}.")) for organ in groups["organ"]}
    for organ, parts in split.items():
        seen[organ] = tuple(state for part in parts for state in seen[part])
    for text, written in given.observe.items():
        inside = written if isinstance(written, list) else written.states
        for line in fill("\n".join((text, *inside)), groups, ("observe", text)):
            name, *filled = line.split("\n")
            seen[name] = tuple(known_state(("observe", text), state, states) for state in filled)
        if not isinstance(written, list) and written.per is not None:
            if written.per not in index:
                raise ModelFileError(f"observe.{text}: per: `{written.per}` is no parameter and no number of the "
                                     f"animal.{did_you_mean(written.per, index)}", at=("observe", text))  # fmt: skip
            volumes[text] = written.per
            used[written.per] = None
    return seen, volumes


def routes(
    given: ModelFile, groups: Mapping[str, list[str]], states: list[str], modifiers: list[Modifier]
) -> dict[str, Route]:
    """State that each route leads to, and what must be set for it."""
    known = [modifier.name for modifier in modifiers]
    found: dict[str, Route] = {}
    for text, written in given.routes.items():
        enters, needs = (written, []) if isinstance(written, str) else (written.enters, written.needs)
        # a placeholder in the name of a route is filled everywhere in its line
        for line in fill("\n".join((text, enters, *needs)), groups, ("routes", text)):
            name, state, *missing = line.split("\n")
            for need in missing:
                if need not in known:
                    sentence = f"routes.{name}: needs: no modifier `{need}`.{did_you_mean(need, known)}"
                    raise ModelFileError(sentence, at=("routes", text))
            found.setdefault(name, Route(known_state(("routes", text), state, states), tuple(missing)))
    return found

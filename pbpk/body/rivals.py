"""Other structures that could explain the same data, as a model file names them: numbers fixed, modifiers estimated.

An arrow whose rate is nothing once the numbers are fixed is taken out, so that the arrows of a rival are those it has.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pbpk.body.arrows import fill
from pbpk.body.model import Family, Model, Modifier, Parameter
from pbpk.body.modelfile import BelievedEntry, ModelFile, RivalEntry
from pbpk.body.prior import Prior, parse_prior
from pbpk.body.rates import PLACEHOLDER
from pbpk.body.solve import Array
from pbpk.errors import InputError, ModelFileError, did_you_mean
from pbpk.quantity import inside

CHOICE = re.compile(r"(.+):([\w-]+)")  # a model and its rival; no rival has a dot or a slash, as paths have
TRIES = 3  # random numbers at which a rate that is nothing is told from one that happens to be nothing


@dataclass(frozen=True)
class Rival:
    """Another structure: what it is about, who says so, and how it differs.

    fix : parameter -> the number it is taken as [unit of the parameter, in h, mL and g]
    modifiers : modifier -> what is believed of its size, which is estimated in every animal
    """

    about: str
    source: str
    fix: Mapping[str, float]
    modifiers: Mapping[str, Parameter]

    @property
    def told(self) -> str:
        """What is fixed and what is estimated, in one line."""
        alike: dict[float, list[str]] = {}
        for name, value in self.fix.items():
            alike.setdefault(value, []).append(name)
        parts = [f"{', '.join(names)} = {value:g}" for value, names in alike.items()]
        return "; ".join([*parts, *(f"{name} ~ {p.prior}" for name, p in self.modifiers.items())])


def chosen_rival(name: str) -> tuple[str, str]:
    r"""Model and rival that a name asks for, "" where it asks for the model itself.

    >>> chosen_rival("msc:no_release"), chosen_rival("models/msc.toml"), chosen_rival(r"C:\mine\msc.toml")
    (('msc', 'no_release'), ('models/msc.toml', ''), ('C:\\mine\\msc.toml', ''))
    """
    found = CHOICE.fullmatch(name)
    return (found.group(1), found.group(2)) if found else (name, "")


def rival(model: Model, name: str) -> Model:
    """Return the model as one of its rivals has it, with the rates that what it estimates brings.

    Raises
    ------
    ModelFileError
        if its file names no such rival
    """
    if name not in model.rivals:
        known = did_you_mean(name, model.rivals) if model.rivals else " It names none; see [rivals.NAME]."
        raise ModelFileError(f"{model.name} has no rival `{name}`.{known}")
    entry = model.rivals[name]
    parameters = tuple(
        replace(p, prior=Prior("fixed", entry.fix[p.name], 0.0), source=entry.source) if p.name in entry.fix else p
        for p in model.parameters
    )
    other = replace(
        model,
        name=f"{model.name}:{name}",
        about=f"{model.about}; rival: {entry.about}",
        parameters=parameters,
        chosen=name,
        believed=entry.modifiers,
    )
    return _without_empty_arrows(other, entry.fix).switched(entry.modifiers)


def draw_believed(model: Model, draws: int, seed: int) -> tuple[Array, tuple[str, ...]]:
    """Parameter vectors drawn from the prior, and what is believed of modifiers beside them.

    Returns
    -------
    (draw, parameter and modifier), and their names; the parameters are those that `draw_prior` gives
    """
    z = np.random.default_rng((seed, 1)).standard_normal((draws, len(model.believed)))
    believed = [p.prior.value(z[:, i]) for i, p in enumerate(model.believed.values())]
    return np.column_stack([model.draw_prior(draws, seed), *believed]), (*model.parameter_names, *model.believed)


def _without_empty_arrows(model: Model, fix: Mapping[str, float]) -> Model:
    """The model without arrows whose rates are nothing at the numbers that are fixed."""
    replaced = {place for modifier in model.modifiers for place, _ in modifier.replaces}
    families: list[Family] = []
    moved: dict[int, int] = {}  # old place -> new one
    for place, family in enumerate(model.families):
        left = [i for i in range(len(family.organs)) if place in replaced or not _is_nothing(model, family, i, fix)]
        moved[place] = len(families)
        families += [family] if len(left) == len(family.organs) else [_alone(family, i) for i in left]
    modifiers = tuple(
        replace(m, replaces=tuple((moved[place], family) for place, family in m.replaces)) for m in model.modifiers
    )
    return replace(model, families=tuple(families), modifiers=modifiers)


@np.errstate(all="ignore")  # what is no number is not nothing
def _is_nothing(model: Model, family: Family, organ: int, fix: Mapping[str, float]) -> bool:
    """Whether the rate of one organ is zero whatever all other numbers are."""
    rng = np.random.default_rng(0)
    names = {name: model.name_at(at[organ]) for name, at in family.symbols.items()}
    if not fix.keys() & names.values():
        return False
    values = {n: np.float64(fix[s]) if s in fix else rng.uniform(0.1, 0.9, TRIES) for n, s in names.items()}
    return bool(np.all(family.rate.evaluate(values, np) == 0.0))


def _alone(family: Family, organ: int) -> Family:
    """One arrow of a family, written out."""
    (group,), own = set(PLACEHOLDER.findall(family.line)), family.organs[organ]
    return replace(
        family,
        line=family.line.replace("{" + group + "}", own),
        rate=family.rate.filled(group, own),
        organs=("",),
        source=(family.source[organ],),
        target=(family.target[organ],),
        symbols={PLACEHOLDER.sub(own, name): (at[organ],) for name, at in family.symbols.items()},
    )


def rivals_of(
    given: ModelFile,
    groups: Mapping[str, list[str]],
    parameters: Sequence[Parameter],
    meant: Mapping[str, str],
    modifiers: Sequence[Modifier],
    left_out: Sequence[str],
) -> dict[str, Rival]:
    """Rivals that a model file names, with every name found.

    Parameters
    ----------
    meant : name of a parameter as an organ or its part spells it -> the parameter
    left_out : organs of the animal that the model does not have

    Raises
    ------
    ModelFileError
        if a name is none, or a number or a prior cannot be
    """
    return {
        name: Rival(
            entry.about,
            entry.source,
            _fixed(name, entry, given, groups, {p.name: p for p in parameters}, meant, left_out),
            {m: _believed(name, m, e, given, groups, modifiers) for m, e in entry.modifiers.items()},
        )
        for name, entry in given.rivals.items()
        if _is_named(name)
    }


def _is_named(name: str) -> bool:
    if not re.fullmatch(r"[\w-]+", name):
        raise ModelFileError(f"rivals: `{name}` is no name; use letters, digits and _.", at=("rivals", name))
    return True


def _fixed(
    rival: str,
    entry: RivalEntry,
    given: ModelFile,
    groups: Mapping[str, list[str]],
    parameters: Mapping[str, Parameter],
    meant: Mapping[str, str],
    left_out: Sequence[str],
) -> dict[str, float]:
    """Parameters and the numbers they are taken as; what is said of one organ holds before what is said of many."""
    found: dict[str, float] = {}
    for text in sorted(entry.fix, key=lambda text: "{" not in text):
        at = ("rivals", rival, "fix", text)
        value = entry.fix[text]
        for name in fill(text, groups, at):
            if name not in meant:
                if name.endswith(tuple(f"_{organ}" for organ in left_out)):
                    continue  # as a number of an organ that the model leaves out is passed over
                sentence = f"rivals.{rival}.fix: there is no parameter `{name}`.{did_you_mean(name, meant)}"
                raise ModelFileError(sentence, at=at)
            parameter = parameters[meant[name]]
            form, most = parameter.prior.form, 1.0 if parameter.prior.form == "logit_normal" else np.inf
            if form != "fixed" and not 0.0 <= value <= most:
                within = "between 0 and 1" if most == 1.0 else "at least 0"
                raise ModelFileError(f"rivals.{rival}.fix: `{text}` is {value:g}; it must be {within}.", at=at)
            found[parameter.name] = value * _factor(given, parameter.name)
    return {name: found[name] for name in parameters if name in found}


def _factor(given: ModelFile, name: str) -> float:
    """From the unit in which a parameter is written to the package's own."""
    entries = dict(given.parameters)
    for own in given.labels.values():
        entries |= {label: entry for label, entry in own.items() if label not in entries}
    order = sorted(entries, key=lambda text: (text != name, "{organ}" in text))  # as the priors are found
    written = next(text for text in order if re.fullmatch(PLACEHOLDER.sub(r"\\w+", text), name))
    return inside(entries[written].unit)[1]


def _believed(
    rival: str,
    name: str,
    entry: BelievedEntry,
    given: ModelFile,
    groups: Mapping[str, list[str]],
    modifiers: Sequence[Modifier],
) -> Parameter:
    """What a rival believes of the size of a modifier."""
    known = {modifier.name: modifier for modifier in modifiers}
    at = ("rivals", rival, "modifiers", name)
    place = f"rivals.{rival}.modifiers.{name}"
    if name not in known:
        raise ModelFileError(f"{place}: it is not a modifier.{did_you_mean(name, known)}", at=at)
    modifier = known[name]
    if not entry.prior:
        if modifier.prior is None:
            raise ModelFileError(f"{place}: nobody knows its size; give it a prior.", at=at)
        return Parameter(name, modifier.about, modifier.unit, modifier.prior, modifier.source)
    written = next(text for text in given.modifiers if name in fill(text, groups))
    try:
        prior = parse_prior(entry.prior).scaled(inside(given.modifiers[written].unit)[1])
    except InputError as problem:
        raise ModelFileError(f"{place}: {problem}", at=(*at, "prior")) from None
    return Parameter(name, modifier.about, modifier.unit, prior, entry.source)

"""From one animal to another: of another weight or sex, drawn within the spread of its numbers, or of another species.

Between weights of one species numbers go with powers of body weight (`models/scaling/allometry.toml`, a hypothesis).
Between species the body is the target's own and what is known of the cells is carried over, each step in words.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pydantic

from pbpk.body.library import read_path
from pbpk.body.prior import NORMAL_QUANTILE, Prior
from pbpk.body.species import SourceEntry, Species, times
from pbpk.errors import InputError, SpeciesError, did_you_mean
from pbpk.quantity import ACTIVITY, Quantity, QuantityEntry, inside, inside_unit, unit_registry
from pbpk.reading import Schema, read_toml

WIDEST = 100.0  # a weight further than this factor from the known one is taken for another unit
BLOOD = ("volume_vein", "volume_artery")
RATES = ("carried", "allometric")
OWN = "animal's own"

type Array = np.ndarray[Any, np.dtype[np.float64]]


class AllometryFile(Schema):
    """A file of exponents as written."""

    name: str
    about: str
    evidence: str
    volume: QuantityEntry
    flow: QuantityEntry
    rate: QuantityEntry
    sources: dict[str, SourceEntry] = pydantic.Field(default_factory=dict)


@dataclass(frozen=True)
class Allometry:
    """Exponents of body weight: of volumes and amounts, of flows, of rates per hour."""

    evidence: str
    volume: Quantity
    flow: Quantity
    rate: Quantity
    sources: Mapping[str, SourceEntry]


def read_allometry(name: str | Path = "allometry") -> Allometry:
    """Read exponents of body weight by name or path.

    Raises
    ------
    SpeciesError
        if the file does not fit, or an exponent has a unit or lies outside its own spread
    """
    path = read_path("scaling", name, SpeciesError)
    given = read_toml(path, AllometryFile, SpeciesError)
    exponents = {kind: Quantity(**dict(getattr(given, kind))) for kind in ("volume", "flow", "rate")}
    for kind, exponent in exponents.items():
        low, high = exponent.ends
        if exponent.unit != "1":
            raise SpeciesError(f"{path}: {kind}: an exponent has the unit `1`, not `{exponent.unit}`.")
        if not low <= exponent.value <= high:
            raise SpeciesError(f"{path}: {kind} is {exponent.value:g}; put low at or below it and high at or above it.")
    return Allometry(given.evidence, **exponents, sources=given.sources)


def scaled(
    species: Species, body_weight: float | None = None, sex: str | None = None, law: Allometry | None = None
) -> Species:
    """Same species at another weight: volumes with body weight, flows with its 3/4 power; the circulation still closes.

    Parameters
    ----------
    body_weight : [g], the weight of the animal or of its sex where None
    sex : one that the species file has a block for
    law : exponents, of `models/scaling/allometry.toml` where None

    Returns
    -------
    an animal whose densities and shares are unchanged and whose spreads go with their values

    Raises
    ------
    SpeciesError
        if there are no numbers for this sex, or the weight is not one of this species in grams
    """
    animal = species if sex is None else species.of_sex(sex)
    if body_weight is None:
        return animal
    known = animal.numbers()["body_weight"]
    if not (math.isfinite(body_weight) and body_weight > 0.0):
        raise SpeciesError(f"{animal.name}: a body weight of {body_weight:g} g cannot be; give grams above zero.")
    if not 1.0 / WIDEST <= body_weight / known <= WIDEST:
        raise SpeciesError(f"{animal.name}: {body_weight:g} g is far from the {known:g} g its numbers are for; "
                           "give the weight in grams.")  # fmt: skip
    law = law or read_allometry()
    factors = grown_by(body_weight / known, law)
    keys = {"mL": f"scaling {law.volume.source}", "mL/h": f"scaling {law.flow.source}", "g": "scaling"}
    grown = dict(animal.quantities)
    for own, quantity in animal.quantities.items():
        unit, _ = inside(quantity.unit)
        if unit in factors:
            grown[own] = _said(times(quantity, factors[unit]), keys[unit])
    said = (
        f"Not a source: numbers for {known:g} g brought to {body_weight:g} g, volumes with body weight to the "
        f"{law.volume.value:g}, flows to the {law.flow.value:g}"
    )
    before = animal.sources.get("scaling")
    text = f"{before.text}; then {said}" if before else said
    sources = {**law.sources, **animal.sources, "scaling": SourceEntry(text=text, status=law.evidence)}
    name, about = f"{animal.name}, {body_weight:g} g", f"{animal.about}; scaled to {body_weight:g} g"
    return replace(animal, name=name, about=about, quantities=grown, sources=sources, sexes={}, file=None)


def grown_by(ratio: Any, law: Allometry) -> dict[str, Any]:
    """Factor on numbers of each unit at a ratio of body weights, a number or (animal,)."""
    return {"mL": ratio**law.volume.value, "mL/h": ratio**law.flow.value, "g": ratio}


def numbers_at(species: Species, weights: Array, law: Allometry | None = None) -> dict[str, Any]:
    """Numbers of animals of many weights (animal,) [g], as `scaled` gives them one by one: (animal,) or one for all."""
    known = species.numbers()
    factors = grown_by(weights / known["body_weight"], law or read_allometry())
    units = {name: inside(quantity.unit)[0] for name, quantity in species.quantities.items()}
    return known | {name: known[name] * factors[unit] for name, unit in units.items() if unit in factors}


def _said(quantity: Quantity, keys: str) -> Quantity:
    """Quantity with further sources."""
    return replace(quantity, source=" ".join(dict.fromkeys([*quantity.source.split(), *keys.split()])))


def spread(quantity: Quantity) -> Prior:
    """What is believed of a number of an animal, in the unit the package computes with.

    `low` and `high` are read as the central 95 % around the value as median: log-normal, a logit-normal for shares (no
    unit, and all of it below one). Of two distances that differ the longer is taken on both sides. Without either the
    number is fixed: nobody said by how much it may differ.
    """
    unit, one = inside(quantity.unit)
    low, value, high = (end * one for end in (quantity.ends[0], quantity.value, quantity.ends[1]))
    if low == value == high:
        return Prior("fixed", value, 0.0)
    wide = Prior("logit_normal" if unit == "1" and high < 1.0 else "lognormal", value, 1.0)
    return replace(wide, sigma=float(max(wide.standardised(high), -wide.standardised(low))) / NORMAL_QUANTILE)


def physiology_priors(species: Species) -> dict[str, Prior]:
    """What is believed of each number of an animal, in the units the package computes with; see `spread`."""
    return {name: spread(quantity) for name, quantity in species.quantities.items()}


def draw_species(species: Species, draws: int, seed: int, law: Allometry | None = None) -> list[Species]:
    """Animals within the spread of one, each with a circulation that closes and organs that fill the body.

    Numbers are drawn each on its own (`physiology_priors`). Then the flows of organs are brought, all by one factor, to
    the cardiac output drawn, and the volumes, all by one factor, to the volume of the whole animal; so none is ever
    negative, and medians move by a few per cent. Where the body weight has a spread, volumes and flows go with it.

    Parameters
    ----------
    law : exponents of body weight, of `models/scaling/allometry.toml` where None

    Raises
    ------
    SpeciesError
        if fewer than one animal is asked for
    """
    if draws < 1:
        raise SpeciesError(f"{species.name}: {draws} animals cannot be drawn; ask for at least 1.")
    priors = physiology_priors(species)
    z = np.random.default_rng(seed).standard_normal((draws, len(priors)))
    drawn: dict[str, Array] = {name: prior.value(z[:, i]) for i, (name, prior) in enumerate(priors.items())}
    known = species.numbers()
    size = drawn["body_weight"] / known["body_weight"]
    if not priors["body_weight"].is_fixed:
        law = law or read_allometry()
        drawn["cardiac_output"] = drawn["cardiac_output"] * size**law.flow.value
        size = size**law.volume.value
    flows = [name for organ in species.organs if (name := f"artery_{organ}") in drawn]
    volumes = [*BLOOD, *(f"volume_{organ}" for organ in species.organs)]
    whole = sum(known[name] for name in volumes) * size
    for names, total in ((flows, drawn["cardiac_output"]), (volumes, whole)):
        factor = total / sum(drawn[name] for name in names)
        drawn |= {name: drawn[name] * factor for name in names}
    said = f"Not a source: drawn within low and high of {species.name}, seed {seed}, flows and volumes closed again"
    sources = {**species.sources, "drawn": SourceEntry(text=said, status="drawn")}
    closed = replace(species, sources=sources, sexes={}, file=None)
    return [
        replace(
            closed,
            name=f"{species.name}, draw {i + 1}",
            quantities={n: _as_drawn(q, float(drawn[n][i])) for n, q in species.quantities.items()},
        )
        for i in range(draws)
    ]


def _as_drawn(quantity: Quantity, value: float) -> Quantity:
    """Quantity with what was drawn for it, in the unit inside; as it was where that is the same."""
    unit, one = inside(quantity.unit)
    if value == quantity.value * one:
        return quantity
    return _said(replace(quantity, value=value, unit=unit, low=None, high=None), "drawn")


class Named(Protocol):
    """What a parameter must tell of itself to be carried over."""

    @property
    def name(self) -> str:
        """Name, as in the columns of draws."""

    @property
    def unit(self) -> str:
        """Unit, as `1/h`."""

    @property
    def about(self) -> str:
        """Meaning, as part of a sentence."""


@dataclass(frozen=True)
class CarriedOver:
    """What becomes of one number on the way from one animal to another.

    how : "carried" unchanged, "scaled" by body weight, or the "animal's own"
    factor : the number in the target over that in the animal it comes from
    words : all of it in one sentence
    evidence : "hypothesis" for all that is not the target animal's own
    """

    name: str
    how: str
    factor: float
    words: str
    evidence: str


def carried_over(
    animal: Species,
    to: Species,
    parameters: Sequence[Named],
    rates: str = "carried",
    exponents: Mapping[str, float] | None = None,
    law: Allometry | None = None,
    weighed: Sequence[str] = (),
) -> list[CarriedOver]:
    """What is scaled, what is carried and what is the target's own, when what one animal taught is asked of another.

    Numbers without dimension, lengths and concentrations are carried; rates per hour are carried or scaled; volumes,
    amounts and flows go with the body. Parameters come first, in their order, then the numbers that both animals have.

    Parameters
    ----------
    rates : "carried", or "allometric" for body weight to the -1/4
    exponents : parameter -> exponent of body weight, instead of the rule for its unit
    weighed : parameters whose model says itself how they go with body weight, and which are therefore carried
    law : exponents, of `models/scaling/allometry.toml` where None

    Raises
    ------
    InputError
        if `rates` or an exponent names nothing known, or no rule fits a unit
    """
    if rates not in RATES:
        raise InputError(f"rates cannot be `{rates}`.{did_you_mean(rates, RATES)}")
    known = [parameter.name for parameter in parameters]
    for name, power in (exponents or {}).items():
        if name not in known:
            raise InputError(f"exponents: there is no parameter `{name}`.{did_you_mean(name, known)}")
        if not math.isfinite(power):
            raise InputError(f"exponents: the power of body weight of `{name}` is {power:g}; give a finite number.")
    law = law or read_allometry()
    weights = (to.numbers()["body_weight"], animal.numbers()["body_weight"])
    rows = []
    for parameter in parameters:
        own = (exponents or {}).get(parameter.name)
        if own is None and parameter.name in weighed:
            exponent, reason = Quantity(0.0, "1", ""), "its model says how it goes with body weight"
        elif own is None:
            exponent, reason = _rule(parameter, rates, law, weights[0] / weights[1])
        else:
            exponent, reason = Quantity(own, "1", ""), "as you asked"
        rows.append(_moved(parameter, exponent, reason, weights, animal.name))
    return rows + [_own(n, animal, to) for n in to.quantities if n in animal.quantities and n not in known]


def _rule(parameter: Named, rates: str, law: Allometry, ratio: float) -> tuple[Quantity, str]:
    """Exponent of body weight that a unit asks for, and why."""
    try:
        unit = inside_unit(parameter.unit)
    except InputError as problem:
        raise InputError(f"`{parameter.name}`: {problem}") from None
    parsed = unit_registry().parse_units(parameter.unit)
    if unit in ACTIVITY:
        raise InputError(f"`{parameter.name}` is in {parameter.unit}, for which there is no rule; give its power of "
                         f"body weight in exponents, as {{\"{parameter.name}\": 0}}.")  # fmt: skip
    powers: dict[Any, Any] = dict(parsed.dimensionality)
    per_hour = -powers.pop("[time]", 0.0)
    none = Quantity(0.0, "1", "")
    if unit == "um":
        return none, "a length of the cells is theirs in any body"
    size = powers.pop("[length]", 0.0) / 3.0 + sum(powers.values())
    if size == per_hour == 0.0:
        return none, "it has no dimension" if unit == "1" else "it is an amount for so much tissue"
    if size == 0.0:
        if rates == "carried":
            clock = per_hour * law.rate.value
            return none, (f"a time is taken to belong to the cells and not to the body, whose weight to the "
                          f"{clock:g} would give {ratio**clock:.3g} times it")  # fmt: skip
        return times(law.rate, per_hour), "a time is taken to go with the clock of the body"
    if per_hour == 0.0:
        return times(law.volume, size), "it is taken to go with the size of the body"
    if size == per_hour:
        return times(law.flow, size), "it is taken to go as flows do"
    exponent = size * law.volume.value + per_hour * law.rate.value
    return Quantity(exponent, "1", ""), "it is taken to go with the size of the body and with its clock"


def _moved(parameter: Named, exponent: Quantity, reason: str, weights: tuple[float, float], origin: str) -> CarriedOver:
    """Row of a parameter that is carried or scaled."""
    what = f"{parameter.name} ({parameter.about})" if parameter.about else parameter.name
    ratio = weights[0] / weights[1]
    if exponent.value == 0.0:
        words = f"{what} is carried over unchanged from the {origin}: {reason}; a hypothesis."
        return CarriedOver(parameter.name, "carried", 1.0, words, "hypothesis")
    factor = ratio**exponent.value
    low, high = sorted(exponent.ends)
    range_ = f", and published exponents from {low:.3g} to {high:.3g} would give {ratio**low:.3g} to {ratio**high:.3g}"
    words = (
        f"{what} of the {origin} is multiplied by {factor:.4g}, which is ({weights[0]:g} g / {weights[1]:g} g)"
        f"^{exponent.value:.3g}: {reason}; a hypothesis{range_ if low < high else ''}."
    )
    return CarriedOver(parameter.name, "scaled", factor, words, "hypothesis")


def _own(name: str, animal: Species, to: Species) -> CarriedOver:
    """Row of a number that the target animal has of its own."""
    here, there = to.quantities[name], animal.quantities[name]
    factor = to.numbers()[name] / animal.numbers()[name]
    own, other = (f"{q.value:g} {q.unit}".removesuffix(" 1") for q in (here, there))
    words = (
        f"{name} is the target's own, {own} for {to.name} ({here.source}), {factor:.3g} times the {other} of "
        f"{animal.name}."
    )
    return CarriedOver(name, OWN, factor, words, "")


def scale_theta(theta: Array, rows: Sequence[CarriedOver]) -> Array:
    """Parameters of one animal for another, each column times its factor.

    Parameters
    ----------
    theta : (..., parameter), in the order of the parameters that `carried_over` was asked for
    rows : what `carried_over` gave, as it gave it

    Returns
    -------
    (..., parameter)

    Raises
    ------
    InputError
        if the rows are not those of as many parameters
    """
    theta = np.asarray(theta, dtype=np.float64)
    n = theta.shape[-1] if theta.ndim else 0
    changing = [row for row in rows if row.how != OWN]
    if n != len(changing):
        raise InputError(f"theta has {n} columns and the rows are of {len(changing)} parameters; ask carried_over for "
                         "the parameters of theta, in their order.")  # fmt: skip
    return theta * np.array([row.factor for row in changing])

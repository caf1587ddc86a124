"""A model's states, numbers, arrows and readouts as SBML."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import libsbml

from pbpk.body.model import HOUR as HOUR_PLACE
from pbpk.body.model import Family, Model
from pbpk.share.sbml_notes import annotate, cite, of_constant, of_parameter, of_state, plain
from pbpk.share.sbml_spelling import HOUR, SUBSTANCE, Ids, Units, formula, symbol, total
from pbpk.share.sbml_spelling import apply as apply_to

BODY, ONE = "body", "amount_in_unit"


@dataclass
class Network:
    """An SBML model while it is written.

    model : with the rates that its modifiers bring; values : symbol -> number; set_ : modifiers that are set
    """

    model: Model
    sbml: Any
    values: Mapping[str, float]
    set_: Mapping[str, float]

    @cached_property
    def units(self) -> Units:
        """Unit definitions."""
        return Units(self.sbml, self.model.amount)

    @cached_property
    def ids(self) -> Ids:
        """Ids given so far."""
        return Ids()

    @cached_property
    def named(self) -> dict[str, str]:
        """Id of each state and of each symbol that is needed; the hour is spelt as it is."""
        ids = {state: self.ids.new(state) for state in self.model.states}
        return ids | {name: self.ids.new(name) for name in self.needed} | {"hours": HOUR}

    @cached_property
    def needed(self) -> list[str]:
        """Symbols that rates and volumes read, and those that they follow from, in the model's order."""
        model = self.model
        places = {at for family in model.families for where in family.symbols.values() for at in where if at >= 0}
        found = {model.symbol_names[at] for at in places} | set(model.volumes.values())
        new = set(found)
        while new:
            new = {n for name in new if name in model.derived for n in model.derived[name].names} - found
            found |= new
        return [name for name in model.symbol_names if name in found]

    @cached_property
    def factor(self) -> str:
        """Id of what one of the amount is in the unit in which rates count amounts, "" where no rate does."""
        if self.units.factor == 1.0 or not any(name in self.model.states for name in self.model.moving):
            return ""
        unit = f"{self.units.base}/{SUBSTANCE}"
        words = f"One {self.model.amount}, in the unit in which rates count amounts ({self.units.base})."
        return self.parameter(ONE, self.units.factor, unit, [words])

    def parameter(
        self,
        text: str,
        value: float | None,
        unit: str,
        notes: list[str] | None = None,
        id_: str = "",
        fixed: bool = True,
    ) -> str:
        """Write a parameter and return its id; one without a value follows from a rule."""
        written = self.sbml.createParameter()
        written.setId(id_ or self.ids.new(text))
        written.setName(plain(text))
        written.setConstant(fixed)
        written.setUnits(self.units.of(unit))
        if value is not None:
            written.setValue(float(value))
        annotate(written, notes or [])
        return str(written.getId())

    def rule(self, id_: str, math: Any) -> None:
        """Say what a parameter always is."""
        rule = self.sbml.createAssignmentRule()
        rule.setVariable(id_)
        rule.setMath(math)


def write_units(network: Network) -> None:
    """Write the units in which everything is: hours, mL, the amount."""
    sbml, units = network.sbml, network.units
    sbml.setTimeUnits(units.of("h"))
    sbml.setVolumeUnits(units.of("mL"))
    sbml.setSubstanceUnits(units.of(SUBSTANCE))
    sbml.setExtentUnits(units.of(SUBSTANCE))


def write_states(network: Network, initial: Mapping[str, float]) -> None:
    """Write states as species, with what they hold at 0 h.

    One compartment of size 1 holds them all: species are amounts, so no rate reads its size, and tools that show
    concentrations show the amounts. Organs as compartments would leave vessels and label of the blood without one.
    """
    model, sbml = network.model, network.sbml
    body = sbml.createCompartment()
    body.setId(network.ids.new(BODY))
    body.setConstant(True)
    body.setSpatialDimensions(3)
    body.setSize(1.0)
    body.setUnits(network.units.of("mL"))
    for state in model.states:
        species = sbml.createSpecies()
        species.setId(network.named[state])
        species.setName(plain(state))
        species.setCompartment(body.getId())
        species.setInitialAmount(float(initial.get(state, 0.0)))
        species.setSubstanceUnits(network.units.of(SUBSTANCE))
        species.setHasOnlySubstanceUnits(True)
        species.setBoundaryCondition(False)
        species.setConstant(False)
        annotate(species, of_state(model, state))


def write_numbers(network: Network) -> None:
    """Write parameters, constants and modifiers; what follows from parameters as a rule."""
    model = network.model
    parameters = {p.name: p for p in model.parameters}
    modifiers = {m.name: m for m in model.modifiers}
    for name in network.needed:
        id_, value = network.named[name], network.values[name]
        if name in model.derived:
            follows = model.derived[name]
            network.parameter(name, None, model.constant_units[name], [f"{name} = {follows.text}"], id_, fixed=False)
            network.rule(id_, formula(follows, network.named))
            continue
        if name in parameters:
            unit, notes, source = parameters[name].unit, of_parameter(parameters[name]), parameters[name].source
        elif name in modifiers:
            modifier = modifiers[name]
            unit, notes, source = modifier.unit, [f"{modifier.about}. Neutral: {modifier.neutral:g}."], modifier.source
        else:
            unit, (notes, source) = model.constant_units[name], of_constant(model, name)
        network.parameter(name, value, unit, notes, id_)
        cite(network.sbml.getParameter(id_), model, source)


def write_arrows(network: Network) -> None:
    """Write each arrow as an irreversible reaction: its rate times what the state it leaves holds."""
    for family in network.model.families:
        for i in range(len(family.organs)):
            _write_arrow(network, family, i)


def _write_arrow(network: Network, family: Family, i: int) -> None:
    model = network.model
    source, target = model.states[family.source[i]], model.states[family.target[i]]
    reaction = network.sbml.createReaction()
    reaction.setId(network.ids.new(f"{source}_to_{target}"))
    reaction.setName(plain(f"{source} -> {target}"))
    reaction.setReversible(False)
    annotate(reaction, [family.line])
    move(reaction.createReactant(), network.named[source])
    move(reaction.createProduct(), network.named[target])
    names = {name: model.name_at(at[i]) for name, at in family.symbols.items()}
    states = frozenset(name for name, at in family.symbols.items() if at[i] < HOUR_PLACE)
    for state in dict.fromkeys(names[name] for name in names if name in states):
        if state != source and state != target:
            reaction.createModifier().setSpecies(network.named[state])
    ids = {name: network.named[meant] for name, meant in names.items()}
    rate = formula(family.rate, ids, network.factor if states else "", states)
    law = apply_to(libsbml.AST_TIMES, rate, symbol(network.named[source]))
    reaction.createKineticLaw().setMath(law)


def move(reference: Any, species: str) -> None:
    """Let a reaction move one of a species."""
    reference.setSpecies(species)
    reference.setStoichiometry(1.0)
    reference.setConstant(True)


def unseen(network: Network) -> list[str]:
    """Readouts that count cells while cells lose their label, which the states here do not tell."""
    return [readout for readout, rate in network.model.lost.items() if network.values[rate] != 0.0]


def write_readouts(network: Network) -> None:
    """Write what each readout sees in each place, as a rule: an amount, or a concentration where it is seen as one."""
    model, left_out = network.model, unseen(network)
    for place in model.observed:
        for readout in model.readouts:
            weights = model.observer(place, readout)
            seen = [network.named[state] for state, weight in zip(model.states, weights, strict=True) if weight]
            if not seen or readout in left_out:
                continue
            math, unit, words = total(seen), SUBSTANCE, f"What `{readout}` sees in {place}."
            if place in model.volumes:
                volume = model.volumes[place]
                math, unit = apply_to(libsbml.AST_DIVIDE, math, symbol(network.named[volume])), f"{SUBSTANCE}/mL"
                words += f" A concentration: the amount over {volume}."
            id_ = network.parameter(f"observed_{place}_{readout}", None, unit, [words], fixed=False)
            network.rule(id_, math)

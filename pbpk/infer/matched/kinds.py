"""What kind of number a parameter is, read off the arrows it moves, and what to measure when it cannot be told."""

from collections.abc import Mapping
from typing import Literal

from pbpk.body.model import Model
from pbpk.infer.matched.joint import Joint

Kind = Literal["extraction", "fate", "loss", "transfer", "uptake", "excretion", "scatter", "weight", "recovery",
               "modifier", "physiology", "other"]  # fmt: skip

GENERIC = "narrow its prior from data, or fix it"
ALONE: Mapping[Kind, str] = {
    "extraction": "a harvest within an hour of the dose shows what an organ caught before anything left it",
    "fate": "a live readout at two times tells release from death",
    "loss": "values at more hours, and a live readout at two times, show it",
    "transfer": "later harvests of label, or a group that is given free label, show it",
    "uptake": "a group that is given free label shows it",
    "excretion": "what urine and faeces hold shows it",
    "scatter": "more animals per hour show how they scatter",
    "weight": "weigh the organs of these animals",
    "recovery": "count the whole animal once, or narrow its prior",
    "modifier": "a group without it, at the same hours, shows its size",
    "physiology": "measure this number of the animal, or leave it fixed",
    "other": GENERIC,
}
FATES: frozenset[Kind] = frozenset({"fate", "loss", "transfer"})
FREE: frozenset[Kind] = frozenset({"uptake", "transfer", "excretion"})
TOGETHER: tuple[tuple[frozenset[Kind], frozenset[Kind], str], ...] = (
    (frozenset({"fate"}), FATES, "a live readout at two times tells them apart"),
    (frozenset({"loss"}), frozenset({"transfer"}), "a live readout at two times tells them apart"),
    (frozenset({"extraction"}), frozenset({"extraction", *FATES, *FREE}),
     "a harvest within an hour of the dose, before anything moves on, tells them apart"),
    (frozenset({"uptake", "excretion"}), FREE, "a group that is given free label tells them apart"),
    (frozenset({"scatter"}), frozenset({"scatter"}),
     "more animals per hour tell the spread between them from what the model misses"),
)  # fmt: skip


def advice(kind: Kind, partner: Kind | None = None) -> str:
    """What to measure or fix where a parameter is not told, or not apart from its partner."""
    for some, others, words in TOGETHER if partner is not None else ():
        if (kind in some and partner in others) or (partner in some and kind in others):
            return words
    for known in (kind, partner):
        if known in ("weight", "recovery", "modifier", "physiology", "scatter"):
            return ALONE[known]
    return ALONE[kind]


def kinds_of(joint: Joint) -> dict[str, Kind]:
    """Kind of each estimated parameter, by its name."""
    model = joint.model
    found: dict[str, Kind] = {}
    modifiers = {modifier.name for modifier in model.modifiers}
    noise = {parameter.name for parameter in model.noise}
    arrows: dict[str, list[int]] = {}
    for arrow, names in enumerate(learned_by_arrow(model)):
        for name in names:
            arrows.setdefault(name, []).append(arrow)
    for parameter in joint.estimated:
        name = parameter.name
        if name in noise:
            found[name] = "scatter"
        elif name == "recovery":
            found[name] = "recovery"
        elif name.removeprefix("grams_") in joint.doubtful:
            found[name] = "weight"
        elif name in modifiers:
            found[name] = "modifier"
        elif name in model.quantities:
            found[name] = "physiology"
        else:
            found[name] = _of_arrows(model, arrows.get(name, []), parameter.prior.form == "logit_normal")
    return found


def _of_arrows(model: Model, arrows: list[int], is_share: bool) -> Kind:
    """Kind of a parameter of the model by where its arrows begin and end."""
    if not arrows:
        return "other"
    ends = [(int(model.source_states[arrow]), int(model.target_states[arrow])) for arrow in arrows]
    if all(s >= model.n_lasting > t and flows_on(model, s) for s, t in ends):
        return "extraction"
    sources, targets = ({model.states[i] for i in side} for side in zip(*ends, strict=True))
    live, label = (model.kinds.get(kind, frozenset()) for kind in ("live", "label"))
    if targets <= model.outside:
        return "excretion"
    if sources <= live:
        return "fate" if is_share and len(ends) > len({s for s, _ in ends}) else "loss"
    if sources <= label:
        return "uptake" if sources & set(model.observed.get("blood", ())) else "transfer"
    return "other"


def flows_on(model: Model, state: int) -> bool:
    """True where blood passes a state, on its way to the next one that is in balance."""
    return bool(((model.source_states == state) & (model.target_states >= model.n_lasting)).any())


def learned_by_arrow(model: Model) -> list[tuple[str, ...]]:
    """Estimated parameters in the rate of each arrow, those apart that are numbers of the animal."""
    known = len(model.parameters)
    return [
        tuple(
            model.parameter_names[places[i]]
            for places in family.symbols.values()
            if 0 <= places[i] < known and model.parameter_names[places[i]] not in model.quantities
        )
        for family in model.families
        for i in range(len(family.organs))
    ]

"""A plan of the next study in sentences: what to do, what it is expected to teach, what it saves, what it rests on."""

from pbpk.predict.planned_study import BEST, CURRENT, Plan

MANY = 3  # quantities told by name; the table has all


def plan_sentences(plan: Plan) -> tuple[str, ...]:
    """What is recommended and why, in the order in which one asks."""
    return (_design(plan), *_taught(plan), *_saved(plan), *_on_top(plan), *_rests(plan))


def _design(plan: Plan) -> str:
    hours = plan.design.groupby("group", sort=False)
    told = []
    for group, own in hours:
        at = [f"{row.hours:g} h ({row.animals})" for row in own.itertuples()]
        told.append(f"{group}: {', '.join(at)}")
    animals = int(plan.design["animals"].sum())
    return f"Recommended for {animals} animals: {'; '.join(told)}."


def _taught(plan: Plan) -> list[str]:
    best = plan.contractions(BEST)
    others = [name for name in dict.fromkeys(plan.quantities["design"]) if name != BEST]
    said = []
    for quantity in list(best)[:MANY]:
        beside = ", ".join(f"{plan.contractions(name)[quantity]:.0%} {_as(name)}" for name in others)
        said.append(
            f"It is expected to leave {best[quantity]:.0%} of the SD of `{quantity}` that is believed before; {beside}."
        )
    return said


def _as(design: str) -> str:
    return f"by the {design}" if design == CURRENT else f"if {design}"


def _saved(plan: Plan) -> list[str]:
    said = []
    for saving in plan.savings:
        what = f"the {saving.design} ({_counted(saving.animals)})"
        what = what if saving.design == CURRENT else f"{_counted(saving.animals)} {saving.design}"
        if saving.fewest is None:
            said.append(f"No number of animals up to {plan.animals} at recommended hours teaches as much as {what}.")
        elif saving.fewest < saving.animals:
            said.append(f"{_counted(saving.fewest)} at recommended hours would teach as much as {what}.")
    if any(saving.fewest is not None and saving.fewest < saving.animals for saving in plan.savings):
        said.append(
            "Read these numbers as the least: refits of four animals left SDs up to a quarter larger than foretold."
        )
    return said


def _counted(animals: int) -> str:
    return f"{animals} animal{'' if animals == 1 else 's'}"


def _on_top(plan: Plan) -> list[str]:
    extra = plan.on_top
    if extra is None:
        return []
    names, best = list(plan.contractions(BEST)), list(plan.contractions(BEST).values())
    said = []
    for name, now, after, instead in list(zip(names, best, extra.after, extra.instead, strict=True))[:MANY]:
        of = f"{extra.readout} readout in {_counted(extra.animals)} of them"
        said.append(f"A {of} would leave {after:.0%} of the SD of `{name}` instead of {now:.0%}; as many animals more "
                    f"without it {instead:.0%}.")  # fmt: skip
    return said


def _rests(plan: Plan) -> list[str]:
    limits = "the study's limits of detection heeded" if plan.limited else "no limit of detection heeded"
    least = float(plan.design["least"].min())
    how = "with the scatter between animals and the misfit that all animals of one hour share"
    return [
        f"This rests on {plan.start.words}, made linear about {plan.points} points, {how}; {limits}.",
        f"Down to {least:.1g} % of the dose must be measured.",
    ]

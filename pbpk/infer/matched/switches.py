"""Modifiers that a study or a rival switches on: their size is estimated beside the parameters of the model."""

from pbpk.assay.study import Study
from pbpk.body.model import Model, Parameter
from pbpk.body.prior import parse_prior
from pbpk.errors import ModelFileError, StudyError, did_you_mean


def switches_of(model: Model, study: Study, group: str) -> dict[str, Parameter]:
    """Parameter of each modifier that holds in a group: the model's own, the injured organ's, those under [modifiers].

    A modifier that a rival estimates holds in every group, and where the study has a prior for it, that is its prior.

    Raises
    ------
    StudyError
        if the model has no such modifier, or nobody says what is believed of its size
    """
    place = study.folder / "study.toml"
    injured = study.group(group).injured
    on = dict.fromkeys(model.believed)
    if injured is not None:
        name = f"injury_{injured}"
        if name not in {modifier.name for modifier in model.modifiers}:
            raise StudyError(f"{place}: the group `{group}` has an injured `{injured}`, which is not an organ of the "
                             f"model `{model.name}`.")  # fmt: skip
        on[name] = None
    asked = study.about.modifiers.items()
    on |= dict.fromkeys(name for name, entry in asked if not entry.groups or group in entry.groups)
    return {name: _believed(model, study, name) for name in on}


def _believed(model: Model, study: Study, name: str) -> Parameter:
    """What is believed of a modifier, one thing for all groups: by the study, else by the rival, else by the model."""
    own = study.about.modifiers.get(name)
    if name in model.believed and not (own and own.prior):
        return model.believed[name]
    place = f"{study.folder / 'study.toml'}: " + (f"modifiers.{name}: " if own else "")
    return _parameter(model, name, own.prior if own else "", own.source if own else "", place)


def standing_in(model: Model, study: Study) -> tuple[str, ...]:
    """Modifiers that are estimated and hold in every group; what a readout loses is none of the cells' own."""
    everywhere = [name for name, entry in study.about.modifiers.items() if not entry.groups]
    return tuple(name for name in dict.fromkeys((*model.believed, *everywhere)) if name not in model.lost.values())


def _parameter(model: Model, name: str, prior: str, source: str, place: str) -> Parameter:
    known = {modifier.name: modifier for modifier in model.modifiers}
    if name not in known:
        raise StudyError(f"{place}it is not a modifier of {model.name}.{did_you_mean(name, known)}")
    modifier = known[name]
    if not prior and modifier.prior is None:
        raise StudyError(f"{place}nobody knows the size of `{name}`; give it a prior, in study.toml or in the model.")
    try:
        believed = parse_prior(prior) if prior else modifier.prior
    except ModelFileError as problem:
        raise StudyError(f"{place}{problem}") from None
    assert believed is not None
    return Parameter(name, modifier.about, modifier.unit, believed, source if prior else modifier.source)

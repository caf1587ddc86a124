"""Modifiers that a study switches on: their size is estimated beside the parameters of the model."""

from pbpk.assay.study import Study
from pbpk.body.model import Model, Parameter
from pbpk.body.prior import parse_prior
from pbpk.errors import ModelFileError, StudyError, did_you_mean


def switches_of(model: Model, study: Study, group: str) -> dict[str, Parameter]:
    """Parameter of each modifier that holds in a group: that of its injured organ, and those under [modifiers].

    Raises
    ------
    StudyError
        if the model has no such modifier, or nobody says what is believed of its size
    """
    place = study.folder / "study.toml"
    injured = study.group(group).injured
    found: dict[str, Parameter] = {}
    if injured is not None:
        name = f"injury_{injured}"
        if name not in {modifier.name for modifier in model.modifiers}:
            raise StudyError(f"{place}: the group `{group}` has an injured `{injured}`, which is not an organ of the "
                             f"model `{model.name}`.")  # fmt: skip
        own = study.about.modifiers.get(name)  # whoever has it, its prior is one
        found[name] = _parameter(model, name, own.prior if own else "", own.source if own else "", f"{place}: ")
    for name, entry in study.about.modifiers.items():
        if not entry.groups or group in entry.groups:
            found[name] = _parameter(model, name, entry.prior, entry.source, f"{place}: modifiers.{name}: ")
    return found


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

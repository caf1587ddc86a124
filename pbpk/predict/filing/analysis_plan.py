"""The plan of an analysis, frozen before the fit: what is asked, of which data, by which model, judged by what.

A plan is JSON with sorted keys, in UTF-8 and without numbers that are none, so that its SHA-256 is one number wherever
it is computed. Each part has a digest of its own, so that a changed byte can be placed.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pbpk.assay.study import Study
from pbpk.body.model import Model, Parameter
from pbpk.canonical import canonical as spelt
from pbpk.canonical import digest_of
from pbpk.errors import FilingError
from pbpk.predict.filing.authored import Authored
from pbpk.predict.filing.fields import NotApplicable, Text
from pbpk.predict.provenance import equations_digest, registry_digest, told_number
from pbpk.predict.scenario import Scenario

VERSION = 1
SEAL = "plan_sha256"
PARTS = ("question", "ratings", "data", "design", "model", "priors", "numbers", "likelihood", "settings", "scenarios",
         "criteria")  # fmt: skip
NO_DATA = ("study.toml", "SHA256SUMS")  # of a study's files, besides what is written about it
BLQ_RULE = (
    "A value below its limit enters as the probability of lying below that limit, given the same scatter between "
    "animals and the same misfit as a value; nothing is put in its place."
)
ERRORS = {
    "normal": "The logarithm of an animal is normal about the model, and moved by a misfit that all animals of one "
    "organ and hour share.",
    "student": "The logarithm of an animal is Student's t with 4 degrees of freedom about the model, and moved by a "
    "misfit that all animals of one organ and hour share.",
}


def freeze(
    study: Study,
    model: Model,
    settings: Mapping[str, Any],
    authored: Authored,
    when: str,
    scenarios: Sequence[Scenario] = (),
    cells: float | None = None,
) -> dict[str, Any]:
    """Plan of an analysis, sealed.

    Parameters
    ----------
    settings : of the fit, as a manifest holds them
    when : ISO time at which it is frozen
    cells : given in scenarios that do not say how many

    Returns
    -------
    the parts of `PARTS`, `study`, `frozen`, `schema_version`, `seals`: digest of each part, and `plan_sha256`

    Raises
    ------
    FilingError
        if something is no finite number or no text
    """
    plan = {"schema_version": VERSION, "study": study.name, "title": study.about.title, "frozen": when}
    return sealed(plan | planned(study, model, settings, authored, told(scenarios, cells)))


def planned(
    study: Study, model: Model, settings: Mapping[str, Any], authored: Authored, scenarios: Mapping[str, Any]
) -> dict[str, Any]:
    """Parts of a plan, before the fit or of what was done.

    scenarios : as `told` gives them
    """
    priors = {each.name: _registered(each) for each in (*model.parameters, *model.noise, *_law(model))}
    priors |= {
        modifier.name: {"about": modifier.about, "prior": str(modifier.prior), "unit": modifier.unit,
                        "source": modifier.source}
        for modifier in model.modifiers if modifier.prior is not None
    }  # fmt: skip
    numbers = {name: {"value": told_number(value), "unit": model.constant_units.get(name, "")}
               for name, value in model.constants.items()}  # fmt: skip
    about = study.about
    return {
        "question": _question(authored),
        "ratings": _ratings(authored),
        "data": {"at_hand": bool(study.measurements or study.readings), "files": data_files(study.hashes)},
        "design": about.model_dump(mode="json", exclude={"reporting", "title", "sources", "errors", "denominator"}),
        "model": {"name": str(settings.get("model") or about.model), "equations_sha256": equations_digest(model),
                  "registry_sha256": registry_digest(model)},
        "priors": priors,
        "numbers": numbers,
        "likelihood": {"errors": ERRORS[about.errors], "denominator": about.denominator, "blq_rule": BLQ_RULE},
        "settings": {name: value for name, value in settings.items() if name != "model"},
        "scenarios": dict(scenarios),
        "criteria": {each.id: each.told for each in authored.criteria},
    }  # fmt: skip


def told(scenarios: Sequence[Scenario], cells: float | None = None) -> dict[str, Any]:
    """Scenarios by name, as a plan and a manifest hold them; `cells` where they do not say how many."""
    found = {}
    for each in scenarios:
        given = {name: value for name, value in vars(each).items() if name not in ("name", "file", "about", "doses")}
        given |= {"doses": [dose.model_dump(mode="json") for dose in each.doses]}
        if each.cells is None and each.cells_per_kg is None:
            given["cells"] = cells
        found[each.name] = {name: dict(value) if isinstance(value, Mapping) else value for name, value in given.items()}
    return found


def data_files(hashes: Mapping[str, str]) -> dict[str, str]:
    """SHA-256 of the files of a study that are data, without its description and what is written about it."""
    return {name: digest for name, digest in hashes.items()
            if name not in NO_DATA and not name.endswith((".md", ".txt"))}  # fmt: skip


def sealed(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Plan with the digest of each part and of all.

    Raises
    ------
    FilingError
    """
    bare = {name: value for name, value in plan.items() if name not in ("seals", SEAL)}
    bare = json.loads(canonical(bare))
    whole = bare | {"seals": {name: digest_of(canonical(value)) for name, value in bare.items()}}
    return whole | {SEAL: digest_of(canonical(whole))}


def canonical(what: Any) -> str:
    """JSON with sorted keys and nothing between, one text for one content.

    Raises
    ------
    FilingError
        if a number is not finite, or a text is no UTF-8
    """
    try:
        text = spelt(what)
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise FilingError("a plan holds text, and one of its texts is no UTF-8; write it anew.") from None
    except ValueError:
        raise FilingError("a plan holds finite numbers, and one of its numbers is not; correct it.") from None
    return text


def _law(model: Model) -> tuple[Parameter, ...]:
    return () if model.size_law is None else (model.size_law,)


def _registered(parameter: Parameter) -> dict[str, str]:
    return {"about": parameter.about, "prior": str(parameter.prior), "unit": parameter.unit,
            "source": parameter.source}  # fmt: skip


def _said(text: Text) -> str | dict[str, str]:
    return {"na": text.na} if isinstance(text, NotApplicable) else text


def _question(authored: Authored) -> dict[str, Any]:
    own = authored.assessment
    return {
        "objectives": _said(authored.objectives.objectives),
        "intended_application": _said(authored.objectives.intended_application),
        "question_of_interest": _said(own.question_of_interest),
        "context_of_use": _said(own.context_of_use),
        "appropriateness": _said(own.appropriateness),
    }


def _ratings(authored: Authored) -> dict[str, str]:
    own = authored.assessment
    consequence = own.consequence_of_wrong_decision
    return {
        "model_influence": own.model_influence.rated,
        "consequence_of_wrong_decision": consequence.rating,
        "severity": consequence.severity,
        "likelihood": consequence.likelihood,
        "model_risk": own.model_risk.rating,
        "model_impact": own.model_impact.rating,
    }

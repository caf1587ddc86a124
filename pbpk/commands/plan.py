"""The plan of an analysis: its template to fill in, and what is frozen before the fit."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.markup import escape

from pbpk.assay.counts import count_cells
from pbpk.assay.study import PLAN, Study
from pbpk.body.model import Model
from pbpk.commands.reading import read_with_bar
from pbpk.errors import FilingError
from pbpk.infer.matched.joint import join
from pbpk.predict.filing.analysis_plan import SEAL, freeze
from pbpk.predict.filing.authored import Authored, missing, read_authored
from pbpk.predict.filing.frozen import SHORT, seal_of, write_plan
from pbpk.predict.filing.judging import check_criteria, check_endpoints
from pbpk.predict.filing.template import write_template
from pbpk.predict.forecast import places
from pbpk.predict.record import model_of
from pbpk.predict.scenario import read_scenarios
from pbpk.terminal import console

NEEDED = ("objectives.", "assessment.")  # what a plan says, besides criteria
LATER = ("assessment.outcome",)  # that nobody can say before the fit


def tell_template(study: Path) -> None:
    """Write `report.toml` into the folder of a study.

    Raises
    ------
    FilingError
        if there is one already
    """
    path = write_template(study)
    blank = len(missing(read_authored(path)))
    console.print(
        f"Written: {escape(str(path))}: {blank} questions to answer, and criteria to choose. Then freeze the plan with "
        f"`pbpk plan {escape(str(study))}`.",
        soft_wrap=True,
    )


def tell_plan(
    folder: Path,
    settings: Mapping[str, Any],
    scenarios: str | None = None,
    cells: float | None = None,
    supersede: str | None = None,
) -> None:
    """Freeze the plan of an analysis and say what is in it.

    settings : of the fit, as a manifest holds them

    Raises
    ------
    InputError
        if the study, the model or the author's words cannot be used, there are no criteria, or a plan is frozen already
    """
    study = read_with_bar(folder, unmeasured=True)
    authored = read_authored(study.folder, study.about.reporting)
    if not authored.criteria:
        raise FilingError(f"{folder}: report.toml has no [[criteria]], so there is nothing to judge the fit by; add "
                          "them. `pbpk plan STUDY --template` writes a report.toml to fill in.")  # fmt: skip
    model = model_of(study, settings["model"], settings.get("physiology"))
    asked = read_scenarios(scenarios, model)
    for each in asked:
        each.check(model)
    check_criteria(authored.criteria, model.observed, _estimated(study, model), [each.name for each in asked])
    check_endpoints(authored.criteria, places(model, asked), list(model.kinds))
    when = datetime.now(UTC).isoformat(timespec="seconds")
    plan = write_plan(freeze(study, model, settings, authored, when, asked, cells), study.folder, supersede)
    _say(plan, folder, authored)


def _estimated(study: Study, model: Model) -> tuple[str, ...]:
    """Parameters of the fit; before anything was measured, those of the model alone."""
    if study.measurements or study.readings:
        return join(model, count_cells(study)).names
    return tuple(each.name for each in (*model.parameters, *model.noise))


def _say(plan: Mapping[str, Any], folder: Path, authored: Authored) -> None:
    def tell(line: str) -> None:
        console.print(escape(line), soft_wrap=True)

    files, model = plan["data"]["files"], plan["model"]
    tell(f"Frozen {plan['frozen']}: {folder / PLAN}, SHA-256 {seal_of(plan)}")
    tell(f"Question: {plan['question']['question_of_interest'] or 'not said'}")
    tell(f"Model {model['name']}: equations {model['equations_sha256'][:SHORT]}, {len(plan['priors'])} priors and "
         f"{len(plan['numbers'])} numbers {model['registry_sha256'][:SHORT]}.")  # fmt: skip
    measured = "measured values among them" if plan["data"]["at_hand"] else "nothing measured yet"
    tell(f"Data: {len(files)} files, {measured}.")
    tell(f"Settings: {', '.join(f'{name} {value}' for name, value in plan['settings'].items() if value is not None)}.")
    tell(f"Scenarios: {', '.join(plan['scenarios']) or 'none'}.")
    for each in authored.criteria:
        tell(f"Criterion {each.id}: {each}.")
    old = plan.get("supersedes")
    if old is not None:
        which = old[SEAL][:SHORT] if old["intact"] else "a plan that was changed since"
        tell(f"It supersedes {which}, kept as {old['kept_as']}: {old['reason']}")
    if plan["data"]["at_hand"]:
        tell("The data were at hand when the plan was frozen; a report will say so.")
    for blank in missing(authored):
        if blank.name.startswith(NEEDED) and blank.name not in LATER:
            tell(f"Not said in the plan: {blank}")

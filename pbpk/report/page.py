"""The report: one HTML file that needs nothing else, from one finished run."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pbpk.body.equations import conservation
from pbpk.infer.design.identify import learned_sentences
from pbpk.report import figures, lessons, scenario_figures, scenario_tables, tables, wording
from pbpk.report.body_map import body_map_figure
from pbpk.report.formulas import equation_markup
from pbpk.report.ink import svg
from pbpk.report.references import cited, references
from pbpk.report.rendering import rendered, write_whole
from pbpk.report.shares import MOST, most_held

if TYPE_CHECKING:
    from pbpk.predict.extrapolation import Extrapolation
    from pbpk.predict.run import Run

SECTIONS = (
    ("summary", "Summary"),
    ("fitted", "What was fitted to what"),
    ("model", "The model"),
    ("parameters", "Parameters"),
    ("observed", "Observed against predicted"),
    ("exposure", "Exposure"),
    ("scenarios", "Scenarios"),
    ("limits", "What the data could not teach"),
    ("convergence", "Convergence"),
    ("references", "References"),
    ("versions", "Software versions and hashes"),
)
PLATE_PAGE = "plates.html"
DIAGNOSTICS_PAGE = "diagnostics.html"
PLATES = ("plates", "Plates of raw light")  # after what was fitted, in a study that has some
DENOMINATORS = {
    "dose": "Percentages are of the dose given.",
    "recovered": "Percentages are of what was recovered, the sum over",
    "unknown": "The source does not say whether its percentages are of the dose given or of what was recovered. Both "
    "readings were fitted, each with half the prior weight; recovered is the sum over",
}
REACH = {
    "hypothesis": "This scenario changes something whose size no data of this study gave: read it as a hypothesis.",
    "prior": "No data stand behind this answer, only the priors of the model.",
}
ELSEWHERE = "Nothing was measured in this animal: what another one taught is carried here, as the table above says."


def write_report(run: "Run", path: Path) -> Path:
    """Write the report of a run; an interrupted write leaves no half of it.

    Parameters
    ----------
    path : the file to write, `report.html`; pages of plates and of diagnostics that lie beside it are linked
    """
    beside = [path.with_name(name).is_file() for name in (PLATE_PAGE, DIAGNOSTICS_PAGE)]
    return write_whole(report_html(run, *beside), path)


def write_scenario_page(
    forecast: pd.DataFrame,
    origin: str,
    path: Path,
    moved: "Extrapolation | None" = None,
    contrasts: pd.DataFrame | None = None,
) -> Path:
    """Write the answers to scenarios alone.

    Parameters
    ----------
    origin : where the parameters came from, "the fit of …" or "the prior of …"
    moved : how they came to another animal; contrasts : the scenarios against one of them
    """
    return write_whole(scenario_html(forecast, origin, moved, contrasts), path)


def report_html(run: "Run", plate_page: bool = False, diagnostics_page: bool = False) -> str:
    """The whole report as text; the same run gives the same bytes.

    plate_page, diagnostics_page : the page of its plates, or of its diagnostics, lies beside
    """
    known = references(run)
    plates = _plates(run, plate_page)
    return rendered(
        "report.html.j2",
        cells=set(wording.KINDS) <= set(run.joint.model.kinds),
        run=run,
        title=run.study.about.title,
        about=run.study.about,
        model=run.joint.model,
        reasons=[wording.with_code(sentence) for sentence in run.diagnostics.sentences],
        warnings=[wording.with_code(sentence) for sentence in run.diagnostics.warnings],
        deviates=wording.with_code(run.diagnostics.deviates),
        diagnostics=DIAGNOSTICS_PAGE if diagnostics_page else "",
        sections=(*SECTIONS[:2], PLATES, *SECTIONS[2:]) if plates else SECTIONS,
        plates=plates,
        summary=wording.summary(run),
        fitted=_fitted(run),
        structure=_structure(run, known),
        parameters=_parameters(run, known),
        observed=_observed(run, known),
        exposure=tables.exposure_table(run) if _filled(run.exposure) else None,
        tails=tables.tails_table(run) if _filled(run.exposure) else None,
        scenarios=_scenarios(run.forecast),
        contrasts=_contrasts(run.contrasts),
        limits=_limits(run),
        convergence=tables.convergence_table(run),
        references=list(known.values()),
        manifest=_manifest(run),
    )


def scenario_html(
    forecast: pd.DataFrame, origin: str, moved: "Extrapolation | None" = None, contrasts: pd.DataFrame | None = None
) -> str:
    """The answers to scenarios as text."""
    words = {} if moved is None else {"extrapolation": ELSEWHERE}
    return rendered(
        "scenarios.html.j2",
        set(wording.KINDS) <= set(forecast["state"]),
        title=f"Scenarios from {origin}",
        scenarios=_scenarios(forecast, words, whole=True),
        contrasts=_contrasts(contrasts),
        moved=moved,
        carried=None if moved is None else scenario_tables.carried_table(moved),
    )


def _plates(run: "Run", linked: bool) -> dict[str, Any] | None:
    """What is said of plates; None for a study without raw light, which needs nothing of theirs loaded."""
    if not run.joint.counts.panels:
        return None
    from pbpk.report.plates import plates_section

    return plates_section(run.study, run.joint.counts, PLATE_PAGE if linked else "")


def _filled(table: pd.DataFrame | None) -> bool:
    return table is not None and len(table) > 0


def _fitted(run: "Run") -> dict[str, Any]:
    """Groups, design, denominator, rows left out, assumptions."""
    counts = run.joint.counts
    denominator = DENOMINATORS[counts.denominator]
    if counts.denominator != "dose":
        denominator += f" {wording.listed(wording.named(organ) for organ in counts.harvested)}."
    weights = {wording.READINGS.get(name, name): f"{weight:.3f}" for name, weight in run.readings.items()}
    product = run.study.about.product
    facts = {
        "Product": product.cell_type,
        "Cell diameter": f"{wording.number(product.diameter_um)} µm" if product.diameter_um else "not stated",
        "Viability": f"{wording.number(100.0 * product.viability)} %"
        if product.viability is not None
        else "not stated",
        "Lot": product.lot or "not stated",
        "Label": run.study.about.label,
        "Strain": run.study.about.strain or "not stated",
    }
    return {
        "facts": facts,
        "groups": tables.groups_table(run),
        "design": tables.design_table(run),
        "denominator": denominator,
        "weights": weights if counts.denominator == "unknown" else {},
        "left_out": counts.left_out,
        "recovery": run.study.about.recovery,
        "assumptions": run.study.about.assumptions,
    }


def _structure(run: "Run", known: dict[str, Any]) -> dict[str, Any]:
    """Arrows, conservation law, equations, the animal's numbers."""
    model = run.joint.model
    return {
        "arrows": tables.arrows_table(run),
        "conservation": conservation(model).split("; "),
        "equations": list(zip(model.states, equation_markup(model), strict=True)),
        "passing": [wording.named(state.replace(".", " ")) for state in model.states[model.n_lasting :]],
        "animal": tables.animal_table(run, known),
        "size_law": model.size_law if _filled(run.forecast) else None,
        "size_source": cited(model.size_law.source, known) if model.size_law else "",
    }


def _parameters(run: "Run", known: dict[str, Any]) -> dict[str, Any]:
    about = "Posterior interval of each parameter in prior standard deviations; the numbers are in the table below."
    return {
        "figure": svg(figures.parameters_figure(run), about, "parameters"),
        "table": tables.parameters_table(run, known),
    }


def _observed(run: "Run", known: dict[str, Any]) -> dict[str, Any]:
    return {
        "fit": svg(
            figures.fit_figure(run),
            "Observed values and the fit against time, one panel for each organ; the numbers are in the table below.",
            "fit",
        ),
        "scatter": svg(
            figures.observed_predicted_figure(run),
            "Observed against predicted values on logarithmic axes; the numbers are in the table below.",
            "scatter",
        ),
        "checks": tables.checks_table(run),
        "table": tables.predictions_table(run, known),
    }


def _scenarios(forecast: pd.DataFrame, reach: Mapping[str, str] | None = None, whole: bool = False) -> dict[str, Any]:
    """A bar figure of all, and a figure and a table of each.

    reach : other words for how far an answer reaches; whole : with the organs stacked and as a map of the body
    """
    words = REACH | dict(reach or {})
    if not _filled(forecast):
        return {"bars": None, "each": []}
    each = []
    for i, (name, part) in enumerate(forecast.groupby("scenario", sort=False), start=1):
        title, evidence = str(part["title"].iloc[0]), str(part["evidence"].iloc[0])
        about = f"What each organ holds against time in the scenario {title}, one panel for each."
        each.append(
            {
                "anchor": f"scenario-{i}",
                "title": title,
                "evidence": evidence,
                "reach": words.get(evidence, "") or wording.beyond(part["beyond"].iloc[0]),
                "surplus": _surplus(part),
                "figure": svg(scenario_figures.scenario_figure(part, ""), about, f"scenario{i}"),
                "more": _more(part, str(name), title, i) if whole else [],
                "table": scenario_tables.scenario_table(part),
            }
        )
    about = "Share of the dose in each organ at 1 h, 24 h and 7 d of each scenario; the numbers are in the tables."
    return {"bars": svg(scenario_figures.scenario_bars_figure(forecast), about, "bars"), "each": each}


def _more(part: pd.DataFrame, name: str, title: str, i: int) -> list[dict[str, Any]]:
    """Organs stacked over hours, and the body as a map, with their captions."""
    stacked, mapped = scenario_figures.stack_figure(part, name), body_map_figure(part, name)
    told = [
        (stacked, "stack", "Organs stacked over hours: all of the dose that is in the body or has left it, mean."),
        (mapped, "map", "Median share of the dose in each organ; the figure is not to scale."),
    ]
    return [{"figure": svg(figure, f"{words} Scenario {title}.", f"{key}{i}"), "caption": words}
            for figure, key, words in told]  # fmt: skip


def _contrasts(contrasts: pd.DataFrame | None) -> dict[str, Any] | None:
    """Scenarios against one of them: a figure of ratios and a table of areas and peaks."""
    if contrasts is None or not len(contrasts):
        return None
    against = str(contrasts["against"].iloc[0])
    about = f"Ratio of the area under the curve of each scenario to that of {against}; the numbers are in the table."
    return {
        "against": against,
        "figure": svg(scenario_figures.contrast_figure(contrasts), about, "contrasts"),
        "table": scenario_tables.contrasts_table(contrasts),
    }


def _surplus(forecast: pd.DataFrame) -> str:
    """A sentence where a scenario holds more than was given, empty where it does not."""
    held = most_held(forecast)
    if held <= MOST:
        return ""
    return (
        f"All organs together hold up to {wording.number(held)} % of the dose in this scenario, which cannot be: the "
        "equations were solved outside the range in which passing cells are in balance. Do not use its numbers."
    )


def _limits(run: "Run") -> dict[str, Any]:
    return {
        "unlearned": lessons.unlearned(run),
        "learned": [wording.with_code(sentence) for sentence in learned_sentences(run.parameters)],
        "ties": [wording.with_code(sentence) for sentence in run.ties],
        "advice": [wording.with_code(sentence) for sentence in run.advice],
        "half": wording.listed(lessons.half_learned(run)) if lessons.half_learned(run) else "",
        "tensions": lessons.tensions(run),
        "confounding": lessons.confounding(run),
    }


def _manifest(run: "Run") -> list[tables.Table]:
    """Manifest as tables, in order: versions, settings, inputs; nothing that two runs of the same do not share."""
    found = run.manifest
    settings = {"seed": found["seed"]} | dict(sorted(found.get("settings", {}).items()))
    return [
        tables.pairs_table("Software", ("Package", "Version"), dict(sorted(found["versions"].items()))),
        tables.pairs_table("Settings", ("Setting", "Value"), settings),
        tables.pairs_table("Input files", ("File", "SHA-256"), dict(sorted(found["inputs"].items()))),
    ]

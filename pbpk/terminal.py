"""What the commands print: progress with time left, what was read, what was found."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

if TYPE_CHECKING:
    from pbpk.body.model import Model
    from pbpk.infer.draws.fit import Progress as Follow
    from pbpk.predict.run import Run

console = Console(highlight=False)
WIDE = 110  # columns from which a number and its interval stand on one line


@contextmanager
def progress() -> "Iterator[Follow]":
    """Bar with time left, when somebody is looking."""
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        tasks: dict[str, Any] = {}

        def follow(what: str, done: int, total: int, divergences: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total, note="")
            note = f"{divergences} divergences" if divergences else ""
            bar.update(tasks[what], completed=done, total=total, note=note)

        yield follow


def say_study(study: Any, counts: Any) -> None:
    """What was read, plate by plate where there is light, and what is left out."""
    about = study.about
    console.print(f"[bold]{escape(about.title)}[/bold]", soft_wrap=True)
    table = counts.table
    organs = ", ".join(dict.fromkeys(table["organ"]))
    console.print(
        f"{len(table)} values in {escape(organs)}; {about.kind} data, {escape(about.species)}, {escape(about.label)}; "
        f"percent of {'dose' if about.denominator == 'dose' else about.denominator + ' denominator'}.",
        soft_wrap=True,
    )
    for panel in counts.panels:
        verdict = "no rules asked" if panel.acceptance is None else panel.acceptance.sentence
        told = f"{panel.curve.n} wells on the curve, {len(panel.of('sample'))} samples"
        console.print(f"  {panel.name}: {told}. {verdict}", markup=False, soft_wrap=True)
        for note in panel.notes:
            console.print(f"    {note}", markup=False, soft_wrap=True)
    for sentence in counts.left_out:
        console.print("  " + sentence, markup=False, soft_wrap=True)


def say_model(model: "Model", unused: list[str]) -> None:
    """What a model is: arrows, equations, conservation, whether its units and sources hold."""
    from pbpk.body.equations import assumed, check_units, conservation, diagram, equations, fold, unsourced

    console.print(f"{model.name}: {model.about}", markup=False)
    if model.chosen:
        told = f"Taken as known or estimated beside the parameters: {model.rivals[model.chosen].told}."
        console.print(told, markup=False, soft_wrap=True)
    console.print(f"\nArrows in {model.species.name} ({len(model.source_states)} in all):", markup=False)
    console.print(diagram(model, console.width), markup=False, soft_wrap=True)
    console.print(f"\nEquations (organ.state is an amount, in {model.amount}):", markup=False)
    for equation in equations(model):
        text = f"d/dt {equation.state} = {equation.right}"
        # an equation that is read by a person is folded; in a file it is one line
        first, *more = fold(text, console.width - 2, "+-") if console.is_terminal else [text]
        console.print("\n".join([f"  {first}", *(f"      {part}" for part in more)]), markup=False, soft_wrap=True)
    console.print("\nConservation: " + conservation(model), markup=False, soft_wrap=True)
    linear = "linear: twice the dose, twice the answer"
    moving = f"not linear: rates move with {', '.join(model.moving)}"
    console.print(f"The system is {linear if model.is_linear else moving}.", markup=False, soft_wrap=True)
    problems = check_units(model)
    console.print("Units: " + ("every rate is 1/time." if not problems else ""))
    for problem in problems:
        console.print("  " + problem, markup=False, soft_wrap=True)
    for what, found in (
        ("Numbers without a source", unsourced(model)),
        ("Numbers that rest on a choice", assumed(model)),
        ("Parameters that no rate uses", unused),
    ):
        console.print(f"{what}: {', '.join(found) or 'none'}.", markup=False, soft_wrap=True)
    if model.rivals:
        name = model.name.removesuffix(f":{model.chosen}")
        console.print(f"\nOther structures that its file names, taken by --model {name}:NAME:", markup=False)
        for rival, other in model.rivals.items():
            console.print(f"  {rival}: {other.about} ({other.told}).", markup=False, soft_wrap=True)


def say_animals(joint: Any) -> None:
    """Animals that are taken in a body of their own, and numbers of the animal that are estimated."""
    study, model = joint.study, joint.model
    weights = [row.body_weight_g for row in study.animals if row.body_weight_g is not None and row.animal]
    if weights:
        told = f"{len(weights)} body weights from {min(weights):g} to {max(weights):g} g"
        console.print(f"{told}: each animal in a body of its own.", soft_wrap=True)
    if any(row.sex for row in study.animals) and not model.species.sexes:
        console.print(f"{model.species.name} has no numbers of its own for a sex: sexes are a record.", soft_wrap=True)
    free = [p.name for p in model.parameters if p.name in model.quantities]
    if free:
        console.print(f"{len(free)} numbers of the animal are estimated: {', '.join(free)}.", soft_wrap=True)


def say_carried(moved: Any, cells: float | None) -> None:
    """What became of the numbers on the way to another animal, and of the dose."""
    console.print(moved.sentence, markup=False, soft_wrap=True)
    shown = Table(box=box.SIMPLE, pad_edge=False)
    for name in ("number", "how", "factor"):
        shown.add_column(name, no_wrap=True)
    for row in moved.rows:
        shown.add_row(row.name, row.how, f"{row.factor:.3g}")
    console.print(shown)
    animal = moved.model.species.name
    dose = f"{cells:g} {moved.model.amount}" if cells else "100 percent of the dose, for no dose is carried over"
    console.print(f"Scenarios that say no amount give {dose} in {animal}; --cells says another.", soft_wrap=True)


def say_balance(table: Any) -> None:
    """What the organs of animals of one group and hour hold together; `table` is that of `balance_by_hour`."""
    if table.empty:
        return
    console.print("Sum of organs, percent of the dose (mean over animals, SD of the assay, SD between animals):")
    shown = Table(box=box.SIMPLE, pad_edge=False)
    for name in ("group", "hours", "animals", "mean", "assay", "between", ""):
        shown.add_column(name, no_wrap=True)
    for row in table.to_dict("records"):
        flag = f"{row['flagged']} hold more than was given" if row["flagged"] else ""
        numbers = ("" if row[name] != row[name] else f"{row[name]:.3g}" for name in ("percent_dose", "sd", "between"))
        shown.add_row(str(row["group"]), f"{row['hours']:g}", str(row["animals"]), *numbers, flag)
    console.print(shown)


def say_prior(checked: Any) -> None:
    """What contradicts the prior, before anything is fitted; nothing where nothing does."""
    for sentence in checked.sentences:
        console.print("[yellow]prior:[/yellow] " + escape(sentence), soft_wrap=True)


def say_identified(parts: "list[tuple[str, tuple[str, ...]]]", table: Any) -> None:
    """What a design can teach, each part under its heading, and the expected contraction of each parameter."""
    for heading, sentences in parts:
        console.print(f"\n[bold]{heading}[/bold]")
        for sentence in sentences:
            console.print("  " + sentence, markup=False, soft_wrap=True)
    shown = Table("parameter", "expected", "SD of the prior's", "95 % about the prior median", box=box.SIMPLE)
    for row in table.to_dict("records"):
        shown.add_row(
            row["parameter"], row["learned"], f"{row['contraction']:.0%}", f"{row['low']:.3g} to {row['high']:.3g}"
        )
    console.print(shown)


def say_comparison(table: Any, sentences: "tuple[str, ...]", out: Path) -> None:
    """Which model foretells what was left out best, and by how much."""
    shown = Table("model", "elpd", "difference", "SE", "weight", "chains agree", "verdict", box=box.SIMPLE)
    for row in table.to_dict("records"):
        shown.add_row(row["model"], f"{row['elpd']:.1f}", f"{row['difference']:.1f}", f"{row['difference_se']:.1f}",
                      f"{row['weight']:.2f}", "yes" if row["converged"] else "no", row["verdict"])  # fmt: skip
    console.print(shown)
    for sentence in sentences:
        console.print(sentence, markup=False, soft_wrap=True)
    console.print(f"Written: {escape(str(out))} (comparison.html, comparison.csv, by_unit.csv)")


def say_exposure(table: Any, out: Path | None) -> None:
    """One line for each organ: its peak, area, half-life, and residence or clearance."""
    if table.empty:
        console.print("No organ has three or more hours with values of which the dose is the denominator: no area.")
        return
    if "scenario" in table:
        _say_foretold(table)
    else:
        _say_analysed(table[table["animal"] == ""])
    where = f"Written: {escape(str(out))} (exposure.csv)" if out else "All parameters go to a folder with --out FOLDER."
    console.print(where)


def _say_analysed(rows: Any) -> None:
    keys = [key for key in ("group", "organ", "readout") if rows[key].nunique() > 1] or ["organ"]
    last, name = ("CL mL/h", "CL") if (rows["parameter"] == "CL").any() else ("residence h", "residence_last")
    shown = Table(*keys, "peak", "at h", "AUC to last", "SE", "half-life h", last, box=box.SIMPLE)
    stars = False
    for _, own in rows.groupby(["group", "organ", "readout"], sort=False):
        of = own.set_index("parameter")
        weak = "half_life" in of.index and of.loc["half_life", "flag"] != of.loc["Cmax", "flag"]
        stars = stars or weak
        shown.add_row(*(str(own[key].iloc[0]) for key in keys), _of(of, "Cmax"), _of(of, "Tmax"), _of(of, "AUClast"),
                      _of(of, "AUClast", "se"), _of(of, "half_life") + "*" * weak, _of(of, name))  # fmt: skip
    console.print(shown)
    areas = rows[rows["parameter"] == "AUClast"]
    notes = sorted({note for flag in areas["flag"] for note in flag.split("; ") if note})
    if stars:
        notes.insert(0, "* what speaks against the slope stands in the column `flag`")
    for note in (f"areas in {', '.join(sorted(set(areas['unit'])))}", *notes):
        console.print(f"{note[0].upper()}{note[1:]}.", markup=False, soft_wrap=True)


def _say_foretold(rows: Any) -> None:
    shown = Table("scenario", "organ", "state", "peak", "at h", "residence h", "95 %", box=box.SIMPLE)
    for (scenario, organ, state), own in rows.groupby(["scenario", "organ", "state"], sort=False):
        of = own.set_index("parameter")
        long = of.loc["residence_last"]
        shown.add_row(str(scenario), str(organ), str(state), _of(of, "Cmax"), _of(of, "Tmax"),
                      f"{long['value']:.3g}", f"{long['low']:.3g} to {long['high']:.3g}")  # fmt: skip
    console.print(shown)


def _of(own: Any, name: str, what: str = "value") -> str:
    """Number of a parameter, if it has one."""
    value = own[what].get(name)
    return "" if value is None or value != value else f"{value:.4g}"


def say_contrasts(table: Any) -> None:
    """Difference and ratio of the areas of two groups."""
    first, second = table["group"].iloc[0], table["against"].iloc[0]
    shown = Table("organ", f"{first} - {second}", "low to high", f"{first} / {second}", "low to high", box=box.SIMPLE)
    for row in table.to_dict("records"):
        ends = [f"{row[low]:.4g} to {row[high]:.4g}" for low, high in (("low", "high"), ("ratio_low", "ratio_high"))]
        shown.add_row(row["organ"], f"{row['difference']:.4g}", ends[0], f"{row['ratio']:.4g}", ends[1])
    console.print(shown)
    console.print("Intervals hold together for all organs (Bonferroni); those of ratios are Fieller's.", soft_wrap=True)


def say_against(contrasts: Any) -> None:
    """Areas of living cells, or of what there is, over those of the scenario they are compared with."""
    state = "live" if "live" in set(contrasts["state"]) else contrasts["state"].iloc[0]
    table = contrasts[(contrasts["endpoint"] == "AUC") & (contrasts["state"] == state)]
    organs = [organ for organ in ("lung", "liver", "spleen", "kidney") if organ in set(table["organ"])]
    organs = organs or list(dict.fromkeys(table["organ"]))[:4]
    against = contrasts["against"].iloc[0]
    what = {"live": "live cells", "total": "all states"}.get(state, state)
    console.print(f"Area of {what} over that of {against}: median [95 % credible interval]; P that it is above.",
                  markup=False, soft_wrap=True)  # fmt: skip
    between = " " if console.width >= WIDE else "\n"
    shown = Table("scenario", *organs, box=box.SIMPLE, pad_edge=False)
    for name, own in table.groupby("scenario", sort=False):
        cells = []
        for organ in organs:
            row = own[own["organ"] == organ].iloc[0]
            ends = f"[{row['ratio_low']:.2g}, {row['ratio_high']:.2g}]"
            cells.append(f"{row['ratio']:.3g}, P {row['probability_above']:.2f}{between}{ends}")
        shown.add_row(str(name), *cells)
    console.print(shown)


def say_choice(choice: Any, title: str) -> None:
    """What is best in sentences, and the ways of giving at their most cells, best first."""
    for sentence in (f"{title}.", *choice.sentences):
        console.print(sentence, markup=False, soft_wrap=True)
    between = " " if console.width >= WIDE else "\n"
    shown = Table("way", f"most {choice.amount}", f"{choice.target}", f"{choice.limit.organ}, at once", "P(under)",
                  box=box.SIMPLE, pad_edge=False)  # fmt: skip
    for row in choice.table.to_dict("records"):
        told = [f"{row[name]:.3g}{between}[{row[f'{name}_low']:.2g}, {row[f'{name}_high']:.2g}]"
                for name in ("target", "burden")]  # fmt: skip
        shown.add_row(row["way"], f"{row['cells']:.3g}", *told, f"{row['probability_under']:.2f}")
    console.print(shown)


def say_sensitivity(tables: Any, sentences: tuple[str, ...], title: str) -> None:
    """What was found, and the largest of each method."""
    console.print(f"Sensitivity: {title}.", markup=False, soft_wrap=True)
    for sentence in sentences:
        console.print(sentence, markup=False, soft_wrap=True)
    columns = {"local": ("coefficient", "grade"), "morris": ("mu_star", "sigma"), "sobol": ("first", "total")}
    for name, table in tables.items():
        shown = Table("endpoint", "parameter", *columns[name], box=box.SIMPLE, pad_edge=False)
        for endpoint, own in table.groupby("endpoint", sort=False):
            for row in own.head(5).to_dict("records"):
                told = [row[key] if isinstance(row[key], str) else f"{row[key]:.3g}" for key in columns[name]]
                shown.add_row(str(endpoint), row["parameter"], *told)
        console.print(shown)


def say_plan(plan: Any, sentences: tuple[str, ...]) -> None:
    """The plan in sentences, and what each design is expected to leave of the SDs."""
    for sentence in sentences:
        console.print(sentence, markup=False, soft_wrap=True)
    designs = list(dict.fromkeys(plan.quantities["design"]))
    shown = Table("SD after over before", *designs, box=box.SIMPLE, pad_edge=False)
    for name, own in plan.quantities.groupby("quantity", sort=False):
        found = dict(zip(own["design"], own["contraction"], strict=True))
        shown.add_row(str(name), *(f"{found[design]:.0%}" for design in designs))
    console.print(shown)


def say_diagnostics(found: Any, method: str = "nuts") -> None:
    """Whether the chains agree, and by what; of a quick approximation, how near it is."""
    for sentence in found.warnings:
        console.print("[yellow]beware:[/yellow] " + escape(sentence), soft_wrap=True)
    if method != "nuts":
        console.print(
            "[yellow]approximation[/yellow]: the nearest normal, not chains; fit without --quick before you decide.",
            soft_wrap=True,
        )
        return
    word = "[green]converged[/green]" if found.passed else "[red]not converged[/red]"
    console.print(
        f"{word}: R-hat at most {found.max_rhat:.4f}, effective draws at least {found.min_ess_bulk:.0f} (bulk) and "
        f"{found.min_ess_tail:.0f} (tail), {found.divergences} divergences, {found.chains} x {found.draws} draws.",
        soft_wrap=True,
    )


def say_run(result: "Run", out: Path) -> None:
    """The fit in a few sentences, the scenarios, and where it all lies."""
    for sentence in result.headlines():
        console.print(sentence, markup=False, soft_wrap=True)
    if len(result.forecast):
        say_forecast(result.forecast, "Scenarios from this fit")
    console.print(f"Written: {escape(str(out))} (report.html, posterior.nc, tables, manifest.json)")


def say_forecast(table: Any, title: str) -> None:
    """Where it is a day after the first dose, one line a scenario."""
    from pbpk.predict.headline import headline  # who has a forecast has this already; nobody else waits for it

    console.print(f"{title}, 24 h: percent of the dose, median [95 % credible interval]", markup=False, soft_wrap=True)
    found = headline(table)
    between = " " if console.width >= WIDE else "\n"
    shown = Table(box=box.SIMPLE, pad_edge=False)
    shown.add_column("scenario", no_wrap=True)
    for head in found.heads(between):
        shown.add_column(head, no_wrap=True)
    for name, row in found.rows.items():
        evidence = found.evidence[name]
        cells = (f"{told.middle}{between}{told.interval}" for told in row)
        shown.add_row(name if evidence == "data" else f"{name}{between}({evidence})", *cells)
    console.print(shown)
    beyond = [f"{name} ({', '.join(words)})" for name, words in found.beyond.items() if words]
    if beyond:
        console.print(f"Not in the study: {', '.join(beyond)}.", markup=False, soft_wrap=True)
    if found.inferred:
        console.print(
            "Live cells were not measured by themselves: the model infers them from the label.", soft_wrap=True
        )


def say_population(endpoints: Any, title: str, meaning: str) -> None:
    """Endpoints over subjects, one line each: median, 95 % of subjects, coefficient of variation."""
    console.print(f"{title}: median [95 % of subjects]", markup=False, soft_wrap=True)
    several = endpoints["scenario"].nunique() > 1
    shown = Table(*(["scenario"] if several else []), "endpoint", "unit", "median", "95 %", "CV", box=box.SIMPLE)
    for row in endpoints.to_dict("records"):
        spread = f"{100.0 * row['sd'] / row['mean']:.0f} %" if row["mean"] else ""
        shown.add_row(*([row["scenario"]] if several else []), row["endpoint"], row["unit"], f"{row['q50']:.3g}",
                      f"[{row['q2.5']:.3g}, {row['q97.5']:.3g}]", spread)  # fmt: skip
    console.print(shown)
    console.print(meaning, markup=False, soft_wrap=True)

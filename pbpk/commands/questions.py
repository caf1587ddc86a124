"""Commands that ask: scenarios, exposure, populations, sensitivity, and what to do next."""

from pathlib import Path
from typing import Annotated

import typer

from pbpk.commands.options import (
    Cells,
    Elsewhere,
    Force,
    Label,
    ModelName,
    Out,
    OutIfWanted,
    Physiology,
    Rates,
    RunOrModel,
    ScenarioFiles,
    Seed,
    Sex,
    Weight,
)

questions = typer.Typer(rich_markup_mode=None)
design_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
questions.add_typer(design_app, name="design", help="Choose what to do next: dose and route, or animals and hours.")


@questions.command(epilog="Example: pbpk simulate runs/khot portal_vein --out answers")
def simulate(
    run: RunOrModel,
    out: Out,
    scenarios: ScenarioFiles = None,
    species: Annotated[
        str | None, typer.Option(help="Another animal than the run's; of a model's prior, mouse if left out.")
    ] = None,
    body_weight: Weight = None,
    sex: Sex = None,
    rates: Rates = "carried",
    label: Label = None,
    cells: Cells = None,
    physiology: Physiology = None,
    against: Annotated[
        str | None, typer.Option(help="Scenario that the others stand against; if none, the first with data.")
    ] = None,
    seed: Seed = 1,
    force: Force = False,
) -> None:
    """Answer scenarios from a fit, in its animal or in another, or from a model's prior, and compare them."""
    from pbpk.commands.simulate import tell_scenarios
    from pbpk.commands.whom import Whom

    whom = Whom(run, species, body_weight, sex, rates, label, physiology, seed)
    tell_scenarios(whom, out, scenarios, cells, against, force)


@questions.command(epilog="Example: pbpk explore runs/khot")
def explore(
    run: RunOrModel,
    scenarios: ScenarioFiles = None,
    species: Annotated[
        str | None, typer.Option(help="Another animal than the run's; of a model's prior, mouse if left out.")
    ] = None,
    body_weight: Weight = None,
    sex: Sex = None,
    rates: Rates = "carried",
    label: Label = None,
    cells: Cells = None,
    physiology: Physiology = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of this machine; a free one if 0.")] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page at once.")] = True,
    seed: Seed = 1,
) -> None:
    """Ask scenarios in the browser, side by side: a page for this machine alone, until Ctrl-C."""
    from pbpk.commands.explore import tell_explored
    from pbpk.commands.whom import Whom

    whom = Whom(run, species, body_weight, sex, rates, label, physiology, seed)
    tell_explored(whom, scenarios, cells, port, browser)


@design_app.command("dose", epilog="Example: pbpk design dose runs/fnd --target 'AUC liver live' --limit 'lung 2e5' "
                    "--most 5e6")  # fmt: skip
def design_dose(
    run: RunOrModel,
    target: Annotated[str, typer.Option(help="What is wanted, as 'AUC liver live': cell-hours of living cells.")],
    limit: Annotated[str, typer.Option(help="Organ and the most arrested cells at once that it may hold: 'lung 2e5'.")],
    most: Annotated[float, typer.Option(help="Most cells that can be given in all.")],
    probability: Annotated[float, typer.Option(help="With which the organ must stay under its limit.")] = 0.95,
    routes: Annotated[str, typer.Option(help="Routes apart by commas; the studied and the usual ones if none.")] = "",
    doses: Annotated[str, typer.Option(help="Numbers of equal doses that are tried.")] = "1,2,3",
    intervals: Annotated[str, typer.Option(help="Hours between doses that are tried.")] = "24",
    minutes: Annotated[str, typer.Option(help="Minutes that each dose lasts that are tried.")] = "0",
    like: Annotated[str | None, typer.Option(help="Scenario whose product, species and modifiers hold.")] = None,
    species: Elsewhere = None,
    label: Label = None,
    out: OutIfWanted = None,
    seed: Seed = 1,
    force: Force = False,
) -> None:
    """Find dose, split and route: the most of a target while an organ at risk stays under its limit."""
    from pbpk.commands.design_dose import tell_dose
    from pbpk.commands.whom import Whom

    whom = Whom(run, species, label=label, seed=seed)
    tell_dose(whom, out, target, limit, probability, most, (routes, doses, intervals, minutes), like, force)


@design_app.command("study", epilog="Example: pbpk design study data/khot_2019_t_cells_mouse --animals 24 "
                    "--of 'residence liver live'")  # fmt: skip
def design_study(
    source: Annotated[Path, typer.Argument(help="Study folder, whose priors are asked, or run, whose fit is.")],
    of: Annotated[
        str | None, typer.Option(help="What shall be known: parameters and endpoints apart by commas.")
    ] = None,
    animals: Annotated[int | None, typer.Option(help="Animals to plan with; as many as the study has if none.")] = None,
    hours: Annotated[str | None, typer.Option(help="Hours at which they may be killed; round ones if none.")] = None,
    readouts: Annotated[
        str | None, typer.Option(help="Sets of readouts of which each animal gets one: label,label+live.")
    ] = None,
    together: Annotated[int, typer.Option(min=1, help="Animals that are killed together.")] = 1,
    model: ModelName = None,
    out: OutIfWanted = None,
    seed: Seed = 1,
    force: Force = False,
) -> None:
    """Plan the next study: which animals to kill when, what that teaches, and how many fewer would do."""
    from pbpk.commands.design_study import tell_study

    tell_study(source, model, of, animals, hours, readouts, together, out, force, seed)


@questions.command(epilog="Example: pbpk population runs/khot iv_bolus --subjects 100000 --weight 25,0.1 --out people")
def population(
    run: RunOrModel,
    out: Out,
    scenarios: ScenarioFiles = None,
    subjects: Annotated[int, typer.Option(min=2, help="Virtual animals or patients.")] = 10_000,
    weight: Annotated[str | None, typer.Option(help="Mean body weight [g] and its CV, as 25,0.1.")] = None,
    sex: Annotated[str | None, typer.Option(help="One sex, or several apart by commas, in equal parts.")] = None,
    physiology: Annotated[
        str, typer.Option(help="Numbers of the animal that differ: spread, fixed, or names.")
    ] = "spread",
    what: Annotated[str, typer.Option(help="Of what a band is: both doubt and variability, or variability.")] = "both",
    of: Annotated[str | None, typer.Option(help="Endpoints of each subject, as 'AUC liver live, Cmax lung'.")] = None,
    curves: Annotated[bool, typer.Option("--curves", help="Keep the curves of all subjects, as Zarr.")] = False,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask cluster, as tcp://host:8786.")] = None,
    species: Elsewhere = None,
    rates: Rates = "carried",
    label: Label = None,
    cells: Cells = None,
    seed: Seed = 1,
    force: Force = False,
) -> None:
    """Ask scenarios of many virtual animals or patients, each with a body and a draw of its own."""
    from pbpk.commands.population import Wanted, tell_population
    from pbpk.commands.whom import Whom

    wanted = Wanted(subjects, weight, sex, physiology, what, of, cells, curves, scheduler)
    tell_population(Whom(run, species, rates=rates, label=label, seed=seed), scenarios, wanted, out, force)


@questions.command(epilog="Example: pbpk sensitivity runs/khot iv_bolus --of 'AUC0-168 liver live' --out sens")
def sensitivity(
    run: RunOrModel,
    scenario: Annotated[str, typer.Argument(help="Scenario file or shipped name.")],
    of: Annotated[str, typer.Option(help="Endpoints apart by commas, as 'AUC liver live, Cmax lung'.")] = "",
    methods: Annotated[str, typer.Option(help="Of local, morris, sobol, apart by commas.")] = "local,morris,sobol",
    over: Annotated[
        str, typer.Option(help="Parameters varied over their posterior margins, or the prior.")
    ] = "posterior",
    samples: Annotated[int, typer.Option(help="Of each of the two sets of Sobol'; a power of two.")] = 512,
    species: Elsewhere = None,
    label: Label = None,
    physiology: Physiology = None,
    cells: Cells = None,
    out: OutIfWanted = None,
    seed: Seed = 1,
    force: Force = False,
) -> None:
    """Say which parameters decide a forecast: near the middle, and over all that is believed."""
    from pbpk.commands.sensitivity import tell_sensitivity
    from pbpk.commands.whom import Whom

    whom = Whom(run, species, label=label, physiology=physiology, seed=seed)
    tell_sensitivity(whom, scenario, of, methods, over, samples, cells, out, force)


@questions.command(epilog="Example: pbpk exposure data/synthetic_fnd_mouse --compare portal,iv --partial 0-24,24-168")
def exposure(
    what: Annotated[Path, typer.Argument(help="Study folder, run folder, or folder of answered scenarios.")],
    out: OutIfWanted = None,
    compare: Annotated[str | None, typer.Option(help="Two groups apart by a comma: difference and ratio.")] = None,
    partial: Annotated[str | None, typer.Option(help="Areas in part, as hours from-to: 0-24,24-168.")] = None,
    method: Annotated[
        str, typer.Option(help="Trapezoids of a subject's curve: linear, linear_up_log_down.")
    ] = "linear",
    start: Annotated[
        str, typer.Option(help="What stands at 0 h: carry_back, first (nothing), zero, back_extrapolate.")
    ] = "carry_back",
    below: Annotated[
        str, typer.Option(help="Values below the limit in means: mostly, zero, drop, half, limit.")
    ] = "mostly",
    below_first: Annotated[
        str, typer.Option(help="A subject's values below the limit before its first above it.")
    ] = "zero",
    below_middle: Annotated[str, typer.Option(help="Those between values above it.")] = "drop",
    below_last: Annotated[str, typer.Option(help="Those after its last above it: zero, drop, half, limit.")] = "zero",
    interval: Annotated[str, typer.Option(help="Of areas of animals killed at their hour: t, bootstrap_t.")] = "t",
    tail: Annotated[
        int | None, typer.Option(min=2, help="Points of the terminal slope; the best ones if none.")
    ] = None,
    level: Annotated[float, typer.Option(min=0.5, max=0.999, help="Level of confidence intervals.")] = 0.95,
    force: Force = False,
) -> None:
    """Noncompartmental analysis: areas, peaks, tails and residence, with their standard errors."""
    from pbpk.commands.exposure import tell_exposure
    from pbpk.predict.noncompartmental.rules import rules_of

    limits = {"below_mean": below, "below_first": below_first, "below_middle": below_middle, "below_last": below_last}
    rules = rules_of(partial or "", method=method, start=start, interval=interval, tail=tail, level=level, **limits)
    tell_exposure(what, out, rules, compare, force)

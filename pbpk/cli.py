"""The command line: one command for each verb, one sentence for each mistake."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from pbpk.errors import AssayError, PbpkError
from pbpk.terminal import (
    console,
    say_animals,
    say_balance,
    say_model,
    say_study,
)

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Pharmacokinetics of infused cells: counts in organs -> posterior -> scenarios -> report.",
)

design_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(design_app, name="design", help="Choose what to do next: dose and route, or animals and hours.")

COUNTED = ("counts.csv", "plates.html")  # what `count` writes, and so may replace

Out = Annotated[Path, typer.Option("--out", help="Folder that is written.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the folder if it is a run already.")]
Seed = Annotated[int, typer.Option(help="Same seed, same numbers.")]
Cells = Annotated[float | None, typer.Option(min=1.0, help="Cells given in scenarios that do not say how many.")]
ModelName = Annotated[str | None, typer.Option("--model", help="Model file or name; the study's own if left out.")]
Draws = Annotated[
    int | None, typer.Option(min=100, help="Draws of each of the four chains; left out: 800, or 1600 where needed.")
]
Tune = Annotated[int, typer.Option(min=100, help="Warm-up draws of each chain.")]
Accept = Annotated[float, typer.Option(min=0.6, max=0.999, help="Smaller steps when raised.")]
StudyOrMore = Annotated[Path, typer.Argument(help="Study folder; or a TOML that names several, fitted together.")]
Quick = Annotated[bool, typer.Option("--quick", help="An approximation in seconds, marked as such.")]
Physiology = Annotated[
    str | None, typer.Option(help="Numbers of the animal to estimate: fixed, spread, or names as 'artery_*,volume_*'.")
]
Weight = Annotated[float | None, typer.Option("--body-weight", help="Weight of the animal in grams.")]
Against = Annotated[
    str | None, typer.Option(help="Scenario that the others stand against; if none, the first with data.")
]
Sex = Annotated[str | None, typer.Option(help="Sex, where the animal has numbers for it: female or male.")]


@app.command(epilog="Example: pbpk run data/khot_2019_t_cells_mouse --out runs/khot")
def run(
    study: StudyOrMore,
    out: Out,
    model: ModelName = None,
    scenarios: Annotated[
        str | None, typer.Option(help="Scenario file or folder; the shipped ones if left out.")
    ] = None,
    cells: Cells = None,
    physiology: Physiology = None,
    seed: Seed = 1,
    draws: Draws = None,
    tune: Tune = 500,
    target_accept: Accept = 0.95,
    quick: Quick = False,
    allow_unconverged: Annotated[bool, typer.Option(help="Go on though the chains disagree.")] = False,
    force: Force = False,
) -> None:
    """Fit a study, answer the scenarios, write the report: the whole line."""
    from pbpk.commands.line import Asked, run_line

    settings = _settings(physiology, quick, model=model, seed=seed, draws=draws, tune=tune, target_accept=target_accept)
    run_line(study, out, Asked(settings, True, scenarios, cells, allow_unconverged, force))


def _settings(physiology: str | None, quick: bool, **always: str | float | None) -> dict[str, str | float | None]:
    """Settings of a fit as its manifest holds them; those that change nothing unless asked are left out."""
    return always | ({"quick": True} if quick else {}) | ({} if physiology is None else {"physiology": physiology})


@app.command(epilog="Example: pbpk fit data/khot_2019_t_cells_mouse --model t_cell --out runs/khot")
def fit(
    study: StudyOrMore,
    out: Out,
    model: ModelName = None,
    physiology: Physiology = None,
    seed: Seed = 1,
    draws: Draws = None,
    tune: Tune = 500,
    target_accept: Accept = 0.95,
    quick: Quick = False,
    allow_unconverged: Annotated[bool, typer.Option(help="Exit 0 though the chains disagree.")] = False,
    force: Force = False,
) -> None:
    """Fit a study, or several together, and write the report without scenarios."""
    from pbpk.commands.line import Asked, run_line

    settings = _settings(physiology, quick, model=model, seed=seed, draws=draws, tune=tune, target_accept=target_accept)
    run_line(study, out, Asked(settings, False, None, None, allow_unconverged, force))


@app.command(epilog="Example: pbpk simulate runs/khot portal_vein --out answers")
def simulate(
    run: Annotated[str, typer.Argument(help="Run folder; or a model's name, to ask its prior.")],
    out: Out,
    scenarios: Annotated[
        Path | None, typer.Argument(help="File, folder or shipped name; all shipped ones if none.")
    ] = None,
    species: Annotated[
        str | None, typer.Option(help="Another animal than the run's; of a model's prior, mouse if left out.")
    ] = None,
    body_weight: Weight = None,
    sex: Sex = None,
    rates: Annotated[str, typer.Option(help="Rates per hour in another animal: carried, or allometric.")] = "carried",
    label: Annotated[str | None, typer.Option(help="Label, when a model's prior is asked.")] = None,
    cells: Cells = None,
    physiology: Physiology = None,
    against: Annotated[
        str | None, typer.Option(help="Scenario that the others stand against; if none, the first with data.")
    ] = None,
    seed: Seed = 1,
    force: Force = False,
) -> None:
    """Answer scenarios from a fit, in its animal or in another, or from a model's prior, and compare them."""
    from pbpk.commands.simulate import Whom, tell_scenarios

    whom = Whom(run, species, body_weight, sex, rates, label, physiology, seed)
    tell_scenarios(whom, out, scenarios, cells, against, force)


@design_app.command("dose", epilog="Example: pbpk design dose runs/fnd --target 'AUC liver live' --limit 'lung 2e5' "
                    "--most 5e6")  # fmt: skip
def design_dose(
    run: Annotated[str, typer.Argument(help="Run folder; or a model's name, to ask its prior.")],
    target: Annotated[str, typer.Option(help="What is wanted, as 'AUC liver live': cell-hours of living cells.")],
    limit: Annotated[str, typer.Option(help="Organ and the most arrested cells at once that it may hold: 'lung 2e5'.")],
    most: Annotated[float, typer.Option(help="Most cells that can be given in all.")],
    probability: Annotated[float, typer.Option(help="With which the organ must stay under its limit.")] = 0.95,
    routes: Annotated[str, typer.Option(help="Routes apart by commas; the studied and the usual ones if none.")] = "",
    doses: Annotated[str, typer.Option(help="Numbers of equal doses that are tried.")] = "1,2,3",
    intervals: Annotated[str, typer.Option(help="Hours between doses that are tried.")] = "24",
    minutes: Annotated[str, typer.Option(help="Minutes that each dose lasts that are tried.")] = "0",
    like: Annotated[str | None, typer.Option(help="Scenario whose product, species and modifiers hold.")] = None,
    species: Annotated[str | None, typer.Option(help="Another animal than the run's.")] = None,
    label: Annotated[str | None, typer.Option(help="Label, when a model's prior is asked.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for tables and page, if they are wanted.")] = None,
    seed: Seed = 1,
    force: Force = False,
) -> None:
    """Find dose, split and route: the most of a target while an organ at risk stays under its limit."""
    from pbpk.commands.design_dose import tell_dose
    from pbpk.commands.simulate import Whom

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
    out: Annotated[Path | None, typer.Option("--out", help="Folder for tables and page, if they are wanted.")] = None,
    seed: Seed = 1,
    force: Force = False,
) -> None:
    """Plan the next study: which animals to kill when, what that teaches, and how many fewer would do."""
    from pbpk.commands.design_study import tell_study

    tell_study(source, model, of, animals, hours, readouts, together, out, force, seed)


@app.command(epilog="Example: pbpk population runs/khot iv_bolus --subjects 100000 --weight 25,0.1 --out people")
def population(
    run: Annotated[str, typer.Argument(help="Run folder; or a model's name, to ask its prior.")],
    scenarios: Annotated[Path | None, typer.Argument(help="File, folder or shipped name; all shipped ones if none.")],
    out: Out,
    subjects: Annotated[int, typer.Option(min=2, help="Virtual animals or patients.")] = 10_000,
    weight: Annotated[str | None, typer.Option(help="Median body weight [g] and its CV, as 25,0.1.")] = None,
    sex: Annotated[str | None, typer.Option(help="One sex, or several apart by commas, in equal parts.")] = None,
    physiology: Annotated[
        str, typer.Option(help="Numbers of the animal that differ: spread, fixed, or names.")
    ] = "spread",
    what: Annotated[str, typer.Option(help="Of what a band is: both doubt and variability, or variability.")] = "both",
    of: Annotated[str | None, typer.Option(help="Endpoints of each subject, as 'AUC liver live, Cmax lung'.")] = None,
    curves: Annotated[bool, typer.Option("--curves", help="Keep the curves of all subjects, as Zarr.")] = False,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask cluster, as tcp://host:8786.")] = None,
    species: Annotated[str | None, typer.Option(help="Another animal than the run's.")] = None,
    rates: Annotated[str, typer.Option(help="Rates per hour in another animal: carried, or allometric.")] = "carried",
    label: Annotated[str | None, typer.Option(help="Label, when a model's prior is asked.")] = None,
    cells: Cells = None,
    seed: Seed = 1,
    force: Force = False,
) -> None:
    """Ask scenarios of many virtual animals or patients, each with a body and a draw of its own."""
    from pbpk.commands.population import Wanted, tell_population
    from pbpk.commands.simulate import Whom

    wanted = Wanted(subjects, weight, sex, physiology, what, of, cells, curves, scheduler)
    tell_population(Whom(run, species, rates=rates, label=label, seed=seed), scenarios, wanted, out, force)


@app.command(epilog="Example: pbpk sensitivity runs/khot iv_bolus --of 'AUC0-168 liver live' --out sens")
def sensitivity(
    run: Annotated[str, typer.Argument(help="Run folder; or a model's name, to ask its prior.")],
    scenario: Annotated[str, typer.Argument(help="Scenario file or shipped name.")],
    of: Annotated[str, typer.Option(help="Endpoints apart by commas, as 'AUC liver live, Cmax lung'.")] = "",
    methods: Annotated[str, typer.Option(help="Of local, morris, sobol, apart by commas.")] = "local,morris,sobol",
    over: Annotated[
        str, typer.Option(help="Parameters varied over their posterior margins, or the prior.")
    ] = "posterior",
    samples: Annotated[int, typer.Option(help="Of each of the two sets of Sobol'; a power of two.")] = 512,
    species: Annotated[str | None, typer.Option(help="Another animal than the run's.")] = None,
    label: Annotated[str | None, typer.Option(help="Label, when a model's prior is asked.")] = None,
    physiology: Physiology = None,
    cells: Cells = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for tables and page, if they are wanted.")] = None,
    seed: Seed = 1,
    force: Force = False,
) -> None:
    """Say which parameters decide a forecast: near the middle, and over all that is believed."""
    from pbpk.commands.sensitivity import tell_sensitivity
    from pbpk.commands.simulate import Whom

    whom = Whom(run, species, label=label, physiology=physiology, seed=seed)
    tell_sensitivity(whom, scenario, of, methods, over, samples, cells, out, force)


@app.command(epilog="Example: pbpk exposure data/synthetic_fnd_mouse --compare portal,iv --partial 0-24,24-168")
def exposure(
    what: Annotated[Path, typer.Argument(help="Study folder, run folder, or folder of answered scenarios.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the tables, if they are wanted.")] = None,
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


@app.command(epilog="Example: pbpk report runs/khot")
def report(run: Annotated[Path, typer.Argument(help="Run folder.")]) -> None:
    """Write the report of a run again, from its draws."""
    import xarray as xr

    from pbpk.commands.line import write_pages
    from pbpk.infer.design.prior_check import check_prior
    from pbpk.predict.audit import write_audit
    from pbpk.predict.run import assemble, read_fit

    study, posterior, manifest = read_fit(run)
    draws = run / "forecast.nc"
    forecast = xr.open_dataset(draws, engine="h5netcdf").load() if draws.is_file() else None
    checked = check_prior(posterior.joint, seed=int(manifest["seed"]))
    write_pages(assemble(study, posterior, forecast, manifest), run, checked)
    write_audit(run, "report", [run / "report.html", run / "diagnostics.html"])
    console.print(f"Written: {escape(str(run / 'report.html'))} and {escape(str(run / 'diagnostics.html'))}")


@app.command(epilog="Example: pbpk verify runs/khot")
def verify(run: Annotated[Path, typer.Argument(help="Run folder.")]) -> None:
    """Say whether every file of a run is what was written, or which is not."""
    from pbpk.commands.verify import tell_verified

    tell_verified(run)


@app.command(epilog="Example: pbpk check models/msc.toml")
def check(
    what: Annotated[str, typer.Argument(help="Model (file or name), or study folder.")],
    species: Annotated[str, typer.Option(help="Animal whose numbers the model is checked with.")] = "mouse",
    body_weight: Weight = None,
    sex: Sex = None,
    label: Annotated[str | None, typer.Option(help="Label whose priors are taken.")] = None,
    latex: Annotated[bool, typer.Option("--latex", help="Print the equations alone, as LaTeX to paste.")] = False,
) -> None:
    """Say what a model is and whether its units and sources hold; or whether a study can be read."""
    if Path(what).is_dir():
        from pbpk.assay.counts import count_cells
        from pbpk.commands.reading import read_with_bar
        from pbpk.infer.matched.joint import join
        from pbpk.predict.record import model_of

        study = read_with_bar(what)
        counts = count_cells(study)
        joint = join(model_of(study), counts)
        say_study(study, counts)
        say_animals(joint)
        console.print("The study can be fitted.")
        return
    from pbpk.body.equations import latex as typeset
    from pbpk.body.equations import read_unused, refuse_rates
    from pbpk.body.expansion import read_model
    from pbpk.predict.extrapolation import animal_of

    model = read_model(what, animal_of(species, body_weight, sex), label)
    if latex:
        refuse_rates(model)
        print(typeset(model))
        return
    say_model(model, read_unused(model))
    refuse_rates(model)


@app.command(epilog="Example: pbpk identify data/khot_2019_t_cells_mouse --known 'weight_*'")
def identify(
    study: Annotated[Path, typer.Argument(help="Study folder; values count only where a prior or profile is checked.")],
    model: ModelName = None,
    known: Annotated[list[str] | None, typer.Option(help="Parameter or pattern that is known from elsewhere.")] = None,
    profile: Annotated[list[str] | None, typer.Option(help="Parameter whose likelihood is walked along.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the tables, if they are wanted.")] = None,
    seed: Seed = 1,
    force: Force = False,
) -> None:
    """Say what a design can teach: what is proven, what to expect, what to measure next; before any fit."""
    from pbpk.commands.identify import identify as tell

    tell(study, out, model, known or [], profile or [], force, seed)


@app.command(epilog="Example: pbpk compare data/khot_2019_t_cells_mouse --models t_cell,t_cell:no_release --out rivals")
def compare(
    study: Annotated[Path, typer.Argument(help="Study folder.")],
    models: Annotated[str, typer.Option(help="Models apart by commas; NAME:RIVAL is a rival that ships with NAME.")],
    out: Out,
    refit: Annotated[bool, typer.Option(help="Fit again without animals of which weights cannot tell.")] = True,
    seed: Seed = 1,
    draws: Draws = None,
    tune: Tune = 500,
    force: Force = False,
) -> None:
    """Fit rival models to one study and compare how they foretell animals that are left out."""
    from pbpk.commands.compare import compare as judge

    judge(study, out, [name.strip() for name in models.split(",")], refit, force, seed, draws, tune)


@app.command(epilog="Example: pbpk count data/synthetic_fnd_mouse --out counts")
def count(
    study: Annotated[Path, typer.Argument(help="Study folder.")],
    out: Out,
    force: Force = False,
) -> None:
    """Bring what was measured to cells per organ: counts, their covariance, mass balance, plates."""
    from pbpk.assay.balance import balance_by_hour
    from pbpk.assay.counts import count_cells, refused_plates
    from pbpk.commands.reading import read_with_bar
    from pbpk.predict.record import write_folder
    from pbpk.report.plates import write_plate_page
    from pbpk.share.tables import write_counts

    read = read_with_bar(study)
    try:
        counts = count_cells(read)
    except AssayError:
        # nothing may be counted, but the plates may be looked at
        refused = refused_plates(read)
        with write_folder(out, force, COUNTED) as folder:
            write_plate_page(read, refused, folder / "plates.html")
        console.print(f"Refused; the plates are drawn in {escape(str(out / 'plates.html'))}")
        raise
    say_study(read, counts)
    with write_folder(out, force, COUNTED) as folder:
        written = write_counts(counts, folder)
        if counts.panels:
            written.append(write_plate_page(read, counts, folder / "plates.html"))
    say_balance(balance_by_hour(counts))
    console.print(f"Written: {escape(str(out))} ({', '.join(path.name for path in written)})")


@app.command(epilog="Example: pbpk virtual fnd_mouse --seed 2 --out studies/virtual")
def virtual(
    what: Annotated[str, typer.Argument(help="File of a virtual study, or its shipped name.")],
    out: Out,
    seed: Seed = 1,
    force: Force = False,
) -> None:
    """Make a study that nobody did, with raw light and known truth: to test an assay, a design, or this package."""
    from pbpk.predict.record import write_folder
    from pbpk.predict.virtual import imagine, read_virtual, write_virtual

    made = imagine(read_virtual(what), seed)
    with write_folder(out, force, ("truth.json",)) as folder:
        write_virtual(made, folder)
    wells = sum(len(plate) for plate in made.plates.values())
    console.print(f"Written: {escape(str(out))}: {len(made.cells)} organs, {wells} wells, synthetic; see truth.json.")


def main() -> None:
    """Run the command line; a mistake of the user is one sentence and an exit code."""
    try:
        app()
    except PbpkError as problem:
        print(f"pbpk: {problem}", file=sys.stderr)
        sys.exit(problem.exit_code)

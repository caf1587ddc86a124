"""The command line: one command for each verb, one sentence for each mistake."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from pbpk.commands.options import (
    Accept,
    Cells,
    Draws,
    Elsewhere,
    Force,
    ModelName,
    Out,
    OutIfWanted,
    Physiology,
    Quick,
    Reason,
    Scenarios,
    Seed,
    Sex,
    StudyOrMore,
    Supersedes,
    Tune,
    Weight,
)
from pbpk.commands.questions import questions
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

app.add_typer(questions)

COUNTED = ("counts.csv", "plates.html")  # what `count` writes, and so may replace


@app.command(epilog="Example: pbpk run data/khot_2019_t_cells_mouse --out runs/khot")
def run(
    study: StudyOrMore,
    out: Out,
    model: ModelName = None,
    scenarios: Scenarios = None,
    cells: Cells = None,
    physiology: Physiology = None,
    seed: Seed = 1,
    draws: Draws = None,
    tune: Tune = 500,
    target_accept: Accept = 0.95,
    quick: Quick = False,
    allow_unconverged: Annotated[bool, typer.Option(help="Go on though the chains disagree.")] = False,
    force: Force = False,
    supersedes: Supersedes = None,
    reason: Reason = None,
) -> None:
    """Fit a study, answer the scenarios, write the report: the whole line."""
    from pbpk.commands.line import Asked, run_line

    settings = _settings(physiology, quick, model=model, seed=seed, draws=draws, tune=tune, target_accept=target_accept)
    run_line(study, out, Asked(settings, True, scenarios, cells, allow_unconverged, force, supersedes, reason))


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
    supersedes: Supersedes = None,
    reason: Reason = None,
) -> None:
    """Fit a study, or several together, and write the report without scenarios."""
    from pbpk.commands.line import Asked, run_line

    settings = _settings(physiology, quick, model=model, seed=seed, draws=draws, tune=tune, target_accept=target_accept)
    run_line(study, out, Asked(settings, False, None, None, allow_unconverged, force, supersedes, reason))


@app.command(epilog="Example: pbpk plan data/synthetic_fnd_mouse --draws 2000")
def plan(
    study: Annotated[Path, typer.Argument(help="Study folder, with a report.toml; measured values may still lack.")],
    template: Annotated[
        bool, typer.Option("--template", help="Write a report.toml to fill in, and freeze nothing.")
    ] = False,
    supersede: Annotated[str | None, typer.Option(help="Why the plan that is frozen is given up for this one.")] = None,
    model: ModelName = None,
    scenarios: Scenarios = None,
    cells: Cells = None,
    physiology: Physiology = None,
    seed: Seed = 1,
    draws: Draws = None,
    tune: Tune = 500,
    target_accept: Accept = 0.95,
    quick: Quick = False,
) -> None:
    """Freeze what a fit will be asked and judged by, before it runs; the same options as `run`."""
    from pbpk.commands.plan import tell_plan, tell_template

    if template:
        tell_template(study)
        return
    settings = _settings(physiology, quick, model=model, seed=seed, draws=draws, tune=tune, target_accept=target_accept)
    tell_plan(study, settings, scenarios, cells, supersede)


@app.command(epilog="Example: pbpk report runs/khot --formats html,docx,pdf --paper a4")
def report(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    formats: Annotated[str, typer.Option(help="Formats apart by commas: html, docx, pdf.")] = "html",
    paper: Annotated[str, typer.Option(help="Paper of a PDF: letter or a4.")] = "letter",
    author: Annotated[
        Path | None, typer.Option(help="report.toml, or a study folder with one, that replaces the run's own.")
    ] = None,
    final: Annotated[bool, typer.Option("--final", help="Refuse unless nothing stands in the way.")] = False,
) -> None:
    """Write the report of a run, structured after ICH M15, from its draws and the author's words in report.toml."""
    from pbpk.commands.report import tell_reported

    tell_reported(run, formats, paper, author, final)


@app.command(epilog="Example: pbpk verify runs/khot")
def verify(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    seal: Annotated[str | None, typer.Option(help="Seal that was kept elsewhere, or its first 12 digits.")] = None,
) -> None:
    """Say whether every file of a run is what was written, or which is not."""
    from pbpk.commands.verify import tell_verified

    tell_verified(run, seal)


@app.command(epilog="Example: pbpk seal runs/khot --reason 'report 1.0, sent'")
def seal(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    reason: Annotated[str, typer.Option(help="What the run is final for.")],
) -> None:
    """Close a run: nothing of it may be written again, only another run can supersede it."""
    from pbpk.commands.verify import tell_sealed

    tell_sealed(run, reason)


@app.command(epilog="Example: pbpk reproduce runs/khot --out runs/again")
def reproduce(run: Annotated[Path, typer.Argument(help="Run folder.")], out: OutIfWanted = None) -> None:
    """Fit a run again from its own copy of the study, and say whether the same comes out."""
    from pbpk.commands.reproduce import tell_reproduced

    tell_reproduced(run, out)


@app.command(epilog="Example: pbpk trace runs/khot '2.6.5.5 liver 24 h'")
def trace(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    where: Annotated[
        list[str],
        typer.Argument(help="Words of the report, as 2.6.5.5 liver 24 h; or a source, as counts.csv#organ=liver."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole tree as JSON.")] = False,
) -> None:
    """Say where a printed number comes from, down to rows and wells, with the hash of each file."""
    from pbpk.commands.trace import tell_traced

    tell_traced(run, " ".join(where), as_json)


@app.command(epilog="Example: pbpk qualify runs/khot --out qualification.json")
def qualify(
    run: Annotated[Path | None, typer.Argument(help="Run folder; the installation alone if left out.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="JSON file that is written beside the run's own.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Check this installation, and a run, by computing anew: versions, balance, solvers, known answers, record."""
    from pbpk.commands.qualify import tell_qualified

    tell_qualified(run, out, force)


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
    out: OutIfWanted = None,
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
    refit: Annotated[bool, typer.Option(help="Fit again without what weights cannot tell of.")] = True,
    leave_out: Annotated[
        str | None, typer.Option(help="animal or hour; left out: hours where animals share them.")
    ] = None,
    seed: Seed = 1,
    draws: Draws = None,
    tune: Tune = 500,
    force: Force = False,
) -> None:
    """Fit rival models to one study and compare how they foretell hours, or animals, that are left out."""
    from pbpk.commands.compare import compare as judge

    judge(study, out, [name.strip() for name in models.split(",")], refit, force, seed, draws, tune, leave_out)


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


@app.command(epilog="Example: pbpk package runs/khot --out khot.zip")
def package(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    out: Annotated[Path, typer.Option("--out", help="Zip file that is written.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Pack a run for a reviewer: data sets (CSV, XPT), define file, guide, programs, reports, manifest."""
    from pbpk.commands.package import tell_packaged

    tell_packaged(run, out, force)


@app.command(epilog="Example: pbpk export msc --scenario portal_vein --cells 1e6 --out msc.xml")
def export(
    run: Annotated[str, typer.Argument(help="Run folder, for the medians of its fit; or a model's name.")],
    out: Annotated[Path, typer.Option("--out", help="File that is written, or folder of a crate.")],
    scenario: Annotated[str | None, typer.Option(help="Scenario whose doses are written; none if left out.")] = None,
    species: Elsewhere = None,
    label: Annotated[str | None, typer.Option(help="Label, where a model is exported.")] = None,
    cells: Cells = None,
    form: Annotated[
        str, typer.Option("--format", help="Language of the other tool: sbml, antimony, or ro-crate for a run.")
    ] = "sbml",
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Write a model, with the doses of a scenario, or a whole run in another tool's language."""
    from pbpk.commands.export import tell_exported
    from pbpk.commands.whom import Whom

    tell_exported(Whom(run, species, label=label), scenario, cells, form, out, force)


def main() -> None:
    """Run the command line; a mistake of the user is one sentence and an exit code."""
    try:
        app()
    except PbpkError as problem:
        print(f"pbpk: {problem}", file=sys.stderr)
        sys.exit(problem.exit_code)

"""The next study from the command line: which animals to kill when, what that teaches and saves; tables and a page."""

from pathlib import Path

from rich.markup import escape

from pbpk.assay.counts import count_cells
from pbpk.commands.reading import numbers, read_with_bar, words, write_if_wanted
from pbpk.errors import InputError
from pbpk.infer.matched.joint import join
from pbpk.predict.plan_words import plan_sentences
from pbpk.predict.planned_study import Plan, Start, from_posterior, from_study, plan_study
from pbpk.predict.record import model_of, write_manifest
from pbpk.share.tables import write_table
from pbpk.terminal import console, say_plan

WRITTEN = ("design.csv",)


def tell_study(
    source: Path,
    model: str | None,
    of: str | None,
    animals: int | None,
    hours: str | None,
    readouts: str | None,
    together: int,
    out: Path | None,
    force: bool,
    seed: int,
) -> None:
    """Plan the next study from a study folder or a run.

    of : parameters and endpoints apart by commas; readouts : sets of them apart by commas, as "label,label+live"
    together : animals that are killed together
    """
    sets = None if readouts is None else [tuple(each.split("+")) for each in words(readouts)]
    grid = None if hours is None else numbers("--hours", hours)
    with write_if_wanted(out, force, WRITTEN) as folder:
        plan = plan_study(_start(source, model, seed), of, animals, grid, sets, each=together)
        said = plan_sentences(plan)
        say_plan(plan, said)
        if folder is not None:
            _write(plan, said, str(source), folder)
    if out is not None:
        console.print(f"Written: {escape(str(out))} (design.csv, ranking.csv, quantities.csv, design.html)")


def _start(source: Path, model: str | None, seed: int) -> Start:
    """What is known before: the fit of a run, or the priors of the model of a study."""
    if (source / "posterior.nc").is_file():
        if model is not None:
            raise InputError("--model is for a study; a run has its own. Leave it out.")
        from pbpk.predict.run import read_fit

        return from_posterior(read_fit(source)[1])
    study = read_with_bar(source)
    return from_study(join(model_of(study, model), count_cells(study)), seed=seed)


def _write(plan: Plan, said: tuple[str, ...], source: str, folder: Path) -> None:
    from pbpk.report.plan import write_plan_page  # draws: nobody waits for it before the answer is there

    for name in ("design", "ranking", "quantities"):
        write_table(getattr(plan, name), folder / f"{name}.csv")
    write_plan_page(plan, said, folder / "design.html")
    told = {"source": source, "quantities": list(plan.asked.names), "animals": plan.animals, "together": plan.each}
    write_manifest(told, folder)

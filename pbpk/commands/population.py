"""Scenarios asked of many virtual animals or patients: tables, rows of each subject, a page, the terminal."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.markup import escape

from pbpk.body.physiology import chosen
from pbpk.commands.reading import words
from pbpk.commands.whom import Whom
from pbpk.errors import InputError
from pbpk.predict.endpoint import parse_endpoints
from pbpk.predict.origin import Origin
from pbpk.predict.population.asking import Answered, Asked, ask_population, plan_population
from pbpk.predict.population.people import MEANING, parse_weight
from pbpk.predict.population.storing import write_subjects
from pbpk.predict.population.tally import RELATIVE_ERROR
from pbpk.predict.record import write_folder, write_manifest
from pbpk.predict.scenario import read_scenarios
from pbpk.share.tables import write_table
from pbpk.terminal import console, progress, say_population

DRAWS = 10_000  # of the posterior or the prior, at most


@dataclass(frozen=True)
class Wanted:
    """What a command asks of a population, in its words.

    subjects : how many; weight : "mean,cv" [g]; sex : one or several apart by commas; endpoints : apart by commas
    physiology, what : as `people_of` takes them; scheduler : address of a Dask cluster; curves : keep all of them
    """

    subjects: int
    weight: str | None = None
    sex: str | None = None
    physiology: str = "spread"
    what: str = "both"
    endpoints: str | None = None
    cells: float | None = None
    curves: bool = False
    scheduler: str | None = None

    def asked(self, seed: int) -> Asked:
        """Read the words.

        Raises
        ------
        InputError
            if a weight or an endpoint is not written as one
        """
        return Asked(
            self.subjects,
            None if self.weight is None else parse_weight(self.weight),
            tuple(words(self.sex or "")),
            chosen(self.physiology),
            self.what,
            endpoints=None if self.endpoints is None else parse_endpoints(self.endpoints),
            cells=self.cells,
            curves=self.curves,
            seed=seed,
        )


def tell_population(whom: Whom, scenarios: Path | None, wanted: Wanted, out: Path, force: bool) -> None:
    """Ask scenarios of a population and write what was found: tables, rows of subjects, a page.

    Raises
    ------
    InputError, ScenarioError, SpeciesError, ModelFileError, RunError, SolveError
        if it asks for what there is not, or it cannot be followed
    """
    if whom.body_weight is not None or whom.sex is not None or whom.physiology is not None:
        raise InputError(
            "a population has weights, sexes and physiology of its own; ask for them, not for one animal's."
        )
    asked = wanted.asked(whom.seed)
    origin = whom.read(DRAWS)
    questions = read_scenarios(scenarios, origin.model)
    for scenario in questions:  # what cannot be asked is said before anything is computed
        plan_population(origin, scenario, asked)
    with write_folder(out, force) as folder:
        answers = []
        with progress() as follow:
            for scenario in questions:
                plan = plan_population(origin, scenario, asked)

                def tell(done: int, total: int, name: str = scenario.name) -> None:
                    follow(name, done, total, 0)

                with write_subjects(plan, folder) as take:
                    answers.append(ask_population(origin, scenario, asked, take, tell, scheduler=wanted.scheduler))
        _write(origin, wanted, answers, folder)
        write_manifest(_manifest(origin, wanted, answers, whom.seed), folder)
        written = sorted(path.name for path in folder.iterdir())
    title = f"{wanted.subjects} subjects, from {origin.words}"
    say_population(pd.concat([each.endpoints for each in answers]), title, MEANING[wanted.what])
    console.print(f"Written: {escape(str(out))} ({', '.join(written)})")


def _write(origin: Origin, wanted: Wanted, answers: list[Answered], folder: Path) -> None:
    """Write tables and the page."""
    from pbpk.report.population import write_population_page  # draws: nobody waits for it before the answer is there

    curves, endpoints, some = (
        pd.concat([getattr(each, name) for each in answers], ignore_index=True)
        for name in ("curves", "endpoints", "some")
    )
    write_table(curves, folder / "population.csv")
    write_table(endpoints, folder / "endpoints.csv")
    write_table(some, folder / "some_subjects.csv")
    title = f"{wanted.subjects} subjects, from {origin.words}"
    write_population_page(curves, endpoints, some, title, MEANING[wanted.what], folder / "population.html")


def _manifest(origin: Origin, wanted: Wanted, answers: list[Answered], seed: int) -> dict[str, Any]:
    """What was asked, so that it can be asked again."""
    people = answers[0].plan.people
    told = {name: value for name, value in vars(wanted).items() if name != "scheduler"}
    return {
        "origin": origin.words,
        "seed": seed,
        "asked": told,
        "scenarios": [each.plan.scenario.name for each in answers],
        "meaning": MEANING[wanted.what],
        "quantile_error": RELATIVE_ERROR,
        "weights": {each.sex or "all": str(each.weight) for each in people.sorts},
        "drawn_within_their_spread": list(people.free),
        "differ_as_the_fit_tells": list(people.between.varied) if people.between else [],
    }

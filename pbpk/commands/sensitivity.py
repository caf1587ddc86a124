"""Sensitivity of a forecast from the command line: tables, sentences, a page."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from rich.markup import escape

from pbpk.commands.reading import read_one_scenario, words, write_if_wanted
from pbpk.commands.whom import Whom
from pbpk.errors import InputError, did_you_mean
from pbpk.predict.endpoint import Endpoint, parse_endpoints, question
from pbpk.predict.forecast import hours_of
from pbpk.predict.origin import Origin
from pbpk.predict.record import write_manifest
from pbpk.predict.scenario import Scenario
from pbpk.predict.sensitivity.inputs import OVER, Inputs, inputs_of
from pbpk.predict.sensitivity.local import local
from pbpk.predict.sensitivity.morris import morris
from pbpk.predict.sensitivity.sobol import sobol
from pbpk.predict.sensitivity.words import sentences
from pbpk.predict.studied import TOTAL
from pbpk.share.tables import write_table
from pbpk.terminal import console, progress, say_sensitivity

METHODS = ("local", "morris", "sobol")
WRITTEN = tuple(f"{name}.csv" for name in METHODS)
DRAWS = 4000  # that margins are taken from
ORGANS = ("lung", "liver")  # that are asked for where nobody says


def tell_sensitivity(
    whom: Whom,
    scenario: str,
    of: str,
    methods: str,
    over: str,
    samples: int,
    cells: float | None,
    out: Path | None,
    force: bool,
) -> None:
    """Say which parameters decide the endpoints of a scenario, and write it where a folder is named.

    of : endpoints apart by commas, the usual ones if none; methods : apart by commas; samples : of Sobol' sets
    """
    asked = words(methods)
    for name in asked:
        if name not in METHODS:
            raise InputError(f"--methods: `{name}` is none.{did_you_mean(name, METHODS)} Take {', '.join(METHODS)}.")
    origin = whom.read(DRAWS)
    chosen = read_one_scenario(scenario, origin.model)
    endpoints = parse_endpoints(of) or usual_endpoints(origin, chosen)
    unfitted = origin.studied is None and over in OVER  # draws of a prior have no other margins
    put = question(origin, chosen, endpoints, hours_of([chosen]), cells)
    inputs = inputs_of(put, "prior" if unfitted else over)
    title = f"{chosen.title}, from {origin.words}, over the {inputs.over}"
    with write_if_wanted(out, force, WRITTEN) as folder:
        tables = _tables(inputs, asked, samples, whom.seed)
        said = sentences(inputs, tables)
        say_sensitivity(tables, said, title)
        if folder is not None:
            _write(tables, said, title, whom.seed, folder)
    if out is not None:
        console.print(f"Written: {escape(str(out))} ({', '.join(f'{name}.csv' for name in tables)}, sensitivity.html)")


def usual_endpoints(origin: Origin, scenario: Scenario) -> tuple[Endpoint, ...]:
    """Residence in lung and liver, and the peak of the lung, of living cells where they are told apart."""
    there = origin.animal(scenario)
    organs = [organ for organ in ORGANS if organ in there.organs(scenario)] or there.organs(scenario)[:2]
    state = "live" if "live" in there.model.kinds else TOTAL
    return (*(Endpoint("residence", organ, state) for organ in organs), Endpoint("Cmax", organs[0], state))


def _tables(inputs: Inputs, asked: list[str], samples: int, seed: int) -> dict[str, pd.DataFrame]:
    tables = {}
    with progress() as follow:
        if "local" in asked:
            tables["local"] = local(inputs, seed=seed)
        if "morris" in asked:
            tables["morris"] = morris(inputs, seed=seed, follow=lambda done, total: follow("Morris", done, total, 0))
        if "sobol" in asked:
            tables["sobol"] = sobol(inputs, samples, seed, lambda done, total: follow("Sobol'", done, total, 0))
    return tables


def _write(tables: Mapping[str, pd.DataFrame], said: tuple[str, ...], title: str, seed: int, folder: Path) -> None:
    from pbpk.report.sensitivity import write_sensitivity_page  # draws: nobody waits for it before the answer is there

    for name, table in tables.items():
        write_table(table, folder / f"{name}.csv")
    write_sensitivity_page(tables, said, title, folder / "sensitivity.html")
    write_manifest({"title": title, "seed": seed, "methods": list(tables)}, folder)

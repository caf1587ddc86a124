"""Options that several commands share, each said once."""

from pathlib import Path
from typing import Annotated

import typer

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
RunOrModel = Annotated[str, typer.Argument(help="Run folder; or a model's name, to ask its prior.")]
Elsewhere = Annotated[str | None, typer.Option(help="Another animal than the run's.")]
Label = Annotated[str | None, typer.Option(help="Label, when a model's prior is asked.")]
OutIfWanted = Annotated[Path | None, typer.Option("--out", help="Folder for tables and page, if they are wanted.")]
Rates = Annotated[str, typer.Option(help="Rates per hour in another animal: carried, or allometric.")]
Scenarios = Annotated[str | None, typer.Option(help="Scenario file or folder; the shipped ones if left out.")]
Supersedes = Annotated[Path | None, typer.Option(help="Run that this one supersedes; it is kept, and both say so.")]
Reason = Annotated[str | None, typer.Option(help="Why that run is superseded.")]
ScenarioFiles = Annotated[Path | None, typer.Argument(help="File, folder or shipped name; all shipped ones if none.")]

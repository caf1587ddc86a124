"""Rival models on the same values: which foretells what it was not told of."""

from pathlib import Path

from pbpk.assay.counts import count_cells
from pbpk.assay.holdout import UNITS
from pbpk.commands.reading import read_with_bar
from pbpk.errors import InputError, did_you_mean
from pbpk.infer.comparison.compare import compare as judge
from pbpk.predict.record import model_of, write_folder
from pbpk.report.comparison import write_comparison_page
from pbpk.share.tables import write_table
from pbpk.terminal import progress, say_comparison, say_study

WRITTEN = ("comparison.csv",)


def compare(folder: str | Path, out: Path, names: list[str], refit: bool, force: bool, seed: int, draws: int | None,
            tune: int, leave: str | None = None) -> None:  # fmt: skip
    """Fit each model to one study and compare them by hours, or animals, left out."""
    if leave is not None and leave not in UNITS:
        raise InputError(f"--leave-out: `{leave}` is not one of {', '.join(UNITS)}.{did_you_mean(leave, UNITS)}")
    study = read_with_bar(folder)
    counts = count_cells(study)
    models = {name: model_of(study, name) for name in names}
    say_study(study, counts)
    with write_folder(out, force, WRITTEN) as beside:
        with progress() as follow:
            found = judge(models, counts, seed, refit=refit, progress=follow, leave=leave, draws=draws, tune=tune)
        write_table(found.table, beside / "comparison.csv")
        write_table(found.by_unit, beside / "by_unit.csv")
        write_comparison_page(found, study.about.title, beside / "comparison.html")
    say_comparison(found.table, found.sentences, out)

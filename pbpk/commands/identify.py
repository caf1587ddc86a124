"""What a design can teach: proven, expected, profiled, and what to measure next."""

from pathlib import Path
from typing import Any

from pbpk.assay.counts import count_cells
from pbpk.commands.reading import read_with_bar
from pbpk.infer.design.additions import what_to_measure
from pbpk.infer.design.prior_check import check_prior
from pbpk.infer.design.profile import profile
from pbpk.infer.design.sensitivity import expected
from pbpk.infer.design.structure import structure
from pbpk.infer.matched.joint import join
from pbpk.predict.record import model_of, write_folder
from pbpk.share.tables import write_table
from pbpk.terminal import say_animals, say_identified, say_study

WRITTEN = ("expected.csv",)


def identify(
    folder: str | Path,
    out: Path | None,
    model: str | None,
    known: list[str],
    profiled: list[str],
    force: bool,
    seed: int,
) -> None:
    """Say what a study can teach before it is fitted; tables go to `out`, if it is given."""
    study = read_with_bar(folder)
    counts = count_cells(study)
    joint = join(model_of(study, model), counts)
    say_study(study, counts)
    say_animals(joint)
    checked = check_prior(joint, seed=seed)
    proof = structure(joint, known, seed=seed)
    hope = expected(joint, known, seed=seed)
    advice = what_to_measure(joint, seed=seed)
    walks = profile(joint, profiled, seed=seed) if profiled else None
    parts: list[tuple[str, tuple[str, ...]]] = [
        ("The prior against the data", checked.sentences or ("Nothing that was measured contradicts the prior.",)),
        ("With endless data (proof)", proof.sentences),
        ("With this design (expected)", hope.sentences),
        ("What to measure", advice.sentences),
    ]
    if walks is not None:
        parts.append(("Profiles of the likelihood", walks.sentences))
    say_identified(parts, hope.table)
    if out is None:
        return
    tables: dict[str, Any] = {
        "expected.csv": hope.table, "pairs.csv": hope.pairs, "sensitivities.csv": hope.slopes,
        "additions.csv": advice.table, "prior_check.csv": checked.table,
    }  # fmt: skip
    if walks is not None:
        tables |= {"profiles.csv": walks.table, "bounds.csv": walks.bounds}
    with write_folder(out, force, WRITTEN) as beside:
        for name, table in tables.items():
            write_table(table, beside / name)

"""What the data could not teach: parameters left at their priors, priors under strain, label that is not life."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pbpk.report.wording import counted, listed, named, number

if TYPE_CHECKING:
    from pbpk.predict.run import Run

TENSION = 2.0  # prior SDs off the prior median; further is worth a sentence
QUANTILES = {"low": "q2.5", "middle": "q50", "high": "q97.5"}
LIVE_READOUTS = ("dna", "live")


def prior_scores(run: "Run") -> pd.DataFrame:
    """Posterior of every parameter that was not fixed, in prior SDs from the prior median.

    Columns parameter, learned, low, middle, high; the scale is the one on which the prior is normal.
    """
    priors = {parameter.name: parameter.prior for parameter in run.joint.estimated}
    rows: list[dict[str, Any]] = []
    for row in run.parameters.to_dict("records"):
        prior = priors[str(row["parameter"])]
        if prior.is_fixed:
            continue
        scores = {name: float(prior.standardised(np.array(row[q]))) for name, q in QUANTILES.items()}
        rows.append({"parameter": row["parameter"], "learned": row["learned"]} | scores)
    return pd.DataFrame(rows, columns=["parameter", "learned", *QUANTILES])


def unlearned(run: "Run") -> list[tuple[str, str]]:
    """Name and meaning of the parameters whose posterior is their prior."""
    rows = run.parameters[run.parameters["learned"] == "not learned"]
    return list(zip(rows["parameter"], rows["about"], strict=True))


def half_learned(run: "Run") -> list[str]:
    """Names of the parameters that the data narrowed a little."""
    return [str(name) for name in run.parameters.loc[run.parameters["learned"] == "half learned", "parameter"]]


def tensions(run: "Run") -> list[str]:
    """A sentence for each parameter that the data pull more than two prior SDs away."""
    table = run.parameters.set_index("parameter")
    sentences = []
    for score in prior_scores(run).to_dict("records"):
        if abs(score["middle"]) > TENSION:
            row = table.loc[str(score["parameter"])]
            where = "above" if score["middle"] > 0.0 else "below"
            sentences.append(
                f"{score['parameter']} ({row['about']}): the posterior median {number(row['q50'])} lies "
                f"{abs(score['middle']):.1f} prior standard deviations {where} the prior median "
                f"{number(row['prior_q50'])}. Either the prior is of another cell, animal or label, or an arrow is "
                "missing."
            )
    return sentences


def confounding(run: "Run") -> list[str]:
    """What this study's readouts leave open between release of live cells and transfer of a dead cell's label."""
    learned = dict(zip(run.parameters["parameter"], run.parameters["learned"], strict=True))
    organs = [name.removeprefix("alive_") for name in learned if name.startswith("alive_")]
    pairs = [organ for organ in organs if f"transfer_{organ}" in learned]
    if not pairs:
        return []
    readouts = set(run.joint.counts.table["readout"])
    sentences = [
        "A live cell that leaves an organ and the label of a dead one that is carried away draw the same curve of "
        "label wherever label may go freely. Within the model they differ only in where they arrive: released cells "
        "follow blood flow and are caught again, also in kidney, gut and the rest of the body; freed label goes almost "
        f"wholly to liver and spleen. So alive_… and transfer_… of {listed(named(organ) for organ in pairs)} are told "
        "apart by the priors of the uptake of free label, by the organs that take little of it, and by live readouts."
    ]
    live = [readout for readout in LIVE_READOUTS if readout in readouts]
    if live:
        sentences.append(
            f"This study has a readout of living cells ({listed(live)}), which bears on the question directly."
        )
    else:
        sentences.append(
            "Every value of this study is label. The curves of live cells in this report therefore rest on the priors "
            "of alive_… and loss_… as much as on the data; a readout of living cells (qPCR, reculture, "
            "bioluminescence) at two times would settle more than more label would."
        )
    open_still = [f"alive_{organ}" for organ in pairs if learned[f"alive_{organ}"] == "not learned"]
    if open_still:
        sentences.append(f"Not learned here: {listed(open_still)} ({counted(len(open_still), 'parameter')}).")
    return sentences

"""What a diagnostic figure shows, judged in one sentence where it can be computed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from pbpk.body.solve import Array
from pbpk.infer.draws.convergence import LEAST_BFMI, LEAST_ESS
from pbpk.infer.draws.mixing import rank_band, rank_counts
from pbpk.infer.draws.predictive_check import ecdf, uniform_band
from pbpk.report.wording import counted, listed, named, number, whole

STRAIGHT = 0.25  # effective draws that came with the last half of the draws, over those before, below which they stall
OFF = 0.8  # mean residual of an organ, in predictive SDs, that is worth a sentence
TREND = 0.01  # probability of a trend this strong if there is none


@dataclass(frozen=True)
class Verdict:
    """A sentence, and whether it is good news; None where it is for the reader to judge."""

    sentence: str
    good: bool | None

    @property
    def mark(self) -> str:
        """Class of the sentence in a page."""
        return "open" if self.good is None else "good" if self.good else "bad"


def of_ranks(scores: Mapping[str, Array], effective: Mapping[str, float]) -> Verdict:
    """Whether the bins of the chains fill as they do if the chains agree."""
    outside = {}
    for name, values in scores.items():
        low, high = rank_band(values.shape[1], effective[name] / values.shape[0])
        counts = rank_counts(values)
        outside[name] = float(((counts < low) | (counts > high)).mean())
    wrong = [f"{name} ({share:.0%} of bins)" for name, share in outside.items() if share > 0.05]
    if not wrong:
        return Verdict("The chains fill all bins alike, as far as so many effective draws can tell.", True)
    return Verdict(f"Look here: too many bins lie outside the band for {listed(wrong)}.", False)


def of_growth(grown: Mapping[str, tuple[Array, Array, Array]]) -> Verdict:
    """Whether effective draws still come as draws do."""
    stalled = []
    for name, (_, *each) in grown.items():
        half = (len(each[0]) - 1) // 2
        if any(of[-1] < LEAST_ESS and of[-1] - of[half] < STRAIGHT * of[half] for of in each):
            stalled.append(name)
    if stalled:
        return Verdict(f"More draws alone bring little for {listed(stalled)}: a chain has met a region that the others "
                       "have not.", False)  # fmt: skip
    few = [name for name, (_, bulk, tail) in grown.items() if min(bulk[-1], tail[-1]) < LEAST_ESS]
    if few:
        return Verdict(f"They grow steadily and are too few for {listed(few)}: more draws will do.", None)
    return Verdict(f"They grow steadily, and all are above {LEAST_ESS}.", True)


def of_energy(each: Array) -> Verdict:
    """Whether every chain moves freely between energies."""
    low = [f"{i + 1}" for i, value in enumerate(each) if value < LEAST_BFMI]
    if low:
        return Verdict(f"Look here: below {LEAST_BFMI} in chain {listed(low)}; tails may be seldom visited.", False)
    return Verdict(f"The lowest E-BFMI is {each.min():.2f}: the chains move freely.", True)


def of_pairs(pairs: list[tuple[str, str, float]], divergences: int) -> Verdict:
    """The strongest tie, and whether transitions diverged."""
    one, other, tie = max(pairs, key=lambda pair: abs(pair[2]))
    said = f"The strongest tie is that of {one} and {other}, {tie:+.2f}".replace("-", "−")
    if divergences:
        return Verdict(f"{said}; {counted(divergences, 'transition')} diverged: see where the crosses gather.", False)
    return Verdict(f"{said}; no transition diverged.", None if abs(tie) > 0.9 else True)


def of_intervals(table: pd.DataFrame) -> Verdict:
    """How many values lie outside their predictive intervals."""
    known = table[np.isfinite(table["high"])]
    out = known[(known["low"] > known["p97.5"]) | (known["high"] < known["p2.5"])]
    good = len(out) <= max(0.05 * len(known) + 2.0 * np.sqrt(0.05 * 0.95 * len(known)), 1.0)
    worst = "" if good else f", most of them in the {named(str(out['organ'].mode().iloc[0]))}"
    share = number(100.0 * len(out) / max(len(known), 1))
    return Verdict(f"{whole(len(out))} of {counted(len(known), 'value')} ({share} %) lie outside; about 5 % are to be "
                   f"expected{worst}.", bool(good))  # fmt: skip


def of_pit(pit: Array) -> Verdict:
    """Whether values lie in their predictive distributions as they should."""
    places, low, high = uniform_band(pit.size)
    share = ecdf(pit, places)
    if bool(((share >= low) & (share <= high)).all()):
        return Verdict("The line stays inside its band.", True)
    if abs(pit.mean() - 0.5) > 2.5 / np.sqrt(12.0 * pit.size):
        side = "above" if pit.mean() > 0.5 else "below"
        return Verdict(f"The line leaves its band: values lie {side} what is predicted.", False)
    if pit.var() < 1.0 / 12.0:
        return Verdict("The line leaves its band: values lie closer to their predictions than the fit believes. Its "
                       "intervals are wider than they need to be, which few values of each organ bring about.",
                       None)  # fmt: skip
    return Verdict("The line leaves its band: values scatter more than the fit believes, so its intervals are too "
                   "narrow.", False)  # fmt: skip


def of_residuals(table: pd.DataFrame) -> Verdict:
    """Whether residuals follow time, an organ or the size of the prediction."""
    rows = table[table["residual"].notna()]
    residual = rows["residual"].to_numpy(float)
    found = []
    for words, x in (("time", rows["hours"]), ("the size of the prediction", rows["p50"])):
        if len(set(x)) > 2:
            tie, chance = spearmanr(x, residual)
            if chance < TREND:
                found.append(f"they {'rise' if tie > 0.0 else 'fall'} with {words} (rank correlation {tie:+.2f})")
    means = rows.groupby("organ", sort=False)["residual"].agg(["mean", "size"])
    off = means[(means["mean"].abs() > OFF) & (means["size"] > 2)]
    found += [f"{named(str(organ))} lies {'above' if row['mean'] > 0.0 else 'below'} its predictions on the whole"
              for organ, row in off.iterrows()]  # fmt: skip
    if found:
        return Verdict(f"Look here: {'; '.join(found)}.".replace(" -", " −"), False)
    return Verdict("They follow neither time, nor an organ, nor the size of the prediction.", True)


def of_influence(influence: pd.DataFrame, strong: float) -> Verdict:
    """How many animals the fit leans on."""
    count = int((~(influence["k"] <= strong)).sum())  # one that is no number is not to be trusted either
    if count:
        return Verdict(f"The fit leans on {count} of {len(influence)}: look at their values, and fit once without "
                       "them.", False)  # fmt: skip
    return Verdict("The fit leans on none of them.", True)


def of_priors(parameters: pd.DataFrame) -> Verdict:
    """How many parameters the data moved far, and how many not at all."""
    free = parameters[parameters["learned"] != "fixed"]
    far = [str(name) for name in free.loc[free["shift"].abs() > 2.0, "parameter"]]
    said = f"The data moved {listed(far)} more than 2 prior SDs" if far else "No posterior lies 2 prior SDs off"
    unlearned = int((free["learned"] == "not learned").sum())
    return Verdict(f"{said}; {unlearned} of {len(free)} stayed as the prior had them.", None if far else True)

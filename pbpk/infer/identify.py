"""After a fit, in words: what was learned of each parameter, and which of those left open hang together."""

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from pbpk.body.solve import Array
from pbpk.infer.posterior import Posterior
from pbpk.infer.sensitivity import PAIR, TIED, how_much, pair_sentence
from pbpk.infer.summary import LEARNED, LEVELS


def contractions(posterior: Posterior) -> dict[str, float]:
    """Posterior SD over prior SD of each free parameter, on the scale on which its prior is normal."""
    theta = posterior.theta()
    return {
        p.name: float(p.prior.standardised(theta[:, posterior.joint.names.index(p.name)]).std())
        for p in posterior.joint.free
        if not p.name.startswith("animal:")
    }


def learned_sentences(posterior: Posterior) -> tuple[str, ...]:
    """One sentence for each parameter: how much was learned, its 95 % interval, and what was believed before."""
    theta, by_name = posterior.theta(), {p.name: p for p in posterior.joint.free}
    said = []
    for name, contraction in contractions(posterior).items():
        low, _, high = np.quantile(theta[:, posterior.joint.names.index(name)], LEVELS)
        unit = by_name[name].unit
        said.append(learned_sentence(name, how_much(contraction), (low, high), by_name[name].prior.interval(), unit))
    return tuple(said)


def learned_sentence(
    name: str, learned: str, after: tuple[float, float], before: tuple[float, float], unit: str
) -> str:
    """How much was learned of one parameter, and from what interval to what."""
    unit = "" if unit == "1" else f" {unit}"
    return (f"`{name}`: {learned}; {_number(after[0])} to {_number(after[1])}{unit}, "
            f"believed {_number(before[0])} to {_number(before[1])} before.")  # fmt: skip


def tied_pairs(posterior: Posterior, least: float = TIED) -> pd.DataFrame:
    """Pairs among the parameters that were not learned, whose draws move together: parameter, other, correlation.

    correlation is that of ranks (Spearman), at least `least` in size, strongest first.
    """
    theta, joint = posterior.theta(), posterior.joint
    names = [name for name, contraction in contractions(posterior).items() if contraction >= LEARNED]
    rows = []
    if len(names) > 1:
        ties = _rank_correlation(theta[:, [joint.names.index(name) for name in names]])
        first, second = np.triu_indices(len(names), k=1)
        rows = [
            (names[i], names[j], ties[i, j]) for i, j in zip(first, second, strict=True) if abs(ties[i, j]) >= least
        ]
    table = pd.DataFrame(rows, columns=PAIR)
    return table.sort_values("correlation", key=abs, ascending=False, kind="stable").reset_index(drop=True)


def tied_sentences(posterior: Posterior, least: float = TIED) -> tuple[str, ...]:
    """The same in words."""
    table = tied_pairs(posterior, least)
    if table.empty:
        return ("No two of the parameters that were not learned hang together.",)
    return tuple(pair_sentence(*row) for row in table.itertuples(index=False))


def _rank_correlation(draws: Array) -> Array:
    return np.asarray(np.corrcoef(rankdata(draws, axis=0), rowvar=False), dtype=float)


def _number(value: float) -> str:
    """Two digits, without an exponent where that stays short."""
    return f"{float(f'{value:.2g}'):.10g}"

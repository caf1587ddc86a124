"""After a fit, in words: what was learned of each parameter, and which of those left open hang together."""

import pandas as pd

from pbpk.infer.design.sensitivity import PAIR, TIED, pair_sentence
from pbpk.infer.draws.mixing import closest_pairs
from pbpk.infer.draws.posterior import Posterior
from pbpk.infer.draws.summary import LEARNED
from pbpk.infer.matched.between import DEVIATE


def contractions(posterior: Posterior) -> dict[str, float]:
    """Posterior SD over prior SD of each free parameter, on the scale on which its prior is normal."""
    theta = posterior.theta()
    return {
        p.name: float(p.prior.standardised(theta[:, posterior.joint.names.index(p.name)]).std())
        for p in posterior.joint.free
        if not p.name.startswith(DEVIATE)
    }


def learned_sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """One sentence for each parameter that was not fixed: how much was learned, its 95 % interval, and that before.

    table : as `summary.parameters` makes it
    """
    said = []
    for row in table[table["learned"] != "fixed"].to_dict("records"):
        unit = "" if row["unit"] == "1" else f" {row['unit']}"
        after, before = (f"{_number(row[f'{of}q2.5'])} to {_number(row[f'{of}q97.5'])}" for of in ("", "prior_"))
        said.append(f"`{row['parameter']}`: {row['learned']}; {after}{unit}, believed {before} before.")
    return tuple(said)


def tied_pairs(posterior: Posterior, least: float = TIED) -> pd.DataFrame:
    """Pairs among the parameters that were not learned, whose draws move together: parameter, other, correlation.

    correlation is that of ranks (Spearman), at least `least` in size, strongest first.
    """
    theta, joint = posterior.theta(), posterior.joint
    names = [name for name, contraction in contractions(posterior).items() if contraction >= LEARNED]
    pairs = closest_pairs({name: theta[:, joint.names.index(name)] for name in names}, len(names) ** 2)
    return pd.DataFrame([pair for pair in pairs if abs(pair[2]) >= least], columns=PAIR)


def tied_sentences(posterior: Posterior, least: float = TIED) -> tuple[str, ...]:
    """The same in words."""
    table = tied_pairs(posterior, least)
    if table.empty:
        return ("No two of the parameters that were not learned hang together.",)
    return tuple(pair_sentence(*row) for row in table.itertuples(index=False))


def _number(value: float) -> str:
    """Two digits, without an exponent where that stays short."""
    return f"{float(f'{value:.2g}'):.10g}"

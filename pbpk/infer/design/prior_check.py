"""Before the fit: whether the values that were measured could have come from the prior at all.

A unit, a denominator or a dose that was mistaken moves all values of an organ, or of the study, by one factor. Single
values lie far off for many reasons, so what is asked is where an organ's values lie as a whole among those that the
prior can bring forth: a prior predictive check with a chosen statistic (Box 1980, J R Stat Soc A 143:383; Gelman, Meng
& Stern 1996, Stat Sinica 6:733).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pbpk.body.solve import Array
from pbpk.infer.design.prior_limits import prior_limits
from pbpk.infer.draws.replicated import Seen, as_posterior, quantiles_in, replicates_of, seen, summed, sums
from pbpk.infer.matched.joint import Joint

EACH = 5  # values for each draw of the parameters: animals scatter, and the kinetics are what costs
TAIL = 0.005  # of either side: the central 99 %
LEVELS = {"p0.5": TAIL, "p2.5": 0.025, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p97.5": 0.975, "p99.5": 1.0 - TAIL}


@dataclass(frozen=True)
class PriorCheck:
    """What the prior expects of each value, and what contradicts it.

    table : a row for each row of the counts: group, animal, organ, readout, hours, per, value, low, high [%], p0.5 to
        p99.5 of a value that could have been measured [%], quantile (0 to 1), side (above, below or nothing: outside
        the central 99 %)
    sentences : what is not as believed, and what to do; empty where nothing is
    """

    table: pd.DataFrame
    sentences: tuple[str, ...]
    draws: int

    @property
    def passed(self) -> bool:
        """True where nothing contradicts the prior."""
        return not self.sentences


def check_prior(joint: Joint, draws: int = 400, seed: int = 1) -> PriorCheck:
    """Compare what was measured with what the prior expects, before anything is fitted."""
    posterior = as_posterior(joint, draws, seed)
    drawn, data = replicates_of(posterior, EACH, seed), seen(joint)
    table = joint.counts.table[["group", "animal", "organ", "readout", "hours", "per"]].copy()
    table["value"] = joint.counts.table["percent"].to_numpy(float)
    table["low"], table["high"] = data.low, data.high
    for name, level in zip(LEVELS, np.quantile(drawn, list(LEVELS.values()), axis=0), strict=True):
        table[name] = level
    table["quantile"] = quantiles_in(drawn, data.low, data.high)
    sides = [data.low > table["p99.5"].to_numpy(), data.high < table["p0.5"].to_numpy()]
    table["side"] = np.select(sides, ["above", "below"], "")
    scales = list(_scales(joint, table, data, drawn))
    sentences = (*_said(scales), *_too_much(joint, data, drawn), *prior_limits(posterior))
    return PriorCheck(table, sentences, draws)


@dataclass(frozen=True)
class Scale:
    """One readout of one organ of a group: where its values lie as a whole.

    off : median over its values of the logarithm of value over prior median; expected : the same of values that could
        have been measured, (draw,)
    outside : how many of its `size` values lie outside the central 99 % on that side, each by itself
    """

    name: str
    size: int
    outside: int
    off: float
    expected: Array

    @property
    def side(self) -> str:
        """Above or below where the median lies outside the central 99 %, else nothing."""
        quantile = float((self.expected < self.off).mean())
        return "above" if quantile > 1.0 - TAIL else "below" if quantile < TAIL else ""


def _scales(joint: Joint, table: pd.DataFrame, data: Seen, drawn: Array) -> Iterator[Scale]:
    """Every readout of every organ and group that has values on a logarithmic axis."""
    least = np.finfo(float).tiny  # what an instrument could have read as nothing, or less
    middle = np.log(np.maximum(table["p50"].to_numpy(), least))
    many_groups, many_readouts = (len(set(table[name])) > 1 for name in ("group", "readout"))
    for (group, organ, readout), own in table.groupby(["group", "organ", "readout"], sort=False):
        rows = own.index.to_numpy()
        known = rows[np.isfinite(data.point[rows])]
        if not known.size:
            continue
        off = float(np.median(np.log(data.point[known]) - middle[known]))
        expected = np.median(np.log(np.maximum(drawn[:, known], least)) - middle[known], axis=1)
        outside = int((own["side"] == ("above" if off > 0.0 else "below")).sum())
        name = f"`{organ}`" + (f" ({readout})" if many_readouts else "") + (f" in `{group}`" if many_groups else "")
        yield Scale(name, len(rows), outside, off, expected)


def _said(scales: list[Scale]) -> list[str]:
    """Where the values of all organs together, or most values of one, lie outside the central 99 % of the prior.

    One value far off among others that are not is no mistake of scale.
    """
    astray = [scale for scale in scales if scale.side and 2 * scale.outside > scale.size]
    off = float(np.median([scale.off for scale in scales])) if scales else 0.0
    expected = np.median([scale.expected for scale in scales], axis=0) if scales else np.zeros(1)
    whole = Scale("all", len(scales), 0, off, expected)
    if len(scales) > 1 and whole.side:
        own = [f"{_how_many(scale)} of {scale.name}" for scale in astray if scale.side == whole.side]
        beyond = f" ({', '.join(own)})" if own else ""
        return [
            f"the values of all organs together lie {whole.side} what the prior allows{beyond}, {fold(off)} "
            f"{whole.side} its median: look at the unit (percent or fraction, cells or cells per gram), at the "
            "denominator and at the dose"
        ]
    return [
        f"{_how_many(scale)} of {scale.name} {'lies' if scale.size == 1 else 'lie'} {scale.side} what the prior "
        f"allows, {fold(scale.off)} {scale.side} its median: the unit, the denominator or the dose may be wrong, or "
        "the prior is that of another cell, animal or label"
        for scale in astray
    ]


def _how_many(scale: Scale) -> str:
    if scale.size == 1:
        return "the value"
    return f"all {scale.size} values" if scale.outside == scale.size else f"{scale.outside} of {scale.size} values"


def fold(off: float) -> str:
    """A difference of logarithms as a factor.

    >>> fold(2.4849), fold(-0.9)
    ('12-fold', '2.5-fold')
    """
    return f"{float(f'{np.exp(abs(off)):.2g}'):,g}-fold".replace(",", " ")


def _too_much(joint: Joint, data: Seen, drawn: Array) -> list[str]:
    """A sentence for the hour at which organs together hold most beyond what the prior allows."""
    found = []
    for (group, hours), organs in sums(joint).items():
        known = [rows[np.isfinite(data.point[rows])] for rows in organs]
        known = [rows for rows in known if rows.size]
        held = float(summed(data.point, known))
        most = max(float(np.quantile(summed(drawn, known), 1.0 - TAIL)), 100.0)
        if len(known) > 1 and held > most:
            found.append((held / most, f"the organs of `{group}` at {hours:g} h hold together {held:.3g} % of the "
                          f"dose, and the prior allows {most:.3g} %: the unit (cells or cells per gram), an organ's "
                          "weight or the dose may be wrong"))  # fmt: skip
    return [max(found)[1]] if found else []

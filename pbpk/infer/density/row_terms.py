"""The term of rows that are numbers, ranges or limits, with the misfit of their cell integrated out.

All rows of a cell (group, organ, readout, hour) miss the model by one d ~ N(0, misfit). What each says given d stands
in `joint`. Values, means and the ends of ranges are normal about d and integrate in closed form, as does a limit or a
stated range alone in its cell; what else a cell holds is summed over d by the trapezoidal rule (`row_density`).

With `nu` degrees of freedom in place of infinitely many, the logarithm of a single animal (a value, a limit, a stated
range) is Student's t about m + d with scale `spread`, so that an animal far off its fellows moves them little (Lange,
Little & Taylor 1989, J Am Stat Assoc 84:881, who take nu = 4). Means of n animals, their SDs and their ranges stay
normal: a mean of several is near one.
"""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pytensor.link.numba.dispatch.basic import register_funcify_default_op_cache_key
from scipy.special import gammaln

from pbpk.body.library import read_source
from pbpk.body.solve import Array
from pbpk.infer.density import row_density, row_tails
from pbpk.infer.density.row_density import BELOW, BETWEEN, VALUE, each_draw, rows
from pbpk.infer.density.signal_terms import CompiledTerm

KERNELS = zlib.crc32(read_source(row_density) + read_source(row_tails))


# arrays of `terms_of`, in its order
FIELDS = ("row", "start", "kind", "low", "high", "n", "weight", "nu", "sums")


def rows_term(given: Sequence[Any], m: Any, spread: Any, misfit: Any) -> Any:
    """Log-likelihood of rows as a PyTensor scalar, with its gradient by m, spread and misfit.

    given : what the rows say, arrays of `terms_of` or shared variables of them
    m : (row,) logarithm of the percentage that the model says
    spread, misfit : log-SD between animals (positive), and between model and median animal (0 or more)
    """
    return Rows()(m, spread, misfit, *given)[0]  # type: ignore[index]


def log_rows(
    table: pd.DataFrame, cells: NDArray[np.int64], m: Array, spread: Array, misfit: Array, nu: float = np.inf
) -> Array:
    """Log-likelihood of all rows for each draw, (draw,), as `rows_term` without its gradient.

    table, cells, nu : as in `terms_of`
    m : (draw, row); spread, misfit : (draw,), or numbers that all draws share
    """
    given = [np.ascontiguousarray(np.broadcast_to(np.asarray(x, dtype=float), len(m))) for x in (spread, misfit)]
    return np.asarray(each_draw(np.ascontiguousarray(m, dtype=float), *given, *terms_of(table, cells, nu)))


def terms_of(table: pd.DataFrame, cells: NDArray[np.int64], nu: float) -> tuple[NDArray[Any], ...]:
    """What the rows say, one entry for each term, in the order that `row_density.density` takes after misfit.

    table : rows of `OrganCounts` that no instrument reads
    cells : (row,) number of the cell that a row saw
    nu : degrees of freedom of a single animal, infinite where it is normal

    A range over n animals makes three terms: its largest, its smallest unless that is 0, and what lies between.
    """
    low, high, n, lloq = (table[name].to_numpy(float) for name in ("low", "high", "n", "lloq"))
    limit = table["below_lloq"].to_numpy(bool)
    ranged = ~limit & ~np.isnan(low)
    plain = np.flatnonzero(~limit & ~ranged)
    over = ranged & (n > 1.0)
    ends, bottoms, stated = (np.flatnonzero(which) for which in (over, over & (low > 0.0), limit | (ranged & ~over)))
    inner = ends[n[ends] > np.where(low[ends] > 0.0, 2.0, 1.0)]
    rest = np.concatenate([inner, stated])

    value = np.log(table["percent"].to_numpy(float)[plain])
    open_below = limit | ~(low > 0.0)
    log_low, log_high = (np.log(np.where(x > 0.0, x, 1.0)) for x in (low, np.where(limit, lloq, high)))
    row = np.concatenate([plain, ends, bottoms, rest])
    normal, one = np.full(ends.size + bottoms.size, np.inf), np.ones(ends.size + bottoms.size)
    columns: tuple[NDArray[Any], ...] = (
        row,
        np.concatenate([np.full(row.size - rest.size, VALUE), np.where(open_below[rest], BELOW, BETWEEN)]),
        np.where(open_below[row], 0.0, log_low[row]),
        np.concatenate([value, log_high[ends], log_low[bottoms], log_high[rest]]),
        np.concatenate([n[plain], one, np.ones(rest.size)]),
        np.concatenate([np.ones(row.size - rest.size), n[inner] - np.where(open_below[inner], 1.0, 2.0),
                        np.ones(stated.size)]),
        np.concatenate([np.where(n[plain] == 1.0, nu, np.inf), normal, np.full(inner.size, np.inf),
                        np.full(stated.size, nu)]),
    )  # fmt: skip
    order = np.argsort(cells[row], kind="stable")
    columns = tuple(column[order] for column in columns)
    start = np.concatenate([[0], np.flatnonzero(np.diff(cells[row][order])) + 1, [row.size]]) if row.size else (
        np.zeros(1, dtype=np.int64))  # fmt: skip
    ways = np.log(np.where(open_below[ends], n[ends], n[ends] * (n[ends] - 1.0))).sum()
    constant, freedom, squares = _sds(table, plain)
    return columns[0], start, *columns[1:], np.array([ways + constant, freedom, squares])


def _sds(table: pd.DataFrame, plain: NDArray[np.int64]) -> tuple[float, float, float]:
    """Of the SDs beside means: constant of their log-density, degrees of freedom, and sum of squares of logarithms.

    The density is that of s2 = log(1 + (SD / mean)^2) itself: (n - 1) s2 / spread^2 is chi-square.
    """
    sd, n, mean = (table[name].to_numpy(float)[plain] for name in ("sd", "n", "percent"))
    known = (sd > 0.0) & (n > 1.0)
    k, s2 = n[known] - 1.0, np.log1p((sd[known] / mean[known]) ** 2)
    constant = (0.5 * k - 1.0) * np.log(k * s2) - 0.5 * k * np.log(2.0) - gammaln(0.5 * k)
    return float(constant.sum()), float(k.sum()), float((k * s2).sum())


class Rows(CompiledTerm):
    """Log-likelihood of rows, from m, spread, misfit; all that follows is given."""

    function, learned = rows, 3

    def apart(self, slope: Any, inputs: Any) -> list[Any]:
        """By m, spread, misfit."""
        n = inputs[0].shape[0]
        return [slope[:n], slope[n], slope[n + 1]]


@register_funcify_default_op_cache_key(Rows)
def _compiled(op: Rows, node: Any, **_: Any) -> tuple[Any, int]:
    return type(op).function, KERNELS

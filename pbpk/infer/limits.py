# mypy: disable-error-code="no-untyped-def"
"""Limits of a cell summed over its misfit, with the exact gradient, compiled.

What a cell's values leave of its misfit is a normal; each row below a limit multiplies it by a normal probability. The
sum by Gauss and Hermite asks for thousands of them at each step of the sampler, so value and gradient share them.
"""

import math
import sys
import zlib
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from pytensor.link.numba.dispatch.basic import register_funcify_default_op_cache_key

from pbpk.body.library import read_source
from pbpk.body.solve import Array
from pbpk.infer import signal_density
from pbpk.infer.signal_density import NOTHING, below
from pbpk.infer.signal_terms import _Compiled

SMALL = 1e-100  # a product of probabilities is taken to its logarithm before it falls to nothing
ROOT_2, ROOT_2_PI = math.sqrt(2.0), math.sqrt(2.0 * math.pi)
FAR = -30.0  # where `below` turns to its series


@njit(error_model="numpy")
def density(m, centre, width, spread, limit, start, nodes, log_weights):
    """Log of the sum for all cells, and its gradient by m, centre, width and spread, (1 + row + 2 cell + 1,).

    m, limit : (row,) logarithms of what the model says and of the limit; rows of a cell stand together, from start[c]
    to start[c + 1]; centre, width : (cell,) mean and SD of its misfit
    """
    rows, cells = m.size, centre.size
    out = np.zeros(2 + rows + 2 * cells)
    largest = np.diff(start).max()
    each, where, slope = np.empty(nodes.size), np.empty((nodes.size, largest)), np.empty((nodes.size, largest))
    for c in range(cells):
        first, last = start[c], start[c + 1]
        for q in range(nodes.size):
            missed, product = centre[c] + width[c] * nodes[q], 1.0
            each[q] = log_weights[q]
            for i in range(first, last):
                x = (limit[i] - m[i] - missed) / spread
                where[q, i - first] = x
                if x < FAR:
                    found, steep = below(x)
                    each[q] += found
                    slope[q, i - first] = -steep  # marked as known by its sign
                    continue
                share = 0.5 * math.erfc(-x / ROOT_2)
                slope[q, i - first] = share
                product *= share
                if product < SMALL:
                    each[q] += np.log(product)
                    product = 1.0
            each[q] += np.log(product)
        highest = each.max()
        whole = np.exp(each - highest).sum()
        out[0] += highest + np.log(whole)
        for q in range(nodes.size):
            weight = np.exp(each[q] - highest) / whole
            if weight < NOTHING:
                continue
            for i in range(first, last):
                x, steep = where[q, i - first], -slope[q, i - first]
                if steep < 0.0:
                    steep = np.exp(-0.5 * x * x) / (-steep * ROOT_2_PI)
                push = weight * steep / spread
                out[1 + i] -= push
                out[1 + rows + c] -= push
                out[1 + rows + cells + c] -= push * nodes[q]
                out[1 + rows + 2 * cells] -= push * x
    return out


@njit(error_model="numpy")
def summed(m, centre, width, spread, *rest):
    """`density` as PyTensor takes it: the value, and its gradient in a row."""
    found = density(m, centre, width, spread.item(), *rest)
    return np.asarray(found[0]), found[1:]


class Limits(_Compiled):
    """Log of the sum over limits, from m, centre, width, spread; all that follows is given."""

    function, learned = summed, 4

    def apart(self, slope: Any, inputs: Any) -> list[Any]:
        """By m, centre, width, spread."""
        rows, cells = inputs[0].shape[0], inputs[1].shape[0]
        return [slope[:rows], slope[rows : rows + cells], slope[rows + cells : rows + 2 * cells],
                slope[rows + 2 * cells]]  # fmt: skip


KERNELS = zlib.crc32(read_source(signal_density) + read_source(sys.modules[__name__]))


@register_funcify_default_op_cache_key(Limits)
def _compiled(op: Limits, node: Any, **_: Any) -> tuple[Any, int]:
    return type(op).function, KERNELS


def limits_term(
    m: Any, limit: Array, cells: NDArray[np.int64], centre: Any, width: Any, spread: Any, rule: tuple[Array, Array]
) -> Any:
    """Log-probability of rows below their limits, the misfit of their cells summed over.

    Parameters
    ----------
    m : (row,) logarithm of the percentage that the model says
    limit : (row,) logarithm of the limit
    cells : (row,) place of the cell in `centre` and `width`, (cell,) mean and SD of its misfit
    rule : nodes for a standard normal and the logarithms of their weights
    """
    order = np.argsort(cells, kind="stable")
    held, start = np.unique(cells[order], return_index=True)
    bounds = np.append(start, cells.size)
    found: Any = Limits()(m[order], centre[held], width[held], spread, limit[order], bounds, *rule)[0]  # type: ignore[index]
    return found

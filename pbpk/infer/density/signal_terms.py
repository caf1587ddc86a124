"""The term of what instruments read: signed light and counted events, with what all organs share.

An organ holds x = exp(m + d + e) percent of the dose: m the model, d the misfit of the organ at the hour, e ~ N(0,
spread) the animal. Its reading is blank + gain x, with noise; blank, gain and noise depend on the unknowns u that the
controls teach (`assay.signals`). Where a reading stands clear of its noise its logarithm is normal about m + d;
elsewhere e, and then d, are summed over by Gauss and Hermite, signs and zeros included.

With t the relative SD of the additive noise and a flat weight on the logarithm of the percentage, the normal density of
a clear reading has, by its series, integral (1 + t^2 + 3 t^4) / rise, mean -1.5 t^2 - 4.75 t^4 from the logarithm of
the estimate, and variance t^2 + 5.5 t^4. For counted events the gamma distribution gives -t^2 / 2 and t^2 + t^4 / 2.

u enters as mean + L z, L L' its covariance given the controls alone. So z ~ N(0, 1) is the fit in two stages, and the
joint fit adds the difference between the controls' own likelihood and that normal.
"""

import zlib
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, ClassVar

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import register_funcify_default_op_cache_key

from pbpk.assay.signals import Response, Signals
from pbpk.body.library import read_source
from pbpk.body.solve import Array
from pbpk.infer.density import signal_density
from pbpk.infer.density.signal_density import controls, each_draw, readings
from pbpk.infer.density.signals import is_clear, limits_beside

LEAST = 1e-5  # overdispersion that counts as none: below it the gamma function's digits run out
KERNELS = zlib.crc32(read_source(signal_density))


def _nodes(count: int) -> tuple[Array, Array]:
    """Gauss and Hermite's nodes for a standard normal, and the logarithms of their weights."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    return nodes, np.log(weights / weights.sum())


# for the misfit of an organ at an hour, for an animal
NODES = (*_nodes(13), *_nodes(9), np.array(LEAST))


# arrays of `terms_of` and of `controls_of`, in their order
FIELDS = (*(field.name for field in fields(Response)), "limit", "clear", "start")
CONTROLS = ("value", "variance", "blank", "gain", "log_scale", "s0", "cv", "s0_weight", "cv_weight", "amounts",
            "prior_mean", "prior_sd", "at_mean")  # fmt: skip


def readings_term(rows: Any, given: Sequence[Any], m: Any, spread: Any, misfit: Any, u: Any) -> Any:
    """Log-likelihood of all readings, and of the limits that stand among them.

    rows, given : rows of the readings and what they say, arrays of `terms_of` or shared variables of them
    m : (row,) logarithm of the percentage that the model says
    """
    return Readings()(m[rows], spread, misfit, u, *given, *NODES)[0]  # type: ignore[index]


def log_readings(
    signals: Signals,
    cells: NDArray[np.int64],
    limits: Array,
    chosen: NDArray[np.int64],
    m: Array,
    spread: Array,
    misfit: Array,
    u: Array,
) -> Array:
    """The same for each draw, (draw,), of the readings and limits beside them that are among the rows `chosen`.

    m : (draw, row); spread, misfit : (draw,); u : (draw, unknown)
    """
    rows, given = terms_of(signals, cells, limits, chosen)
    draws = [np.ascontiguousarray(x, dtype=float) for x in (m[:, rows], spread, misfit, u)]
    return np.asarray(each_draw(*draws, *given, *NODES)) if rows.size else np.zeros(len(m))


def terms_of(
    signals: Signals, cells: NDArray[np.int64], limits: Array, chosen: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], tuple[NDArray[Any], ...]]:
    """Rows of readings and of limits beside them, cell by cell, and what they say, as `signal_density` takes it.

    cells : (row,) number of the group, organ, readout and hour that each row of the table saw
    limits : (row,) percentage below which the row lies, NaN where it is no limit; those beside readings are taken here
    chosen : the only rows that are asked for, if not all are
    """
    beside = limits_beside(signals, cells, limits)
    rows = np.concatenate([signals.rows, beside])
    kept = np.arange(rows.size) if chosen is None else np.flatnonzero(np.isin(rows, chosen))
    order = kept[np.argsort(cells[rows[kept]], kind="stable")]
    rows = rows[order]
    start = np.concatenate([[0], np.flatnonzero(np.diff(cells[rows])) + 1, [rows.size]])
    r, none = signals.response, np.zeros((beside.size, len(signals.shared.names)))
    nothing = np.zeros(beside.size)
    also = Response(np.log(limits[beside]), nothing, nothing > 0.0, none, none, nothing, none, none, nothing, nothing)
    arrays = [np.concatenate([getattr(r, name), getattr(also, name)])[order] for name in vars(r)]
    kinds = [np.concatenate(pair)[order] for pair in ((np.zeros(len(r.value), bool), nothing == 0.0),
                                                      (is_clear(signals), nothing > 0.0))]  # fmt: skip
    return rows, (*arrays, *kinds, start)


def controls_of(signals: Signals) -> tuple[NDArray[Any], ...]:
    """What the controls say, as `signal_density.controls` takes it, and last the log-density at the mean, (1,)."""
    shared, r = signals.shared, signals.shared.controls
    return (r.value, r.variance, r.blank, r.gain, r.log_scale, r.s0, r.cv, r.s0_weight, r.cv_weight, shared.amounts,
            shared.prior_mean, shared.prior_sd, np.array([shared.log_density(shared.mean)]))  # fmt: skip


def controls_term(given: Sequence[Any], u: Any, z: Any) -> Any:
    """Log-density of prior and controls less the normal that stands for them in two stages, but for a constant.

    given : arrays of `controls_of`, or shared variables of them
    u : (unknown,) what readings share; z : (unknown,) the standard-normal numbers behind it
    """
    *known, at_mean = given
    found: Any = Controls()(u, *known)[0]  # type: ignore[index]
    return found - at_mean[0] + 0.5 * (z**2).sum()


class CompiledTerm(Op):
    """A compiled log-density with its gradient; the first `learned` inputs are learned, the others given."""

    __props__ = ()
    function: ClassVar[Any]
    learned: ClassVar[int]

    def make_node(self, *inputs: Any) -> Apply:
        """Inputs in the order of the compiled function."""
        return Apply(self, [pt.as_tensor(x) for x in inputs], [pt.dscalar(), pt.dvector()])

    def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
        """Compute without numba's linker."""
        outputs[0][0], outputs[1][0] = type(self).function(*inputs)

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:
        """Gradient by what is learned; the gradient itself is not differentiated."""
        slope = outputs[1] * cotangents[0]
        return [*self.apart(slope, inputs), *(disconnected_type() for _ in inputs[self.learned :])]

    def apart(self, slope: Any, inputs: Any) -> list[Any]:
        """The gradient cut into the learned inputs."""
        return [slope]

    def connection_pattern(self, node: Any) -> list[list[bool]]:
        """What is learned is connected, to the value only."""
        return [[i < self.learned, False] for i in range(len(node.inputs))]


class Readings(CompiledTerm):
    """Log-likelihood of readings, from m, spread, misfit, u; all that follows is given."""

    function, learned = readings, 4

    def apart(self, slope: Any, inputs: Any) -> list[Any]:
        """By m, spread, misfit, u."""
        n = inputs[0].shape[0]
        return [slope[:n], slope[n], slope[n + 1], slope[n + 2 :]]


class Controls(CompiledTerm):
    """Log-density of prior and controls, from u; all that follows is given."""

    function, learned = controls, 1


@register_funcify_default_op_cache_key(Readings)
@register_funcify_default_op_cache_key(Controls)
def _compiled(op: CompiledTerm, node: Any, **_: Any) -> tuple[Any, int]:
    return type(op).function, KERNELS

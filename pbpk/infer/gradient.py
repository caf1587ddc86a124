"""The body's solver as a PyTensor operation: cells in every state from the rates of the arrows, with its exact gradient."""

from typing import Any

import numpy as np
import pytensor.tensor as pt
from numba import njit
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import register_funcify_default_op_cache_key

from pbpk.body.model import Model
from pbpk.body.solve import Array, Schedule, respond, respond_adjoint

KERNEL_VERSION = 1  # raise when the kernels change, so that compiled copies on disk are not taken for new ones


class CellsAtHours(Op):
    """(time, state) from (arrow,); the network, the doses and the hours are further inputs, never learned."""

    __props__ = ()

    def make_node(self, rates: Any, *fixed: Any) -> Apply:
        """Inputs in the order of `respond`, the rates first."""
        inputs = [pt.as_tensor(x) for x in (rates, *fixed)]
        return Apply(self, inputs, [pt.dmatrix()])

    def perform(self, node: Any, inputs: list[Any], outputs: list[Any]) -> None:
        """Compute without numba's linker."""
        rates, source, target, lasting, *rest = inputs
        outputs[0][0] = respond(source, target, int(lasting), rates, *rest)

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:
        """Gradient by the rates; the rest is not differentiated."""
        by_rates = _RatesGradient()(*inputs, cotangents[0])
        return [by_rates, *(disconnected_type() for _ in inputs[1:])]

    def connection_pattern(self, node: Any) -> list[list[bool]]:
        """Only the rates are connected."""
        return [[True], *([False] for _ in node.inputs[1:])]


class _RatesGradient(Op):
    """(arrow,) gradient from the inputs of `CellsAtHours` and the gradient of its output."""

    __props__ = ()

    def make_node(self, *inputs: Any) -> Apply:
        return Apply(self, [pt.as_tensor(x) for x in inputs], [pt.dvector()])

    def perform(self, node: Any, inputs: list[Any], outputs: list[Any]) -> None:
        rates, source, target, lasting, *rest = inputs
        outputs[0][0] = respond_adjoint(source, target, int(lasting), rates, *rest)


@register_funcify_default_op_cache_key(CellsAtHours)
def _compiled_cells(op: Op, node: Any, **_: Any) -> tuple[Any, int]:
    @njit
    def cells(rates, source, target, lasting, entry, starts, durations, hours):  # type: ignore[no-untyped-def]
        return respond(source, target, lasting.item(), rates, entry, starts, durations, hours)

    return cells, KERNEL_VERSION


@register_funcify_default_op_cache_key(_RatesGradient)
def _compiled_gradient(op: Op, node: Any, **_: Any) -> tuple[Any, int]:
    @njit
    def gradient(rates, source, target, lasting, entry, starts, durations, hours, bar):  # type: ignore[no-untyped-def]
        return respond_adjoint(
            source, target, lasting.item(), rates, entry, starts, durations, hours, np.ascontiguousarray(bar)
        )

    return gradient, KERNEL_VERSION


def cells_at_hours(model: Model, rates: Any, schedule: Schedule, hours: Array) -> Any:
    """Symbolic (time, state) [% of dose] for symbolic (arrow,) rates."""
    return CellsAtHours()(
        rates,
        model.source_states,
        model.target_states,
        np.array(model.n_lasting),
        *schedule.arrays(),
        hours,
    )

"""From the sampler's vector to what each row of the counts should be, as a PyTensor operation with its exact gradient.

Priors, rates, body and observers run in one compiled function, the same for every model and study: what differs
travels as arrays. So the sampler compiles a handful of nodes, whatever the model.
"""

import sys
import zlib
from typing import Any

import numpy as np
import pytensor.tensor as pt
from numba import njit
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import register_funcify_default_op_cache_key

from pbpk.body import flows, tape
from pbpk.body.flows import respond, respond_adjoint
from pbpk.body.library import read_source
from pbpk.body.tape import run, run_back

# PyTensor's copies on disk carry this number, so that they are never taken for the code as it stands now; numba's
# own cache would not see a change in `flows`, so these functions do not use it
KERNELS = zlib.crc32(b"".join(read_source(module) for module in (flows, tape, sys.modules[__name__])))
LOGNORMAL, LOGIT_NORMAL, FIXED = range(3)
FORMS = {"lognormal": LOGNORMAL, "logit_normal": LOGIT_NORMAL, "fixed": FIXED}


@njit(error_model="numpy")
def _symbols(z, form, centre, sigma, place, settled, switches):
    """Vector of all symbols, and the slope of each parameter by its z."""
    n_model = centre.size - switches.size
    symbols = np.empty(n_model + settled.size)
    slopes = np.zeros(centre.size)
    symbols[n_model:] = settled
    for p in range(centre.size):
        value = centre[p]
        if form[p] == LOGNORMAL:
            value = centre[p] * np.exp(sigma[p] * z[place[p]])
            slopes[p] = sigma[p] * value
        elif form[p] == LOGIT_NORMAL:
            odds = centre[p] / (1.0 - centre[p]) * np.exp(sigma[p] * z[place[p]])
            value = odds / (1.0 + odds)
            slopes[p] = sigma[p] * odds / (1.0 + odds) ** 2
        symbols[p if p < n_model else switches[p - n_model]] = value
    return symbols, slopes


@njit(error_model="numpy")
def seen_and_recovered(z, form, centre, sigma, place, settled, switches, steps, literals, outputs, source, target,
                       lasting, entry, starts, durations, hours, at, observers, recovery):  # fmt: skip
    """Percent of the dose that each row sees, and of what was recovered then, (2, row); and the states behind."""
    symbols, _ = _symbols(z, form, centre, sigma, place, settled, switches)
    rates = run(steps, literals, symbols)[outputs]
    states = respond(source, target, lasting.item(), rates, entry, starts, durations, hours)
    out = np.zeros((2, at.size))
    for r in range(at.size):
        for s in range(states.shape[1]):
            out[0, r] += observers[r, s] * states[at[r], s]
            out[1, r] += recovery[r, s] * states[at[r], s]
    return out, states


@njit(error_model="numpy")
def seen_adjoint(z, form, centre, sigma, place, settled, switches, steps, literals, outputs, source, target,
                 lasting, entry, starts, durations, hours, at, observers, recovery, states, bar):  # fmt: skip
    """Gradient of sum(bar * seen_and_recovered(...)[0]) by z."""
    symbols, slopes = _symbols(z, form, centre, sigma, place, settled, switches)
    registers = run(steps, literals, symbols)
    rates = registers[outputs]
    states_bar = np.zeros_like(states)
    for r in range(at.size):
        for s in range(states.shape[1]):
            states_bar[at[r], s] += bar[0, r] * observers[r, s] + bar[1, r] * recovery[r, s]
    rates_bar = respond_adjoint(
        source, target, lasting.item(), rates, entry, starts, durations, hours, states, states_bar
    )
    symbols_bar = run_back(steps, registers, symbols.size, outputs, rates_bar)
    z_bar = np.zeros_like(z)
    n_model = centre.size - switches.size
    for p in range(centre.size):
        if form[p] != FIXED:
            z_bar[place[p]] += slopes[p] * symbols_bar[p if p < n_model else switches[p - n_model]]
    return z_bar


class Seen(Op):
    """(2, row) and (time, state) from z; all that is not learned follows, as in `seen_and_recovered`."""

    __props__ = ()

    def make_node(self, *inputs: Any) -> Apply:
        """Inputs in the order of the compiled function."""
        return Apply(self, [pt.as_tensor(x) for x in inputs], [pt.dmatrix(), pt.dmatrix()])

    def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
        """Compute without numba's linker."""
        outputs[0][0], outputs[1][0] = seen_and_recovered(*inputs)

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:
        """Gradient by z; the rest is not differentiated."""
        return [
            _SeenGradient()(*inputs, outputs[1], cotangents[0]),
            *(disconnected_type() for _ in inputs[1:]),
        ]

    def connection_pattern(self, node: Any) -> list[list[bool]]:
        """Only z is connected, and only to what is seen."""
        return [[True, False], *([False, False] for _ in node.inputs[1:])]


class _SeenGradient(Op):
    """(z,) gradient from the inputs of `Seen`, its states and the gradient of what is seen."""

    __props__ = ()

    def make_node(self, *inputs: Any) -> Apply:
        return Apply(self, [pt.as_tensor(x) for x in inputs], [pt.dvector()])

    def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
        outputs[0][0] = seen_adjoint(*inputs)


@register_funcify_default_op_cache_key(Seen)
def _compiled(op: Op, node: Any, **_: Any) -> tuple[Any, int]:
    return seen_and_recovered, KERNELS


@register_funcify_default_op_cache_key(_SeenGradient)
def _compiled_gradient(op: Op, node: Any, **_: Any) -> tuple[Any, int]:
    return seen_adjoint, KERNELS

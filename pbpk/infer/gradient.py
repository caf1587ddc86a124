"""From the sampler's vector to what each row of the counts should be, as a PyTensor operation with its exact gradient.

Priors, rates, body and observers run in one compiled function, the same for every model and study: what differs
travels as arrays. So the sampler compiles a handful of nodes, whatever the model.
"""

import sys
import zlib
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytensor.tensor as pt
from numba import njit
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import register_funcify_default_op_cache_key

from pbpk.body import elimination, explicit, flows, implicit, legs, moving, steady, tape, thin, uniformisation
from pbpk.body.flows import respond, respond_adjoint
from pbpk.body.legs import MOST_STEPS
from pbpk.body.library import read_source
from pbpk.body.moving import respond_moving, respond_moving_adjoint
from pbpk.body.tape import run, run_back

# PyTensor's copies on disk carry this number, so that they are never taken for the code as it stands now; numba's
# own cache would not see a change in `flows`, so these functions do not use it
COMPILED = (
    elimination,
    explicit,
    flows,
    implicit,
    legs,
    moving,
    steady,
    tape,
    thin,
    uniformisation,
    sys.modules[__name__],
)
KERNELS = zlib.crc32(b"".join(read_source(module) for module in (*COMPILED, sys.modules[__name__])))
SAMPLED = 1e-6  # error of a step where rates move; the gradient is that of the steps as they were taken
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
def _observed(states, at, observers, recovery, per, registers):
    """What each row sees, in percent of the dose or percent per mL, and what was recovered then, (2, row)."""
    out = np.zeros((2, at.size))
    for r in range(at.size):
        for s in range(states.shape[1]):
            out[0, r] += observers[r, s] * states[at[r], s]
            out[1, r] += recovery[r, s] * states[at[r], s]
        if per[r] >= 0:
            out[0, r] /= registers[per[r]]
    return out


@njit(error_model="numpy")
def _observed_adjoint(states, at, observers, recovery, per, registers, bar):
    """Gradient of sum(bar * _observed(...)) by the states, and by the volumes: their registers and (row,) slopes."""
    states_bar, volumes_bar = np.zeros_like(states), np.zeros(at.size)
    for r in range(at.size):
        volume = registers[per[r]] if per[r] >= 0 else 1.0
        seen = 0.0
        for s in range(states.shape[1]):
            states_bar[at[r], s] += bar[0, r] * observers[r, s] / volume + bar[1, r] * recovery[r, s]
            seen += observers[r, s] * states[at[r], s]
        if per[r] >= 0:
            volumes_bar[r] = -bar[0, r] * seen / volume**2
    return states_bar, np.maximum(per, 0), volumes_bar


@njit(error_model="numpy")
def _registers(symbols, steps, literals, n_states):
    """Registers of a tape whose rates move, at no hour and in no state: for what depends on neither."""
    return run(steps, literals, np.concatenate((symbols, np.zeros(1 + n_states))))


@njit(error_model="numpy")
def _by_z(z, form, place, switches, slopes, symbols_bar):
    """Gradient by the sampler's vector, from that by the symbols."""
    z_bar = np.zeros_like(z)
    n_model = form.size - switches.size
    for p in range(form.size):
        if form[p] != FIXED:
            z_bar[place[p]] += slopes[p] * symbols_bar[p if p < n_model else switches[p - n_model]]
    return z_bar


@njit(error_model="numpy")
def seen_and_recovered(z, form, centre, sigma, place, settled, switches, steps, literals, outputs, source, target,
                       lasting, entry, starts, durations, every, since, hours, at, observers, recovery,
                       per):  # fmt: skip
    """Percent of the dose that each row sees, and of what was recovered then, (2, row); and the states behind."""
    symbols, _ = _symbols(z, form, centre, sigma, place, settled, switches)
    registers = run(steps, literals, symbols)
    states = respond(source, target, lasting.item(), registers[outputs], entry, starts, durations, None, None, hours)
    return _observed(states, at, observers, recovery, per, registers), states


@njit(error_model="numpy")
def seen_adjoint(z, form, centre, sigma, place, settled, switches, steps, literals, outputs, source, target,
                 lasting, entry, starts, durations, every, since, hours, at, observers, recovery, per, states,
                 bar):  # fmt: skip
    """Gradient of sum(bar * seen_and_recovered(...)[0]) by z."""
    symbols, slopes = _symbols(z, form, centre, sigma, place, settled, switches)
    registers = run(steps, literals, symbols)
    states_bar, volumes, volumes_bar = _observed_adjoint(states, at, observers, recovery, per, registers, bar)
    rates_bar = respond_adjoint(source, target, lasting.item(), registers[outputs], entry, starts, durations, None,
                                None, hours, states, states_bar)  # fmt: skip
    ends, ends_bar = np.concatenate((outputs, volumes)), np.concatenate((rates_bar, volumes_bar))
    symbols_bar = run_back(steps, registers, symbols.size, ends, ends_bar)
    return _by_z(z, form, place, switches, slopes, symbols_bar)


@njit(error_model="numpy")
def steady_and_recovered(z, form, centre, sigma, place, settled, switches, steps, literals, outputs, source, target,
                       lasting, entry, starts, durations, every, since, hours, at, observers, recovery,
                       per):  # fmt: skip
    """`seen_and_recovered` where a dose is at steady state."""
    symbols, _ = _symbols(z, form, centre, sigma, place, settled, switches)
    registers = run(steps, literals, symbols)
    states = respond(source, target, lasting.item(), registers[outputs], entry, starts, durations, every, since, hours)
    return _observed(states, at, observers, recovery, per, registers), states


@njit(error_model="numpy")
def steady_adjoint(z, form, centre, sigma, place, settled, switches, steps, literals, outputs, source, target,
                 lasting, entry, starts, durations, every, since, hours, at, observers, recovery, per, states,
                 bar):  # fmt: skip
    """Gradient of sum(bar * steady_and_recovered(...)[0]) by z."""
    symbols, slopes = _symbols(z, form, centre, sigma, place, settled, switches)
    registers = run(steps, literals, symbols)
    states_bar, volumes, volumes_bar = _observed_adjoint(states, at, observers, recovery, per, registers, bar)
    rates_bar = respond_adjoint(source, target, lasting.item(), registers[outputs], entry, starts, durations, every,
                                since, hours, states, states_bar)  # fmt: skip
    ends, ends_bar = np.concatenate((outputs, volumes)), np.concatenate((rates_bar, volumes_bar))
    symbols_bar = run_back(steps, registers, symbols.size, ends, ends_bar)
    return _by_z(z, form, place, switches, slopes, symbols_bar)


@njit(error_model="numpy")
def moving_and_recovered(z, form, centre, sigma, place, settled, switches, steps, literals, outputs, source, target,
                         lasting, entry, starts, durations, every, since, hours, at, observers, recovery,
                         per):  # fmt: skip
    """`seen_and_recovered` for rates that move with the amounts or the hour, and the steps of `respond_moving`."""
    symbols, _ = _symbols(z, form, centre, sigma, place, settled, switches)
    states, log, points, done = respond_moving(symbols, steps, literals, outputs, source, target, lasting.item(), entry,
                                               starts, durations, hours, MOST_STEPS, SAMPLED)  # fmt: skip
    registers = _registers(symbols, steps, literals, entry.shape[1])
    return _observed(states, at, observers, recovery, per, registers), states, log, points, done


@njit(error_model="numpy")
def moving_adjoint(z, form, centre, sigma, place, settled, switches, steps, literals, outputs, source, target,
                   lasting, entry, starts, durations, every, since, hours, at, observers, recovery, per, states, log,
                   points, done, bar):  # fmt: skip
    """Gradient of sum(bar * moving_and_recovered(...)[0]) by z, for the steps that were taken."""
    symbols, slopes = _symbols(z, form, centre, sigma, place, settled, switches)
    registers = _registers(symbols, steps, literals, entry.shape[1])
    states_bar, volumes, volumes_bar = _observed_adjoint(states, at, observers, recovery, per, registers, bar)
    symbols_bar = run_back(steps, registers, symbols.size, volumes, volumes_bar)
    symbols_bar += respond_moving_adjoint(symbols, steps, literals, outputs, source, target, lasting.item(), entry,
                                          starts, durations, hours, states, log, points, done, states_bar)  # fmt: skip
    return _by_z(z, form, place, switches, slopes, symbols_bar)


class Seen(Op):
    """(2, row) and (time, state) from z; all that is not learned follows, as in `seen_and_recovered`."""

    __props__ = ()
    value: ClassVar[Callable[..., Any]] = seen_and_recovered
    gradient: "ClassVar[type[_SeenGradient]]"
    results: ClassVar[tuple[Any, ...]] = (pt.dmatrix, pt.dmatrix)

    def make_node(self, *inputs: Any) -> Apply:
        """Inputs in the order of the compiled function."""
        return Apply(self, [pt.as_tensor(x) for x in inputs], [kind() for kind in type(self).results])

    def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
        """Compute without numba's linker."""
        for output, result in zip(outputs, type(self).value(*inputs), strict=True):
            output[0] = result

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:
        """Gradient by z; the rest is not differentiated."""
        return [
            type(self).gradient()(*inputs, *outputs[1:], cotangents[0]),
            *(disconnected_type() for _ in inputs[1:]),
        ]

    def connection_pattern(self, node: Any) -> list[list[bool]]:
        """Only z is connected, and only to what is seen."""
        nothing = [False for _ in node.outputs]
        return [[True, *nothing[1:]], *(nothing for _ in node.inputs[1:])]


class _SeenGradient(Op):
    """(z,) gradient from the inputs of `Seen`, what it returned beside, and the gradient of what is seen."""

    __props__ = ()
    value: ClassVar[Callable[..., Any]] = seen_adjoint

    def make_node(self, *inputs: Any) -> Apply:
        return Apply(self, [pt.as_tensor(x) for x in inputs], [pt.dvector()])

    def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
        outputs[0][0] = type(self).value(*inputs)


class SeenSteady(Seen):
    """`Seen` where a dose is at steady state."""

    value = steady_and_recovered


class _SeenSteadyGradient(_SeenGradient):
    """`_SeenGradient` where a dose is at steady state."""

    value = steady_adjoint


class SeenMoving(Seen):
    """`Seen` for rates that move with the amounts or the hour; the steps it took stand beside the states."""

    value = moving_and_recovered
    results = (*Seen.results, pt.dmatrix, pt.dtensor3, pt.lvector)


class _SeenMovingGradient(_SeenGradient):
    """`_SeenGradient` for rates that move."""

    value = moving_adjoint


Seen.gradient, SeenSteady.gradient, SeenMoving.gradient = _SeenGradient, _SeenSteadyGradient, _SeenMovingGradient


@register_funcify_default_op_cache_key(Seen)
@register_funcify_default_op_cache_key(SeenSteady)
@register_funcify_default_op_cache_key(SeenMoving)
@register_funcify_default_op_cache_key(_SeenGradient)
@register_funcify_default_op_cache_key(_SeenSteadyGradient)
@register_funcify_default_op_cache_key(_SeenMovingGradient)
def _compiled(op: Any, node: Any, **_: Any) -> tuple[Any, int]:
    return type(op).value, KERNELS

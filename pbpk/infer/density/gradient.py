"""From the parameters of each experiment to what each row of the counts should be: a PyTensor operation, exact slope.

Rates, body and observers run in one compiled function, the same for every model, study and number of animals: what
differs travels as arrays (`packing`). So the sampler compiles a handful of nodes.
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

from pbpk.body.flows import respond, respond_adjoint
from pbpk.body.legs import MOST_STEPS
from pbpk.body.library import read_source
from pbpk.body.moving import respond_moving, respond_moving_adjoint
from pbpk.body.tape import run, run_back
from pbpk.infer.density import packing
from pbpk.infer.density.packing import AT, ENTRY, HOURS

# PyTensor's copies on disk carry this number, so that they are never taken for the code as it stands now; numba's
# own cache would not see a change in `flows`, so these functions do not use it
COMPILED = ("doubling", "elimination", "explicit", "flows", "implicit", "leaps", "legs", "moving", "steady", "tape",
            "thin", "uniformisation")  # fmt: skip
MODULES = (*(sys.modules[f"pbpk.body.{name}"] for name in COMPILED), packing, sys.modules[__name__])
KERNELS = zlib.crc32(b"".join(read_source(module) for module in MODULES))
SAMPLED = 1e-6  # error of a step where rates move; the gradient is that of the steps as they were taken


@njit(error_model="numpy")
def _line(flat, where):
    """One vector of a pack."""
    return flat[where[0] : where[0] + where[1]]


@njit(error_model="numpy")
def _table(flat, where):
    """One table of a pack."""
    return flat[where[0] : where[0] + where[1] * where[2]].reshape((where[1], where[2]))


@njit(error_model="numpy")
def _unpacked(reals, wholes, where):
    """Arrays of one experiment, in the order of `packing`."""
    return (_line(reals, where[0]), _line(reals, where[1]), _table(reals, where[2]), _line(reals, where[3]),
            _line(reals, where[4]), _line(reals, where[5]), _line(reals, where[6]), _line(reals, where[7]),
            _table(reals, where[8]), _table(reals, where[9]), _line(wholes, where[10]), _table(wholes, where[11]),
            _line(wholes, where[12]), _line(wholes, where[13]), _line(wholes, where[14]), _line(wholes, where[15]),
            _line(wholes, where[16]), wholes[where[17, 0]])  # fmt: skip


@njit(error_model="numpy")
def _symbols(values, settled, switches):
    """Vector of all symbols of an experiment; a modifier that is not switched on stays as it is settled."""
    n_model = values.size - switches.size
    symbols = np.concatenate((values[:n_model], settled))
    for k in range(switches.size):
        if switches[k] >= 0:
            symbols[switches[k]] = values[n_model + k]
    return symbols


@njit(error_model="numpy")
def _by_values(symbols_bar, switches, n_values):
    """Gradient by the values, from that by the symbols."""
    n_model = n_values - switches.size
    out = np.zeros(n_values)
    out[:n_model] = symbols_bar[:n_model]
    for k in range(switches.size):
        if switches[k] >= 0:
            out[n_model + k] = symbols_bar[switches[k]]
    return out


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
def _follow(values, reals, wholes, where, steady):
    """`seen_and_recovered`; steady is None where no dose is at steady state, so that less is compiled."""
    out = np.empty((2, where[:, AT, 1].sum()))
    kept = np.empty((where[:, HOURS, 1] * where[:, ENTRY, 2]).sum())
    row, place = 0, 0
    for e in range(where.shape[0]):
        (settled, literals, entry, starts, durations, every, since, hours, observers, recovery, switches, steps,
         outputs, source, target, at, per, lasting) = _unpacked(reals, wholes, where[e])  # fmt: skip
        registers = run(steps, literals, _symbols(values[e], settled, switches))
        if steady is None:
            states = respond(source, target, lasting, registers[outputs], entry, starts, durations, None, None, hours)
        else:
            states = respond(source, target, lasting, registers[outputs], entry, starts, durations, every, since, hours)
        out[:, row : row + at.size] = _observed(states, at, observers, recovery, per, registers)
        kept[place : place + states.size] = states.ravel()
        row, place = row + at.size, place + states.size
    return out, kept


@njit(error_model="numpy")
def _follow_back(values, reals, wholes, where, kept, bar, steady):
    """Gradient of sum(bar * _follow(...)[0]) by the values, (experiment, value)."""
    out = np.empty_like(values)
    row, place = 0, 0
    for e in range(where.shape[0]):
        (settled, literals, entry, starts, durations, every, since, hours, observers, recovery, switches, steps,
         outputs, source, target, at, per, lasting) = _unpacked(reals, wholes, where[e])  # fmt: skip
        symbols = _symbols(values[e], settled, switches)
        registers = run(steps, literals, symbols)
        size = hours.size * entry.shape[1]
        states = kept[place : place + size].reshape((hours.size, entry.shape[1]))
        mine = np.ascontiguousarray(bar[:, row : row + at.size])
        states_bar, volumes, volumes_bar = _observed_adjoint(states, at, observers, recovery, per, registers, mine)
        if steady is None:
            rates_bar = respond_adjoint(source, target, lasting, registers[outputs], entry, starts, durations, None,
                                        None, hours, states, states_bar)  # fmt: skip
        else:
            rates_bar = respond_adjoint(source, target, lasting, registers[outputs], entry, starts, durations, every,
                                        since, hours, states, states_bar)  # fmt: skip
        ends, ends_bar = np.concatenate((outputs, volumes)), np.concatenate((rates_bar, volumes_bar))
        out[e] = _by_values(run_back(steps, registers, symbols.size, ends, ends_bar), switches, values.shape[1])
        row, place = row + at.size, place + size
    return out


@njit(error_model="numpy")
def seen_and_recovered(values, reals, wholes, where):
    """Percent of the dose that each row of each experiment sees, and of what was recovered then, and the states behind.

    Parameters
    ----------
    values : (experiment, value) parameters of the model, then modifiers that a group may switch on
    reals, wholes, where : as in `Pack`

    Returns
    -------
    (2, row), rows of one experiment after those of another; and all states, flat
    """
    return _follow(values, reals, wholes, where, None)


@njit(error_model="numpy")
def seen_adjoint(values, reals, wholes, where, kept, bar):
    """Gradient of sum(bar * seen_and_recovered(...)[0]) by the values, (experiment, value)."""
    return _follow_back(values, reals, wholes, where, kept, bar, None)


@njit(error_model="numpy")
def steady_and_recovered(values, reals, wholes, where):
    """`seen_and_recovered` where a dose is at steady state."""
    return _follow(values, reals, wholes, where, True)


@njit(error_model="numpy")
def steady_adjoint(values, reals, wholes, where, kept, bar):
    """Gradient of sum(bar * steady_and_recovered(...)[0]) by the values."""
    return _follow_back(values, reals, wholes, where, kept, bar, True)


@njit(error_model="numpy")
def moving_and_recovered(values, reals, wholes, where):
    """`seen_and_recovered` of one experiment whose rates move with the amounts or the hour, and the steps taken."""
    (settled, literals, entry, starts, durations, _, _, hours, observers, recovery, switches, steps, outputs,
     source, target, at, per, lasting) = _unpacked(reals, wholes, where[0])  # fmt: skip
    symbols = _symbols(values[0], settled, switches)
    states, log, points, done = respond_moving(symbols, steps, literals, outputs, source, target, lasting, entry,
                                               starts, durations, hours, MOST_STEPS, SAMPLED)  # fmt: skip
    registers = _registers(symbols, steps, literals, entry.shape[1])
    return _observed(states, at, observers, recovery, per, registers), states, log, points, done


@njit(error_model="numpy")
def moving_adjoint(values, reals, wholes, where, states, log, points, done, bar):
    """Gradient of sum(bar * moving_and_recovered(...)[0]) by the values, for the steps that were taken."""
    (settled, literals, entry, starts, durations, _, _, hours, observers, recovery, switches, steps, outputs,
     source, target, at, per, lasting) = _unpacked(reals, wholes, where[0])  # fmt: skip
    symbols = _symbols(values[0], settled, switches)
    registers = _registers(symbols, steps, literals, entry.shape[1])
    states_bar, volumes, volumes_bar = _observed_adjoint(states, at, observers, recovery, per, registers, bar)
    symbols_bar = run_back(steps, registers, symbols.size, volumes, volumes_bar)
    symbols_bar += respond_moving_adjoint(symbols, steps, literals, outputs, source, target, lasting, entry,
                                          starts, durations, hours, states, log, points, done, states_bar)  # fmt: skip
    return _by_values(symbols_bar, switches, values.shape[1]).reshape((1, -1))


class Seen(Op):
    """(2, row) and the states from (experiment, value); the pack follows, as in `seen_and_recovered`."""

    __props__ = ()
    value: ClassVar[Callable[..., Any]] = seen_and_recovered
    gradient: "ClassVar[type[_SeenGradient]]"
    results: ClassVar[tuple[Any, ...]] = (pt.dmatrix, pt.dvector)

    def make_node(self, *inputs: Any) -> Apply:
        """Inputs in the order of the compiled function."""
        return Apply(self, [pt.as_tensor(x) for x in inputs], [kind() for kind in type(self).results])

    def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
        """Compute without numba's linker."""
        for output, result in zip(outputs, type(self).value(*inputs), strict=True):
            output[0] = result

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:
        """Gradient by the values; the rest is not differentiated."""
        return [
            type(self).gradient()(*inputs, *outputs[1:], cotangents[0]),
            *(disconnected_type() for _ in inputs[1:]),
        ]

    def connection_pattern(self, node: Any) -> list[list[bool]]:
        """Only the values are connected, and only to what is seen."""
        nothing = [False for _ in node.outputs]
        return [[True, *nothing[1:]], *(nothing for _ in node.inputs[1:])]


class _SeenGradient(Op):
    """(experiment, value) gradient, from the inputs of `Seen`, what it returned beside, and the gradient of that."""

    __props__ = ()
    value: ClassVar[Callable[..., Any]] = seen_adjoint

    def make_node(self, *inputs: Any) -> Apply:
        return Apply(self, [pt.as_tensor(x) for x in inputs], [pt.dmatrix()])

    def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
        outputs[0][0] = type(self).value(*inputs)


class SeenSteady(Seen):
    """`Seen` where a dose is at steady state."""

    value = steady_and_recovered


class _SeenSteadyGradient(_SeenGradient):
    """`_SeenGradient` where a dose is at steady state."""

    value = steady_adjoint


class SeenMoving(Seen):
    """`Seen` of one experiment whose rates move; the steps it took stand beside the states."""

    value = moving_and_recovered
    results = (pt.dmatrix, pt.dmatrix, pt.dmatrix, pt.dtensor3, pt.lvector)


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

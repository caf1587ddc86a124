"""Eight numbers as one: a vector type for compiled code, whose sums and products are single instructions.

LLVM does not vectorise loops of eight by itself (measured: a fifth of the speed). What is written with these functions
is vector code on every machine: one register of AVX-512, two of AVX2, four of NEON. Nothing is reordered, and fused
only where it says so: each of the eight has the digits that it would have alone, on any machine.

Arrays hold vectors along their last axis, (..., 8), contiguous; `at` is a tuple of all indices but the last.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import extending, njit, types
from numba.core import cgutils
from numba.extending import models, register_model

intrinsic: Any = extending.intrinsic  # its annotations ask callers for the typing context, which numba adds
LANES = 8
_VECTOR = ir.VectorType(ir.DoubleType(), LANES)


class Vector(types.Type):
    """The type of eight numbers."""

    def __init__(self):
        super().__init__(name="Vector")


vector = Vector()


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, _VECTOR)


def _pointer(context, builder, signature, arguments):
    """Where the vector begins, by the rule of C order; an index is never negative."""
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    shape = cgutils.unpack_tuple(builder, array.shape)
    place = context.get_constant(types.intp, 0)
    for index, size in zip(cgutils.unpack_tuple(builder, arguments[1]), shape[:-1], strict=True):
        place = builder.add(builder.mul(place, size), index)
    first = builder.gep(array.data, [builder.mul(place, context.get_constant(types.intp, LANES))])
    return builder.bitcast(first, _VECTOR.as_pointer())


@intrinsic
def load(typing, array, at):
    """Vector that stands in an array."""

    def generate(context, builder, signature, arguments):
        found = builder.load(_pointer(context, builder, signature, arguments))
        found.align = 8
        return found

    return vector(array, at), generate


@intrinsic
def store(typing, array, at, value):
    """Put a vector into an array."""

    def generate(context, builder, signature, arguments):
        builder.store(arguments[2], _pointer(context, builder, signature, arguments)).align = 8
        return context.get_dummy_value()

    return types.void(array, at, vector), generate


@intrinsic
def spread(typing, number):
    """One number, eight times."""

    def generate(context, builder, signature, arguments):
        one = context.cast(builder, arguments[0], signature.args[0], types.float64)
        first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), one, ir.Constant(ir.IntType(32), 0))
        return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))

    return vector(number), generate


@intrinsic
def plus(typing, a, b):
    """Sum a + b."""
    return vector(vector, vector), lambda context, builder, signature, x: builder.fadd(x[0], x[1])


@intrinsic
def minus(typing, a, b):
    """Difference a - b."""
    return vector(vector, vector), lambda context, builder, signature, x: builder.fsub(x[0], x[1])


@intrinsic
def times(typing, a, b):
    """Product a b."""
    return vector(vector, vector), lambda context, builder, signature, x: builder.fmul(x[0], x[1])


@intrinsic
def over(typing, a, b):
    """Quotient a / b."""
    return vector(vector, vector), lambda context, builder, signature, x: builder.fdiv(x[0], x[1])


@intrinsic
def add_product(typing, total, a, b):
    """Return total + a b, rounded once: asked for by name, so it is the same sum on every machine."""

    def generate(context, builder, signature, arguments):
        total, a, b = arguments
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        fused = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{LANES}f64")
        return builder.call(fused, [a, b, total])

    return vector(vector, vector, vector), generate


@intrinsic
def where_less(typing, a, b, then, otherwise):
    """`then` in each lane where a < b, else `otherwise`."""
    return (
        vector(vector, vector, vector, vector),
        lambda context, builder, signature, x: builder.select(builder.fcmp_ordered("<", x[0], x[1]), x[2], x[3]),
    )


@njit(cache=True, error_model="numpy", nogil=True)
def vectors(count):
    """Room for vectors, (count, 8), zero; each on a cache line of its own, since two lines take twice as long."""
    room = np.zeros((count + 1) * LANES)
    first = (-(room.ctypes.data // 8)) % LANES
    return room[first : first + count * LANES].reshape((count, LANES))

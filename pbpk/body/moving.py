"""Rates that move with what is where, or with the hour: followed step by step, with the exact gradient of the steps.

Where passing states are taken as in balance nothing is stiff, and `explicit` follows; where every state is integrated,
or a model has none that pass, `implicit` does. Both take steps as long as the error allows, keep every stage, and give
the gradient of the very steps they took, not of the equation they stand for.
"""

from numba import njit

from pbpk.body.explicit import respond_explicit, respond_explicit_adjoint
from pbpk.body.implicit import respond_implicit, respond_implicit_adjoint
from pbpk.body.legs import MOST_STEPS, RELATIVE


@njit(cache=True, error_model="numpy")
def respond_moving(
    known,
    steps,
    literals,
    outputs,
    source,
    target,
    lasting,
    entry,
    starts,
    durations,
    hours,
    most_steps=MOST_STEPS,
    relative=RELATIVE,
):
    """Amount in every state at each hour, and the steps that led there.

    Parameters
    ----------
    known : (symbol,) fixed symbols; steps, literals, outputs : tape of the rates
    source, target : (arrow,); lasting : states that are integrated
    entry : (dose, state), starts, durations : (dose,) [h], hours : (time,) [h]
    most_steps : after which it gives up; relative : error of a step that is allowed

    Returns
    -------
    (time, state), NaN where the steps did not end; (step, 3) hour, length, leg; (step, stage, lasting) points;
    (time,) steps done at each hour
    """
    if lasting == entry.shape[1]:
        return respond_implicit(known, steps, literals, outputs, source, target, entry, starts, durations, hours,
                                most_steps, relative)  # fmt: skip
    return respond_explicit(known, steps, literals, outputs, source, target, lasting, entry, starts, durations, hours,
                            most_steps, relative)  # fmt: skip


@njit(cache=True, error_model="numpy")
def respond_moving_adjoint(known, steps, literals, outputs, source, target, lasting, entry, starts, durations, hours,
                           out, log, points, done, out_bar):  # fmt: skip
    """Gradient of sum(out_bar * respond_moving(...)[0]) by the fixed symbols, (symbol,), for the steps that were taken.

    out, log, points, done : what `respond_moving` returned
    """
    if lasting == entry.shape[1]:
        return respond_implicit_adjoint(known, steps, literals, outputs, source, target, entry, starts, durations,
                                        hours, log, points, done, out_bar)  # fmt: skip
    return respond_explicit_adjoint(known, steps, literals, outputs, source, target, lasting, entry, starts, durations,
                                    hours, out, log, points, done, out_bar)  # fmt: skip

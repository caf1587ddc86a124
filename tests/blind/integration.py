"""What the rebuilt models share: their equations are their own, the way they are integrated is not."""

import numpy as np
from scipy.integrate import solve_ivp


def integrated(slope, given, hours, duration_h=0.0, jacobian=None):
    """States at ascending hours from 0, (time, state): a bolus of `given` (state,), or as much over some hours.

    slope : (t, x) -> (state,); jacobian : (state, state) where the slope is linear in x
    """
    nothing = np.zeros(len(given))
    x, now, rows = (nothing, 0.0, []) if duration_h > 0 else (given, 0.0, [])
    for hour in np.asarray(hours, dtype=float):
        for end in ([min(hour, duration_h)] if now < duration_h else []) + [hour]:
            if end > now:
                inflow = given / duration_h if now < duration_h else nothing
                x = solve_ivp(
                    lambda t, y, inflow=inflow: slope(t, y) + inflow,
                    (now, end), x, method="Radau", jac=jacobian, rtol=1e-10, atol=1e-14 * given.sum(),
                ).y[:, -1]  # fmt: skip
                now = end
        rows.append(x)
    return np.array(rows)

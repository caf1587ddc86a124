"""Many curves at once, without limits: what a posterior says by the rules that the values are analysed by."""

from collections.abc import Mapping

import numpy as np

from pbpk.body.solve import Array
from pbpk.predict.noncompartmental.profile import from_start, named_part, part, segments
from pbpk.predict.noncompartmental.rules import USUAL, Rules
from pbpk.predict.noncompartmental.slope import terminal_slope


def areas(hours: Array, values: Array, rules: Rules = USUAL) -> dict[str, Array]:
    """Peak, areas and moments of curves, (draw,) each, from (time,) [h] and (draw, time)."""
    grid, held = from_start(hours, values, rules)
    area, moment = segments(grid, held, rules.method)
    auc, aumc = area.sum(axis=1), moment.sum(axis=1)
    found = {"Cmax": values.max(axis=1), "Tmax": hours[values.argmax(axis=1)], "AUClast": auc, "AUMClast": aumc,
             "MRTlast": aumc / np.where(auc > 0.0, auc, np.nan)}  # fmt: skip
    for start, stop in rules.partial:
        found[named_part(start, stop)] = part(grid, held, start, stop, rules.method)
    return found


def tails(hours: Array, values: Array, known: Mapping[str, Array], rules: Rules = USUAL) -> dict[str, Array]:
    """Terminal slope and areas to infinity of curves, (draw,) each, from what `areas` found; NaN without a slope."""
    line = terminal_slope(hours, values, rules)
    more = values[:, -1] / line.rate
    auc, aumc = known["AUClast"] + more, known["AUMClast"] + hours[-1] * more + more / line.rate
    return {"lambda_z": line.rate, "half_life": line.half_life, "AUCinf_obs": auc, "AUMCinf_obs": aumc,
            "MRTinf_obs": aumc / auc, "AUCextrapolated_obs": 100.0 * more / auc}  # fmt: skip

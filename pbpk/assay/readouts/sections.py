"""Labelled profiles in tissue sections as readings of organs.

    profiles = NegBin(cells * fraction * detection * (t + h) / t + false profiles per organ * fraction, cv)

A cell of diameter h is cut by every section of thickness t whose range it reaches, so profiles outnumber cells by
(t + h) / t: five-fold at 5 um sections and 20 um cells. A disector counts a cell where its top lies, once.

Source: Abercrombie 1946, Anat Rec 94:239.
"""

import math
from collections.abc import Sequence

from scipy import special

from pbpk.assay.readouts.affine import Count, Unknown, Written, affine_signals, log_normal, of_organ
from pbpk.assay.readouts.settings import Sections
from pbpk.assay.signals import Signals
from pbpk.errors import StudyError

DETECTION, CV = "sections: log detection probability", "sections: log cv"


def profiles_per_cell(settings: Sections) -> float:
    """Profiles that a cell gives in contiguous sections through it, all of them seen."""
    if settings.rule == "disector":
        return 1.0
    return (settings.thickness_um + settings.diameter_um) / settings.thickness_um


def volume_fraction(area_mm2: float, thickness_um: float, organ_mm3: float) -> float:
    """Part of an organ's volume that sections of this area in all make up: `fraction` of a row."""
    return area_mm2 * thickness_um / 1000.0 / organ_mm3


def sections_signals(rows: Sequence[Written], settings: Sections) -> Signals:
    """Profiles as readings of organs; animals without label tell the false profiles of each organ.

    Raises
    ------
    StudyError
        if the organ of a row has no unlabelled sections
    """
    unknowns = {DETECTION: _detection(settings), CV: log_normal(settings.cv)}
    counts, controls = [], {}
    for each in rows:
        where, unlabelled = of_organ(settings.unlabelled, each, "no unlabelled section tells the false profiles",
                                     "`unlabelled` under [readouts.sections]")  # fmt: skip
        name = f"sections: false profiles per organ {where}"
        seen, looked_at = sum(u.profiles for u in unlabelled), sum(u.fraction for u in unlabelled)
        unknowns[name] = Unknown(seen / looked_at, math.inf)
        controls[name] = Count(seen, 0.0, {}, {name: looked_at})
        log_scale = each.log_cells + math.log(profiles_per_cell(settings))
        counts.append(Count(each.value, log_scale, {DETECTION: 1.0}, {name: each.row.fraction}, CV))
    return affine_signals(rows, counts, unknowns, list(controls.values()))


def _detection(settings: Sections) -> Unknown:
    """Logarithm of the detection probability: given, or of its beta posterior under Jeffreys' prior."""
    if settings.detection is not None:
        return log_normal(settings.detection)
    spiked = settings.spiked
    if spiked is None:
        raise StudyError("study.toml: [readouts.sections]: give either `detection` or `spiked`.")
    found, known = spiked.found + 0.5, spiked.known + 1.0
    mean = float(special.digamma(found) - special.digamma(known))
    return Unknown(mean, math.sqrt(float(special.polygamma(1, found) - special.polygamma(1, known))))

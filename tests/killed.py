"""A made-up study of mice killed at their hour, some values below a limit, and its tables as SEND has them."""

from mousestudy import write_rows

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.predict.exposure import exposure
from pbpk.share.send.domains import domains_of

HOURS = (1.0, 24.0, 72.0, 168.0)
HELD = {"lung": (60.0, 30.0, 9.0, 2.0), "liver": (5.0, 20.0, 18.0, 12.0)}
EACH = 3  # mice at each hour


def killed_rows(unit="cells"):
    """One value of each organ of each mouse; the lung at 168 h is below the limit."""
    rows = []
    for i, hours in enumerate(HOURS):
        for mouse in range(EACH):
            animal = f"m{i}{mouse}"
            for organ, means in HELD.items():
                value = means[i] * (1.0 + 0.1 * mouse) * (1e4 if unit == "cells" else 1.0)
                row = {"group": "iv", "animal": animal, "organ": organ, "hours": hours, "unit": unit, "value": value,
                       "lloq": 3e4 if unit == "cells" else 3.0, "source": "notebook 1"}  # fmt: skip
                below = organ == "lung" and hours == 168.0
                rows.append(row | ({"value": "", "below_lloq": "true"} if below else {}))
    return rows


def write_killed(folder, rows=None, **how):
    """Folder of the study; how : of `write_rows`."""
    return write_rows(folder, killed_rows() if rows is None else rows, **how)


def domains(folder):
    """Data sets of a study folder by name."""
    counts = count_cells(read_study(folder))
    return domains_of(counts, exposure(counts))

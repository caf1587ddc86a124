"""A scenario as an array holds what its table holds."""

import numpy as np

from pbpk.report.explore.cube import cube_of
from pbpk.report.shares import shares_at


def test_an_array_holds_the_table(answer):
    cube = cube_of(answer.table, "iv_bolus")
    own = answer.table[answer.table["scenario"] == "iv_bolus"]
    for row in own[own["state"] != "total"].sample(50, random_state=1).to_dict("records"):
        hour, organ = np.searchsorted(cube.hours, row["hours"]), cube.organs.index(row["organ"])
        told = [100.0 * row[q] / row["dose_cells"] for q in ("q2.5", "q50", "q97.5")]
        np.testing.assert_allclose(cube.shares[hour, organ, cube.kinds.index(row["state"])], told)
    assert not cube.late.any()


def test_an_hour_between_is_what_the_tables_say(answer):
    cube = cube_of(answer.table, "portal_vein")
    own = answer.table[answer.table["scenario"] == "portal_vein"]
    for hour in (0.05, 1.0, 17.3, 24.0, 336.0):
        told = shares_at(own, (hour,)).set_index(["organ", "state"])["q50"]
        found = cube.at(hour)
        for o, organ in enumerate(cube.organs):
            for k, kind in enumerate(cube.kinds):
                assert np.isclose(found[o, k, 1], told[organ, kind], rtol=1e-12, atol=1e-300)


def test_what_never_holds_enough_is_not_visible(answer):
    cube = cube_of(answer.table, "iv_bolus")
    assert "lung" in cube.visible
    assert all((cube.shares[:, cube.organs.index(o)] < 0.01).all() for o in set(cube.organs) - set(cube.visible))

import math

import numpy as np
import pytest

from pbpk.assay.readouts.affine import Count, Unknown, affine_signals, log_normal
from pbpk.assay.readouts.settings import Doubtful
from pbpk.errors import StudyError


def test_a_count_in_closed_form(written):
    unknowns = {"log slope": Unknown(math.log(3.0), 0.1), "blank": Unknown(4.0, 0.5), "log cv": Unknown(-2.0, 0.3)}
    count = Count(100.0, math.log(2.0), {"log slope": 1.0}, {"blank": 5.0}, "log cv")
    signals = affine_signals([written(number=7)], [count], unknowns)
    amount, own, by = signals.estimates()
    assert amount == pytest.approx([(100.0 - 20.0) / 6.0])
    assert own == pytest.approx([math.sqrt(100.0 + (80.0 * math.exp(-2.0)) ** 2) / 6.0])
    assert by[0] == pytest.approx([-amount[0], -5.0 / 6.0, 0.0])
    assert signals.rows.tolist() == [7]
    assert signals.response.counted.tolist() == [True]
    assert signals.covariance()[0, 0] == pytest.approx(own[0] ** 2 + (0.1 * amount[0]) ** 2 + (0.5 * 5.0 / 6.0) ** 2)


def test_a_control_has_the_scatter_of_its_count(written):
    start = {"blank": Unknown(7.0, math.inf)}
    signals = affine_signals([], [], start, [Count(64.0, 0.0, {}, {"blank": 10.0})])
    assert signals.shared.mean == pytest.approx([6.4])
    assert np.sqrt(signals.shared.covariance) == pytest.approx(np.array([[0.8]]))


def test_no_event_says_less_than_one():
    none = affine_signals([], [], {"blank": Unknown(0.0, math.inf)}, [Count(0.0, 0.0, {}, {"blank": 10.0})])
    assert none.shared.mean == pytest.approx([0.0])
    assert np.sqrt(none.shared.covariance) == pytest.approx(np.array([[0.1]]))


def test_nothing_is_a_set_of_readings_too():
    amount, own, by = affine_signals([], [], {}).estimates()
    assert (len(amount), len(own), by.shape) == (0, 0, (0, 0))


def test_a_row_knows_its_cells_and_its_count(written):
    assert written(fraction=0.1).log_cells == pytest.approx(math.log(500.0))
    assert written(value=0.0).value == 0.0
    with pytest.raises(StudyError, match=r"row 2: there is no count; fill `value`"):
        _ = written(value=None, lloq=3.0, below_lloq=True).value


def test_a_prior_is_of_the_logarithm():
    assert log_normal(Doubtful(median=2.0, sigma=0.3, source="x")) == Unknown(math.log(2.0), 0.3)

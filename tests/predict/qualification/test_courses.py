"""Courses are those of the study: its doses, its hours, each group and body once."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbpk.body.expansion import read_model
from pbpk.dosing import Dose
from pbpk.predict.qualification.courses import EARLY, SHIPPED, Course, courses_of, shipped_course, some_of

MODEL = read_model("msc", "mouse")
THETA = np.array([float(parameter.prior.value(0.0)) for parameter in MODEL.parameters])
dose = st.builds(
    Dose,
    route=st.sampled_from(["iv", "artery", "portal_vein"]),
    cells=st.floats(1.0, 1e8),
    hours=st.sampled_from([0.0, 0.5, 7.0]),
    duration_h=st.sampled_from([0.0, 0.1, 5.0]),
    viability=st.floats(0.0, 1.0),
)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(dose, min_size=1, max_size=3))
def test_what_has_entered_is_what_the_doses_gave(doses):
    hours = np.array([0.02, 0.6, 6.0, 24.0])
    course = Course("mine", MODEL, THETA, MODEL.schedule(doses), hours, hours, ("lung",), {})
    told = [sum(d.cells * (min((hour - d.hours) / d.duration_h, 1.0) if d.duration_h else 1.0)
                for d in doses if d.hours <= hour) for hour in hours]  # fmt: skip
    np.testing.assert_allclose(course.entered(), told, rtol=1e-12)
    assert course.given == pytest.approx(sum(d.cells for d in doses))
    np.testing.assert_allclose(course.states("full").sum(axis=1), told, rtol=1e-9)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_course_holds_all_that_was_given(name):
    course = shipped_course(name)
    organs = course.organs(course.states("full"))
    assert set(organs) == set(course.model.observed)
    assert all((held >= 0.0).all() for held in organs.values())
    assert set(course.measured) < set(course.hours)


def test_a_study_is_followed_in_each_of_its_groups(posterior, lit):
    (khot,) = courses_of(posterior)
    assert khot.name == "run, iv"
    assert EARLY in khot.hours
    assert EARLY not in khot.measured
    assert khot.given == pytest.approx(100.0)
    assert {course.name for course in courses_of(lit)} == {"run, iv", "run, portal"}
    assert set(khot.seen) == set(posterior.joint.counts.table["organ"])


def test_two_courses_of_one_group_have_names_of_their_own(posterior):
    joint = posterior.joint
    (only,) = joint.experiments
    half = replace(only, schedule=only.schedule.scaled(0.5))
    both = courses_of(replace(posterior, joint=replace(joint, experiments=(only, half))))
    assert [course.name for course in both] == ["run, iv (1)", "run, iv (2)"]
    later = replace(only, hours=only.hours + 1000.0)
    (one,) = courses_of(replace(posterior, joint=replace(joint, experiments=(only, later))))
    assert one.hours.max() == only.hours.max() + 1000.0


def test_many_courses_are_thinned_evenly(msc):
    many = [replace(msc, name=str(i)) for i in range(13)]
    assert [course.name for course in some_of(many, 3)] == ["0", "6", "12"]
    assert some_of(many[:3], 3) == many[:3]

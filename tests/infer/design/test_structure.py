"""What curves settle, against models that are solved by hand, and against curves that are the same."""

import numpy as np
import pytest
from mousestudy import RATE, organ_rows, read_joint, where_released, write_origins, write_rows, write_small

from pbpk.dosing import Dose
from pbpk.errors import StudyError
from pbpk.infer.design.series import Field, null_space
from pbpk.infer.design.structure import DIGITS, EXACT, NUMBERS, circuits, structure

VOLUME = ("mL", "lognormal(median=20, sigma=0.5)")
SHARED = '[recovery]\nabout = "x"\nprior = "lognormal(median=1, sigma=0.3)"\nsource = "none"'


@pytest.fixture
def small(tmp_path):
    """A study of a small model, matched."""

    def write(arrows, observed, parameters, organs, unit="percent_dose", **more):
        priors = {name: RATE for name in parameters} | more.pop("others", {})
        model = write_small(tmp_path / "small.toml", arrows, observed, priors)
        return read_joint(write_rows(tmp_path / "s", organ_rows((1, 5), organs, unit=unit), model=model, **more))

    return write


@pytest.fixture
def origins(tmp_path):
    """Cells in lung, liver and rest; rows are of label in all three, and what else is asked."""

    def write(more=(), **given):
        model = write_origins(tmp_path / "origins.toml", **given)
        rows = organ_rows((1, 24), ("lung", "liver", "rest"))
        return read_joint(write_rows(tmp_path / "s", [*rows, *more], model=model))

    return write


def sets(found):
    return {frozenset(direction.parameters) for direction in found.directions}


ONE = (["a -> gone : clearance / volume"], {"a": ["a"]}, [])
CLEARANCE = {"clearance": ("mL/h", "lognormal(median=1, sigma=0.5)"), "volume": VOLUME}


def test_a_clearance_and_a_volume_are_told_by_a_concentration(small):
    found = structure(small(ONE[0], {"a": ("a", "volume")}, [], ["a"], "cells/mL", others=CLEARANCE))
    assert found.identifiable == ("clearance", "volume")
    assert (found.rank, found.directions, found.by) == (2, (), EXACT)


def test_an_amount_tells_only_their_ratio(small):
    found = structure(small(*ONE, ["a"], others=CLEARANCE))
    assert (found.rank, sets(found)) == (1, {frozenset(CLEARANCE)})
    assert "`clearance` and `volume` can move together" in " ".join(found.sentences)
    assert structure(small(*ONE, ["a"], others=CLEARANCE), known=["vol*"]).identifiable == ("clearance",)


MAMMILLARY = ["a -> b : out", "b -> a : back", "a -> gone : leave_a", "b -> gone : leave_b"]


def test_two_ways_out_of_a_mammillary_model_are_one_too_many(small):
    # seen in a: out + leave_a, back + leave_b and out * back, three numbers for four rates
    rates = ["out", "back", "leave_a", "leave_b"]
    found = structure(small(MAMMILLARY, {"a": ["a"]}, rates, ["a"]))
    assert (found.rank, sets(found)) == (3, {frozenset(rates)})
    one_way = structure(small([*MAMMILLARY[:3], "b -> gone : 0 * leave_a"], {"a": ["a"]}, rates[:3], ["a"]))
    assert one_way.rank == 3
    assert not one_way.directions


CHAIN = ["a -> b : into", "a -> gone : past", "b -> c : onward", "b -> gone : away"]
OBSERVED = {"a": ["a"], "b": ["b"], "c": ["c"]}


@pytest.mark.parametrize(("organs", "rank"), [(["c"], 3), (["c", "b"], 4)])
def test_the_middle_of_a_chain(small, organs, rank):
    # c alone: into * onward and the two sums; with b, whose scale is `into`, everything
    rates = ["into", "past", "onward", "away"]
    found = structure(small(CHAIN, OBSERVED, rates, organs))
    assert found.rank == rank
    assert sets(found) == (set() if rank == 4 else {frozenset(rates)})


def test_what_no_curve_depends_on_is_said_apart(small):
    found = structure(small(CHAIN, OBSERVED, ["into", "past", "onward", "away"], ["a"]))
    assert found.unseen == ("onward", "away")
    assert sets(found) == {frozenset(["into", "past"]), frozenset(["onward"]), frozenset(["away"])}
    assert found.sentences[-1].startswith("Nothing that is measured depends on `onward`, `away`")


def test_a_recovery_hides_behind_a_volume(small):
    arrows, rates = ["a -> gone : away"], ["away"]
    given = {"others": {"volume": VOLUME}, "more": SHARED}
    found = structure(small(arrows, {"a": ("a", "volume")}, rates, ["a"], "cells/mL", **given))
    assert sets(found) == {frozenset(["recovery", "volume"])}
    assert found.identifiable == ("away",)


@pytest.mark.parametrize(("denominator", "unseen"), [("dose", ()), ("recovered", ("lost",)), ("unknown", ("lost",))])
def test_a_share_of_what_was_recovered_does_not_see_what_all_organs_lose(small, denominator, unseen):
    # a / (a + b) = exp(-move t) whatever `lost`; where nobody says which of both it is, the weaker counts
    arrows = ["a -> b : move", "a -> gone : lost", "b -> gone : lost"]
    top = "" if denominator == "dose" else 'harvested = ["a", "b"]'
    found = structure(
        small(arrows, OBSERVED | {"c": ["a"]}, ["move", "lost"], ["a", "b"], denominator=denominator, top=top)
    )
    assert found.unseen == unseen
    assert "move" in found.identifiable


def test_label_cannot_tell_release_from_death_with_a_free_destination(origins):
    found = structure(origins())
    assert sets(found) == {frozenset(["release", "death", "destined"]), frozenset(["death_liver"])}
    assert set(found.identifiable) == {"E_lung", "E_liver"}
    (confounded,) = [s for s in found.sentences if "`release`" in s]
    assert "`death`" in confounded


def test_a_live_readout_or_a_known_destination_tells_them_apart(origins):
    live = structure(origins(organ_rows((24,), ("lung", "liver"), "live")))
    assert (live.rank, live.directions) == (6, ())
    assert live.sentences[0].startswith("Every one of the 6 parameters could be told (by exact arithmetic")
    known = structure(origins(), known=["destined"])
    assert sets(known) == {frozenset(["death_liver"])}
    assert {"release", "death"} <= set(known.identifiable)


def test_along_the_direction_every_label_curve_is_the_same(origins):
    """Section 5.1 of the science: d = r (1 - B_ll) and u_j = B_jl / (1 - B_ll), here all the way between."""
    model = origins().model
    e = {"E_lung": 0.7, "E_liver": 0.4, "E_rest": 0.9}
    back, liver = where_released(*e.values())
    release, death, destined = 0.04, 0.02, 0.3
    hours = np.array([0.5, 3.0, 24.0, 100.0])
    curves, whole = {"label": [], "live": []}, []
    for share in (0.0, 0.3, 1.0):  # of the release that is taken for death instead
        died = death + share * release * (1.0 - back)
        goes = (death * destined + share * release * liver) / died
        values = e | {"release": (1.0 - share) * release, "death": died, "destined": goes, "death_liver": 0.01}
        states = model.solve(np.array([values[n] for n in model.parameter_names]), [Dose("iv", 100.0)], hours)
        for readout, found in curves.items():
            seen = np.transpose([model.observer(organ, readout) for organ in ("lung", "liver", "rest")])
            found.append(states[:, : model.n_lasting] @ seen[: model.n_lasting])
            whole.append((states @ seen)[:, 0])
    first, *others = curves["label"]
    for other in others:
        np.testing.assert_allclose(other, first, rtol=1e-10)
    assert np.abs(curves["live"][2] / curves["live"][0] - 1.0).max() > 0.1
    # cells under way to their next organ are the only difference, and less than the balance is wrong by
    np.testing.assert_allclose(whole[4], whole[0], rtol=2e-4)


def test_only_the_first_seconds_tell_three_extractions_from_two_shares(origins):
    joint = origins(organ_rows((24,), ("lung", "liver"), "live"), rest=("1", "logit_normal(median=0.9, sigma=1)"))
    assert sets(structure(joint)) == {frozenset(["E_lung", "E_liver", "E_rest"])}
    assert not structure(joint, fidelity="full").directions


def test_the_shipped_cells_could_be_told_in_theory(tmp_path):
    """Freed label has one destination for all organs of origin, and that settles it; `expected` says how weakly."""
    joint = read_joint(write_rows(tmp_path / "s", organ_rows()))
    found = structure(joint)
    assert found.rank == len(found.parameters) == len(joint.free) - 2  # without spread and misfit
    assert found.by == EXACT


def test_powers_and_exponentials_are_followed_in_many_digits(small):
    arrows = ["a -> b : (one / two) ** 1.5 * two", "b -> gone : two * exp(-two / two)"]
    found = structure(small(arrows, OBSERVED | {"c": ["b"]}, ["one", "two"], ["b"]))
    assert (found.rank, found.by) == (2, DIGITS)
    product = structure(small(["a -> gone : sqrt(one * two)"], {"a": ["a"]}, ["one", "two"], ["a"]))
    assert (product.by, sets(product)) == (DIGITS, {frozenset(["one", "two"])})


def test_rates_that_move_are_judged_by_numbers(shipped):
    found = structure(shipped("barone"))
    assert found.by == NUMBERS
    assert "no proof" in found.sentences[0]


@pytest.mark.parametrize("word", ["zhuang", "khot", "boeckmann"])
def test_the_answer_hangs_on_no_point_and_no_prime(shipped, word):
    joint = shipped(word)
    assert structure(joint, seed=1) == structure(joint, seed=2)


def test_tissues_in_balance_leave_nothing_to_learn_of_them(shipped):
    assert structure(shipped("boeckmann")).unseen == ("partition_liver", "partition_fast")
    assert not structure(shipped("boeckmann"), fidelity="full").directions


def test_a_known_parameter_must_be_there(shipped):
    with pytest.raises(StudyError, match=r"`wieght_\*` fits no parameter"):
        structure(shipped("zhuang"), known=["wieght_*"])
    with pytest.raises(StudyError, match="nothing to ask"):
        structure(shipped("zhuang"), known=["*"])


def test_circuits_are_as_small_as_can_be():
    field = Field(2147483647)
    rows = np.array([[1, 1, 0, 0, 0], [0, 0, 1, 1, 1]], dtype=np.int64)
    null = null_space(field, rows)
    mixed = field.reduced(null + null[::-1][[0, 0, 1]] * 3)
    assert {len(at) for at in circuits(field, mixed)} == {2}
    assert len(circuits(field, mixed)) == 3

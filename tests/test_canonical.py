"""The same content has one spelling and one hash, whatever order it came in."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbpk.canonical import canonical, digest_of

plain = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
records = st.recursive(
    plain | st.text(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=4)
)


@given(records)
def test_what_is_written_is_read_again(record):
    for indent in (None, 2):
        assert json.loads(canonical(record, indent)) == record
    assert canonical(json.loads(canonical(record, 2))) == canonical(record)


@given(st.dictionaries(st.text(), records, min_size=2, max_size=5))
def test_the_order_of_keys_has_no_say(record):
    backwards = dict(reversed(list(record.items())))
    assert canonical(backwards) == canonical(record)
    assert digest_of(backwards) == digest_of(record)


def test_numbers_of_numpy_are_numbers():
    found = canonical({"a": np.float64(0.1), "b": np.int32(3), "c": np.array([1.5, 2.0]), "d": {"y", "x"}})
    assert found == '{"a":0.1,"b":3,"c":[1.5,2.0],"d":["x","y"]}'


@pytest.mark.parametrize("number", [float("nan"), float("inf"), np.float64("nan")])
def test_what_is_no_number_is_refused(number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"a": number})


def test_what_has_no_spelling_is_refused():
    with pytest.raises(TypeError, match="object has no spelling"):
        canonical({"a": object()})


def test_text_is_hashed_as_it_stands():
    assert digest_of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # FIPS 180-4
    assert digest_of({}) == digest_of("{}")

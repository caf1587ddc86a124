"""A file of checks is read back as it was written, and a changed digit is refused."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pbpk.canonical import digest_of
from pbpk.errors import RunError
from pbpk.predict.audit import FILE as RECORD
from pbpk.predict.audit import read_verified, write_audit
from pbpk.predict.qualification.checks import GROUPS, Check, at_most
from pbpk.predict.qualification.storing import (
    FILE,
    read_qualification,
    write_into_run,
    write_qualification,
)

words = st.text(st.characters(exclude_categories=["Cs"]))
values = st.floats(allow_nan=False) | words.filter(lambda word: word not in ("nan", "inf", "-inf"))
checks = st.builds(Check, group=st.sampled_from(list(GROUPS)), name=words, about=words, value=values, limit=values,
                   unit=words, passed=st.booleans(), sentence=words, source=words)  # fmt: skip
GOOD = at_most("solver", "lung", "one against another", 1e-9, 1e-6, "1", "scipy")
BAD = at_most("oracles", "area", "an area", float("nan"), 1e-9, "1", "Bailer 1988")


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(checks, min_size=1, max_size=4))
def test_what_is_written_is_read_back(tmp_path, some):
    path = tmp_path / "q.json"
    written = write_qualification(some, path)
    assert read_qualification(path) == written
    assert written.checks == tuple(some)
    assert written.passed == all(check.passed for check in some)


def test_a_file_says_when_where_and_with_what(tmp_path):
    found = write_qualification([GOOD, BAD], tmp_path / "q.json")
    told = json.loads((tmp_path / "q.json").read_text())
    assert list(told) == sorted(told)
    assert {"when", "package", "versions", "machine", "sha256", "files"} <= set(told)
    assert told["versions"]["pbpk"] == told["package"]
    assert told["sha256"] == digest_of({key: value for key, value in told.items() if key != "sha256"})
    assert not found.passed
    assert found.failed == (found.checks[1],)
    assert found.checks[1].value != found.checks[1].value  # no number came back as no number
    assert found.table["passed"].tolist() == [True, False]
    assert found.sentence == "1 of 2 checks passed; not all of: oracles: published and closed answers."
    assert write_qualification([GOOD], tmp_path / "p.json").sentence == "1 of 1 checks passed."


def test_the_layout_is_nothing_and_a_digit_is_all(tmp_path):
    path = tmp_path / "q.json"
    write_qualification([GOOD], path)
    told = json.loads(path.read_text())
    path.write_text(json.dumps(told, indent=4))
    assert read_qualification(path).passed
    told["checks"][0]["value"] = 2e-9
    path.write_text(json.dumps(told))
    with pytest.raises(RunError, match="is not what was written"):
        read_qualification(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not readable as JSON"),
        ("[]", "qualification"),
        ("{}", "is missing"),
        ('{"checks": []}', "checks"),
        ('{"more": 1}', "unknown key `more`"),
    ],
)
def test_what_is_no_file_of_checks_is_one_sentence(tmp_path, text, said):
    path = tmp_path / "qualification.json"
    path.write_text(text)
    with pytest.raises(RunError, match=said) as problem:
        read_qualification(path)
    assert str(problem.value).startswith(str(path))
    assert "\n" not in str(problem.value)


def test_a_file_that_is_not_there_or_cannot_be_written(tmp_path):
    with pytest.raises(RunError, match="there is no such file"):
        read_qualification(tmp_path / "q.json")
    with pytest.raises(RunError, match="cannot be written"):
        write_qualification([GOOD], tmp_path / "nowhere" / "q.json")


def test_a_run_is_still_what_was_written(tmp_path):
    (tmp_path / "table.csv").write_text("a\n1\n")
    write_audit(tmp_path, "run")
    for _ in range(2):
        write_into_run([GOOD], tmp_path)
        found = read_verified(tmp_path)
        assert found.passed
        assert found.files == 2
    assert len((tmp_path / RECORD).read_text().splitlines()) == 3


def test_a_record_that_is_missing_or_broken_stays_so(tmp_path):
    write_into_run([GOOD], tmp_path)
    assert (tmp_path / FILE).is_file()
    assert not (tmp_path / RECORD).exists()
    (tmp_path / RECORD).write_text("{}\n")
    write_into_run([GOOD], tmp_path)
    assert (tmp_path / RECORD).read_text() == "{}\n"

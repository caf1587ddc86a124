"""Versions, files and arithmetic of an installation: right ones pass, changed ones are named."""

import base64
import hashlib
from importlib.metadata import PackageNotFoundError, PathDistribution

import numpy as np
import pytest

from pbpk.predict.qualification import installed
from pbpk.predict.qualification.installed import (
    machine,
    of_arithmetic,
    of_installation,
    of_python,
    of_versions,
    read_files,
    read_fingerprint,
    stack,
)

FILES = {"pbpk/__init__.py": "version = 1\n", "pbpk/body/solve.py": "def solve(): ...\n", "pbpk/models/msc.toml": "a\n"}


@pytest.fixture
def wheel(tmp_path):
    """A package as a wheel installs it, with the record of its files."""
    lines = []
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(text)}")
    about = tmp_path / "pbpk-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: pbpk\nVersion: 1\n")
    (about / "RECORD").write_text("\n".join([*lines, "pbpk-1.dist-info/RECORD,,"]) + "\n")
    return tmp_path


def only(wheel):
    (check,) = read_files(PathDistribution(wheel / "pbpk-1.dist-info"), wheel / "pbpk")
    return check


def test_this_installation_passes():
    checks = list(of_installation())
    assert all(check.passed for check in checks), [check.sentence for check in checks if not check.passed]
    assert {"pbpk", "python", "numpy", "pymc", "matrix product"} <= {check.name for check in checks}


def test_files_that_are_what_was_installed_pass(wheel):
    check = only(wheel)
    assert check.passed
    assert "3 compared" in check.sentence
    cache = wheel / "pbpk" / "__pycache__"
    cache.mkdir()
    (cache / "solve.pyc").write_text("compiled")
    assert only(wheel).passed


@pytest.mark.parametrize("name", FILES)
def test_one_changed_file_fails(wheel, name):
    (wheel / name).write_text(FILES[name] + " ")
    check = only(wheel)
    assert not check.passed
    assert check.value == 1.0
    assert f"{name.removeprefix('pbpk/')} is not the file that was installed" in check.sentence


def test_a_file_that_is_gone_or_added_fails(wheel):
    (wheel / "pbpk" / "body" / "solve.py").unlink()
    (wheel / "pbpk" / "more.py").write_text("x = 1\n")
    check = only(wheel)
    assert check.value == 2.0
    assert "solve.py is gone" in check.sentence
    assert "more.py was added" in check.sentence


def test_a_checkout_claims_nothing(wheel):
    (wheel / "pbpk-1.dist-info" / "RECORD").write_text("pbpk-1.dist-info/RECORD,,\n")
    check = only(wheel)
    assert check.limit == "none recorded"
    assert "checkout" in check.sentence
    before = read_fingerprint(wheel / "pbpk")
    (wheel / "pbpk" / "__init__.py").write_text("version = 2\n")
    assert read_fingerprint(wheel / "pbpk") != before


@pytest.mark.parametrize(
    ("line", "passed"),
    [
        ("numpy>=1", [True]),
        ("numpy>=99", [False]),
        ("numpy<1", [False]),
        ("no-such-package-of-ours>=1", [False]),
        ("no-such-package-of-ours>=1; extra == 'report'", []),
        ("numpy>=99; extra == 'report'", [False]),
        ("numpy >= ?", [False]),
    ],
)
def test_versions(line, passed):
    assert [check.passed for check in of_versions([line])] == passed


@pytest.mark.parametrize(
    ("found", "wanted", "passed"),
    [("3.12.1", ">=3.12", True), ("3.11.9", ">=3.12", False), ("3.13.0rc1", ">=3.12", True), ("3.12.1", "?", False)],
)
def test_the_version_of_python(found, wanted, passed):
    assert of_python(found, wanted).passed == passed


def test_a_package_that_is_not_installed_fails(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(installed, "distribution", missing)
    (check,) = of_installation()
    assert not check.passed
    assert list(stack()) == ["pbpk"]


def test_another_version_than_the_installed_one_fails(monkeypatch, verdicts):
    monkeypatch.setattr(installed, "running_version", lambda: "0.0.9")
    assert verdicts(of_installation()) == ["pbpk"]


def test_arithmetic_that_is_off_fails(monkeypatch, verdicts):
    monkeypatch.setattr(installed, "_product", lambda a, b: np.asarray(a @ b) * (1.0 + 1e-12))
    monkeypatch.setattr(installed, "SMALLEST_NORMAL", 0.0)
    assert verdicts(of_arithmetic()) == ["matrix product", "numbers below 2.2e-308"]


def test_the_machine_is_told_in_words():
    told = machine()
    assert all(isinstance(word, str) and word for word in told.values())
    assert told["OMP_NUM_THREADS"] == "1"
    assert told["blas"] != "unknown"

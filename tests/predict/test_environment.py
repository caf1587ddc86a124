"""What computed a run: named, and nothing made up where it cannot be known."""

import subprocess
import sys
from importlib.metadata import version

from pbpk.canonical import canonical
from pbpk.predict import environment
from pbpk.predict.environment import TOLD, installed, read_environment


def test_everything_is_told_and_has_a_spelling():
    told = read_environment()
    assert set(told) == set(TOLD)
    canonical(told)
    assert told["python"] == ".".join(map(str, sys.version_info[:3]))
    assert told["threads"]["OMP_NUM_THREADS"] == "1"  # tests/conftest.py
    assert told["cpu"]["cores"] >= 1
    assert told["blas"]["name"]
    assert len(told["lockfile_sha256"]) == 64


def test_dependencies_are_those_that_are_needed_in_turn():
    found = installed("pbpk")
    assert found["numpy"] == version("numpy")
    assert "markupsafe" in found  # jinja2 needs it
    assert "pbpk" not in found
    assert "pytest" not in found  # only the tests need it
    assert installed("no-such-package") == {}


def test_the_commit_is_that_of_the_checkout(tmp_path):
    def git(*words):
        told = ["-c", "user.name=a", "-c", "user.email=a@b"]
        return subprocess.run(["git", *told, *words], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    assert environment._read_commit(tmp_path) == {"git_commit": None, "dirty": None}
    git("init", "-q")
    (tmp_path / "pbpk").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "pbpk" / "a.py").write_text("1")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    commit = git("rev-parse", "HEAD").strip()
    assert environment._read_commit(tmp_path) == {"git_commit": commit, "dirty": False}
    (tmp_path / "notes.txt").write_text("no say in a result")
    assert environment._read_commit(tmp_path)["dirty"] is False
    (tmp_path / "pbpk" / "a.py").write_text("2")
    assert environment._read_commit(tmp_path) == {"git_commit": commit, "dirty": True}


def test_a_checkout_that_git_cannot_read_tells_nothing(tmp_path):
    (tmp_path / ".git").write_text("nonsense")
    assert environment._read_commit(tmp_path) == {"git_commit": None, "dirty": None}


def test_the_processor_has_a_name_where_linux_says_it(tmp_path):
    told = tmp_path / "cpuinfo"
    told.write_text("processor\t: 0\nmodel name\t: Fast One @ 3 GHz\nflags\t: a b\n")
    assert environment._read_cpu(told) == "Fast One @ 3 GHz"
    told.write_text("processor\t: 0\n")
    assert environment._read_cpu(told) == environment._read_cpu(tmp_path / "nothing")

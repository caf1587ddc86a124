"""What computed a run: the package and its commit, Python, the machine, and every package that had a say."""

import os
import platform
import re
import subprocess
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

import numpy as np
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pbpk.predict.record import read_digest

CHECKOUT = Path(__file__).parents[2]  # where the package stands, a checkout if it has a .git
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
TOLD = ("package", "python", "platform", "cpu", "blas", "threads", "dependencies", "lockfile_sha256")


@cache
def read_environment() -> dict[str, Any]:
    """Read what has a say in the last digits, by the keys of `TOLD`; what cannot be known is None."""
    lock = CHECKOUT / "requirements.lock"
    return {
        "package": {"name": "pbpk", "version": _version("pbpk"), **_read_commit(CHECKOUT)},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": {"name": _read_cpu(), "machine": platform.machine(), "cores": os.cpu_count()},
        "blas": _blas(),
        "threads": {name: os.environ.get(name) for name in THREADS},
        "dependencies": [{"name": name, "version": found} for name, found in sorted(installed("pbpk").items())],
        "lockfile_sha256": read_digest(lock) if lock.is_file() else None,
    }


def installed(name: str) -> dict[str, str]:
    """Version of every package that a package needs, and those need in turn, as they are installed; without itself."""
    found: dict[str, str] = {}
    waiting = [name]
    while waiting:
        asked = waiting.pop()
        try:
            known: Distribution = distribution(asked)
        except PackageNotFoundError:  # of another platform, or an extra nobody asked for
            continue
        key = canonicalize_name(known.metadata["Name"])
        if key in found:
            continue
        found[key] = known.version
        needs = [Requirement(line) for line in known.requires or ()]
        waiting += [need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    found.pop(canonicalize_name(name), None)
    return found


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:  # a checkout that nobody installed
        return None


def _read_commit(folder: Path) -> dict[str, Any]:
    """Commit of a checkout, and whether files of it were changed since; None of both elsewhere."""
    unknown: dict[str, Any] = {"git_commit": None, "dirty": None}
    if not (folder / ".git").exists():
        return unknown
    asked = (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no", "--", "pbpk", "models"])
    try:
        commit, changed = (
            subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True, timeout=10).stdout
            for words in asked
        )
    except (OSError, subprocess.SubprocessError):
        return unknown
    return {"git_commit": commit.strip(), "dirty": bool(changed.strip())}


def _read_cpu(path: Path = Path("/proc/cpuinfo")) -> str:
    """Name of the processor, as Linux tells it, or Python elsewhere."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    named = re.search(r"^model name\s*:\s*(.+)$", text, flags=re.MULTILINE)
    return named.group(1).strip() if named else platform.processor()


def _blas() -> dict[str, Any]:
    found: Any = np.show_config(mode="dicts")
    told = found["Build Dependencies"]["blas"]
    return {"name": told.get("name"), "version": told.get("version")}

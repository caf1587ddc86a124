"""The package on this machine: versions against what is required, files against what was recorded, arithmetic."""

import base64
import csv
import hashlib
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path

import numpy as np
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from pbpk.body.library import LIBRARY
from pbpk.body.solve import THREADS, Array
from pbpk.predict.qualification.checks import Check, at_most, broken, same
from pbpk.predict.record import read_digest

PACKAGE = Path(__file__).parents[2]
NAME = "pbpk"
SIZE = 48  # rows of the matrices whose product is compared
SMALLEST_NORMAL = float(np.finfo(float).smallest_normal)
METADATA = "metadata of the installed distribution (Requires-Dist, Requires-Python)"
RECORD = "RECORD of the installed wheel, PEP 427: SHA-256 of each file"
IEEE = "IEEE 754-2019, binary64"


def of_installation() -> Iterator[Check]:
    """Check versions, files and arithmetic of this installation."""
    try:
        installed = distribution(NAME)
    except PackageNotFoundError:
        yield broken("installation", "distribution", "the package is installed", "pbpk is not installed; install it "
                     "with pip, so that its requirements are known.", METADATA)  # fmt: skip
        return
    yield same("installation", "pbpk", "the package that runs has the version that is installed",
               running_version(), installed.version, METADATA)  # fmt: skip
    yield of_python(platform.python_version(), installed.metadata["Requires-Python"] or "")
    yield from of_versions(installed.requires or [])
    yield from read_files(installed, PACKAGE)
    yield from of_arithmetic()


def running_version() -> str:
    """Version of the package that runs, which a path set by hand may have put before the installed one."""
    return str(sys.modules[NAME].__version__)


def of_python(found: str, wanted: str) -> Check:
    """Check the version of Python."""
    return _version("python", found, wanted)


def of_versions(requirements: Iterable[str]) -> Iterator[Check]:
    """Check the version of each required package, those of extras where they are installed."""
    for line in requirements:
        try:
            asked = Requirement(line)
        except InvalidRequirement as problem:
            yield broken("installation", line, "the version of a required package", f"{problem}.", METADATA)
            continue
        extra = asked.marker is not None and not asked.marker.evaluate({"extra": ""})
        try:
            found = version(asked.name)
        except PackageNotFoundError:
            if not extra:
                yield _version(asked.name, "not installed", str(asked.specifier))
            continue
        yield _version(asked.name, found, str(asked.specifier))


def _version(name: str, found: str, wanted: str) -> Check:
    try:
        passed = found != "not installed" and SpecifierSet(wanted).contains(found, prereleases=True)
    except InvalidSpecifier:
        passed = False
    word = "as required" if passed else "not what is required"
    told = f"{name}: {found}, {word} ({wanted or 'any version'})."
    return Check("installation", name, "the version that is installed is one that is required", found, wanted or "any",
                 "", passed, told, METADATA)  # fmt: skip


def read_files(installed: Distribution, package: Path) -> Iterator[Check]:
    """Compare the files of the package with those that its wheel recorded.

    A checkout has no record: then the digest of its files is told, so that two checkouts can be compared, and nothing
    is claimed of them.
    """
    there = {path.resolve(): path for path in _files(package)}
    recorded = {}
    # not `installed.files`, which leaves out what is gone
    for row in csv.reader((installed.read_text("RECORD") or "").splitlines()):
        name, told = [*row, "", ""][:2]
        path, (kind, _, value) = Path(str(installed.locate_file(name))).resolve(), told.partition("=")
        if kind == "sha256" and path.is_relative_to(package.resolve()):
            recorded[path] = value
    about = "SHA-256 of each file of the package, its models among them"
    if not recorded:
        told = (f"package files: the package runs from a checkout, whose files no wheel recorded; the digest of "
                f"{len(there)} files with {LIBRARY.name}/ is {read_fingerprint(package)}.")  # fmt: skip
        yield Check("installation", "package files", about, read_fingerprint(package), "none recorded", "", True, told,
                    RECORD)  # fmt: skip
        return
    wrong = [f"{path.name} is gone" for path in recorded if path not in there]
    wrong += [f"{path.relative_to(package.resolve())} is not the file that was installed"
              for path in there if path in recorded and _read_hash(path) != recorded[path]]  # fmt: skip
    wrong += [f"{path.relative_to(package.resolve())} was added" for path in there if path not in recorded]
    few = f"{', '.join(wrong[:3])}{' and others' if len(wrong) > 3 else ''}" if wrong else f"{len(recorded)} compared"
    yield at_most("installation", "package files that differ", about, len(wrong), 0.0, "files", RECORD, few)


def read_fingerprint(package: Path = PACKAGE) -> str:
    """SHA-256 over the names and digests of all files of the package and its models."""
    models = [] if LIBRARY.is_relative_to(package) else _files(LIBRARY)
    lines = [f"{path.relative_to(package).as_posix()} {read_digest(path)}" for path in _files(package)]
    lines += [f"{LIBRARY.name}/{path.relative_to(LIBRARY).as_posix()} {read_digest(path)}" for path in models]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _files(package: Path) -> list[Path]:
    """Files that are part of the package, without what Python and the compiler keep beside them."""
    return sorted(path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _read_hash(path: Path) -> str:
    """SHA-256 as RECORD spells it."""
    return base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()


def of_arithmetic() -> Iterator[Check]:
    """Check numbers of this machine: exact products by its BLAS, and numbers too small to be normal."""
    rng = np.random.default_rng(1)
    a, b = rng.integers(-1000, 1000, (2, SIZE, SIZE))
    off = float(np.abs(_product(a.astype(float), b.astype(float)) - a @ b).max())
    yield at_most("installation", "matrix product", "a product of whole numbers by BLAS against whole numbers", off,
                  0.0, "1", IEEE)  # fmt: skip
    kept = bool((np.array([SMALLEST_NORMAL]) / 4.0 > 0.0).all())  # fast-math of some library would make it zero
    yield same("installation", "numbers below 2.2e-308", "a quarter of the smallest normal number is not zero",
               "kept" if kept else "taken as zero", "kept", IEEE)  # fmt: skip


def _product(a: Array, b: Array) -> Array:
    """By BLAS, as only floats are."""
    return np.asarray(a @ b)


def machine() -> dict[str, str]:
    """What this machine is, in words; it is recorded and not judged."""
    blas: Mapping[str, str] = np.show_config(mode="dicts")["Build Dependencies"]["blas"]  # type: ignore[assignment]
    threads = {name: os.environ.get(name, "not set") for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": platform.platform(),
        "architecture": f"{platform.machine()}, {sys.byteorder}-endian",
        "processor": _read_processor(),
        "cores": str(os.cpu_count()),
        "blas": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
        "threads of forecasts": str(THREADS),
        **threads,
    }


def _read_processor() -> str:
    """Name of the processor, where the system tells it."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8", errors="replace").splitlines() if told.is_file() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or "unknown"


def stack() -> dict[str, str]:
    """Versions of the package and of everything that it requires, extras where they are installed."""
    found = {NAME: running_version()}
    try:
        requirements = [Requirement(line).name for line in distribution(NAME).requires or []]
    except PackageNotFoundError:
        requirements = []
    for name in requirements:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found

"""The shape of the package, held by tests: sizes, names, twins, who may touch the disk, the wheel."""

import ast
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import pbpk

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pbpk"
FILES = sorted(PACKAGE.rglob("*.py"))

LONGEST_FILE = 400
LONGEST_FUNCTION = 80
SAYS_NOTHING = {
    *("utils", "util", "helpers", "helper", "common", "misc", "base", "core", "types"),
    *("manager", "handler", "service", "processor", "engine"),
}
HEAVY = {"arviz", "matplotlib", "numba", "nutpie", "pandas", "pymc", "pytensor", "scipy", "sympy", "xarray"}

# Methods that touch the disk whoever owns them; `rename` and `replace` need a look at their arguments.
DISK_CALLS = {
    *("open", "read_text", "read_bytes", "write_text", "write_bytes"),
    *("mkdir", "makedirs", "rmdir", "unlink", "touch", "symlink_to", "hardlink_to"),
    *("savefig", "to_netcdf", "from_netcdf"),
    *("open_dataset", "open_datatree", "load_dataset", "load_datatree"),
    *("to_csv", "to_excel", "to_parquet", "read_csv", "read_excel", "read_parquet"),
}
MAY_TOUCH = ("read_", "write_", "_read", "_write")

# A path that begins at the root of somebody's machine; part of a web address or of a longer path is not one.
TOPS = "|".join(("work", "tmp", "root", "home"))
MACHINE_PATH = re.compile(rf"(?:(?<![\w.~/-])|(?<=file://))/(?:{TOPS})/")
TRAVELS = ["pbpk", "models", "data", "notebooks", ".ci"]
TRAVELS += ["README.md", "Makefile", "pyproject.toml", "requirements.lock", "CHANGELOG.md", "CITATION.cff"]

each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def touches_disk(call: ast.Call) -> bool:
    """Whether a call opens, makes, moves or removes something on disk, judged by its spelling."""
    match call.func:
        case ast.Name(id="open"):
            return True
        case ast.Attribute(value=ast.Name(id="tempfile")):
            return True
        case ast.Attribute(value=ast.Name(id="shutil"), attr=name):
            return name not in {"which", "get_terminal_size"}
        case ast.Attribute(value=ast.Name(id="os"), attr="rename" | "replace" | "remove"):
            return True
        case ast.Attribute(attr="rename" | "replace"):
            # path.replace(target); not text.replace(old, new), replace(dose, cells=1) or frame.rename({...})
            one = call.args[0] if len(call.args) == 1 and not call.keywords else None
            return one is not None and not isinstance(one, ast.Dict | ast.DictComp | ast.Constant)
        case ast.Attribute(attr=name):
            return name in DISK_CALLS
    return False


def trespasses(node: ast.AST) -> Iterator[int]:
    """Lines below `node` that touch the disk outside a function allowed to."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and child.name.startswith(MAY_TOUCH):
            continue
        if isinstance(child, ast.Call) and touches_disk(child):
            yield child.lineno
        yield from trespasses(child)


def test_there_is_a_package_to_look_at():
    assert FILES, "no file found in pbpk/: every test below would pass unseen"


@each_file
def test_a_file_is_a_room(file):
    assert len(file.read_text().splitlines()) <= LONGEST_FILE, "split this file by question"


@each_file
def test_a_function_fits_one_look(file):
    lengths = {
        f"{f.name} (line {f.lineno})": (f.end_lineno or f.lineno) - f.lineno + 1
        for f in functions(ast.parse(file.read_text()))
    }
    assert not {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION}


@each_file
def test_every_file_has_its_test(file):
    if file.name.startswith("__"):
        return
    twin = ROOT / "tests" / file.relative_to(PACKAGE).parent / f"test_{file.name}"
    assert twin.exists(), f"write {twin.relative_to(ROOT)}"


def test_every_name_says_something():
    paths = [path for top in ("pbpk", "models", "notebooks", "tests") for path in (ROOT / top).rglob("*")]
    stems = {path: path.name.split(".")[0].lower().strip("_").removeprefix("test_") for path in paths}
    nothing = [str(path.relative_to(ROOT)) for path, stem in stems.items() if stem in SAYS_NOTHING]
    classes = [
        f"{file.relative_to(ROOT)}: class {node.name}"
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ClassDef) and node.name.lower().strip("_") in SAYS_NOTHING
    ]
    assert not nothing + classes


@each_file
def test_only_readers_and_writers_touch_the_disk(file):
    if file == PACKAGE / "cli.py" or file.parent == PACKAGE / "commands":
        return
    lines = list(trespasses(ast.parse(file.read_text())))
    assert not lines, f"lines {lines}: move this into a function named read_… or write_…"


@pytest.mark.parametrize(
    "code",
    [
        "open('a')",
        "path.open()",
        "def save(p): p.write_text('x')",
        "def f(p, q):\n  p.replace(q)",
        "os.replace(a, b)",
        "class A:\n  def go(self): self.folder.mkdir()",
        "shutil.rmtree(a)",
        "def f(figure): figure.savefig(name)",
        "f = lambda p: pd.read_csv(p)",
    ],
)
def test_the_disk_rule_sees(code):
    assert list(trespasses(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "def read_study(p): return p.read_text()",
        "def write_report(p):\n  def line(x): p.write_text(x)",
        "def _read_rows(p): return open(p)",
        "text.replace('a', 'b')",
        "dataclasses.replace(dose, cells=1)",
        "table.rename(columns=new)",
        "draws.rename({'a': 'b'})",
    ],
)
def test_the_disk_rule_lets_pass(code):
    assert not list(trespasses(ast.parse(code)))


def test_importing_pbpk_is_light():
    code = "import sys, pbpk; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert loaded.returncode == 0, loaded.stderr
    assert not HEAVY & set(loaded.stdout.split())


def test_no_public_name_hides_a_room():
    rooms = {path.stem for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert pbpk.__all__
    assert not rooms & set(pbpk.__all__), "a function with a room's name breaks `pbpk.room.file`"
    assert len(set(pbpk.__all__)) == len(pbpk.__all__), "a public name stands twice in pbpk.__all__"


def test_the_models_travel_in_the_wheel(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    made = subprocess.run(build, cwd=ROOT, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    ours = {path.relative_to(ROOT) for path in (ROOT / "models").rglob("*") if path.is_file()}
    assert "pbpk/models/msc.toml" in inside
    assert {f"pbpk/{path.as_posix()}" for path in ours} <= inside
    assert {path.relative_to(ROOT).as_posix() for path in FILES} <= inside


def text_files() -> Iterator[tuple[Path, str]]:
    for top in map(ROOT.joinpath, TRAVELS):
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts):
                try:
                    yield path, path.read_text(encoding="utf-8")
                except UnicodeDecodeError:
                    continue


def test_no_machine_is_named():
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path, text in text_files()
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]
    assert not found


def test_the_lock_is_hashed_and_names_no_index():
    text = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^[\w.-]+==.*(?:\n    .*)*", text, flags=re.MULTILINE)
    assert pins
    assert all("--hash=sha256:" in pin for pin in pins)
    assert not re.search(r"://|^\s*-(?:i|f|-index|-extra-index|-find-links)", text, flags=re.MULTILINE)

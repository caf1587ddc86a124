"""Where model, species and scenario files lie: a path the user gives, or a name in the shipped `models/`."""

from pathlib import Path
from types import ModuleType

from pbpk.errors import InputError, did_you_mean

_PACKAGE = Path(__file__).parents[1]
# inside the package in an installed wheel, beside it in a checkout
LIBRARY = next(p for p in (_PACKAGE / "models", _PACKAGE.parent / "models") if p.is_dir())


def read_path(kind: str, name: str | Path, error: type[InputError]) -> Path:
    """Path of a file by its path or by its shipped name.

    Parameters
    ----------
    kind : folder inside `models/`, or "" for the models themselves

    Raises
    ------
    InputError
        of the given kind, if there is neither such a file nor such a name
    """
    as_path = Path(name)
    if as_path.suffix == ".toml":
        if as_path.is_file():
            return as_path.resolve()
        raise error(f"{as_path}: there is no such file.")
    folders = (LIBRARY / kind, *([] if kind else [LIBRARY / "published", LIBRARY / "examples"]))
    shipped = {path.stem: path for folder in folders for path in folder.glob("*.toml")}
    if str(name) in shipped:
        return shipped[str(name)]
    what = {"": "model", "scenarios": "scenario"}.get(kind, kind)
    raise error(f"there is no {what} named `{name}`.{did_you_mean(str(name), shipped)}")


def read_names(kind: str) -> list[str]:
    """Names of the shipped files of a kind, in order."""
    return sorted(path.stem for path in (LIBRARY / kind).glob("*.toml"))


def read_source(module: ModuleType) -> bytes:
    """Source text of a module, to tell one version of a compiled function from another."""
    return Path(str(module.__file__)).read_bytes()

"""Keys of TOML and JSON: what stands there and in which line, where a prior is written, what a source key means."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pbpk.place import lines
from pbpk.predict.lineage.folder import RunFolder
from pbpk.predict.lineage.source import KEY, Source

NAMES = ("key", "name", "id")  # by which a member of a list is called
SPLIT = re.compile(r"[\s;]+")  # between the sources of one number
LONGEST = 200  # letters of a value that are told

type Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Found:
    """What stands at a key; line : None in JSON, and where the text does not tell."""

    value: Any
    line: int | None

    @property
    def words(self) -> str:
        """Value in one line."""
        told = self.value if isinstance(self.value, str) else _spelt(self.value)
        told = " ".join(told.split())
        return told if len(told) <= LONGEST else told[: LONGEST - 1] + "…"


def read_found(folder: RunFolder, source: Source) -> Found | None:
    """Look up what a source names in a TOML or JSON file; None where there is no such key."""
    text, held = folder.read_keys(source.file)
    if KEY not in source.rows:
        return _member(held, source)
    path = _path(held, source.rows[KEY])
    if path is None and "organs" in held:  # an animal, whose numbers models call volume_lung
        kind, _, organ = source.rows[KEY].partition("_")
        path = _path(held["organs"], f"{organ}.{kind}")
        path = None if path is None else ("organs", *path)
    if path is None:
        return None
    known = {} if source.file.endswith(".json") else folder.once(("lines", source.file), lambda: lines(text))
    around = (known.get(path[:length]) for length in range(len(path), 0, -1))
    return Found(_at(held, path), next((line for line in around if line is not None), None))


def _member(held: Any, source: Source) -> Found | None:
    """Member of a list that has all the values that the source names."""
    for value in held.values() if isinstance(held, dict) else ():
        for each in value if isinstance(value, list) else ():
            if isinstance(each, dict) and all(str(each.get(k)) == v for k, v in source.rows.items()):
                return Found(each, None)
    return None


def _path(held: Any, dotted: str) -> Path | None:
    """Path to a dotted key, of which the parts may hold dots themselves; `authors[1]` is the first author."""
    if not dotted:
        return ()
    if isinstance(held, list):
        for i, each in enumerate(held):
            for name in NAMES:
                said = str(each.get(name, "")) if isinstance(each, dict) else ""
                if said and (dotted == said or dotted.startswith(f"{said}.")):
                    rest = _path(each, dotted[len(said) + 1 :])
                    return None if rest is None else (i, *rest)
        return None
    if not isinstance(held, dict):
        return None
    for name in sorted(held, key=len, reverse=True):
        if found := re.fullmatch(re.escape(name) + r"(?:\[(\d+)\])?(?:\.(.*))?", dotted, re.DOTALL):
            inside, path = held[name], cast(Path, (name,))
            if found[1] is not None:
                place = int(found[1]) - 1
                if not isinstance(inside, list) or not 0 <= place < len(inside):
                    continue
                inside, path = inside[place], (name, place)
            rest = _path(inside, found[2] or "")
            if rest is not None:
                return (*path, *rest)
    return None


def _at(held: Any, path: Path) -> Any:
    for part in path:
        held = held[part]
    return held


def _spelt(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} = {_spelt(each)}" for name, each in value.items())
    if isinstance(value, list):
        return "; ".join(_spelt(each) for each in value)
    return str(value)


# ---- where a prior is written -----------------------------------------------------------------------------------


def read_prior(folder: RunFolder, name: str, about: str, cited: str) -> list[Source]:
    """Find the table of a parameter in the files of model, animal or study; what it says tells templates apart.

    about, cited : meaning and sources of the parameter as parameters.csv has them
    """
    for file in _priors_in(folder):
        _, held = folder.read_keys(file)
        entries = [(path, entry) for path, entry in _walk(held, ()) if "prior" in entry]
        exact = [path for path, _ in entries if path[-1] == name]
        filled = [path for path, entry in entries if _is_template(str(path[-1]), name)
                  and entry.get("about") == about and entry.get("source") == cited]  # fmt: skip
        for path in (*exact, *filled):
            return [Source(file, {KEY: ".".join(map(str, path))})]
    for file in (name for name in folder.inputs if name.startswith("species/") and folder.holds(name)):
        whole = Source(file, {KEY: name})
        if read_found(folder, whole) is not None:
            return [whole]
    if name.startswith("weight_"):
        return folder.read_select(folder.of_study("organ_weights.csv"), organ=name.removeprefix("weight_"))
    manifest = Source("manifest.json", {KEY: f"priors.{name}"})
    return [manifest] if read_found(folder, manifest) is not None else []


def _priors_in(folder: RunFolder) -> list[str]:
    """Files in which priors may stand, the model that was asked for before those it takes keys from."""
    asked = f"model/{str(folder.manifest.get('model', '')).partition(':')[0].rpartition('/')[2]}"
    files = [name for name in folder.inputs if name.startswith("model/")]
    files.sort(key=lambda name: name.removesuffix(".toml") != asked.removesuffix(".toml"))
    return [name for name in (*files, folder.of_study("study.toml")) if folder.holds(name)]


def _walk(held: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    if isinstance(held, dict):
        if path:
            yield path, held
        for name, each in held.items():
            yield from _walk(each, (*path, name))


def _is_template(template: str, name: str) -> bool:
    """Whether a name is a template filled.

    >>> _is_template("loss_{organ}", "loss_lung"), _is_template("loss_lung", "loss_liver")
    (True, False)
    """
    parts = re.split(r"\{\w+\}", template)
    return len(parts) > 1 and re.fullmatch(r"\w+".join(map(re.escape, parts)), name) is not None


# ---- what a source key means ------------------------------------------------------------------------------------


def read_references(folder: RunFolder, words: str) -> list[Source]:
    """Find what is behind source keys, as `khot_2019:7; ganusov_2014`: rows that were copied from a paper, or entries.

    Words that are no key, as "single-copy gene, diploid", lead nowhere.
    """
    found: list[Source] = []
    for word in dict.fromkeys(SPLIT.split(words.strip())):
        rows = [place for file in _copied(folder) for place in folder.read_select(file, row=word)] if word else []
        found += rows or _entry(folder, word.partition(":")[0])
    return list({str(each): each for each in found}.values())


def _copied(folder: RunFolder) -> Sequence[str]:
    """Tables of rows as papers have them."""
    names = (folder.of_study(name) for name in ("source_rows.csv", "weights_source_rows.csv"))
    return [name for name in names if folder.holds(name) and "row" in folder.read_table(name).columns]


def _entry(folder: RunFolder, key: str) -> list[Source]:
    files = [
        folder.of_study("study.toml"),
        *(name for name in folder.inputs if name.startswith(("model/", "species/"))),
    ]
    for file in files:
        place = Source(file, {KEY: f"sources.{key}"})
        if key and folder.holds(file) and read_found(folder, place) is not None:
            return [place]
    return []

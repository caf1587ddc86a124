"""Several studies that are fitted together: a file that names their folders and what they have in common."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pydantic

from pbpk.assay.study import Study, read_study
from pbpk.errors import StudyError, did_you_mean
from pbpk.reading import Schema, read_toml

How = Literal["shared", "own", "scaled"]


class Member(Schema):
    """One study of a collection; its name is that of its folder unless it has another."""

    folder: str
    name: str = ""


class CollectionFile(Schema):
    """A collection as written.

    sharing : parameter or pattern -> how all studies share it, or study -> how; later lines hold over earlier ones
    """

    title: str
    studies: list[Member] = pydantic.Field(min_length=2)
    sharing: dict[str, How | dict[str, How]] = pydantic.Field(default_factory=dict)


@dataclass(frozen=True)
class Collection:
    """Studies by their names, in the order in which they were named, and how they share parameters."""

    file: Path
    title: str
    studies: dict[str, Study]
    sharing: dict[str, How | dict[str, How]]


def read_collection(path: str | Path) -> Collection:
    """Read a collection and each of its studies; folders are looked up from where the file is.

    Raises
    ------
    StudyError
        one sentence: file, key, what to do
    """
    path = Path(path)
    if not path.is_file():
        raise StudyError(f"{path}: there is no such file.")
    written = read_toml(path, CollectionFile, StudyError)
    studies: dict[str, Study] = {}
    for member in written.studies:
        folder = Path(path.parent, member.folder)
        name = member.name or folder.resolve().name
        if name in studies:
            raise StudyError(f"{path}: two studies are called `{name}`; give one of them another `name`.")
        studies[name] = read_study(folder)
    for parameter, said in written.sharing.items():
        for study in said if isinstance(said, dict) else ():
            if study not in studies:
                raise StudyError(f"{path}: sharing.{parameter}: there is no study `{study}`."
                                 + did_you_mean(study, studies))  # fmt: skip
    return Collection(path, written.title, studies, written.sharing)

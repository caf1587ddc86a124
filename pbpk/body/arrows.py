"""Arrow lines and placeholders: one line of a model file stands for an arrow in each organ of a group."""

import re
from collections.abc import Mapping

from pbpk.body.modelfile import ModelFile
from pbpk.body.rates import PLACEHOLDER, parse_rate
from pbpk.errors import ModelFileError, did_you_mean

END = re.compile(r"(?:[\w.-]|\{\w+\})+")  # a state at an end of an arrow


class Line:
    """One arrow line, read and filled for each organ of its group; `at` leads to it in its file."""

    def __init__(self, text: str, groups: Mapping[str, list[str]], at: tuple[str | int, ...] = ("arrows",)) -> None:
        self.at = at
        arrow, colon, rate = text.partition(":")
        source, dash, target = (part.strip() for part in arrow.partition("->"))
        if not (colon and dash and END.fullmatch(source) and END.fullmatch(target) and rate.strip()):
            raise self.refusal(f"`{text}` is not of the form `from -> to : rate`.")
        self.text = " ".join(text.split())
        self.head = " ".join(arrow.split())
        try:
            self.rate = parse_rate(rate.strip())
        except ModelFileError as problem:
            raise self.refusal(f"`{self.head}`: {problem}") from None
        placeholders = sorted(set(PLACEHOLDER.findall(text)))
        unknown = [group for group in placeholders if group not in groups]
        if unknown:
            raise self.refusal(f"`{self.text}`: no group `{unknown[0]}`.{did_you_mean(unknown[0], groups)}")
        if len(placeholders) > 1:
            raise self.refusal(f"`{self.text}` has more than one placeholder; use one.")
        self.group = placeholders[0] if placeholders else ""
        self.organs = tuple(groups[self.group]) if self.group else ("",)
        self.sources = [self.fill(source, organ) for organ in self.organs]
        self.targets = [self.fill(target, organ) for organ in self.organs]
        if any(a == b for a, b in zip(self.sources, self.targets, strict=True)):
            raise self.refusal(f"`{self.head}` leads from a state to itself; correct one end, or remove the arrow.")

    def refusal(self, sentence: str) -> ModelFileError:
        """Error about this line, to be raised."""
        place = ".".join(str(part) for part in self.at[:3] if isinstance(part, str))
        return ModelFileError(f"{place}: {sentence}", at=self.at)

    def fill(self, text: str, organ: str) -> str:
        """Text with the organ in place of the placeholder."""
        return text.replace("{" + self.group + "}", organ) if self.group else text


def arrow_lines(written: list[str], groups: Mapping[str, list[str]]) -> list[Line]:
    """Every arrow line of a model, each once."""
    lines: list[Line] = []
    for i, text in enumerate(written):
        line = Line(text, groups, ("arrows", i))
        if line.text in [before.text for before in lines]:
            raise line.refusal(f"`{line.text}` stands there twice; remove one.")
        lines.append(line)
    return lines


def fill(text: str, groups: Mapping[str, list[str]], at: tuple[str | int, ...] = ()) -> list[str]:
    """Text once for each organ of the group named in its placeholder; `at` leads to it in its file."""
    found = PLACEHOLDER.findall(text)
    if not found:
        return [text]
    if found[0] not in groups:
        raise ModelFileError(f"`{text}`: no group `{found[0]}`.{did_you_mean(found[0], groups)}", at=at)
    return [text.replace("{" + found[0] + "}", organ) for organ in groups[found[0]]]


def split_organs(given: ModelFile, split: Mapping[str, list[str]]) -> tuple[list[str], dict[str, list[str]]]:
    """Organs and groups with split organs replaced by their parts; `{organ}` always means all of them."""
    for organ in split:
        if organ not in given.organs:
            raise ModelFileError(f"split: there is no organ `{organ}`.{did_you_mean(organ, given.organs)}")

    def replaced(names: list[str]) -> list[str]:
        return [part for name in names for part in split.get(name, [name])]

    for place, named in (("organs", given.organs), *((f"groups.{n}", m) for n, m in given.groups.items())):
        twice = [name for name in named if named.count(name) > 1]
        if twice:
            again = len(named) - 1 - named[::-1].index(twice[0])
            sentence = f"{place}: `{twice[0]}` stands there twice; name it once."
            raise ModelFileError(sentence, at=(*place.split(".", 1), again))
    if "organ" in given.groups:
        raise ModelFileError(
            "groups.organ: `{organ}` is every organ already; choose another name.", ("groups", "organ")
        )
    groups = {name: replaced(members) for name, members in given.groups.items()}
    organs = replaced(given.organs)
    for name, members in groups.items():
        for member in members:
            if member not in (*organs, *given.sites):
                sentence = f"groups.{name}: `{member}` is not an organ.{did_you_mean(member, organs)}"
                raise ModelFileError(sentence, at=("groups", name, given.groups[name].index(member)))
    return organs, groups | {"organ": organs}

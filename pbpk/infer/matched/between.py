"""How animals differ from each other: a deviate for each of them, of what it got and of the parameters that vary.

An animal's parameter is the median animal's, moved on its natural scale (the logarithm, or the log-odds of a share) by
`between_NAME` times a standard-normal deviate. `dose` is what all organs of an animal have in common: the part of the
dose that it really got. Deviates may go together: then they are those of a Cholesky factor made of partial
correlations. A mean of n animals has one deviate, 1/sqrt(n) as large (to first order in the SD between animals).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pbpk.assay.animals import of_subject
from pbpk.assay.study import Study
from pbpk.body.model import Model, Parameter
from pbpk.body.prior import Prior, parse_prior
from pbpk.errors import ModelFileError, StudyError, did_you_mean

DOSE = "dose"
DEVIATE = "animal:"  # how the name of every deviate begins
STANDARD = Prior("normal", 0.0, 1.0)


@dataclass(frozen=True)
class Between:
    """What varies between animals, and which animals there are.

    varied : `dose` or names of parameters of the model
    together : names whose deviates are correlated, each block by itself
    subjects : (subject,) as "group:animal"; of_row : (row,) subject that each row of the counts saw
    share : (subject,) size of its deviates, 1 for an animal, 1/sqrt(n) for a mean of n
    parameters : SDs, partial correlations, then the deviates
    """

    varied: tuple[str, ...]
    together: tuple[tuple[str, ...], ...]
    subjects: tuple[str, ...]
    of_row: NDArray[np.int64]
    share: NDArray[np.float64]
    parameters: tuple[Parameter, ...]

    @property
    def kinetic(self) -> tuple[str, ...]:
        """Parameters of the model that vary: each animal is then followed by itself."""
        return tuple(name for name in self.varied if name != DOSE)

    def shifts(
        self, theta: Any, names: tuple[str, ...], functions: Any = np, only: int | None = None
    ) -> dict[str, Any]:
        """How far each animal lies from the median one on the natural scale of what varies, name -> (..., subject).

        theta : (..., estimated) of any array kind that has sqrt in `functions`
        only : the one subject that is asked for; of many animals, each is then worked out once
        """
        asked = range(len(self.subjects)) if only is None else [only]
        subjects, share = [self.subjects[i] for i in asked], self.share[list(asked)]
        place = {name: i for i, name in enumerate(names)}
        apart = {
            name: theta[..., np.array([place[deviate(name, subject)] for subject in subjects])] for name in self.varied
        }
        for block in self.together:
            apart |= _mixed(block, {name: apart[name] for name in block}, theta, place, functions)
        return {name: theta[..., [place[f"between_{name}"]]] * share * apart[name] for name in self.varied}


def deviate(name: str, subject: str) -> str:
    """Name of the deviate of one animal."""
    return f"{DEVIATE}{name}:{subject}"


def _mixed(
    block: tuple[str, ...], apart: Mapping[str, Any], theta: Any, place: Mapping[str, int], functions: Any
) -> dict[str, Any]:
    """Correlated deviates from independent ones (Lewandowski, Kurowicka & Joe 2009: partial correlations)."""
    mixed = {}
    for i, name in enumerate(block):
        left, total = 1.0, 0.0
        for other in block[:i]:
            weight = theta[..., [place[f"correlation_{other}_{name}"]]] * functions.sqrt(left)
            left, total = left - weight**2, total + weight * apart[other]
        mixed[name] = total + functions.sqrt(left) * apart[name]
    return mixed


def between_of(study: Study, model: Model, table: pd.DataFrame) -> Between | None:
    """What a study says varies between its animals; None where it says nothing.

    Raises
    ------
    StudyError
        if something varies that cannot, or no row names an animal
    """
    asked = study.about.between
    place = study.folder / "study.toml"
    if not asked:
        if study.about.correlated:
            raise StudyError(f"{place}: [[correlated]] needs [between.NAME] for each of its parameters.")
        return None
    priors = {parameter.name: parameter.prior for parameter in model.parameters}
    for name in asked:
        if name != DOSE and name not in priors:
            raise StudyError(f"{place}: between.{name}: it is not a parameter of {model.name}, nor `dose`."
                             + did_you_mean(name, (DOSE, *priors)))  # fmt: skip
        if name != DOSE and priors[name].is_fixed:
            raise StudyError(f"{place}: between.{name}: it is fixed in {model.name}; give it a prior, or leave it out.")
    if DOSE in asked and study.about.denominator != "dose":
        raise StudyError(f"{place}: between.dose: percentages are of what was recovered, which what an animal got "
                         "does not change; leave it out.")  # fmt: skip
    _check_table(study, table)
    subjects, of_row, share = _subjects(table)
    parameters = [
        Parameter(f"between_{name}", f"SD between animals of the {_scale(name, priors)}", "1",
                  _prior(entry.prior, f"{place}: between.{name}: "), entry.source)
        for name, entry in asked.items()
    ]  # fmt: skip
    for entry in study.about.correlated:
        believed = _prior(entry.prior, f"{place}: correlated: ")
        parameters += [
            Parameter(f"correlation_{other}_{name}", f"correlation between animals of {other} and {name}, given those "
                      "that stand before them", "1", believed, entry.source)
            for i, name in enumerate(entry.parameters) for other in entry.parameters[:i]
        ]  # fmt: skip
    parameters += [
        Parameter(deviate(name, subject), f"{name} of {subject.replace(':', ' ')}, in SDs between animals", "1",
                  STANDARD, asked[name].source)
        for name in asked for subject in subjects
    ]  # fmt: skip
    together = tuple(tuple(entry.parameters) for entry in study.about.correlated)
    return Between(tuple(asked), together, subjects, of_row, share, tuple(parameters))


def _scale(name: str, priors: Mapping[str, Prior]) -> str:
    if name == DOSE:
        return "logarithm of what an animal really got"
    return f"{'log-odds' if priors[name].form == 'logit_normal' else 'logarithm'} of {name}"


def _prior(text: str, place: str) -> Prior:
    try:
        return parse_prior(text)
    except ModelFileError as problem:
        raise StudyError(f"{place}{problem}") from None


def _check_table(study: Study, table: pd.DataFrame) -> None:
    """Refuse data in which what animals differ by cannot be followed."""
    place = study.measurements_file
    if len({(g, of_subject(a)) for g, a in zip(table["group"], table["animal"], strict=True) if a}) < 2:
        raise StudyError(f"{place}: [between] in study.toml needs rows of at least two animals, with `animal` filled; "
                         "means of groups do not tell animals apart.")  # fmt: skip
    mean = table["animal"] == ""
    for what, wrong in (("an SD", table["sd"].notna()), ("a range", table["low"].notna())):
        if (mean & wrong).any():
            raise StudyError(f"{place}: {what} of several animals cannot stand beside single ones where [between] is "
                             "asked; give single values, or a study of its own.")  # fmt: skip


def _subjects(table: pd.DataFrame) -> tuple[tuple[str, ...], NDArray[np.int64], NDArray[np.float64]]:
    """Subjects, that of each row, and the size of each one's deviates."""
    names = [f"{row.group}:{of_subject(str(row.animal)) or f'mean at {row.hours:g} h'}" for row in table.itertuples()]
    subjects = tuple(dict.fromkeys(names))
    of_row = np.array([subjects.index(name) for name in names], dtype=np.int64)
    n = table["n"].to_numpy(float)
    return subjects, of_row, np.array([1.0 / np.sqrt(n[of_row == s].max()) for s in range(len(subjects))])

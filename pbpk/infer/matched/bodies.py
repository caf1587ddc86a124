"""The model in the body of each animal of a study whose weight or sex is known."""

from pbpk.assay.study import Study
from pbpk.body.model import Model
from pbpk.body.physiology import in_animal, takes_animal
from pbpk.body.scaling import read_allometry, scaled
from pbpk.errors import ModelFileError, SpeciesError, StudyError


def bodies_of(model: Model, study: Study) -> dict[tuple[str, str], Model]:
    """Model in each animal of `animals.csv`, by group and animal; an empty animal is the whole group's.

    A model that brings all its numbers itself is the same in every body. A sex counts where the species has numbers of
    its own for it; where it has none, it is a record.

    Raises
    ------
    StudyError
        if a weight or a sex is none that the species can have
    """
    law = read_allometry() if study.animals else None
    bodies: dict[tuple[str, str], Model] = {}
    for line, row in enumerate(study.animals, start=2):
        sex = row.sex if model.species.sexes else None
        if (row.body_weight_g is None and sex is None) or not takes_animal(model, model.species):
            continue
        try:
            animal = scaled(model.species, row.body_weight_g, sex, law)
            bodies[row.group, row.animal] = in_animal(model, animal)
        except (SpeciesError, ModelFileError) as problem:
            raise StudyError(f"{study.folder / 'animals.csv'}: row {line}: {problem}") from None
    return bodies

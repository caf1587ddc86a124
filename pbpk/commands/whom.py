"""Whom a command asks: a run, in its animal or in another, or the prior of a model."""

from dataclasses import dataclass
from pathlib import Path

from pbpk.body.physiology import chosen
from pbpk.errors import InputError
from pbpk.predict.extrapolation import animal_of
from pbpk.predict.forecast import DRAWS
from pbpk.predict.origin import Origin, read_prior, read_run
from pbpk.predict.scenario import names_animal


@dataclass(frozen=True)
class Whom:
    """Whom a command asks: a run folder, or a model's prior, in its own animal or in another.

    run : folder, or the name or file of a model
    """

    run: str
    species: str | None = None
    body_weight: float | None = None
    sex: str | None = None
    rates: str = "carried"
    label: str | None = None
    physiology: str | None = None
    seed: int = 1

    def read(self, draws: int | None = DRAWS) -> Origin:
        """Read or draw it.

        Raises
        ------
        InputError
            if there is no such run, model or animal, or an option has no meaning for it
        """
        free = chosen(self.physiology or "fixed")
        if not Path(self.run).is_dir():
            animal = animal_of(self.species or "mouse", self.body_weight, self.sex)
            return read_prior(self.run, animal, self.label, free, draws or DRAWS, self.seed)
        if self.label is not None:
            raise InputError("--label is for a model's prior; a run has the label of its study. Leave it out.")
        origin = read_run(self.run, draws, self.seed)
        if not names_animal(self.species, self.body_weight, self.sex):
            if self.rates != "carried" or self.physiology is not None:
                name = "--physiology" if self.rates == "carried" else "--rates"
                raise InputError(f"{name} is for another animal than that of the fit; name it with --species, or leave "
                                 "it out.")  # fmt: skip
            return origin
        to = animal_of(self.species or origin.model.species, self.body_weight, self.sex)
        return origin.elsewhere(to, self.rates, free)

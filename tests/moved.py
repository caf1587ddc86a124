"""Models whose rates move, dosed, for tests: as arrays for the compiled solvers, and as a right side in Python."""

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
from scipy.integrate import solve_ivp

from pbpk.body.expansion import read_model
from pbpk.dosing import Dose
from pbpk.quantity import inside

HOURS = np.array([0.0, 0.05, 0.25, 1.0, 6.0, 24.0, 72.0, 168.0, 336.0])


@dataclass(frozen=True)
class Case:
    """A shipped model in one fidelity, with doses in its own amount."""

    name: str
    doses: tuple[Dose, ...]
    animal: str | None = None
    modifiers: MappingProxyType = MappingProxyType({})
    fidelity: str = "full"

    @property
    def model(self):
        return _read(self.name, self.animal).switched(self.modifiers)

    @property
    def medians(self):
        return np.array([p.prior.centre for p in self.model.parameters])

    @property
    def known(self):
        return self.model.symbols(self.medians, self.modifiers)

    @property
    def schedule(self):
        return self.model.schedule(list(self.doses)).scaled(inside(self.model.amount)[1])

    @property
    def given(self):
        """What `respond_moving` takes after the symbols."""
        model = self.model
        lasting = model.n_lasting if self.fidelity == "reduced" else len(model.states)
        tape = model.tape
        return (tape.steps, tape.literals, tape.outputs, model.source_states, model.target_states, lasting,
                *self.schedule.plain(), HOURS)  # fmt: skip


@cache
def _read(name, animal):
    return read_model(name, animal) if animal else read_model(name)


CROWDED = MappingProxyType({"capacity_lung": 5e5})
FADING = MappingProxyType({"fade_lung": 0.05, "injury_lung": 3.0})
CASES = {
    "particles": Case("particles", (Dose("iv", 15.0),), "rat"),
    "particles, two infusions": Case("particles", (Dose("iv", 8.0, 1.0, 3.0), Dose("iv", 8.0, 2.0, 10.0)), "rat"),
    "lin_2016": Case("lin_2016", (Dose("iv", 100.0),)),
    "lin_2016, slow and again": Case("lin_2016", (Dose("iv", 100.0, 0.0, 0.5), Dose("portal_vein", 50.0, 24.0))),
    "lin_2016, artery": Case("lin_2016", (Dose("artery", 100.0),)),
    "msc, a lung that fills": Case("msc", (Dose("iv", 1e6),), "mouse", CROWDED),
    "msc, artery": Case("msc", (Dose("artery", 1e6, viability=0.9),), "mouse", CROWDED),
    "msc, an injury that fades": Case("msc", (Dose("iv", 1e6, 0.0, 0.2),), "mouse", FADING),
}


def slope_of(case):
    """f(hour, amounts, inflow) summed arrow by arrow, its rates worked out by Python from the text of the model."""
    model, known = case.model, case.known
    fixed = known.size

    def rates_of(family, row):
        at = {name: [i if i >= 0 else fixed - 1 - i for i in places] for name, places in family.symbols.items()}
        return np.broadcast_to(family.rate.evaluate({name: row[at[name]] for name in at}, np), len(family.organs))

    families, ends = model.families, np.cumsum([len(family.organs) for family in model.families])
    still = np.concatenate(
        [rates_of(family, np.array([*known, *np.zeros(1 + len(model.states))])) for family in families]
    )
    moving = [(slice(end - len(family.organs), end), family) for end, family in zip(ends, families, strict=True)
              if any(i < 0 for places in family.symbols.values() for i in places)]  # fmt: skip
    source, target = model.source_states, model.target_states

    def slope(hour, amounts, inflow):
        row, rates = np.array([*known, hour, *amounts]), still.copy()
        for place, family in moving:
            rates[place] = rates_of(family, row)
        flows = rates * amounts[source]
        return inflow + np.bincount(target, flows, amounts.size) - np.bincount(source, flows, amounts.size)

    return slope


def jacobian_of(slope, whole):
    """Differences, one state at a time: it only steers the other solver's iteration."""

    def jacobian(hour, amounts, inflow):
        here, out = slope(hour, amounts, inflow), np.empty((amounts.size, amounts.size))
        for j, near in enumerate(1e-6 * (np.abs(amounts) + 1e-3 * whole) * np.eye(amounts.size)):
            out[:, j] = (slope(hour, amounts + near, inflow) - here) / near[j]
        return out

    return jacobian


def followed(case, advance):
    """(time, state) by another solver; advance(slope, begin, end, amounts, inflow, whole) goes from jump to jump."""
    entry, starts, durations = case.schedule.plain()
    moments = np.unique(np.concatenate([starts, starts + durations, HOURS]))
    amounts, out, slope = np.zeros(entry.shape[1]), np.zeros((HOURS.size, entry.shape[1])), slope_of(case)
    for begin, end in zip(moments, [*moments[1:], None], strict=True):
        amounts = amounts + entry[(starts == begin) & (durations == 0.0)].sum(axis=0)
        out[begin == HOURS] = amounts
        runs = (starts <= begin) & (begin < starts + durations)
        inflow = (entry[runs] / durations[runs, np.newaxis]).sum(axis=0)
        if end is not None and (amounts.any() or inflow.any()):
            amounts = advance(slope, begin, end, amounts, inflow, entry.sum())
    return out


def radau(slope, begin, end, amounts, inflow, whole):
    """Hairer & Wanner's Radau IIA of order 5, as scipy has it, at a relative error of 1e-11 in each step."""
    done = solve_ivp(slope, (begin, end), amounts, "Radau", rtol=1e-11, atol=1e-17 * whole, args=(inflow,),
                     jac=jacobian_of(slope, whole), t_eval=[end])  # fmt: skip
    assert done.success
    return done.y[:, -1]

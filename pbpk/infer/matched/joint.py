"""One likelihood for everything measured: single values, means with SD and n, ranges, values below a limit.

The model predicts a median animal, and is off by d ~ N(0, misfit): one number for an organ at an hour, common to all
rows that saw it there. About that, single animals scatter with log-SD `spread`. So, with m the logarithm of the
prediction plus d, and d integrated out:

    one animal           log y ~ N(m, spread)
    mean of n animals    log y ~ N(m + spread^2/2 - v/2, sqrt(v)),  v = log(1 + (exp(spread^2) - 1)/n)
                         (mean of log-normals by moments: Fenton 1960, Wilkinson)
    SD of n animals      (n - 1) log(1 + (SD/mean)^2) / spread^2 ~ chi^2 with n - 1 degrees of freedom
    range stated         log(Phi((log high - m)/spread) - Phi((log low - m)/spread))
    range over n animals smallest and largest of n:  n (n - 1) phi(low) phi(high) (Phi(high) - Phi(low))^(n - 2);
                         a smallest of 0 says only that it is below what can be seen: n phi(high) Phi(high)^(n - 1)
    below a limit        log Phi((log limit - m)/spread)
    robust errors        Student's t with 4 degrees of freedom in place of the normal of a single animal
    light, counted events  of the amplitude or the number itself, signs and zeros included: `infer.density.signal_terms`

A study that counts only a part of the label in an organ (a planar scan) declares a prior for that part, `recovery`,
common to all organs. Where per-gram values were brought here with weights that nobody measured, the true weight over
the assumed one, `grams`, is estimated too: one number for all values of an organ. A denominator that the source does
not state is summed over, half the prior weight on "of the dose" and half on "of what was recovered", for the whole
study at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pbpk.assay.counts import OrganCounts
from pbpk.assay.study import Study
from pbpk.body.model import Model, Parameter
from pbpk.body.moving import respond_moving
from pbpk.body.prior import Prior, parse_prior
from pbpk.body.solve import Array, Network
from pbpk.errors import ModelFileError, StudyError, did_you_mean
from pbpk.infer.matched.between import DOSE, Between, between_of
from pbpk.infer.matched.experiments import ALL, Experiment, experiments_of
from pbpk.infer.matched.switches import standing_in

Calibration = Literal["joint", "covariance", "independent"]
MOST_STEPS = 5000  # of a model whose rates move, at its medians: a gradient would take a tenth of a second
STUDENT = 4.0  # degrees of freedom of robust errors: Lange, Little & Taylor 1989, J Am Stat Assoc 84:881
READINGS = {"dose": ("dose",), "recovered": ("recovered",), "unknown": ("dose", "recovered")}


@dataclass(frozen=True)
class Joint:
    """A study and a model, matched: what is estimated, and what each row of the counts sees.

    calibration : "joint" where the controls of an instrument enter the likelihood themselves, "covariance" where their
        normal summary does, "independent" where organs are taken to share no doubt (to show what that does)
    """

    model: Model
    counts: OrganCounts
    experiments: tuple[Experiment, ...]
    estimated: tuple[Parameter, ...]
    calibration: Calibration = "joint"
    between: Between | None = None

    @property
    def study(self) -> Study:
        """Study that the counts came from."""
        return self.counts.study

    @property
    def readings(self) -> tuple[str, ...]:
        """Denominators that the percentages may have."""
        return READINGS[self.counts.denominator]

    def solve(self, experiment: Experiment, theta: Array, hours: Array) -> Array:
        """States of one experiment, (draw, time, state) [% of the dose], from (draw, estimated)."""
        switched = {name: theta[:, self.names.index(name)] for name in experiment.modifiers}
        kinetic = self.kinetic(theta, experiment.subject)
        return experiment.percent * experiment.model.follow(kinetic, experiment.schedule, hours, switched)

    def kinetic(self, theta: Array, subject: int = ALL) -> Array:
        """Parameters of the model in one animal, or in the median one, (draw, parameter)."""
        values = theta[:, : len(self.model.parameters)]
        if subject == ALL or self.between is None:
            return values
        values, shifts = values.copy(), self.between.shifts(theta, self.names, only=subject)
        for name in self.between.kinetic:
            i = self.model.parameter_names.index(name)
            values[:, i] = self.model.parameters[i].prior.moved(values[:, i], shifts[name][:, 0])
        return values

    def got(self, theta: Array) -> Array:
        """What the animal of each row really got over what it should have, (draw, row)."""
        if self.between is None or DOSE not in self.between.varied:
            return np.ones((len(theta), len(self.counts.table)))
        return np.exp(self.between.shifts(theta, self.names)[DOSE][:, self.between.of_row])

    def yields(self, theta: Array, organ: str) -> Array:
        """What a reported percentage of one organ is of the true one, (draw,): recovery and doubtful weight."""
        factor = np.ones(len(theta))
        if "recovery" in self.names:
            factor = factor * theta[:, self.names.index("recovery")]
        if organ in self.doubtful:
            factor = factor / theta[:, self.names.index(f"grams_{organ}")]
        return factor

    @property
    def nu(self) -> float:
        """Degrees of freedom of a single animal about the model, infinite where it is normal."""
        return STUDENT if self.study.about.errors == "student" else np.inf

    @cached_property
    def observers(self) -> Array:
        """Weights of the states in each row, (row, state)."""
        table = self.counts.table
        return np.array([self.model.observer(o, r) for o, r in zip(table["organ"], table["readout"], strict=True)])

    @cached_property
    def volumes(self) -> NDArray[np.int64]:
        """Register of the volume that makes a concentration of each row, -1 where it is an amount, (row,)."""
        organs, pers = (self.counts.table[name].to_numpy() for name in ("organ", "per"))
        registers = np.full(len(organs), -1, dtype=np.int64)
        for experiment in self.experiments:
            for row in experiment.rows:
                if pers[row]:
                    registers[row] = experiment.model.volume_registers[organs[row]]
        return registers

    def volume(self, theta: Array, experiments: Iterable[Experiment] | None = None) -> Array:
        """Volume [mL] that each row's amount is divided by, 1 where it is an amount, (draw, row).

        experiments : those whose rows matter, if not all do
        """
        volume = np.ones((len(theta), len(self.counts.table)))
        for experiment in self.experiments if experiments is None else experiments:
            rows = [row for row in experiment.rows if self.volumes[row] >= 0]
            if rows:
                kinetic = self.kinetic(theta, experiment.subject)
                volume[:, rows] = experiment.model.volume_in(kinetic, self.volumes[rows])
        return volume

    @cached_property
    def recovery(self) -> Array:
        """Weights of the states in what each row's denominator counts as recovered, (row, state)."""
        rows = []
        for readout in self.counts.table["readout"]:
            parts = [self.model.observer(organ, readout) for organ in self.counts.harvested]
            rows.append(np.max(parts, axis=0) if parts else np.zeros(len(self.model.states)))
        return np.array(rows)

    @cached_property
    def cells(self) -> NDArray[np.int64]:
        """Number of the group, organ, readout and hour that each row saw, (row,)."""
        seen = self.counts.table.groupby(["group", "organ", "readout", "hours"], sort=False)
        return np.asarray(seen.ngroup(), dtype=np.int64)

    @cached_property
    def switched(self) -> tuple[str, ...]:
        """Modifiers that some group switches on; they follow the parameters of the model among the estimated."""
        modifiers = {modifier.name for modifier in self.model.modifiers}
        return tuple(name for name in self.names if name in modifiers)

    @cached_property
    def doubtful(self) -> tuple[str, ...]:
        """Organs whose weight is estimated too."""
        return tuple(name.removeprefix("grams_") for name in self.names if name.startswith("grams_"))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the estimated parameters, in the order of a parameter vector."""
        return tuple(parameter.name for parameter in self.estimated)

    @property
    def standing(self) -> tuple[str, ...]:
        """Estimated modifiers that hold in every group; what a readout loses is none of the cells' own."""
        return standing_in(self.model, self.study)

    @cached_property
    def free(self) -> tuple[Parameter, ...]:
        """Parameters that are not fixed, in the order of the sampler's vector."""
        return tuple(parameter for parameter in self.estimated if not parameter.prior.is_fixed)

    def theta(self, z: Any, functions: Any = np) -> Any:
        """Parameter vectors (..., estimated) from standard-normal ones (..., free), of any array kind.

        functions : where `Prior.value` finds its functions; those of numpy, or of PyTensor for one vector
        """
        priors = [parameter.prior for parameter in self.estimated]
        learned = np.array([not prior.is_fixed for prior in priors])
        place = np.cumsum(learned) - 1
        of_form: dict[str, list[int]] = {}
        for i, prior in enumerate(priors):
            of_form.setdefault(prior.form, []).append(i)
        parts = []
        for form, members in of_form.items():
            centre, sigma = (np.array([getattr(priors[i], name) for i in members]) for name in ("centre", "sigma"))
            none = np.zeros((*(z.shape[:-1] if functions is np else ()), len(members)))
            behind = z[..., place[members]] if form != "fixed" else none
            parts.append(Prior(form, centre, sigma).value(behind, functions))
        order = np.argsort([i for members in of_form.values() for i in members])
        return functions.concatenate(parts, axis=-1)[..., order]


def join(model: Model, counts: OrganCounts, calibration: Calibration = "joint") -> Joint:
    """Match what was measured with a model.

    Raises
    ------
    StudyError
        if an organ, route or readout is unknown to the model, or a value cannot have a log-normal error
    """
    if counts.signals is not None and calibration == "independent":
        counts = replace(counts, signals=counts.signals.as_independent())
    study, table = counts.study, counts.table
    _check_rows(model, counts)
    if counts.signals is not None and study.about.errors == "student":
        raise StudyError(f'{study.folder / "study.toml"}: errors = "student" is for plain numbers; what an instrument '
                         "reads has a law of its own. Leave it out.")  # fmt: skip
    if counts.signals is not None and any(p.prior == Prior("fixed", 0.0, 0.0) for p in model.noise):
        raise StudyError(f"{study.folder / 'study.toml'}: `spread` or `misfit` of {model.name} is fixed at 0, which is "
                         "for plain numbers; what an instrument reads needs both. Give it a prior.")  # fmt: skip
    between = between_of(study, model, table)
    switched: dict[str, Parameter] = {}
    experiments = experiments_of(model, study, table, switched, between)
    varied = between.parameters if between is not None else ()
    estimated = (*model.parameters, *switched.values(), *model.noise, *_recovery(study), *_grams(table), *varied)
    joint = Joint(model, counts, tuple(experiments), estimated, calibration, between)
    _check_steps(joint)
    return joint


def _check_steps(joint: Joint) -> None:
    """Refuse rates that move and that the sampler would follow for ever, for it takes thousands of gradients."""
    theta = joint.theta(np.zeros(len(joint.free)))
    for experiment in joint.experiments:
        model = experiment.model
        if model.is_linear:
            continue
        network = Network(model.tape, model.source_states, model.target_states, len(model.states), model.n_lasting)
        switched = {name: theta[joint.names.index(name)] for name in experiment.modifiers}
        known = model.symbols(theta[: len(model.parameters)], switched)
        given = (*network.arrays(), *experiment.schedule.plain(), experiment.hours)
        out = respond_moving(known, *given, MOST_STEPS)[0]
        if not np.isfinite(out).all():
            what = "list all its fast states under `passing`, or none" if model.n_lasting < len(model.states) else (
                "only simulate it")  # fmt: skip
            raise StudyError(f"{joint.study.folder / 'study.toml'}: the rates of {model.name} move, and too fast to be "
                             f"fitted; {what}.")  # fmt: skip


def _check_rows(model: Model, counts: OrganCounts) -> None:
    study, table, folder = counts.study, counts.table, counts.study.folder
    read = table["error"].notna()
    for row, is_read in zip(table.itertuples(), read, strict=True):
        if row.organ not in model.observed:
            raise StudyError(
                f"{counts.file_of(str(row.organ))}: the organ `{row.organ}` is not in the model `{model.name}`."
                + did_you_mean(str(row.organ), model.observed)
            )
        if row.readout not in model.readouts:
            raise StudyError(f"{counts.file_of(str(row.organ))}: the readout `{row.readout}` is not one of "
                             f"`{model.name}`'s.{did_you_mean(str(row.readout), model.readouts)}")  # fmt: skip
        if row.per and row.organ not in model.volumes:
            raise StudyError(
                f"{study.measurements_file}: `{row.organ}` is measured as a concentration, but the model "
                f"`{model.name}` does not say in which volume; add `per` under [observe]."
            )
        if row.percent == 0.0 and not row.below_lloq and not is_read:
            raise StudyError(
                f"{study.measurements_file}: `{row.organ}` at {row.hours:g} h is 0; a log-normal error cannot "
                "hold it: say below_lloq = true with the limit in `lloq`."
            )
    for organ in study.about.harvested:
        if organ not in model.observed:
            raise StudyError(f"{folder / 'study.toml'}: harvested: `{organ}` is not an organ of the model.")


def _recovery(study: Study) -> tuple[Parameter, ...]:
    """Part of an organ's label that the study counts, if it is not all of it."""
    entry = study.about.recovery
    if entry is None:
        return ()
    try:
        return (Parameter("recovery", entry.about, "1", parse_prior(entry.prior), entry.source),)
    except ModelFileError as problem:
        raise StudyError(f"{study.folder / 'study.toml'}: recovery: {problem}") from None


def _grams(table: pd.DataFrame) -> tuple[Parameter, ...]:
    """True weight over assumed weight of each organ whose weight was not measured."""
    doubtful = table[table["weight_cv"] > 0.0].groupby("organ")["weight_cv"].max()
    about = "weight of the {} in these animals over the weight that was assumed"
    return tuple(
        Parameter(f"grams_{organ}", about.format(organ), "1", Prior("lognormal", 1.0, cv), "organ_weights")
        for organ, cv in doubtful.items()
    )


def predict_percent(joint: Joint, theta: Array, rows: NDArray[np.int64] | None = None) -> dict[str, Array]:
    """What the model says each row of the counts should be, for each reading of the denominator.

    Parameters
    ----------
    theta : (draw, estimated)
    rows : the only ones that matter, if not all do; others that are not followed with them are NaN

    Returns
    -------
    reading -> (draw, row) [%]
    """
    of_dose = np.full((theta.shape[0], len(joint.counts.table)), np.nan)
    recovered = of_dose.copy()
    followed = [each for each in joint.experiments if rows is None or np.isin(each.rows, rows).any()]
    for experiment in followed:
        states = joint.solve(experiment, theta, experiment.hours)
        seen, at = list(experiment.rows), list(experiment.at)
        of_dose[:, seen] = np.einsum("drs,rs->dr", states[:, at], joint.observers[seen])
        recovered[:, seen] = np.einsum("drs,rs->dr", states[:, at], joint.recovery[seen])
    yields = [joint.yields(theta, organ) for organ in joint.counts.table["organ"]]
    of_dose *= np.stack(yields, axis=-1) * joint.got(theta) / joint.volume(theta, followed)
    out = {"dose": of_dose}
    if "recovered" in joint.readings:
        out["recovered"] = 100.0 * of_dose / recovered
    return {reading: out[reading] for reading in joint.readings}

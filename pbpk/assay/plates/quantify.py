"""From amplitudes to cells: what all controls of all plates teach together, and what each organ's wells then say.

    amplitude = blank + slope * (load * cells or ng) * recovery * fraction / dilution

Each matrix on each plate has its blank and slope; the load of a cell is one number for the batch, the recovery one for
each matrix. They are learned at once, from blanks, accepted standards, reference cells and spikes, and they are what
organs share.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pbpk.assay.light.amplitude import Reading
from pbpk.assay.light.trace import Array
from pbpk.assay.plates.acceptance import PRESETS
from pbpk.assay.plates.matrix_effects import hook_check
from pbpk.assay.plates.panel import Panel
from pbpk.assay.signals import Response, Signals, learn
from pbpk.assay.study import Plates
from pbpk.errors import AssayError, InputError, StudyError
from pbpk.quantity import convert

CELLS = ("cells", "cell")
S0_SIGMA = 1.0  # blanks scatter beyond their traces by about a trace's error, within a factor of seven (choice)
CV_MEDIAN, CV_SIGMA = 0.02, 0.5  # pipetting: 2 %, from 1 to 5 % (assumption)
CLEAR = 10.0  # SDs of blanks from which an amount can be told within 10 %
ABOVE = 1.2  # of the highest standard: the deviation that a standard itself may have (ICH M10, 4.2.3)
KEYS = ("group", "animal", "organ", "hours")


@dataclass(frozen=True)
class Organ:
    """The wells of one organ of one animal."""

    group: str
    animal: str
    organ: str
    hours: float
    panel: Panel
    wells: tuple[Reading, ...]


@dataclass(frozen=True)
class Quantified:
    """Organs and what their wells say.

    signals : in cells, one reading for each of `organs`
    load : of a cell, from which the unknown log_load is counted [ng]
    left_out : wells that are not used, flagged ones and rejected standards among them, and why
    """

    organs: tuple[Organ, ...]
    signals: Signals
    load: float
    left_out: tuple[tuple["Known", str], ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on the wells that are not used."""
        return tuple(f"{known.name}: left out, {why}" for known, why in self.left_out)

    def part(self, keep: NDArray[np.int64]) -> "Quantified":
        """Some of the organs."""
        signals = Signals(self.signals.shared, self.signals.response.part(keep), np.arange(len(keep)))
        return replace(self, organs=tuple(self.organs[i] for i in keep), signals=signals)

    def lloq(self) -> Array:
        """Cells in each organ that would read as the lowest amount its wells can quantify (organ,) [cells]."""
        r, u = self.signals.response, self.signals.shared.mean
        lowest = [organ.panel.lowest_rise * _mixed(organ).weights.sum() for organ in self.organs]
        return np.array(lowest) / r.rise(u, 1.0)


def quantify(panels: Sequence[Panel], settings: Plates) -> Quantified:
    """Bring the wells of all samples to cells, through everything that the controls teach.

    Raises
    ------
    AssayError
        if controls disagree, do not tell what is needed, or a sample lies above the highest standard
    """
    known = [
        Known(panel, reading)
        for panel in panels
        for reading in panel.of(*dict.fromkeys(("blank", panel.role, "reference_cells", "spike")))
    ]
    unsound = _unsound(known, settings)
    left_out = [(Known(panel, reading), why) for panel in panels for reading, why in panel.left_out]
    left_out += [(known[i], f"{off:+.0%} off the median of its kind") for i, off in unsound.items()]
    sound = [each for i, each in enumerate(known) if i not in unsound]
    chain = _chain(panels, sound, settings)
    controls = chain.response([_single(each) for each in sound])
    shared = learn(chain.names, chain.centre, chain.sd, controls, np.array([each.amount for each in sound]))
    organs, dropped = _organs(panels)
    signals = Signals(shared, chain.response([_mixed(organ) for organ in organs]), np.arange(len(organs)))
    _check_range(organs)
    return Quantified(tuple(organs), signals, chain.load, (*left_out, *dropped))


@dataclass(frozen=True)
class Known:
    """A control and the panel it stands on."""

    panel: Panel
    reading: Reading

    @property
    def name(self) -> str:
        """Where it stands and what it is."""
        return f"{self.panel.name}, well {self.reading.well.well} ({self.reading.well.role.replace('_', ' ')})"

    @property
    def in_cells(self) -> bool:
        """Whether its amount is a number of cells, not a mass."""
        return self.reading.well.unit in CELLS

    @property
    def amount(self) -> float:
        """What was put in [cells or ng]; 0 in a blank."""
        well = self.reading.well
        if not well.nominal:
            return 0.0
        if self.in_cells:
            return float(well.nominal)
        try:
            return convert(float(well.nominal), well.unit, "ng")
        except InputError as problem:
            raise AssayError(f"{self.name}: {problem} Amounts are cells or a mass such as ng.") from None

    @property
    def found(self) -> float:
        """Amount that its panel's curve reads [cells or ng, as the panel] over the amount put in [cells or ng]."""
        held = float(self.panel.curve.curve.inverse(self.reading.amplitude.delta))
        unit = 1.0 if _in_cells(self.panel) else convert(1.0, self.panel.unit, "ng")
        return held * unit / self.reading.well.reach / self.amount

    @property
    def is_clear(self) -> bool:
        """Whether it reads far above nothing."""
        zero = float(self.panel.curve.curve.mean(0.0))
        return self.amount > 0.0 and abs(self.reading.amplitude.delta - zero) > CLEAR * self.panel.limits.sigma


def _in_cells(panel: Panel) -> bool:
    return panel.unit in CELLS


def _unsound(known: Sequence[Known], settings: Plates) -> dict[int, float]:
    """Reference cells and spikes far from the median of their kind, by place in `known`; standards are judged already.

    Raises
    ------
    AssayError
        if a third of a kind or more is far from its median, or more label is found than was put in
    """
    limit = PRESETS[settings.preset if settings.preset in PRESETS else "lba"]["QC deviation"].value
    kinds: dict[str, list[int]] = {}
    for i, each in enumerate(known):
        if each.is_clear and each.reading.well.role == "spike":
            kinds.setdefault(f"spikes in {each.panel.matrix} ({each.reading.well.unit})", []).append(i)
        elif each.is_clear and each.reading.well.role == "reference_cells" != each.panel.role:
            kinds.setdefault("reference cells", []).append(i)
    unsound: dict[int, float] = {}
    for kind, members in kinds.items():
        found = np.array([known[i].found for i in members])
        off = found / np.median(found) - 1.0
        bad = np.abs(off) > limit
        if bad.sum() * 3 >= len(members):
            first = known[members[int(np.argmax(np.abs(off)))]]
            raise AssayError(f"{bad.sum()} of {len(members)} {kind} are more than {limit:.0%} from their median, the "
                             f"worst {first.name}; find out which are right before any is used.")  # fmt: skip
        told = kind.startswith("spikes") and _in_cells(known[members[0]].panel) == known[members[0]].in_cells
        if told and np.median(found) > 1.0 + limit:
            raise AssayError(f"{kind} recover {np.median(found):.0%} of what was put in; check their amounts.")
        unsound |= {members[j]: float(off[j]) for j in np.flatnonzero(bad)}
    return unsound


@dataclass(frozen=True)
class _Entry:
    """One reading to be: where it stands, what was read, the weights of its wells, what its amount is."""

    panel: Panel
    value: float
    variance: float
    weights: Array
    reach: Array
    in_cells: bool
    recovered: bool


@dataclass(frozen=True)
class _Chain:
    """The unknowns, what is known of them beforehand, and how entries depend on them.

    centre, sd : (unknown,) of the priors; load : of a cell, from which log_load is counted [ng]
    """

    names: tuple[str, ...]
    centre: Array
    sd: Array
    load: float

    def response(self, entries: Sequence[_Entry]) -> Response:
        """Readings of `entries` as functions of the unknowns."""
        n, place = len(entries), {name: i for i, name in enumerate(self.names)}
        blank, gain, s0, cv = (np.zeros((n, len(place))) for _ in range(4))
        log_scale, s0_weight, cv_weight = (np.zeros(n) for _ in range(3))
        for i, entry in enumerate(entries):
            panel, size = entry.panel, _noise(entry.panel)
            blank[i, place[f"blank: {panel.name}"]] = size * entry.weights.sum()
            gain[i, place[f"log_slope: {panel.name}"]] = 1.0
            loads = int(entry.in_cells) - int(_in_cells(panel))
            if loads:
                gain[i, place["log_load"]] = loads
            if entry.recovered:
                gain[i, place[f"log_recovery: {panel.matrix}"]] = 1.0
            s0[i, place["log_s0"]] = cv[i, place["log_cv"]] = 1.0
            held = entry.weights @ entry.reach
            log_scale[i] = np.log(_slope(panel) * held) + loads * np.log(self.load)
            s0_weight[i] = size**2 * (entry.weights**2).sum()
            cv_weight[i] = ((entry.weights * entry.reach) ** 2).sum() / held**2
        value, variance = (np.array([getattr(entry, name) for entry in entries]) for name in ("value", "variance"))
        return Response(value, variance, np.zeros(n, bool), blank, gain, log_scale, s0, cv, s0_weight, cv_weight)


def _slope(panel: Panel) -> float:
    """Slope of a panel's own curve [amplitude / cell or ng]."""
    slope = float(panel.curve.curve.parameters[1])
    return slope if _in_cells(panel) else slope / convert(1.0, panel.unit, "ng")


def _noise(panel: Panel) -> float:
    """Size of a blank's noise [amplitude]: what blanks and their scatter are measured in here."""
    return panel.limits.sigma


def _variance(reading: Reading) -> float:
    """Variance of an amplitude whose standard error rests on few blocks of time: that of Student's t."""
    a = reading.amplitude
    return float(a.se**2 * (a.df / (a.df - 2.0) if a.df > 2.0 else 3.0))


def _chain(panels: Sequence[Panel], known: Sequence[Known], settings: Plates) -> _Chain:
    """Name everything that controls and samples of these panels have in common."""
    names = [f"{what}: {panel.name}" for panel in panels for what in ("blank", "log_slope")]
    # flat, but a search must start somewhere: each panel's own curve
    priors = [(at, np.inf) for panel in panels for at in (float(panel.curve.curve.mean(0.0)) / _noise(panel), 0.0)]
    load = 1.0
    mixed = any(each.amount and each.in_cells != _in_cells(each.panel) for each in known)
    if mixed or any(panel.of("sample") and not _in_cells(panel) for panel in panels):
        load = _load(known, settings)
        names.append("log_load")
        asked = settings.load_ng
        priors.append((np.log(asked.median / load), asked.sigma) if asked else (0.0, np.inf))
    spiked = {each.panel.matrix for each in known if each.reading.well.role == "spike"}
    sampled = {panel.matrix for panel in panels if panel.of("sample")}
    for matrix in sorted(spiked | sampled):
        asked = settings.recovery
        if matrix not in spiked and asked is None:
            raise StudyError(
                f"nothing tells how much of the label in `{matrix}` reaches a well: measure spikes in it, or give "
                "`recovery` with its source under [plates] in study.toml."
            )
        names.append(f"log_recovery: {matrix}")
        priors.append((np.log(asked.median), asked.sigma) if asked else (0.0, np.inf))
    names += ["log_s0", "log_cv"]
    priors += [(0.0, S0_SIGMA), (np.log(CV_MEDIAN), CV_SIGMA)]
    centre, sd = np.array(priors).T
    return _Chain(tuple(names), centre, sd, load)


def _load(known: Sequence[Known], settings: Plates) -> float:
    """About what one cell carries [ng], from reference cells, else from the study."""
    found = [
        each.found
        for each in known
        if each.is_clear and each.reading.well.role == "reference_cells" and not _in_cells(each.panel)
    ]
    if found:
        return float(np.median(found))
    if settings.load_ng is not None:
        return settings.load_ng.median
    raise StudyError(
        "standards are in mass and samples in cells, and nothing tells the label of a cell: measure reference cells of "
        "the batch, or give `load_ng` with its source under [plates] in study.toml."
    )


def _single(known: Known) -> _Entry:
    reading = known.reading
    one, reach = np.ones(1), np.array([reading.well.reach])
    spiked = reading.well.role == "spike"
    value, variance = reading.amplitude.delta, _variance(reading)
    in_cells = known.in_cells if known.amount else _in_cells(known.panel)  # a blank holds nothing of either
    return _Entry(known.panel, value, variance, one, reach, in_cells, spiked)


def _mixed(organ: Organ) -> _Entry:
    """The wells of one organ as one reading, each with the weight that it deserves."""
    delta = np.array([reading.amplitude.delta for reading in organ.wells])
    variance = np.array([_variance(reading) for reading in organ.wells])
    reach = np.array([reading.well.reach for reading in organ.wells])
    rise = np.maximum(delta - float(organ.panel.curve.curve.mean(0.0)), 0.0)
    weights = reach / (variance + organ.panel.curve.s0**2 + (CV_MEDIAN * rise) ** 2)
    weights /= weights @ reach
    return _Entry(organ.panel, float(weights @ delta), float(weights**2 @ variance), weights, reach, True, True)


def _organs(panels: Sequence[Panel]) -> tuple[list[Organ], list[tuple[Known, str]]]:
    """The organs that have usable wells, and the wells of samples that are not used beside others, and why.

    Raises
    ------
    AssayError
        if the wells of one organ stand on several panels
    """
    wells: dict[tuple[object, ...], list[Known]] = {}
    for panel in panels:
        for reading in panel.of("sample"):
            wells.setdefault(tuple(getattr(reading.well, key) for key in KEYS), []).append(Known(panel, reading))
    organs, dropped = [], []
    for (group, animal, organ, hours), members in wells.items():
        panel = members[0].panel
        if any(each.panel is not panel for each in members):
            raise AssayError(f"{organ} of {animal} in {group} at {hours:g} h stands on several plates or in several "
                             "matrices; keep the wells of one organ together.")  # fmt: skip
        kept, out = _telling(panel, members)
        dropped += out
        readings = tuple(each.reading for each in kept)
        organs.append(Organ(str(group), str(animal), str(organ), float(str(hours)), panel, readings))
    return organs, dropped


def _telling(panel: Panel, members: list[Known]) -> tuple[list[Known], list[tuple[Known, str]]]:
    """Wells of one organ that tell its content, and those that hide it or lie out of range where others do not."""
    reach = np.array([each.reading.well.reach for each in members])
    kept, why = members, ""
    if len(set(reach)) > 1:
        a = np.array([(each.reading.amplitude.delta, each.reading.amplitude.se) for each in members])
        if hook_check(reach.max() / reach, a[:, 0], a[:, 1], panel.curve).flagged:
            kept = [each for each, r in zip(members, reach, strict=True) if r == reach.min()]
            why = "a more diluted well of this organ holds more: it hides its own label"
    within = [each for each in kept if not _is_above(panel, each.reading)]
    out = [(each, why) for each in members if each not in kept]
    if within and len(within) < len(kept):
        out += [
            (each, "above the highest standard, and a more diluted one is within")
            for each in kept
            if each not in within
        ]
        kept = within
    return kept, out


def _is_above(panel: Panel, reading: Reading) -> bool:
    """Whether a well reads above the highest accepted standard by more than a standard may be off."""
    zero, top = (float(panel.curve.curve.mean(amount)) for amount in (0.0, panel.top))
    return reading.amplitude.delta - zero > ABOVE * (top - zero)


def _check_range(organs: Sequence[Organ]) -> None:
    """Refuse wells above the highest standard: what a curve does there nobody measured."""
    above = [Known(o.panel, each).name for o in organs for each in o.wells if _is_above(o.panel, each)]
    if above:
        raise AssayError(f"{len(above)} wells read more than {ABOVE:g} times the highest accepted standard, the first "
                         f"{above[0]}; dilute them and read again.")  # fmt: skip

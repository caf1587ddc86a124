"""One matrix on one plate: its blanks, standards and QCs, its curve, its limits, and whether it may be used."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pbpk.assay.light.amplitude import Reading
from pbpk.assay.light.trace import Role
from pbpk.assay.plates.acceptance import Acceptance, accept_plate
from pbpk.assay.plates.calibration import Calibration, fit_wells, m10_curve
from pbpk.assay.plates.detection import DetectionLimits, detection_limits
from pbpk.assay.plates.matrix_effects import carry_over
from pbpk.errors import AssayError

FEWEST = 3  # wells that make a curve with doubt
ROUNDS = 3  # of leaving standards out and judging again
LOUD = 4.0  # standard errors at which the light of a well without laser is no chance any more


@dataclass(frozen=True)
class Panel:
    """The controls of one matrix on one plate, judged.

    role : whose wells make the curve, standards or reference cells; unit : of their amounts
    curve : line through blanks and accepted standards, with its doubt
    acceptance : None where the study asks for none
    limits : of detection and quantification, from the blanks
    used : readings of controls and samples that may be used; left_out : the other wells, and why
    notes : what a reader should know and that forbids nothing
    """

    plate: str
    matrix: str
    role: Role
    unit: str
    curve: Calibration
    acceptance: Acceptance | None
    limits: DetectionLimits
    used: tuple[Reading, ...]
    left_out: tuple[tuple[Reading, str], ...]
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """Plate and matrix, for a sentence."""
        return f"plate {self.plate}, {self.matrix}"

    @property
    def top(self) -> float:
        """Highest amount in a well that the curve covers [unit]."""
        return self.curve.highest if self.acceptance is None else self.acceptance.uloq

    @property
    def lowest_rise(self) -> float:
        """Amplitude above the blank that can be quantified: ten sigma, or the lowest accepted standard if higher."""
        table = self.limits.table
        least = float(table.loc[table["method"] == "ich_q2", "loq"].iloc[0])
        if self.acceptance is not None:
            least = max(least, self.acceptance.lloq)
        return float(self.curve.curve.mean(least) - self.curve.curve.mean(0.0))

    @property
    def rejected(self) -> list[Reading]:
        """Wells of the curve whose light is good and that are out of the limits for standards."""
        return [reading for reading, _ in self.left_out if not reading.amplitude.flags]

    def of(self, *roles: Role) -> list[Reading]:
        """Usable wells of these roles."""
        return [reading for reading in self.used if reading.well.role in roles]


def judge(readings: Sequence[Reading], preset: str = "lba", refuse: bool = True) -> list[Panel]:
    """Judge every matrix on every plate that holds samples or standards, by the limits of a preset or by `none`.

    A standard out of its limits is left out once, and the panel judged without it, as ICH M10 (3.2.4) says; a flagged
    well is never used.

    refuse : false to look at plates that must not be used, whose curves then go through all their standards

    Raises
    ------
    AssayError
        with the rules that were broken, if a panel must not be used or has no curve
    """
    panels: dict[tuple[str, str], list[Reading]] = {}
    for reading in readings:
        panels.setdefault((reading.well.plate, reading.well.matrix), []).append(reading)
    worth = ("sample", "spike", "standard", "reference_cells")
    judged = [
        _judged(plate, matrix, wells, preset)
        for (plate, matrix), wells in panels.items()
        if any(reading.well.role in worth for reading in wells)
    ]
    broken = [panel for panel in judged if panel.acceptance is not None and not panel.acceptance.passed]
    if broken and refuse:
        said = str(broken[0].acceptance.sentence) if broken[0].acceptance else ""
        others = f" Refused too: {', '.join(panel.name for panel in broken[1:])}." if broken[1:] else ""
        raise AssayError(f"{broken[0].name}: {said[0].lower()}{said[1:]}{others}")
    return judged


def _judged(plate: str, matrix: str, wells: list[Reading], preset: str) -> Panel:
    name = f"plate {plate}, {matrix}"
    left_out = [(reading, "; ".join(reading.amplitude.flags)) for reading in wells if reading.amplitude.flags]
    used = [reading for reading in wells if not reading.amplitude.flags]
    role: Role = "standard" if any(r.well.role == "standard" for r in wells) else "reference_cells"
    known, blanks = _of(used, role), _of(used, "blank")
    if len(known) < FEWEST or len(blanks) < 2:
        raise AssayError(
            f"{name}: a curve needs two blanks and three wells of standards or of reference cells in this matrix; "
            f"{len(blanks)} and {len(known)} can be used{_why(left_out)}."
        )
    units = {reading.well.unit for reading in (*known, *_of(used, "qc"))}
    if len(units) > 1:
        raise AssayError(f"{name}: standards and QCs have the units {' and '.join(sorted(units))}; give them one.")
    acceptance = None
    if preset != "none":
        acceptance, rejected = _accepted(known, used, preset)
        left_out += [(reading, "out of the limits for standards") for reading in rejected]
        used = [reading for reading in used if reading not in rejected]
    curve = _curve(name, used, role)
    if not float(curve.curve.parameters[1]) > 0.0:
        raise AssayError(f"{name}: light does not fall with the field as label rises; check the sign of the light and "
                         "which wells are standards.")  # fmt: skip
    blank = np.array([(r.amplitude.delta, r.amplitude.se) for r in _of(used, "blank")])
    limits = detection_limits(curve, blank[:, 0], blank[:, 1])
    notes = _notes(used, blank)
    return Panel(plate, matrix, role, units.pop(), curve, acceptance, limits, tuple(used), tuple(left_out), notes)


def _of(readings: Sequence[Reading], role: Role) -> list[Reading]:
    return [reading for reading in readings if reading.well.role == role]


def _why(left_out: Sequence[tuple[Reading, str]]) -> str:
    if not left_out:
        return ""
    return f" ({len(left_out)} wells are flagged, the first, {left_out[0][0].well.well}, because {left_out[0][1]})"


def _amounts(readings: Sequence[Reading]) -> np.ndarray:
    """Amount in each well (well) [unit of the panel]."""
    return np.array([reading.well.held for reading in readings])


def _deltas(readings: Sequence[Reading]) -> np.ndarray:
    return np.array([reading.amplitude.delta for reading in readings])


def _accepted(known: list[Reading], used: list[Reading], preset: str) -> tuple[Acceptance, list[Reading]]:
    """Verdict on all standards by the curve of those within limits, and the standards that are not."""
    checks, after = _of(used, "qc"), _of(used, "carry_over")
    nominal, delta = _amounts(known), _deltas(known)
    share = None
    if after:
        share = carry_over(_deltas(after), delta[nominal == nominal.min()], _deltas(_of(used, "blank"))).share
    within = np.ones(len(known), dtype=bool)
    for _ in range(ROUNDS):
        curve = m10_curve(nominal[within], delta[within])
        standards = pd.DataFrame({"nominal": nominal, "back_calculated": curve.inverse(delta)})
        qcs = pd.DataFrame({"nominal": _amounts(checks), "measured": curve.inverse(_deltas(checks))})
        found = accept_plate(standards, qcs, preset, share)
        before, within = within, found.standards["within"].to_numpy()
        if (within == before).all() or within.sum() < FEWEST:
            break
    out = [reading for reading, kept in zip(known, within, strict=True) if not kept]
    return found, out if found.passed else []


def _curve(name: str, used: list[Reading], role: Role) -> Calibration:
    plain = [reading for reading in used if reading.well.role in (role, "blank")]
    try:
        return fit_wells(
            [reading.well for reading in plain],
            [reading.amplitude.delta for reading in plain],
            [reading.amplitude.se for reading in plain],
            roles=(role,),
        )
    except AssayError as problem:
        raise AssayError(f"{name}: {problem}") from None


def _notes(used: list[Reading], blank: np.ndarray) -> tuple[str, ...]:
    notes = [note for reading in used for note in reading.amplitude.notes]
    for reading in _of(used, "laser_off"):
        found = reading.amplitude
        if abs(found.delta) > LOUD * found.se:
            notes.append(
                f"well {reading.well.well} without laser reads {found.delta:.3g}, {abs(found.delta) / found.se:.0f} "
                "standard errors: the magnet reaches the detector; blanks take it off as long as it is constant"
            )
    mean, se = blank[:, 0].mean(), blank[:, 0].std(ddof=1) / np.sqrt(len(blank))
    if abs(mean) > LOUD * max(se, float(np.sqrt((blank[:, 1] ** 2).mean() / len(blank)))):
        notes.append(f"blanks read {mean:.3g} on average: something without label follows the magnet, and is taken off")
    return tuple(dict.fromkeys(notes))

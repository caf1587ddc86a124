"""What a prior says that no animal can do, or that leaves nothing to learn: found before the fit, with what to do."""

from collections.abc import Iterator

import numpy as np

from pbpk.body.model import Model
from pbpk.body.solve import Array
from pbpk.infer.draws.posterior import Posterior
from pbpk.infer.draws.replicated import summed, sums
from pbpk.infer.matched.joint import Joint, predict_percent
from pbpk.infer.matched.kinds import learned_by_arrow

OFTEN, MUCH = 0.25, 150.0  # share of prior draws in which organs are told to hold so much [% of the dose]
CAUGHT, PASSED = 0.99, 1e-4  # extraction beyond which one can hardly be told from 1, or from 0
ENDS = (0.01, 0.10)  # an extraction within this of 0 and of 1, each with this probability, is believed to be either


def prior_limits(posterior: Posterior) -> list[str]:
    """Sentences about the prior alone; nothing where it is sound. `posterior` holds draws of the prior."""
    joint, theta = posterior.joint, posterior.theta()
    return [*_more_than_given(joint, theta), *_extractions(joint.model, theta), *_uptakes(joint.model, theta)]


def _more_than_given(joint: Joint, theta: Array) -> Iterator[str]:
    """Organs that together would be reported to hold more than the dose: weights or a recovery too loose."""
    if not joint.doubtful and "recovery" not in joint.names:
        return
    percent = predict_percent(joint, theta)["dose"]
    shares = {key: float((summed(percent, organs) > MUCH).mean()) for key, organs in sums(joint).items()}
    (group, hours), share = max(shares.items(), key=lambda item: item[1], default=(("", 0.0), 0.0))
    if share > OFTEN:
        loose = "`cv` in organ_weights.csv" if joint.doubtful else "`recovery` in study.toml"
        yield (
            f"in {share:.0%} of the draws of the prior the organs of `{group}` at {hours:g} h would be reported to "
            f"hold {MUCH / 100.0:g} times the dose or more; narrow {loose} if they are known better"
        )


def _extractions(model: Model, theta: Array) -> Iterator[str]:
    """Arrows by which blood that passes an organ loses what it brings, and whose prior is all at one end."""
    if not model.is_linear or model.n_lasting == len(model.states):
        return
    rates, source, target = model.rates(theta[:, : len(model.parameters)]), model.source_states, model.target_states
    told: dict[str, list[str]] = {}
    for arrow, names in enumerate(learned_by_arrow(model)):
        if not names or source[arrow] < model.n_lasting or target[arrow] >= model.n_lasting:
            continue
        onwards = (source == source[arrow]) & (target >= model.n_lasting)
        if not onwards.any():  # the way back of a tissue in balance with the blood
            continue
        extraction = rates[:, arrow] / (rates[:, arrow] + rates[:, onwards].sum(axis=1))
        high, low = float((extraction > CAUGHT).mean()), float((extraction < PASSED).mean())
        near, often = ENDS
        either = min(float((extraction > 1.0 - near).mean()), float((extraction < near).mean()))
        who = " and ".join(f"`{name}`" for name in names)
        if high > 0.5:
            told.setdefault(f"the prior lets {{}} catch more than {CAUGHT:.0%} of what the blood brings, in most "
                            "draws: then only the flow counts and no value can teach it; lower its median, or fix "
                            "it", []).append(who)  # fmt: skip
        elif low > 0.5:
            told.setdefault(f"the prior lets {{}} catch less than {PASSED:.2%} of what the blood brings, in most "
                            "draws: then no value can teach it; raise its median, or fix it",
                            []).append(who)  # fmt: skip
        elif either > often:
            told.setdefault("the prior of {} is so wide that it believes in all or nothing and hardly in what lies "
                            "between; choose a smaller sigma (1.5 leaves the middle open)", []).append(who)  # fmt: skip
    for sentence, parameters in told.items():
        yield sentence.format(", ".join(dict.fromkeys(parameters)))


def _uptakes(model: Model, theta: Array) -> Iterator[str]:
    """Arrows out of the blood that are faster than the flow of their organ could bring."""
    blood = model.observed.get("blood", ())
    volume = sum(model.constants.get(name, 0.0) for name in ("volume_vein", "volume_artery"))
    if not model.is_linear or not volume:
        return
    rates = model.rates(theta[:, : len(model.parameters)])
    for arrow, names in enumerate(learned_by_arrow(model)):
        s, t = int(model.source_states[arrow]), int(model.target_states[arrow])
        if not names or s >= model.n_lasting or model.states[s] not in blood:
            continue
        organ = next((organ for organ in model.organs if model.states[t] in model.observed.get(organ, ())), "")
        flow = model.constants.get(f"flow_{organ}", model.constants.get(f"artery_{organ}", 0.0))
        median, bound = float(np.median(rates[:, arrow])), flow / volume
        if flow and median > bound:
            yield (
                f"by the prior median the `{organ}` takes {median:.3g} of the blood's content an hour, and its blood "
                f"flow can bring {bound:.3g}; lower {' or '.join(f'`{name}`' for name in names)}"
            )

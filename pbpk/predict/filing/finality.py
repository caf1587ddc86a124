"""Whether a report may be called final: every reason why not, each in one sentence."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pbpk.predict.filing.analysis_plan import SEAL
from pbpk.predict.filing.authored import Authored, missing
from pbpk.predict.filing.deviations import Deviated, unexplained
from pbpk.predict.filing.frozen import SHORT, seal_of
from pbpk.predict.filing.judging import Judged

if TYPE_CHECKING:
    from pbpk.predict.audit import Verified
    from pbpk.predict.run import Run


def may_be_final(
    run: "Run",
    authored: Authored,
    plan: Mapping[str, Any] | None,
    judged: Sequence[Judged],
    deviated: Sequence[Deviated],
    verified: "Verified | None",
    broken: str = "",
) -> tuple[str, ...]:
    """Reasons why a report is not final, none where it may be.

    Parameters
    ----------
    plan : that lies in the run's copy of its study; None where none was frozen before the fit
    judged : the criteria of `authored`, held against the run
    deviated : from `deviations`
    verified : of the run folder, before anything is written into it; None where nobody looked
    broken : what is wrong with the plan that lies there, if it cannot be read
    """
    return (
        *_fit(run),
        *_record(verified),
        *((broken,) if broken else _plan(run, plan)),
        *_criteria(authored, plan, judged),
        *(f"TO BE COMPLETED: {each}" for each in missing(authored)),
        *(f"TO BE COMPLETED: {each}" for each in unexplained(tuple(deviated))),
    )


def _fit(run: "Run") -> Iterator[str]:
    if run.posterior.method != "nuts":
        yield "The draws are a quick approximation; fit without --quick."
    if not run.diagnostics.passed:
        yield f"The fit has not converged: {'; '.join(run.diagnostics.sentences)}."
    elif not run.manifest.get("converged", True):
        yield "The manifest says that the fit has not converged; fit again."


def _record(verified: "Verified | None") -> Iterator[str]:
    if verified is None:
        yield "Nobody compared the run with its record; `pbpk verify` does."
    else:
        yield from verified.problems


def _plan(run: "Run", plan: Mapping[str, Any] | None) -> Iterator[str]:
    followed = run.manifest.get("plan")
    if plan is None or followed is None:
        yield "No plan was frozen before the fit; freeze one with `pbpk plan` and fit again."
    elif seal_of(plan) != followed["sha256"]:
        yield (f"The plan ({seal_of(plan)[:SHORT]}) is not the one that the run follows "
               f"({str(followed['sha256'])[:SHORT]}); go back to that one, or fit again.")  # fmt: skip


def _criteria(authored: Authored, plan: Mapping[str, Any] | None, judged: Sequence[Judged]) -> Iterator[str]:
    frozen = {} if plan is None else plan["criteria"]
    now = {each.id: each.told for each in authored.criteria}
    for name, criterion in now.items():
        if plan is not None and name not in frozen:
            yield f"Criterion `{name}` was not frozen before the fit; take it out of [[criteria]]."
        elif plan is not None and criterion != frozen[name]:
            yield f"Criterion `{name}` is not what was frozen before the fit; go back to what the plan says."
    for name in frozen:
        if name not in now:
            yield f"Criterion `{name}` was frozen and is gone from [[criteria]]; put it back as the plan says it."
    by_id = {each.criterion.id: each for each in judged}
    for name in now:
        if name not in by_id:
            yield f"Criterion `{name}` was not held against the run."
        elif not by_id[name].passed and not authored.discussion.unmet.get(name, "").strip():
            yield f"{by_id[name].sentence} Discuss it under [discussion.unmet]."


def remarks(plan: Mapping[str, Any] | None) -> tuple[str, ...]:
    """What a report says of its plan though it hinders nothing: data at hand when it was frozen, plans given up."""
    if plan is None:
        return ()
    found = []
    if plan["data"]["at_hand"]:
        found.append(f"The plan was frozen ({plan['frozen']}) when the data were at hand.")
    old = plan.get("supersedes")
    if old is not None:
        which = "(changed since)" if not old["intact"] else f"({old[SEAL][:SHORT]}, frozen {old['frozen']})"
        found.append(f"The plan supersedes an earlier one {which}, kept as {old['kept_as']}: {old['reason']}")
    return tuple(found)

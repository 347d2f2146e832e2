"""Which candidate answers, and the sentence that says why."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from langchain_lmswitch.policy.ranking import pinned, points_of
from langchain_lmswitch.types.decisions import Candidate, ToolCalling
from langchain_lmswitch.types.plans import Load, Plan, Refusal, Use
from langchain_lmswitch.types.tasks import Task

_SETTLING: Final = 0.02
"""Points that a model must be better by, beside all else, to make one leave that is new there."""

_CALLING: Final[Mapping[ToolCalling, str]] = {
    "trained": "trained to call tools",
    "constrained": "its tool calls are held to a grammar",
    "untrained": "not trained to call tools, so it may fail to",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The chosen candidate, or `None`, and every candidate with its verdict."""

    key: str | None
    candidates: tuple[Candidate, ...]
    reason: str
    tool_calling: ToolCalling = ""


def choose(
    task: Task,
    ranked: Sequence[Candidate],
    *,
    plans: Mapping[str, Plan | Refusal],
    failed: Mapping[str, str],
    forced: bool,
    smaller_than_bytes: int | None = None,
    losses_s: Mapping[str, float] | None = None,
    fresh: Collection[str] = (),
    trouble: str = "",
) -> Choice:
    """Take the first of the ranked candidates that can answer.

    A candidate is passed over, in this order, if

    1. it lacks a hard need,
    2. it failed in this very request,
    3. it does not fit the memory, even after evictions that are allowed,
    4. it would have to be loaded, and is no smaller than what has just failed for memory,
    5. others would have to leave for it who are wanted again, and one in memory is nearly as good:
       the seconds of reloading to be expected weigh as those of loading do in `ranking`, and 2
       points more if one of them was loaded a moment ago. What the caller names is loaded all the
       same, and so is the model that has this turn of the user already.

    Args:
        task: The classified request.
        ranked: Best first.
        plans: How each could be in memory; who is missing here was not looked at.
        failed: Key to what went wrong earlier in this request.
        forced: Whether the caller named the model.
        smaller_than_bytes: The footprint of the smallest that failed for memory in this request.
        losses_s: By identifier, the seconds of reloading to be expected if a resident leaves.
        fresh: Keys of those that were loaded a moment ago.
        trouble: What kind of error kept the candidates from being scored; see `incumbents_first`.
    """
    judged = [
        _judge(one, plans.get(one.key), failed.get(one.key, ""), smaller_than_bytes)
        for one in ranked
    ]
    able = [one for one in judged if not one.note and one.key in plans]
    if able and not forced and not trouble and not pinned(able[0]):
        enough = _enough(task, able[0], plans[able[0].key], losses_s=losses_s or {}, fresh=fresh)
        judged = _without_vain_swap(able, judged, plans=plans, enough=enough)  # 5
        able = [one for one in able if one in judged]
    chosen = next(iter(able), None)
    if chosen is None:
        reason = "; ".join(f"{one.key}: {one.note}" for one in judged) or "no model is installed"
        return Choice(key=None, candidates=tuple(judged), reason=f"nobody can answer ({reason})")
    marked = [replace(one, note="chosen") if one is chosen else one for one in judged]
    why = "you asked for it" if forced else _why_first(chosen, judged, trouble=trouble)
    reason = _sentence(task, chosen, plans[chosen.key], why)
    calling = tool_calling(task, chosen)
    return Choice(key=chosen.key, candidates=tuple(marked), reason=reason, tool_calling=calling)


def _enough(
    task: Task,
    best: Candidate,
    plan: Plan | Refusal,
    *,
    losses_s: Mapping[str, float],
    fresh: Collection[str],
) -> float:
    """Tell the score of one in memory that is nearly as good as the best, if others must leave."""
    if not isinstance(plan, Load) or not plan.evict:
        return math.inf
    loss_s = sum(losses_s.get(one.identifier, 0.0) for one in plan.evict)
    settling = _SETTLING if any(one.key in fresh for one in plan.evict) else 0.0
    return best.score - points_of(loss_s, quality=task.hints.quality) - settling


def _without_vain_swap(
    able: Sequence[Candidate],
    judged: list[Candidate],
    *,
    plans: Mapping[str, Plan | Refusal],
    enough: float,
) -> list[Candidate]:
    """Pass the best over, if another one in memory is good enough."""
    instead = [one for one in able if isinstance(plans[one.key], Use) and one.score >= enough]
    plan = plans[able[0].key]
    if not instead or not isinstance(plan, Load):
        return judged
    leaving = ", ".join(one.key for one in plan.evict)
    note = f"hardly better than {instead[0].key}, and {leaving} would have to leave"
    passed = able[: able.index(instead[0])]
    return [replace(one, note=note) if one in passed else one for one in judged]


def _judge(
    candidate: Candidate, plan: Plan | Refusal | None, failure: str, smaller_than_bytes: int | None
) -> Candidate:
    if plan is None and not candidate.lacks and not failure:  # it was not looked at
        return candidate
    fits = None if plan is None else not isinstance(plan, Refusal)
    note = ""
    if candidate.lacks:  # 1
        note = ", ".join(candidate.lacks)
    elif failure:  # 2
        note = f"failed: {failure}"
    elif isinstance(plan, Refusal):  # 3
        note = f"does not fit: {plan.reason}"
    elif isinstance(plan, Load) and not _smaller(plan, smaller_than_bytes):  # 4
        note = "no smaller than what failed for memory"
    return replace(candidate, fits=fits, note=note, footprint_bytes=_bytes(plan))


def _smaller(plan: Load, than_bytes: int | None) -> bool:
    if than_bytes is None:
        return True
    return plan.footprint is not None and plan.footprint.total_bytes < than_bytes


def _bytes(plan: Plan | Refusal | None) -> int | None:
    match plan:
        case Use(footprint=footprint) | Load(footprint=footprint) if footprint is not None:
            return footprint.total_bytes
        case Refusal(needed_bytes=needed_bytes):
            return needed_bytes
        case _:
            return None


def _sentence(task: Task, chosen: Candidate, plan: Plan | Refusal, why: str) -> str:
    calls = f"; {_CALLING[tool_calling(task, chosen)]}" if task.needs.tools else ""
    return f"{chosen.key} for {task.kind} ({task.evidence}): {why}; {_memory(plan)}{calls}."


def tool_calling(task: Task, chosen: Candidate) -> ToolCalling:
    """Say how the chosen model comes to call tools; empty if there are none to call."""
    if not task.needs.tools:
        return ""
    if "tool grammar" in chosen.abilities:
        return "constrained"
    return "trained" if "tools" in chosen.abilities else "untrained"


def _why_first(chosen: Candidate, judged: Sequence[Candidate], *, trouble: str) -> str:
    if trouble:
        return f"the models could not be compared ({trouble}), and this one can answer"
    if pinned(chosen):
        return "it has this turn already"
    better = [one for one in judged[: judged.index(chosen)] if one.note]
    able = [one for one in judged if not one.lacks]
    if better:
        return f"the best of those that can answer now ({better[0].key} {better[0].note})"
    if len(judged) == 1:
        return "the only model installed"
    if len(able) == 1:
        return f"the only one that can ({judged[-1].key} {judged[-1].note})"
    return f"best score of {len(able)} candidates"


def _memory(plan: Plan | Refusal) -> str:
    match plan:
        case Use():
            return "already loaded"
        case Load(footprint=None):
            return "loaded for this"
        case Load(evict=evict, footprint=footprint) if footprint is not None:
            room = f"after unloading {', '.join(one.key for one in evict)}" if evict else "it fits"
            return f"loaded for this, about {footprint.total_bytes / 2**20:,.0f} MiB, {room}"
        case _:
            return "not loaded"

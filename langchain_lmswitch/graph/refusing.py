"""Which error says best why no model can answer."""

from langchain_lmswitch.errors import (
    ContextTooLong,
    LMSwitchError,
    LoadFailed,
    ModelGone,
    NoSuitableModel,
)
from langchain_lmswitch.graph.state import RouterState
from langchain_lmswitch.policy.admission import not_enough
from langchain_lmswitch.policy.needs import FORBIDDEN
from langchain_lmswitch.types.decisions import Decision
from langchain_lmswitch.types.plans import Refusal
from langchain_lmswitch.types.reviving import revive

_NOTHING_INSTALLED = "Run `lmswitch pull starter`, or download a chat model in LM Studio."
_FORBIDDEN = (
    "Change `allow` or `deny` (`lmswitch config` tells where), or install a model they let."
)
_NOTHING_FITS_THE_NEED = "Install a model that can, or leave that part out of the request."


def refusal_error(state: RouterState) -> LMSwitchError:
    """Choose the error.

    1. A model failed to load or kept vanishing: the last such failure, with the host's words, or
       with the numbers if its memory had been taken when its turn came.
    2. A model could answer but does not fit: the one that came nearest, with the numbers.
    3. The prompt alone keeps models from answering that could: a shorter one would do, and
       whoever summarizes or trims conversations has to know.
    4. None can do what is asked, or none is installed.
    """
    decision = revive(Decision, state["decision"])
    for key, failure in reversed(state["failed"].items()):  # 1
        if failure.get("gone"):
            return ModelGone(key, reason=failure["reason"])
        if failure.get("refusal"):
            return not_enough(revive(Refusal, failure["refusal"]))
        return LoadFailed(key, reason=failure["reason"], for_memory=failure["for_memory"])
    if state.get("refusal"):  # 2
        return not_enough(revive(Refusal, state["refusal"] or {}))
    if short := _too_short(state, decision):  # 3
        return short
    rejected = {one.key: one.note for one in decision.candidates}  # 4
    remedy = _NOTHING_FITS_THE_NEED if rejected else _NOTHING_INSTALLED
    if rejected and all(note.startswith(FORBIDDEN) for note in rejected.values()):
        remedy = _FORBIDDEN
    return NoSuitableModel(decision.task, rejected=rejected, remedy=remedy)


def _too_short(state: RouterState, decision: Decision) -> ContextTooLong | None:
    needed_tokens = state["task"]["needs"]["context_tokens"] if "task" in state else 0
    limits_tokens = [
        one.max_context_tokens
        for one in decision.candidates
        if len(one.lacks) == 1 and 0 < one.max_context_tokens < needed_tokens
    ]
    if not limits_tokens:
        return None
    return ContextTooLong(tokens=needed_tokens, limit_tokens=max(limits_tokens))

"""Which error says best why no model can answer."""

from langchain_lmswitch.errors import (
    LMSwitchError,
    LoadFailed,
    NoSuitableModel,
    NotEnoughMemory,
)
from langchain_lmswitch.graph.state import RouterState, revive
from langchain_lmswitch.types.decisions import Decision
from langchain_lmswitch.types.plans import Refusal

_NOTHING_INSTALLED = "Run `lmswitch pull starter`, or download a chat model in LM Studio."
_NOTHING_FITS_THE_NEED = "Install a model that can, or leave that part out of the request."


def refusal_error(state: RouterState) -> LMSwitchError:
    """Choose the error.

    1. A model failed to load or kept vanishing: the last such failure, with the host's words.
    2. A model could answer but does not fit: the one that came nearest, with the numbers.
    3. None can do what is asked, or none is installed.
    """
    decision = revive(Decision, state["decision"])
    for key, failure in reversed(state["failed"].items()):  # 1
        return LoadFailed(key, reason=failure["reason"], for_memory=failure["for_memory"])
    if state.get("refusal"):  # 2
        refusal = revive(Refusal, state["refusal"] or {})
        return NotEnoughMemory(
            refusal.key,
            needed_bytes=refusal.needed_bytes,
            free_bytes=refusal.free_bytes,
            blockers=refusal.blockers,
        )
    rejected = {one.key: one.note for one in decision.candidates}  # 3
    remedy = _NOTHING_FITS_THE_NEED if rejected else _NOTHING_INSTALLED
    return NoSuitableModel(decision.task, rejected=rejected, remedy=remedy)

"""What a step that did not work out changes in the state. Pure."""

from typing import Any, Final, assert_never

from langchain_lmswitch.errors import LoadFailed, ModelGone, NotEnoughMemory, UnknownModel
from langchain_lmswitch.graph.state import RouterState, plain
from langchain_lmswitch.types.plans import Refusal

Update = dict[str, Any]

_MAY_VANISH: Final = 1
"""How often a model may be gone before its first token until it counts as failed."""


def failed(
    state: RouterState, key: str, failure: LoadFailed | NotEnoughMemory | UnknownModel
) -> Update:
    """Exclude a model that could not be loaded from the next choice."""
    match failure:
        case LoadFailed():
            why: dict[str, Any] = {"reason": failure.reason, "for_memory": failure.for_memory}
        case NotEnoughMemory():
            refusal = Refusal(
                key=failure.key,
                reason=str(failure),
                needed_bytes=failure.needed_bytes,
                free_bytes=failure.free_bytes,
                blockers=failure.blockers,
            )
            reason = "Its memory was taken meanwhile."
            why = {"reason": reason, "for_memory": True, "refusal": plain(refusal)}
        case UnknownModel():
            why = {"reason": "It is on the disk no more.", "for_memory": False}
        case _:
            assert_never(failure)
    return {"failed": {**state["failed"], key: why}, "resident": {}}


def vanished(state: RouterState, key: str, gone: ModelGone | UnknownModel) -> Update:
    """Count how often a model was gone before its first token; too often excludes it."""
    times = state["vanished"].get(key, 0) + 1
    excluded = state["failed"]
    if times > _MAY_VANISH:
        reason = gone.reason if isinstance(gone, ModelGone) else "it is loaded no more"
        excluded = {**excluded, key: {"reason": reason, "for_memory": False, "gone": True}}
    return {"vanished": {**state["vanished"], key: times}, "failed": excluded, "resident": {}}

"""One LangChain chat model for all the models on your machine."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from langchain_lmswitch._version import __version__

if TYPE_CHECKING:
    from langchain_lmswitch.chat_models import ChatLMSwitch, LMSwitchRouter
    from langchain_lmswitch.context.alone import fit_messages
    from langchain_lmswitch.context.fitting import Fitted
    from langchain_lmswitch.conversations.middleware import FitMessages as FitMessages
    from langchain_lmswitch.conversations.nodes import fitting_node
    from langchain_lmswitch.conversations.stores import cache_in
    from langchain_lmswitch.decisions import LMSwitchDecisionModel as LMSwitchDecisionModel
    from langchain_lmswitch.embeddings import LMSwitchEmbeddings
    from langchain_lmswitch.errors import LMSwitchError
    from langchain_lmswitch.graph.router import router_graph
    from langchain_lmswitch.settings import Settings
    from langchain_lmswitch.types.decisions import Decision

__all__ = [
    "ChatLMSwitch",
    "Decision",
    "Fitted",
    "LMSwitchEmbeddings",
    "LMSwitchError",
    "LMSwitchRouter",
    "Settings",
    "__version__",
    "cache_in",
    "fit_messages",
    "fitting_node",
    "router_graph",
]

_HOMES: Final = {
    "ChatLMSwitch": "chat_models",
    "Decision": "types.decisions",
    "FitMessages": "conversations.middleware",
    "Fitted": "context.fitting",
    "LMSwitchDecisionModel": "decisions",
    "LMSwitchEmbeddings": "embeddings",
    "LMSwitchError": "errors",
    "LMSwitchRouter": "chat_models",
    "Settings": "settings",
    "cache_in": "conversations.stores",
    "fit_messages": "context.alone",
    "fitting_node": "conversations.nodes",
    "router_graph": "graph.router",
}
"""Imported at first use: `lmswitch status` should not wait for LangGraph."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    # Not all are in `__all__`: a star should not fail where LangChain is too old, or not there.
    return sorted({*__all__, *_HOMES})

"""LangChain's face of the router: `ChatLMSwitch`, thin over one asynchronous core."""

from langchain_lmswitch.chat_models.model import ChatLMSwitch
from langchain_lmswitch.chat_models.router import LMSwitchRouter

__all__ = ["ChatLMSwitch", "LMSwitchRouter"]

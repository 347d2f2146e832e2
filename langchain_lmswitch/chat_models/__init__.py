"""LangChain's face of the router: `ChatLMSwitch`, thin over one asynchronous core."""

from langchain_lmswitch.chat_models.model import ChatLMSwitch

__all__ = ["ChatLMSwitch"]

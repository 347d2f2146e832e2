"""One LangChain chat model for all the models on your machine."""

from langchain_lmswitch._version import __version__

__all__ = ["__version__"]

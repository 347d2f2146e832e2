"""Fetches weights: the starter models, and any GGUF repository of the Hugging Face Hub."""

from langchain_lmswitch.embedded.pull.fetch import fetch
from langchain_lmswitch.embedded.pull.search import Downloadable, options, search
from langchain_lmswitch.embedded.starter import starter_names

__all__ = ["Downloadable", "fetch", "options", "search", "starter_names"]

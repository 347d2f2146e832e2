"""`lmswitch status`: the host, what it holds in memory, and what happened lately."""

from langchain_lmswitch.cli.status.command import status

__all__ = ["status"]

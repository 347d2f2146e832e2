"""LM Studio, and whatever speaks its protocol, through the official SDK.

`client` alone touches the SDK's names; `link` holds one connection, `channels` one stream of
packets on it; `packets`, `listing`, `offers`, `fields`, `tokens` and `failures` translate and do no
IO.
"""

from langchain_lmswitch.hosts.lmstudio.host import LMStudioHost

__all__ = ["LMStudioHost"]

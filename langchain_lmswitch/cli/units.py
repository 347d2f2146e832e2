"""Numbers as a person reads them: the same in a terminal and in a notebook."""

from langchain_lmswitch.types.units import UNKNOWN, duration, mib, size

__all__ = ["UNKNOWN", "duration", "mib", "size"]

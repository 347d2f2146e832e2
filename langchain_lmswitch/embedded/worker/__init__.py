"""One process for each loaded model: llama.cpp's server, or the sentence encoder.

The child runs through this file too (`python -m langchain_lmswitch.embedded.worker.child`), so
the parent's half, which needs an HTTP client, is imported when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

from langchain_lmswitch.embedded.worker.spec import WorkerSpec

if TYPE_CHECKING:
    from langchain_lmswitch.embedded.worker.worker import Worker

__all__ = ["Worker", "WorkerSpec"]


def __getattr__(name: str) -> Any:
    """Import the parent's half on demand."""
    if name == "Worker":
        from langchain_lmswitch.embedded.worker.worker import Worker  # noqa: PLC0415

        return Worker
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Ends of an answer that are no answers: hosts tell them as if all was well."""

from langchain_lmswitch.errors import HostFailed, ModelGone
from langchain_lmswitch.types.events import Finished


def check_end(finished: Finished, identifier: str, address: str) -> None:
    """Raise where the host's last word means that the answer is not complete.

    Raises:
        ModelGone: The model was unloaded in the middle.
        HostFailed: The host failed, and says no more.
    """
    if finished.stop_reason == "modelUnloaded":
        raise ModelGone(identifier, reason="it was unloaded")
    if finished.stop_reason == "failed":
        raise HostFailed(address, doing="answering", reason="it gave no reason.")

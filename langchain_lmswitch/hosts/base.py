"""The `Host` protocol: all that the rest of the package asks of a model server."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Protocol

from langchain_lmswitch.types.events import InstanceState, PredictEvent
from langchain_lmswitch.types.machine import Footprint, Scope
from langchain_lmswitch.types.models import LoadSpec, ModelCard, Resident
from langchain_lmswitch.types.requests import JsonObject, PredictRequest

OnProgress = Callable[[float], None]
"""Called on the host's loop with a load's progress, from 0 to 1, never falling."""


class Host(Protocol):
    """A server that has models on disk and holds some of them in memory.

    Every method may raise `HostLost`, `HostTimeout`, `HostRejected` and `HostFailed`. Cancelling
    a call, or closing a stream early, stops the work on the server before it returns.
    """

    @property
    def address(self) -> str:
        """Where it is, as `host:port`; two hosts of one address are one host."""

    @property
    def scope(self) -> Scope:
        """Whether its memory is this computer's."""

    async def engine(self) -> str:
        """Name the release of the server, such as `0.4.0+1`; empty if it does not tell.

        What a load costs may change with it.
        """

    async def cards(self) -> list[ModelCard]:
        """List the models on disk."""

    async def residents(self) -> list[Resident]:
        """List the models in memory, whoever loaded them."""

    async def estimate(self, spec: LoadSpec, card: ModelCard) -> Footprint:
        """Say what a load would cost.

        The best source there is: the host's own estimate, else the formula over the file's
        header where the file can be read, else a guess from its size.
        """

    async def load(self, spec: LoadSpec, *, on_progress: OnProgress | None = None) -> Resident:
        """Load a model as a new instance; the result tells the context really loaded.

        Raises:
            UnknownModel: No such model on disk.
            LoadFailed: The host tried and could not.
        """

    async def unload(self, identifier: str) -> None:
        """Unload one instance.

        Raises:
            UnknownModel: Nothing is loaded under this identifier.
        """

    async def count_tokens(self, identifier: str, text: str) -> int:
        """Count the tokens of `text` with the tokenizer of a loaded model.

        Raises:
            UnknownModel: Nothing is loaded under this identifier.
        """

    async def render(
        self, identifier: str, messages: Sequence[JsonObject], *, tools: Sequence[JsonObject] = ()
    ) -> str:
        """Put a conversation through the chat template of a loaded model.

        Raises:
            UnknownModel: Nothing is loaded under this identifier.
        """

    def predict(
        self, identifier: str, request: PredictRequest
    ) -> AsyncGenerator[PredictEvent, None]:
        """Stream an answer; the last event is the only `Finished`.

        Raises:
            UnknownModel: Nothing is loaded under this identifier.
            ModelGone: It was unloaded or crashed before the answer was complete.
        """

    async def embed(self, identifier: str, texts: Sequence[str]) -> list[list[float]]:
        """Embed texts with a loaded embedding model.

        Raises:
            UnknownModel: Nothing is loaded under this identifier.
        """

    async def state(self, identifier: str) -> InstanceState | None:
        """Say what an instance is doing for any client; `None` if the host cannot tell."""

    async def aclose(self) -> None:
        """Drop the connection; loaded models stay."""

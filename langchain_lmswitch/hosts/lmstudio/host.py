"""`LMStudioHost`: LM Studio as a `Host`."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final

from langchain_lmswitch.errors import HostFailed, UnknownModel
from langchain_lmswitch.hosts.addresses import scope_of
from langchain_lmswitch.hosts.base import OnProgress
from langchain_lmswitch.hosts.lmstudio import estimates, fields, images, loading
from langchain_lmswitch.hosts.lmstudio.answers import answer
from langchain_lmswitch.hosts.lmstudio.connection import Connection
from langchain_lmswitch.hosts.lmstudio.tokens import auth_message
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.types.events import InstanceState, PredictEvent
from langchain_lmswitch.types.machine import Footprint, Scope
from langchain_lmswitch.types.models import LoadSpec, ModelCard, ModelKind, Resident
from langchain_lmswitch.types.requests import JsonObject, PredictRequest

_KINDS: Final[tuple[ModelKind, ...]] = ("llm", "embedding")


class LMStudioHost:
    """A host that speaks LM Studio's protocol, driven through the official SDK.

    Building one does no IO. It connects at the first call and, after a loss, at the next; calls
    that only ask are then repeated once, and an answer as long as nothing of it has come.

    Args:
        address: `host:port`.
        settings: Deadlines, the token, and where model files may lie.
        token: A token that goes before the settings' one.
        onlooker: Whether it is an embedded host that need not stay for this connection.

    Raises:
        InvalidRequest: The token has not the form of one.
    """

    def __init__(
        self,
        address: str,
        *,
        settings: Settings,
        token: str | None = None,
        onlooker: bool = False,
    ) -> None:
        if token is None and settings.api_key is not None:
            token = settings.api_key.get_secret_value()
        self._settings = settings
        self._connection = Connection(
            address, auth=auth_message(token, onlooker=onlooker), timeout_s=settings.timeout_s
        )
        self._scope = scope_of(address)
        self._kinds: dict[str, ModelKind] = {}

    @property
    def address(self) -> str:
        """Where it is, as `host:port`."""
        return self._connection.address

    @property
    def scope(self) -> Scope:
        """Whether its memory is this computer's."""
        return self._scope

    async def cards(self) -> list[ModelCard]:
        """List the models on disk."""
        return await loading.cards(self._connection)

    async def engine(self) -> str:
        """Name the release of the server; empty if it does not tell."""
        told = await self._connection.probe(
            ("system", "version"), None, doing="asking for its version"
        )
        match told:
            case {"version": str(version), "build": int(build)}:
                return f"{version}+{build}"
            case _:
                return ""

    async def residents(self) -> list[Resident]:
        """List the models in memory, whoever loaded them."""
        lists = await asyncio.gather(*(loading.loaded(self._connection, kind) for kind in _KINDS))
        found = [one for listed in lists for one in listed]
        self._kinds = {one.identifier: one.kind for one in found}
        return found

    async def estimate(self, spec: LoadSpec, card: ModelCard) -> Footprint:
        """Say what a load would cost.

        1. The host's own estimate, where it can give one.
        2. The formula over the file's header, where the file is at hand.
        3. A guess from the size.
        """
        told = await self._connection.probe(
            (spec.kind, "estimateModelUsage"),
            {"modelKey": spec.key, "loadConfigStack": fields.stack(fields.load_fields(spec))},
            doing="estimating a load",
            subject=spec.key,
        )
        if (by_host := estimates.by_host(told)) is not None:
            return by_host
        if self.scope == "local" and card.device is None:
            by_file = await asyncio.to_thread(estimates.by_file, spec, card, self._settings)
            if by_file is not None:
                return by_file
        return estimates.by_size(spec, card, self._settings)

    async def load(self, spec: LoadSpec, *, on_progress: OnProgress | None = None) -> Resident:
        """Load a model as a new instance; the result tells the context really loaded.

        Raises:
            UnknownModel: No such model on disk.
            LoadFailed: The host tried and could not.
        """
        resident = await loading.load(
            self._connection,
            spec,
            on_progress=on_progress,
            within_s=self._settings.load_timeout_s,
        )
        self._kinds[resident.identifier] = resident.kind
        return resident

    async def unload(self, identifier: str) -> None:
        """Unload one instance.

        Raises:
            UnknownModel: Nothing is loaded under this identifier.
        """
        found = {one.identifier: one for one in await self.residents()}
        if identifier not in found:
            raise loading.unknown(identifier, found)
        await loading.unload(self._connection, found[identifier].kind, identifier)
        self._kinds.pop(identifier, None)

    async def count_tokens(self, identifier: str, text: str) -> int:
        """Count the tokens of `text` with the tokenizer of a loaded model.

        Raises:
            UnknownModel: Nothing is loaded under this identifier.
        """
        result = await self._connection.ask(
            (await self._kind(identifier), "countTokens"),
            {"specifier": fields.instance(identifier), "inputString": text},
            doing="counting tokens",
            subject=identifier,
        )
        return int(self._field(result, "tokenCount", doing="counting tokens"))

    async def render(
        self, identifier: str, messages: Sequence[JsonObject], *, tools: Sequence[JsonObject] = ()
    ) -> str:
        """Put a conversation through the chat template of a loaded model.

        Raises:
            UnknownModel: Nothing is loaded under this identifier.
        """
        uploaded = await images.upload(self._connection, messages)
        result = await self._connection.ask(
            ("llm", "applyPromptTemplate"),
            fields.render_params(identifier, uploaded, tools),
            doing="rendering a prompt",
            subject=identifier,
        )
        return str(self._field(result, "formatted", doing="rendering a prompt"))

    def predict(
        self, identifier: str, request: PredictRequest
    ) -> AsyncGenerator[PredictEvent, None]:
        """Stream an answer; the last event is the only `Finished`.

        Raises:
            UnknownModel: Nothing is loaded under this identifier.
            ModelGone: It was unloaded or crashed before the answer was complete.
            ContextTooLong: The host found the prompt too long for the loaded context.
        """
        return answer(self._connection, identifier, request, within_s=self._settings.timeout_s)

    async def embed(self, identifier: str, texts: Sequence[str]) -> list[list[float]]:
        """Embed texts with a loaded embedding model.

        Raises:
            UnknownModel: Nothing is loaded under this identifier.
        """
        return [await self._embed(identifier, text) for text in texts]

    async def state(self, identifier: str) -> InstanceState | None:
        """Say what an instance is doing for any client; `None` if the host cannot tell."""
        try:
            told = await self._connection.probe(
                (await self._kind(identifier), "getInstanceProcessingState"),
                {"specifier": fields.instance(identifier), "throwIfNotFound": False},
                doing="asking what a model is doing",
                subject=identifier,
            )
        except UnknownModel:
            return None
        match told:
            case {"status": str(status), "queued": int(queued)}:
                return InstanceState(status=status, queued=queued)
            case _:
                return None

    async def aclose(self) -> None:
        """Drop the connection; loaded models stay."""
        await self._connection.aclose()

    async def _kind(self, identifier: str) -> ModelKind:
        # LM Studio looks for an identifier only among the models of the namespace that is asked.
        if identifier not in self._kinds:
            await self.residents()
        return self._kinds.get(identifier, "llm")

    async def _embed(self, identifier: str, text: str) -> list[float]:
        result = await self._connection.ask(
            ("embedding", "embedString"),
            {"modelSpecifier": fields.instance(identifier), "inputString": text},
            doing="embedding",
            subject=identifier,
            within_s=self._settings.timeout_s,
        )
        return list(self._field(result, "embedding", doing="embedding"))

    def _field(self, result: Any, name: str, *, doing: str) -> Any:
        if isinstance(result, dict) and name in result:
            return result[name]
        raise HostFailed(self.address, doing=doing, reason=f"its answer has no {name!r}.")

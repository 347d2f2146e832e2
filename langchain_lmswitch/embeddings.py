"""`LMSwitchEmbeddings`: the embedding models of the same host, as LangChain's `Embeddings`."""

from collections.abc import AsyncGenerator, Callable
from typing import Any, ClassVar, Self

from langchain_core.embeddings import Embeddings
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.graph.waiting import aawaited, awaited
from langchain_lmswitch.settings import MadeSettings, Settings, made_settings
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.switch.boards import boards
from langchain_lmswitch.switch.embedding import AUTO, Embedder, Vectors
from langchain_lmswitch.switch.news import Result
from langchain_lmswitch.types.events import SwitchEvent


class LMSwitchEmbeddings(BaseModel, Embeddings):
    """The embedding models on your machine, beside the chat models and without harm to them.

    It loads the model at the first call, through the same switchboard as `ChatLMSwitch`: an
    embedding model does not push a chat model out of memory, and stays when chat models change.

    Constructing it does no IO. It can be pickled and copied, and used from any thread and any
    event loop, also inside a running one.

    Example:
        ```python
        from langchain_lmswitch import LMSwitchEmbeddings

        embeddings = LMSwitchEmbeddings()
        vectors = embeddings.embed_documents(["The cat sleeps.", "Stocks fell."])
        question = embeddings.embed_query("What does the cat do?")
        near = [sum(a * b for a, b in zip(question, one)) for one in vectors]
        print(embeddings.chosen, "says the cat" if near[0] > near[1] else "says the stocks")
        ```

        ```text
        text-embedding-universal-sentence-encoder says the cat
        ```

    `auto` chooses at the first call, and this object and its copies then stay with that model, as
    vectors of two models do not compare. Name the model where vectors are kept: `chosen` tells it.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    model: str = AUTO
    """Key or loaded identifier of an embedding model, or `auto`: the smallest in memory, else the
    smallest that fits."""
    batch_size: int = Field(default=64, ge=1)
    """Texts for each request to the host."""
    timeout: float | None = Field(default=None, gt=0)
    """Longest wait in seconds for one request of `batch_size` texts."""
    max_retries: int = Field(default=2, ge=0)
    """How often a lost connection is tried again; finished requests are not repeated."""
    base_url: str | None = None
    """The host as `host:port`; `None` looks for one."""
    api_key: SecretStr | None = None
    """Token of the host, `sk-lm-...`; `None` reads `LM_API_TOKEN`."""
    on_event: Callable[[SwitchEvent], None] | None = Field(default=None, exclude=True)
    """Called with load progress, queueing and eviction, as typed events."""
    host: Any = Field(default=None, exclude=True, repr=False)
    """A `Host` object to use instead of looking for one; see `langchain_lmswitch.testing`."""
    monitor: Any = Field(default=None, exclude=True, repr=False)
    """A `Monitor` to measure the machine of `host` with."""

    _made: MadeSettings | None = PrivateAttr(default=None)
    _chosen: dict[str, str] = PrivateAttr(default_factory=dict)
    """The model that `auto` chose, by host."""

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        # A host is a connection, shared by all who use it, as are whoever measures and listens.
        memo = {} if memo is None else memo
        memo.update({id(one): one for one in (self.host, self.monitor, self.on_event)})
        return super().__deepcopy__(memo)

    @property
    def chosen(self) -> str | None:
        """Key of the model that `auto` stands for; `None` before the first call."""
        return self._chosen.get(self._place())

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed texts, in their order.

        Args:
            texts: At most `batch_size` of them go into one request.

        Returns:
            A vector for each text.

        Raises:
            InvalidRequest: `texts` is not a list of texts, or `model` names a chat model.
            NoSuitableModel: No embedding model is installed.
            UnknownModel: `model` names one the host does not have.
            NotEnoughMemory: The model does not fit beside the chat models in memory.
        """
        return awaited(self._work(texts), self.on_event)

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed texts, in their order; see `embed_documents`."""
        return await aawaited(self._work(texts), self.on_event)

    def embed_query(self, text: str) -> list[float]:
        """Embed one text, as `embed_documents` would.

        Args:
            text: Often a question.
        """
        return self.embed_documents([text])[0]

    async def aembed_query(self, text: str) -> list[float]:
        """Embed one text; see `embed_query`."""
        return (await self.aembed_documents([text]))[0]

    def _work(self, texts: list[str]) -> AsyncGenerator[SwitchEvent | Result[Vectors], None]:
        embedder = Embedder(
            open_board=self._open_board,
            model=self.model,
            batch_size=self.batch_size,
            timeout_s=self.timeout,
            retries=self.max_retries,
            chosen=self._chosen,
            place=self._place(),
        )
        return embedder.stream(_checked(texts))

    async def _open_board(self) -> Switchboard:
        return await boards().of(self.host, self.monitor, self._own_settings())

    def _place(self) -> str:
        given = self.base_url if self.host is None else self.host.address
        return given or ""

    def _own_settings(self) -> Settings:
        self._made = made_settings(self._made, base_url=self.base_url, api_key=self.api_key)
        return self._made.settings


def _checked(texts: list[str]) -> list[str]:
    """Refuse what would embed the wrong thing; a text is a sequence of texts too.

    Raises:
        InvalidRequest: It is not a list of texts.
    """
    if isinstance(texts, str):
        raise InvalidRequest("This takes a list of texts, not one text; see `embed_query`.")
    texts = list(texts)
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            kind = type(text).__name__
            raise InvalidRequest(f"Text {number} is of type {kind}; only a str can be embedded.")
    return texts

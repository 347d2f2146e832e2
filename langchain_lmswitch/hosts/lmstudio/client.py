"""The only module that touches the official SDK's names, some of them semi-private.

They are checked at import, so that an SDK that has moved on is named here and not in the middle
of an answer. Read in `lmstudio` 1.5.0 and 1.6.0b1.
"""

import contextlib
import functools
import logging
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextvars import ContextVar
from importlib.metadata import version
from typing import Any, Final

import httpx
import lmstudio
from lmstudio import _ws_impl, json_api
from lmstudio.async_api import AsyncChannel, _AsyncSession

from langchain_lmswitch.embedded.greeting import NO_TLS

__all__ = ["NEEDED", "SUPPORTED", "AsyncChannel", "Client", "check_sdk", "quiet_sdk_logs"]

SUPPORTED: Final = "lmstudio>=1.5,<1.7"

NEEDED: Final[tuple[tuple[object, str], ...]] = (
    (lmstudio.AsyncClient, "_create_auth_message"),
    (lmstudio.AsyncClient, "_ensure_api_host_is_valid"),
    (json_api.ChannelEndpoint, "api_endpoint"),
    (json_api.ChannelEndpoint, "creation_params"),
    (_AsyncSession, "_create_channel"),
    (_AsyncSession, "remote_call"),
    (AsyncChannel, "rx_stream"),
    (AsyncChannel, "cancel"),
    (_ws_impl, "aconnect_ws"),
)

_direct: ContextVar[bool] = ContextVar("langchain_lmswitch_direct", default=False)
"""Set in the tasks of our own clients, so that other users of the SDK keep its ways."""


def check_sdk(needed: Iterable[tuple[object, str]]) -> None:
    """Make sure that the installed SDK has what this module builds on.

    Raises:
        ImportError: It has not.
    """
    for owner, name in needed:
        if not hasattr(owner, name):
            where = getattr(owner, "__name__", repr(owner))
            raise ImportError(
                f"lmstudio {version('lmstudio')} has no {where}.{name}, which this package needs. "
                f"Run: pip install '{SUPPORTED}'"
            )


class Client(lmstudio.AsyncClient):
    """The SDK's client, with our credentials, no probe of its own and no proxy.

    Construct and enter it in one task: the SDK's tasks inherit that task's context.
    """

    def __init__(self, address: str, *, auth: Mapping[str, Any]) -> None:
        self._auth = dict(auth)
        super().__init__(address)

    def _create_auth_message(self, *_: object) -> dict[str, Any]:
        # 1.5.0 passes nothing and knows no tokens; 1.6 passes the token. Ours fits both.
        return self._auth

    async def _ensure_api_host_is_valid(self) -> None:
        # The SDK's own probe obeys proxies and raises what httpx raises; `finding` has its own.
        _direct.set(True)

    async def call(self, namespace: str, endpoint: str, params: Mapping[str, Any] | None) -> Any:
        """Call a remote procedure with raw JSON and give its raw result."""
        wrapped: Any = None if params is None else _RawParams(params)
        return await self._session(namespace).remote_call(endpoint, wrapped)

    def channel(
        self, namespace: str, endpoint: str, params: Mapping[str, Any]
    ) -> contextlib.AbstractAsyncContextManager[AsyncChannel[None]]:
        """Open a channel with raw JSON; read it with `rx_stream`, stop it with `cancel`."""
        session = self._session(namespace)
        return session._create_channel(_PacketEndpoint(endpoint, params))  # noqa: SLF001 - no other

    def _session(self, namespace: str) -> _AsyncSession:
        session: _AsyncSession = getattr(self, namespace)
        return session


class _RawParams:
    """Call parameters as they are; the SDK asks of them only `to_dict`."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._params = dict(params)

    def to_dict(self) -> dict[str, Any]:
        return self._params


class _PacketEndpoint(json_api.ChannelEndpoint[None, Any, Any]):
    """A channel endpoint that leaves every packet as it came.

    The SDK rewrites `snake_case` keys of the dictionaries it is given, and so corrupts tool schemas
    and arguments; here nothing passes through it.
    """

    def __init__(self, endpoint: str, params: Mapping[str, Any]) -> None:
        super().__init__({})
        self._endpoint = endpoint
        self._params = dict(params)

    @property
    def api_endpoint(self) -> str:
        return self._endpoint

    @property
    def creation_params(self) -> dict[str, Any]:
        return self._params

    def iter_message_events(self, _contents: Any) -> Iterable[Any]:
        return ()

    def handle_rx_event(self, event: Any) -> None:
        """Do nothing: packets are read from the channel itself."""


def _go_direct(connect: Any) -> Any:
    """Let our clients, and only ours, reach their host without a proxy.

    The SDK connects with an `httpx` client that obeys `ALL_PROXY`, and so fails for a host on
    this very machine. It offers no way to pass another client.
    """

    @functools.wraps(connect)
    @contextlib.asynccontextmanager
    async def connect_ws(url: str, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        if not _direct.get() or args or "client" in kwargs:
            async with connect(url, *args, **kwargs) as session:
                yield session
            return
        async with (
            httpx.AsyncClient(trust_env=False, verify=NO_TLS) as client,
            connect(url, client, **kwargs) as session,
        ):
            yield session

    return connect_ws


class _Quiet(logging.Filter):
    """Keep out of logs above DEBUG what nobody should read there.

    1. Of our own clients everything: what goes wrong is raised, as an error of ours.
    2. Of every client what quotes the user or the model. The SDK logs a packet whose channel has
       been left at WARNING with its whole text, and the host's complaints at ERROR.
    """

    _QUOTES: Final = (
        "Received unhandled message",
        "Received message",
        "SDK communication warning",
    )

    def filter(self, record: logging.LogRecord) -> bool:
        event = str(getattr(record.msg, "event", record.msg))
        quotes = event.startswith(self._QUOTES) or "SDK channel warning" in event
        return record.levelno <= logging.DEBUG or not (_direct.get() or quotes)


def quiet_sdk_logs() -> None:
    """Install the filter on the SDK's loggers, which bear bare class names."""
    for name in ("AsyncWebsocketHandler", "ChannelHandler", "_AsyncLMStudioWebsocket"):
        logger = logging.getLogger(name)
        if not any(isinstance(one, _Quiet) for one in logger.filters):
            logger.addFilter(_Quiet())


check_sdk(NEEDED)
quiet_sdk_logs()
_sockets: Any = _ws_impl
_sockets.aconnect_ws = _go_direct(_sockets.aconnect_ws)

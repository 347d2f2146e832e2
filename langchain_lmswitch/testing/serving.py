"""A scripted host behind LM Studio's real protocol."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING

from langchain_lmswitch.embedded.presence import Address
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.portal import Portal
from langchain_lmswitch.testing.places import DEFAULT_CONTEXT_TOKENS

if TYPE_CHECKING:
    from langchain_lmswitch.testing.host import ScriptedHost


def served(host: "ScriptedHost", *, token: str | None = None) -> "Serving":
    """Serve a scripted host over LM Studio's own websocket protocol, on a free port of loopback.

    The server is the embedded host's, the models are the scripted ones; no weights and no engine
    are needed. A client goes the whole way that leads to LM Studio, the official SDK included, and
    gets what real weights cannot be told to do: images seen, odd tool calls, any stop reason.

    Use it with `with`, which serves from a thread of its own, or with `async with`, which serves
    on the running loop; there, a blocking call on the same loop would wait for ever.

    `host.calls` has every load, unload, answer, rendering, count and embedding that came over the
    wire; listings and estimates are the server's own work and are not recorded. A TTL is kept.
    At the end all models stay in the host's memory, and serving it again finds them there.

    Example:
        >>> from langchain_lmswitch import ChatLMSwitch
        >>> from langchain_lmswitch.testing import ScriptedHost, served
        >>> host = ScriptedHost(["tiny-chat"], replies="Four, of course.")
        >>> with served(host) as at:
        ...     llm = ChatLMSwitch(base_url=at.host_port, api_key=at.token)
        ...     llm.invoke("What is two and two?").text
        'Four, of course.'
        >>> host.called("predict")[0].request.messages[-1]["content"]
        [{'type': 'text', 'text': 'What is two and two?'}]

    Args:
        host: What to serve. It may be used and changed directly meanwhile; what is loaded that
            way is not listed.
        token: What clients have to present, `sk-lm-XXXXXXXX:Y...Y` (8:20); `None` makes one.

    Returns:
        A context manager that gives where it is served, as `host_port` and `token`. Entering it
        raises `InvalidRequest` for a token of another form, and `MissingExtra` if `websockets` is
        not installed.
    """
    return Serving(host, token=token or _token())


class Serving:
    """A server of a scripted host, running while it is entered; see `served`."""

    def __init__(self, host: "ScriptedHost", *, token: str) -> None:
        self._host = host
        self._token = token
        self._stack = AsyncExitStack()
        self._portal: Portal | None = None

    async def __aenter__(self) -> Address:
        return await self._stack.enter_async_context(_serve(self._host, self._token))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    def __enter__(self) -> Address:
        portal = Portal()
        # Its threads have looked at the shelf.
        portal.closers.append(portal.loop.shutdown_default_executor)
        try:
            address = portal.call(self.__aenter__())
        except BaseException:
            portal.close()
            raise
        self._portal = portal
        return address

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        portal, self._portal = self._portal, None
        if portal is not None:
            try:
                portal.call(self._stack.aclose())
            finally:
                portal.close()


@asynccontextmanager
async def _serve(host: "ScriptedHost", token: str) -> AsyncIterator[Address]:
    # The server is slow to import: not before a test wants one.
    from langchain_lmswitch.embedded.host import LOOPBACK, EmbeddedHost  # noqa: PLC0415
    from langchain_lmswitch.testing.stage import ScriptedInstances, ScriptedShelf  # noqa: PLC0415

    settings = Settings(context_tokens=DEFAULT_CONTEXT_TOKENS, parallel=1, headroom_bytes=0)
    instances = ScriptedInstances(host, settings)
    server = EmbeddedHost(
        settings,
        snapshot=host.snapshot,
        token=token,
        shelf=ScriptedShelf(host),
        instances=instances,
    )
    async with server.serve() as port:
        await instances.adopt()
        yield Address(host_port=f"{LOOPBACK}:{port}", token=token)


@cache
def _token() -> str:
    """Make the token of this process: one for all, since a later server may get the same port."""
    return f"sk-lm-{secrets.token_hex(4)}:{secrets.token_hex(10)}"

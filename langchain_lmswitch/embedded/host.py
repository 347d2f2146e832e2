"""The embedded host on its sockets."""

import json
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from langchain_lmswitch.embedded.attendance import Attendance
from langchain_lmswitch.embedded.catalog import Catalog, Scannable
from langchain_lmswitch.embedded.endpoints.embedding import EMBEDDING
from langchain_lmswitch.embedded.endpoints.files import FILES
from langchain_lmswitch.embedded.endpoints.llm import LLM
from langchain_lmswitch.embedded.endpoints.repository import REPOSITORY
from langchain_lmswitch.embedded.endpoints.runtime import RUNTIME
from langchain_lmswitch.embedded.endpoints.system import SYSTEM
from langchain_lmswitch.embedded.instances import Clock, Instances
from langchain_lmswitch.embedded.presence import split_token
from langchain_lmswitch.embedded.services import Services
from langchain_lmswitch.embedded.session import Session
from langchain_lmswitch.embedded.shelf import Shelf
from langchain_lmswitch.embedded.uploads import Uploads
from langchain_lmswitch.embedded.worker import Worker
from langchain_lmswitch.errors import InvalidRequest, MissingExtra

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

    from langchain_lmswitch.settings import Settings
    from langchain_lmswitch.types.machine import Snapshot

_log = logging.getLogger(__name__)

SYSTEM_CLOCK = Clock(monotonic=time.monotonic, wall=time.time)
LOOPBACK = "127.0.0.1"
NAMESPACES = {
    "/llm": LLM,
    "/embedding": EMBEDDING,
    "/system": SYSTEM,
    "/files": FILES,
    "/repository": REPOSITORY,
    "/runtime": RUNTIME,
}
MAX_MESSAGE_BYTES = 64 * 2**20
"""Large enough for a photograph as base64."""

_LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


class EmbeddedHost:
    """A model server that speaks LM Studio's protocol, for this machine and this user only.

    Args:
        settings: Where the models are and how to load them.
        snapshot: Tells the memory there is; called now and then, must not block.
        token: What clients have to present, `sk-lm-...`; `None` admits everybody on this machine.
        shelf: What models there are; `None` looks into the folders of `settings`.
        instances: What holds them in memory; `None` runs each in a process of its own.
    """

    def __init__(
        self,
        settings: "Settings",
        *,
        snapshot: Callable[[], "Snapshot"],
        token: str | None = None,
        shelf: Scannable | None = None,
        instances: Instances | None = None,
    ) -> None:
        self._credentials = _credentials(token)
        self.services: Services = Services(
            settings=settings,
            catalog=Catalog(shelf or Shelf(settings)),
            instances=instances or Instances(settings, start=Worker.start, clock=SYSTEM_CLOCK),
            uploads=Uploads(),
            snapshot=snapshot,
        )
        self.attendance: Attendance = Attendance(on_leave=self.services.uploads.forget)

    @asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator[int]:
        """Listen on loopback and give the port; leaving unloads every model.

        Raises:
            MissingExtra: `websockets` is not installed.
            OSError: The port is taken.
        """
        try:
            from websockets.asyncio.server import serve  # noqa: PLC0415
        except ImportError as error:
            raise MissingExtra("embedded", why="The embedded host needs websockets") from error
        server = serve(
            self._serve_socket,
            LOOPBACK,
            port,
            process_request=_process_request,
            compression=None,
            max_size=MAX_MESSAGE_BYTES,
            ping_interval=None,
            logger=_log,
            close_timeout=1,
        )
        try:
            async with server as listening:
                yield next(iter(listening.sockets)).getsockname()[1]
        finally:
            await self.services.instances.close()

    async def _serve_socket(self, socket: "ServerConnection") -> None:
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415 - an optional package

        path = socket.request.path if socket.request else ""
        session = Session(NAMESPACES[path.partition("?")[0]], self.services)
        with suppress(ConnectionClosed):
            client = await session.shake_hands(socket, admits=self._admits)
            if client is not None:
                with nullcontext() if session.onlooker else self.attendance.present(client):
                    await session.run(socket)

    def _admits(self, identifier: str, passkey: str) -> bool:
        if self._credentials is None:
            return True
        given, wanted = f"{identifier}:{passkey}", ":".join(self._credentials)
        return secrets.compare_digest(given.encode(), wanted.encode())


def _credentials(token: str | None) -> tuple[str, str] | None:
    if token is None:
        return None
    if (credentials := split_token(token)) is None:
        raise InvalidRequest(
            "The token of the host must have the form sk-lm-XXXXXXXX:Y...Y (8:20)."
        )
    return credentials


def _process_request(connection: "ServerConnection", request: "Request") -> "Response | None":
    """Answer plain requests; let a websocket of a known namespace through.

    1. Browsers are refused, by the `Origin` they send, and so is every other name than
       loopback's: a page could have that name point here (DNS rebinding).
    2. The greeting tells clients what this is.
    3. Only known namespaces exist.
    """
    if "Origin" in request.headers or not _is_local(request.headers.get("Host", "")):  # 1
        return connection.respond(HTTPStatus.FORBIDDEN, "This host serves local programs only.\n")
    path = request.path.partition("?")[0]
    if path == "/lmstudio-greeting":  # 2
        response = connection.respond(HTTPStatus.OK, json.dumps({"lmstudio": True}))
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = "application/json"
        return response
    if path not in NAMESPACES:  # 3
        return connection.respond(HTTPStatus.NOT_FOUND, f"There is nothing at {path}.\n")
    return None


def _is_local(host: str) -> bool:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower() in _LOCAL_NAMES

"""Calls to a host over a connection that comes back after it has broken."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from langchain_lmswitch.errors import HostFailed, HostLost, HostTimeout
from langchain_lmswitch.hosts.lmstudio.channels import Channel, Undo
from langchain_lmswitch.hosts.lmstudio.failures import Call, cause, translate
from langchain_lmswitch.hosts.lmstudio.link import Link

LIGHT_S: Final = 20.0
"""Longest wait for an answer that no model has to be asked for."""
PROBE_S: Final = 2.0
"""Longest wait for an endpoint that the host may not know: it then never answers."""

Endpoint = tuple[str, str]
"""Namespace and name."""


class Connection:
    """The connection to one host, made at the first call and again after a loss."""

    def __init__(self, address: str, *, auth: Mapping[str, Any], timeout_s: float) -> None:
        self.address = address
        self._auth = auth
        self._light_s = min(timeout_s, LIGHT_S)
        self._link: Link | None = None

    def link(self) -> Link:
        """Give the present connection, or start a new one."""
        if self._link is None or not self._link.usable:
            self._link = Link(self.address, auth=self._auth, within_s=self._light_s)
        return self._link

    async def ask(
        self,
        endpoint: Endpoint,
        params: Mapping[str, Any] | None = None,
        *,
        doing: str,
        subject: str = "",
        within_s: float | None = None,
    ) -> Any:
        """Call what may be called twice: once more if the connection broke."""
        call = self._call(doing, subject, within_s)
        try:
            return await self._ask(endpoint, params, call)
        except HostLost:
            return await self._ask(endpoint, params, call)

    async def ask_once(
        self,
        endpoint: Endpoint,
        params: Mapping[str, Any] | None = None,
        *,
        doing: str,
        subject: str = "",
    ) -> Any:
        """Call what must not be called twice."""
        return await self._ask(endpoint, params, self._call(doing, subject, None))

    async def probe(
        self, endpoint: Endpoint, params: Mapping[str, Any] | None, *, doing: str, subject: str = ""
    ) -> Any:
        """Call an endpoint that the host may not know; `None` if it does not, or gives an error."""
        link, name = self.link(), "/".join(endpoint)
        if name in link.silent:
            return None
        known = name in link.answering
        try:
            result = await self.ask(
                endpoint,
                params,
                doing=doing,
                subject=subject,
                within_s=self._light_s if known else min(PROBE_S, self._light_s),
            )
        except HostFailed:
            return None
        except HostTimeout:
            if known:
                raise
            link.silent.add(name)
            return None
        link.answering.add(name)
        return result

    def channel(
        self,
        endpoint: Endpoint,
        params: Mapping[str, Any],
        *,
        doing: str,
        subject: str,
        within_s: float,
        undo: Undo | None = None,
    ) -> Channel:
        """Prepare a channel; entering it opens it."""
        call = self._call(doing, subject, within_s)
        return Channel(self.link(), call, endpoint=endpoint, params=params, undo=undo)

    def lost(self) -> None:
        """Give up the present connection; the next call makes another."""
        if self._link is not None:
            self._link.drop()

    async def aclose(self) -> None:
        """Close the connection; a later call makes another."""
        link, self._link = self._link, None
        if link is not None:
            await link.aclose()

    async def _ask(self, endpoint: Endpoint, params: Mapping[str, Any] | None, call: Call) -> Any:
        link = self.link()
        try:
            client = await link.client()
            async with asyncio.timeout(call.within_s):
                return await client.call(*endpoint, params)
        except Exception as error:  # noqa: BLE001 - the SDK lets others' errors through
            translated = translate(error, call)
            if isinstance(translated, HostLost):
                link.drop()
            raise translated from cause(error)

    def _call(self, doing: str, subject: str, within_s: float | None) -> Call:
        return Call(
            address=self.address,
            doing=doing,
            subject=subject,
            within_s=self._light_s if within_s is None else within_s,
        )

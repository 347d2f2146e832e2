"""HTTP to the server inside a worker process, and its refusals as our errors."""

import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import httpx

from langchain_lmswitch.embedded.greeting import NO_TLS
from langchain_lmswitch.errors import ContextTooLong, HostFailed, InvalidRequest, LMSwitchError

CONNECT_S = 10.0
"""The server is on this machine and listening already."""

_JSON = {"Content-Type": "application/json"}
_TOO_LONG = "exceed_context_size_error"
_FULL = "Context size has been exceeded"


class ContextFull(HostFailed):
    """Parallel answers together filled the context they share; each of them ends."""


class EngineClient:
    """The endpoints of llama.cpp's server that the worker uses."""

    def __init__(self, address: str, *, api_key: str) -> None:
        self.address = address
        self._http = httpx.AsyncClient(
            base_url=address,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=httpx.Timeout(None, connect=CONNECT_S),
            # A kept connection that the server closes at the same moment would lose a request.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            trust_env=False,
            verify=NO_TLS,
        )

    async def get(self, path: str) -> Any:
        """Read an endpoint."""
        return self._checked(await self._http.get(path))

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Ask an endpoint."""
        return self._checked(await self._http.post(path, content=encoded(body), headers=_JSON))

    async def chunks(
        self, path: str, body: Mapping[str, Any]
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Stream server-sent events; leaving early closes the socket, which stops the engine."""
        asking = self._http.stream("POST", path, content=encoded(body), headers=_JSON)
        async with asking as response:
            if response.is_error:
                await response.aread()
                raise refusal(self.address, response.status_code, response.text)
            async for line in response.aiter_lines():
                name, _, text = line.partition(":")
                if name == "error":
                    raise refusal(self.address, response.status_code, text)
                if name == "data" and text.strip() != "[DONE]":
                    chunk = json.loads(text)
                    if "error" in chunk:
                        raise refusal(self.address, response.status_code, text)
                    yield chunk

    async def close(self) -> None:
        """Close the sockets."""
        await self._http.aclose()

    def _checked(self, response: httpx.Response) -> Any:
        if response.is_error:
            raise refusal(self.address, response.status_code, response.text)
        return response.json()


def encoded(body: Mapping[str, Any]) -> bytes:
    """Write JSON as UTF-8; half of a surrogate pair, which UTF-8 has no bytes for, is U+FFFD."""
    text = json.dumps(body, ensure_ascii=False)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def refusal(address: str, status: int, text: str) -> LMSwitchError:
    """Read the engine's error.

    1. The prompt exceeds the context.
    2. The context is full in the middle of an answer.
    3. The request is wrong: a schema or a template that cannot be used.
    4. Anything else.
    """
    error = _error(text)
    message = str(error.get("message", text))
    if error.get("type") == _TOO_LONG and "n_prompt_tokens" in error:  # 1
        return ContextTooLong(tokens=error["n_prompt_tokens"], limit_tokens=error["n_ctx"])
    if message.startswith(_FULL):  # 2
        return ContextFull(address, doing="answering", reason=message)
    if error.get("type") == "invalid_request_error" or status == httpx.codes.BAD_REQUEST:  # 3
        return InvalidRequest(f"The engine refused the request: {message}")
    return HostFailed(address, doing="answering", reason=message)  # 4


def _error(text: str) -> Mapping[str, Any]:
    try:
        wire = json.loads(text)
    except ValueError:
        return {}
    found = wire.get("error", wire) if isinstance(wire, dict) else {}
    return found if isinstance(found, dict) else {"message": str(found)}

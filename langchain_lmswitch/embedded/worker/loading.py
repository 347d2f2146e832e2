"""Start a worker process and see it through its load."""

import re
import secrets
from collections.abc import Callable
from typing import Any, NoReturn

from langchain_lmswitch.embedded.worker.client import EngineClient
from langchain_lmswitch.embedded.worker.process import WorkerProcess
from langchain_lmswitch.embedded.worker.spec import WorkerSpec
from langchain_lmswitch.errors import BadModelFile, LoadFailed, MissingExtra

_MEMORY_WORDS = ("insufficient memory", "failed to alloc", "out of memory", "bad_alloc")
_FILE_WORDS = ("error loading model",)
_ERROR_LINE = re.compile(r"^[\d.]+ E (.+)$", re.MULTILINE)


async def launch(
    spec: WorkerSpec, on_progress: Callable[[float], None]
) -> tuple[WorkerProcess, EngineClient, int]:
    """Load `spec` in a new process.

    Returns:
        The process, a client of its server, and the context of one request, in tokens.

    Raises:
        BadModelFile: The file is missing or no GGUF model.
        LoadFailed: The engine could not load it.
        MissingExtra: The engine is not installed.
    """
    api_key = secrets.token_urlsafe(32)
    process = await WorkerProcess.spawn({"spec": spec.to_wire(), "api_key": api_key})
    try:
        address = await _address(spec, process, on_progress)
        client = EngineClient(address, api_key=api_key)
        props = await client.get("/props")
    except BaseException:
        await process.kill()
        raise
    on_progress(1.0)
    return process, client, props["default_generation_settings"]["n_ctx"]


async def _address(
    spec: WorkerSpec, process: WorkerProcess, on_progress: Callable[[float], None]
) -> str:
    async for line in process.lines():
        match line["type"]:
            case "progress":
                on_progress(line["fraction"])
            case "ready":
                return str(line["address"])
            case _:
                await process.wait()
                _refuse(spec, line, process.last_words)
    code = await process.wait()
    ended = f"the worker process ended with code {code}"
    raise _failed(spec, first_error(process.last_words) or ended)


def _refuse(spec: WorkerSpec, line: dict[str, Any], last_words: str) -> NoReturn:
    match line["kind"]:
        case "file":
            raise BadModelFile(str(spec.path), reason=line["text"])
        case "extra":
            raise MissingExtra("embedded", why=f"{spec.key!r} needs its engine ({line['text']})")
        case _:
            raise _failed(spec, first_error(last_words) or line["text"])


def _failed(spec: WorkerSpec, reason: str) -> BadModelFile | LoadFailed:
    if any(word in reason for word in _FILE_WORDS):
        return BadModelFile(str(spec.path), reason=reason)
    for_memory = any(word in reason.lower() for word in _MEMORY_WORDS)
    return LoadFailed(spec.key, reason=f"{reason}.", for_memory=for_memory)


def first_error(log: str) -> str:
    """The first error of the engine's log; those after it are its consequences."""
    found = _ERROR_LINE.search(log)
    return found.group(1).strip() if found else ""

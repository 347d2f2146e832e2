"""Start a worker process and see it through its load."""

import secrets
from collections.abc import Callable
from typing import Any, NoReturn

from langchain_lmswitch.embedded.worker.client import EngineClient
from langchain_lmswitch.embedded.worker.process import WorkerProcess
from langchain_lmswitch.embedded.worker.spec import WorkerSpec
from langchain_lmswitch.errors import BadModelFile, LoadFailed, MissingExtra

_MEMORY_WORDS = ("failed to allocate", "out of memory", "cannot allocate", "bad_alloc")


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
        process.kill()
        await process.stop()
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
    reason = f"the worker process ended with code {code}. {process.last_words}".strip()
    raise _failed(spec, reason)


def _refuse(spec: WorkerSpec, line: dict[str, Any], last_words: str) -> NoReturn:
    match line["kind"]:
        case "file":
            raise BadModelFile(str(spec.path), reason=line["text"])
        case "extra":
            raise MissingExtra("embedded", why=f"{spec.key!r} needs its engine ({line['text']})")
        case _:
            raise _failed(spec, f"{line['text']}. {last_words}".strip())


def _failed(spec: WorkerSpec, reason: str) -> LoadFailed:
    for_memory = any(word in reason.lower() for word in _MEMORY_WORDS)
    return LoadFailed(spec.key, reason=reason, for_memory=for_memory)

"""The child: `python -m langchain_lmswitch.embedded.worker.child`.

Its standard input gets one line, `{"spec": ..., "api_key": ..., "parent": pid}`, and then stays
open for as long as the child shall live. Its standard output says, one JSON object a line:

    {"type": "progress", "fraction": 0.4}
    {"type": "ready", "address": "http://127.0.0.1:41234"}
    {"type": "error", "kind": "file" | "extra" | "load", "text": "..."}

It ends by `os._exit`, never by Python's own end: the engine's destructor can hang.
"""

import ctypes
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Thread
from typing import Any, NoReturn

from langchain_lmswitch.embedded.worker.llama import check_cpu, serve_llama
from langchain_lmswitch.embedded.worker.sentences import (
    VOCABULARY,
    WEIGHTS,
    resources,
    serve_sentences,
)
from langchain_lmswitch.embedded.worker.spec import WorkerSpec
from langchain_lmswitch.embedded.worker.warming import shards, warm

Say = Callable[[Mapping[str, Any]], None]

_PR_SET_PDEATHSIG = 1
_GGUF_MAGIC = b"GGUF"


def main() -> NoReturn:
    """Load what standard input names, serve it, and end when standard input ends."""
    say = _own_stdout()
    launch = json.loads(sys.stdin.readline() or "null")
    if launch is None:
        os._exit(0)
    _die_with(launch["parent"])
    Thread(target=_serve, args=(launch, say), daemon=True).start()
    while sys.stdin.read(4096):
        pass
    os._exit(0)


def _own_stdout() -> Say:
    """Keep standard output for our lines; what a library prints goes to standard error."""
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(line: Mapping[str, Any]) -> None:
        lines.write(json.dumps(line) + "\n")
        lines.flush()

    return say


def _die_with(parent: int) -> None:
    """End when the parent does, even if standard input cannot be read because a load blocks us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)


def _serve(launch: Mapping[str, Any], say: Say) -> None:
    try:
        server, address = _load(WorkerSpec.from_wire(launch["spec"]), launch["api_key"], say)
    except Exception as error:  # noqa: BLE001 - every failure becomes words for the parent
        say({"type": "error", "kind": _kind(error), "text": _words(error)})
        os._exit(1)
    say({"type": "ready", "address": address})
    _kept.append(server)


_kept: list[Any] = []
"""The server, for as long as the process lives: its destructor can hang."""


def _load(spec: WorkerSpec, api_key: str, say: Say) -> tuple[Any, str]:
    def report(fraction: float) -> None:
        say({"type": "progress", "fraction": fraction})

    if spec.engine == "sentences":
        folder = resources(spec.path)
        warm((folder / WEIGHTS, folder / VOCABULARY), report)
        return serve_sentences(spec, api_key=api_key)
    check_cpu()
    files = shards(spec.path) + ((spec.mmproj,) if spec.mmproj else ())
    for path in files:
        _check_magic(path)
    size_bytes = warm(files, report)
    return serve_llama(spec, size_bytes=size_bytes, api_key=api_key)


def _check_magic(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(_GGUF_MAGIC)) != _GGUF_MAGIC:
            raise ValueError("it does not begin like one")


def _kind(error: Exception) -> str:
    if isinstance(error, ImportError):
        return "extra"
    return "file" if isinstance(error, OSError | ValueError) else "load"


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__


if __name__ == "__main__":
    main()

"""llama.cpp's server inside the child process."""

import os
import platform
from pathlib import Path
from typing import Any

from langchain_lmswitch.embedded.worker.spec import (
    WorkerSpec,
    generation_threads,
    missing_cpu_features,
)

CACHE_RAM_MIB = 256
"""Bound of the prompt cache beyond the slots; the engine's own default is 8 GiB."""

BATCH_TOKENS = 256
"""Prompt tokens read at a time, between two looks at progress and cancellation.

The engine's own default of 2,048 in steps of 512 reads a prompt of 1,300 tokens on two cores at 80
tokens/s, 256 at 144 tokens/s (SmolLM2-135M), and answers to a cancel eight times as soon.
"""

ERRORS_ONLY = 1
"""They go to standard error, whose end the parent keeps for the message of a failed load."""


def check_cpu() -> None:
    """Refuse a processor that the prebuilt engine would crash on.

    Raises:
        RuntimeError: Something it was compiled for is missing.
    """
    cpuinfo = Path("/proc/cpuinfo")
    if platform.machine() not in {"x86_64", "AMD64"} or not cpuinfo.exists():
        return
    if missing := missing_cpu_features(cpuinfo.read_text(encoding="utf-8", errors="replace")):
        raise RuntimeError(f"this processor lacks {', '.join(missing)}, which the engine needs")


def serve_llama(spec: WorkerSpec, *, size_bytes: int, api_key: str) -> tuple[Any, str]:
    """Load the model and serve it on a free port of loopback.

    Returns:
        The server, which must be kept, and its address.

    Raises:
        ImportError: The engine is not installed.
        RuntimeError: The engine could not load the model.
    """
    import xllamacpp  # noqa: PLC0415 - a native library, only for this process

    server = xllamacpp.Server(_params(xllamacpp, spec, size_bytes=size_bytes, api_key=api_key))
    return server, server.listening_address


def _params(engine: Any, spec: WorkerSpec, *, size_bytes: int, api_key: str) -> Any:
    cores = os.cpu_count() or 1
    params = engine.CommonParams()
    params.model.path = str(spec.path)
    if spec.mmproj:
        params.mmproj.path = str(spec.mmproj)
    params.n_ctx = spec.context_tokens
    params.n_parallel = spec.parallel
    params.kv_unified = spec.parallel > 1
    if spec.kind == "llm" and spec.mmproj is None:  # a pooled text or an image is read as a whole
        params.n_batch = params.n_ubatch = BATCH_TOKENS
    params.embedding = spec.kind == "embedding"
    params.cpuparams.n_threads = generation_threads(
        spec.threads, size_bytes=size_bytes, cores=cores
    )
    params.cpuparams_batch.n_threads = spec.threads or cores
    # Fitting layers to a GPU loads everything twice: 1.7 s instead of 1.1 s for 500 MB.
    params.fit_params = _has_gpu(engine)
    params.cache_ram_mib = CACHE_RAM_MIB
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [api_key]
    params.ui = False
    params.verbosity = ERRORS_ONLY
    return params


def _has_gpu(engine: Any) -> bool:
    return any(not device["type"].name.endswith("_CPU") for device in engine.get_device_info())

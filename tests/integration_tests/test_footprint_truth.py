"""The footprint formula against what llama.cpp allocates for models of true shapes.

The weights are holes in sparse files; layers (and experts) are fewer than the models have, so that
no load touches more than 2 GiB. What counts is what the engine's log says of its buffers.
"""

import json
import re
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from unit_tests.embedded.gguf_hybrids import glm_flash, lfm2, mamba2, qwen35
from unit_tests.embedded.gguf_models import (
    Q4_K,
    Q8_0,
    Widths,
    gemma,
    gpt_oss,
    llama,
    made_up,
    mixtral,
    phi3,
    qwen2,
    qwen3,
    qwen3_moe,
)
from unit_tests.embedded.gguf_sparse import Sparse, write_sparse

from langchain_lmswitch.embedded.gguf import read_header, survey
from langchain_lmswitch.policy.footprint import from_header
from langchain_lmswitch.types.machine import Footprint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_lmswitch.policy.kvcache import CacheType

pytestmark = pytest.mark.skipif(
    find_spec("xllamacpp") is None or sys.platform != "linux", reason="needs the engine, on Linux"
)

MIB = 2**20
LAST_DIGIT_BYTES = 0.005 * MIB
"""The log has two decimals of a MiB."""
GIVE_UP_S = 60

# `n_batch` is also the step, as in `embedded.worker.llama`; fitting and warming up are left out.
LOAD = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (12 << 30, 12 << 30))
import xllamacpp
params = xllamacpp.CommonParams()
wanted = json.loads(sys.argv[1])
params.model.path = wanted.pop("path")
for name, value in wanted.items():
    setattr(params, name, value)
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.fit_params = params.warmup = params.ui = False
params.cache_ram_mib = params.n_gpu_layers = 0
params.hostnames = ["127.0.0.1"]
params.port = 0
params.verbosity = 4
server = xllamacpp.Server(params)
sys.stdin.read()
"""
_LOADED = "model loaded"
_BUFFER = re.compile(r":\s+\S+\s+(model|output|KV|RS|compute) buffer size =\s+([\d.]+) MiB")
_CACHE_CODES: dict[str, int] = {"f16": 1, "q4_0": 2, "q8_0": 8}


@dataclass(frozen=True, kw_only=True)
class Load:
    """A model, and how it is loaded."""

    model: Sparse
    context: int = 8192
    parallel: int = 1
    unified: bool = True
    step: int = 256
    key_type: str = "f16"
    value_type: str = "f16"
    embedding: bool = False

    def options(self) -> dict[str, Any]:
        return {
            "n_ctx": self.context,
            "n_parallel": self.parallel,
            "kv_unified": self.unified and self.parallel > 1,
            "n_batch": self.step,
            "n_ubatch": self.step,
            "cache_type_k": _CACHE_CODES[self.key_type],
            "cache_type_v": _CACHE_CODES[self.value_type],
            "embedding": self.embedding,
        }


@dataclass(kw_only=True)
class Reported:
    """Sizes of the buffers, as the log has them."""

    buffers: list[tuple[str, float]] = field(default_factory=list)

    def sum_bytes(self, *kinds: str) -> float:
        return sum(mib * MIB for kind, mib in self.buffers if not kinds or kind in kinds)

    @property
    def off_by_bytes(self) -> float:
        return LAST_DIGIT_BYTES * len(self.buffers)


QWEN3_4B = qwen3(3, 2560, 9728, 32)
GEMMA3_4B = gemma("gemma3", 6, Widths(2560, 10240, 8, 4, 262208), window=1024)
MISTRAL_7B = Widths(4096, 14336, 32, 8, 32768)
LLAMA_1B = Widths(2048, 8192, 32, 8, 128256)
LOADS = {
    "llama-3.1-8b": Load(model=llama(2, Widths(4096, 14336, 32, 8, 128256), tied=False), step=512),
    "llama-3.2-1b, whole": Load(model=llama(16, LLAMA_1B, tied=True)),
    "mistral-7b, long": Load(model=llama(2, MISTRAL_7B, tied=False), context=65536),
    "qwen2.5-7b": Load(model=qwen2(2, Widths(3584, 18944, 28, 4, 152064), kind=Q4_K)),
    "qwen2.5-0.5b q8_0, whole": Load(model=qwen2(24, Widths(896, 4864, 14, 2, 151936), kind=Q8_0)),
    "qwen3-4b": Load(model=QWEN3_4B, context=32768, step=512),
    "qwen3-4b, cache in q8_0": Load(model=QWEN3_4B, key_type="q8_0", value_type="q8_0"),
    "qwen3-4b, cache in q8_0 and q4_0, 3 parts": Load(
        model=QWEN3_4B,
        context=5000,
        parallel=3,
        unified=False,
        key_type="q8_0",
        value_type="q4_0",
    ),
    "qwen3-4b, tiny context": Load(model=QWEN3_4B, context=100),
    "qwen3-0.6b q4_k embedding, whole": Load(model=qwen3(28, 1024, 3072, 16, kind=Q4_K)),
    "qwen3-embedding-0.6b": Load(model=qwen3(3, 1024, 3072, 16), embedding=True, step=512),
    "qwen2.5-0.5b, embedding": Load(
        model=qwen2(3, Widths(896, 4864, 14, 2, 151936), kind=Q8_0), embedding=True, context=2048
    ),
    "qwen3-30b-a3b": Load(model=qwen3_moe(2, 16), step=512),
    "mixtral-8x7b": Load(model=mixtral(2, 2)),
    "gemma-3-4b": Load(model=GEMMA3_4B, step=512),
    "gemma-3-4b, 4 requests": Load(model=GEMMA3_4B, context=32768, parallel=4),
    "gemma-3-4b, 4 parts, cache in q8_0": Load(
        model=GEMMA3_4B, parallel=4, unified=False, key_type="q8_0", value_type="q8_0"
    ),
    "gemma-2-2b": Load(model=gemma("gemma2", 4, Widths(2304, 9216, 8, 4, 256000), window=4096)),
    "gpt-oss-20b": Load(model=gpt_oss(4, 4), context=16384),
    "phi-3-mini": Load(model=phi3(2), context=4096),
    "lfm2-1.2b, whole": Load(model=lfm2(), parallel=4),
    "mamba2-2.7b": Load(model=mamba2(4), context=4096),
    "qwen3.5-4b": Load(model=qwen35(4), step=512),
    "qwen3.5-4b, 4 requests": Load(model=qwen35(4), parallel=4),
    "glm-4.7-flash": Load(model=glm_flash(3, 8)),
    # Of 44 random ones, those whose scratch has holes.
    "heads wider than all": Load(
        model=made_up(Widths(1536, 2048, 16, 16, 1000), 128), context=1000, step=128
    ),
    "heads wider, 5 requests": Load(
        model=made_up(Widths(2048, 4096, 32, 8, 8000), 128), context=20000, step=512, parallel=5
    ),
    "narrow heads, experts": Load(
        model=made_up(Widths(1536, 1024, 2, 1, 32000), 64, used=4, n_ff_expert=512),
        context=20000,
        step=512,
    ),
    "narrow expert, 5 requests": Load(
        model=made_up(Widths(2048, 512, 16, 16, 32000), 128, used=1, n_ff_expert=128),
        context=1000,
        step=512,
        parallel=5,
    ),
}


def run(path: Path, load: Load) -> Reported:
    """Loads it in a process of its own, which is killed as soon as it has said enough."""
    command = [sys.executable, "-c", LOAD, json.dumps({"path": str(path)} | load.options())]
    found, log = Reported(), [""]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        watchdog = threading.Timer(GIVE_UP_S, process.kill)
        watchdog.start()
        try:
            for line in cast("Iterator[str]", process.stderr):
                log.append(line)
                if buffer := _BUFFER.search(line):
                    found.buffers.append((buffer[1], float(buffer[2])))
                if _LOADED in line:
                    break
        finally:
            watchdog.cancel()
            process.kill()
    assert _LOADED in log[-1], "".join(log[-20:])
    return found


def estimate(path: Path, load: Load) -> Footprint:
    architecture, weights = read_header(path).architecture, survey(path).weights
    assert architecture is not None
    assert weights is not None
    return from_header(
        architecture,
        size_bytes=path.stat().st_size,
        context_tokens=load.context,
        parallel=load.parallel,
        unified=load.unified,
        n_ubatch=load.step,
        key_type=cast("CacheType", load.key_type),
        value_type=cast("CacheType", load.value_type),
        weights_bytes=weights.total,
        all_outputs=load.embedding,
    )


@pytest.mark.parametrize("load", LOADS.values(), ids=LOADS)
def test_the_estimate_is_the_truth(load: Load, tmp_path: Path) -> None:
    """The cache to the byte; all buffers together from 0 to 10 % high."""
    path = write_sparse(tmp_path / "model.gguf", load.model)
    expected, found = estimate(path, load), run(path, load)
    path.unlink()

    assert abs(expected.kv_bytes - found.sum_bytes("KV", "RS")) <= found.off_by_bytes
    buffers_bytes = expected.weights_bytes + expected.kv_bytes + expected.compute_bytes
    assert buffers_bytes >= found.sum_bytes() - found.off_by_bytes
    assert buffers_bytes <= 1.1 * found.sum_bytes()

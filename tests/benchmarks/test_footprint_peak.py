"""What a load is reckoned at, beside the most that its process ever holds."""

import sys
from pathlib import Path

import psutil
import pytest
from conftest import CODER, SMOL, Embedded

from langchain_lmswitch.hosts.finding import find_host
from langchain_lmswitch.types.models import LoadSpec
from langchain_lmswitch.types.requests import JsonObject, PredictRequest

pytestmark = [
    pytest.mark.alone,
    pytest.mark.weights,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's peak"),
]

MIB = 2**20
PROMPT: JsonObject = {
    "role": "user",
    "content": [{"type": "text", "text": "word " * 600 + "Say hi."}],
}


def peak_bytes(process: psutil.Process) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


@pytest.mark.usefixtures("unloaded")
@pytest.mark.parametrize("context_tokens", [2048, 8192])
@pytest.mark.parametrize("model", [SMOL, CODER])
async def test_a_load_never_takes_more_than_was_reckoned(
    embedded: Embedded, capsys: pytest.CaptureFixture[str], model: str, context_tokens: int
) -> None:
    """An estimate that is low ends in a machine out of memory; how high it is is printed."""
    host = await find_host(embedded.client_settings)
    card = next(one for one in await host.cards() if one.key == model)
    spec = LoadSpec(key=model, context_tokens=context_tokens, identifier="peak")
    before = set(embedded.process.children())
    reckoned_bytes = (await host.estimate(spec, card)).total_bytes
    await host.load(spec)
    request = PredictRequest(messages=(PROMPT,), max_tokens=16, temperature=0)
    events = [event async for event in host.predict("peak", request)]
    (worker,) = set(embedded.process.children()) - before
    held_bytes = peak_bytes(worker)
    await host.unload("peak")
    await host.aclose()
    with capsys.disabled():
        ratio = f"{reckoned_bytes / MIB:.0f} / {held_bytes / MIB:.0f} MiB"
        print(f"\n{model}, context {context_tokens}: reckoned {ratio}")  # noqa: T201 - to be read

    assert len(events) > 1
    assert card.size_bytes < held_bytes <= reckoned_bytes

"""The starter encoder refines the task of requests that the rules have no sign of."""

import asyncio
import time

import pytest
from conftest import Embedded

from langchain_lmswitch.graph.refining import refined
from langchain_lmswitch.hosts.finding import find_host
from langchain_lmswitch.machine.monitor import SystemMonitor
from langchain_lmswitch.policy.classify import classify
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.types.models import LoadSpec
from langchain_lmswitch.types.tasks import Request, Task, TaskKind

pytestmark = pytest.mark.weights

ENCODER = "text-embedding-universal-sentence-encoder"

WISHES: dict[str, TaskKind] = {
    "Please fix the spelling mistakes in my cover letter.": "rewriting",
    "Put this sentence into Spanish.": "rewriting",
    "Which year did the Second World War end?": "facts",
    "Who painted the Night Watch?": "facts",
    "Tell me what happened in the text in two sentences.": "summary",
    "Write verses about the first snow.": "creative",
    "Make up a tale about two mice on a ship.": "creative",
    "How do airplanes stay in the air?": "knowledge",
    "Why do leaves change their color?": "knowledge",
    "Hi there, nice to meet you!": "chat",
    "Thank you so much, you are very kind.": "chat",
    "Set an alarm for seven and send Tom a message.": "tools",
    "Find every e-mail address in the text below.": "extraction",
    "Divide 96 by 12 and add 5.": "math",
    "If Anna is older than Ben and Ben older than Cid, who is the youngest?": "reasoning",
    "Implement a linked list in C.": "code",
}
"""In other words than the exemplars'."""


def unruled() -> Task:
    """As the rules leave a request of which they have no sign."""
    return Task(kind="chat", confidence=0.3, evidence="no sign of another task")


async def test_the_encoder_knows_what_the_rules_do_not(
    embedded: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    host = await find_host(embedded.client_settings)
    settings = embedded.client_settings.model_copy(
        update={"refine": "embedding", "refine_timeout_s": 5.0}
    )
    board = Switchboard(host, SystemMonitor(), settings)
    resident = await host.load(
        LoadSpec(key=ENCODER, kind="embedding", identifier="lmswitch/refining")
    )
    try:
        before = {one.identifier for one in await host.residents()}
        await _learnt(board)
        found, took_s = {}, []
        for text in WISHES:
            begun_s = time.perf_counter()
            found[text] = (await refined(board, unruled(), Request(user_text=text))).kind
            took_s.append(time.perf_counter() - begun_s)
        after = {one.identifier for one in await host.residents()}
    finally:
        await host.unload(resident.identifier)
        await host.aclose()
    right = sum(found[text] == kind for text, kind in WISHES.items())
    ruled = sum(classify(Request(user_text=text)).kind == kind for text, kind in WISHES.items())
    with capsys.disabled():
        wrong = {text: kind for text, kind in found.items() if kind != WISHES[text]}
        print(  # noqa: T201 - what it is worth
            f"\nthe encoder: {right} of {len(WISHES)} right, the rules {ruled}; "
            f"{1000 * sorted(took_s)[len(took_s) // 2]:.1f} ms each (median); wrong: {wrong}"
        )
    assert before == after
    assert right >= 12


async def _learnt(board: Switchboard) -> None:
    for _ in range(600):
        if await refined(board, unruled(), Request(user_text="Hello")) != unruled():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the exemplars were never embedded")

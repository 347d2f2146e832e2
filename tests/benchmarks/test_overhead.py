"""What the router adds to a bare call of the SDK, on the same loaded model.

Runs are interleaved, since the noise from run to run is larger than what is measured. It prints
ratios and asserts none: only that both said the same.
"""

import statistics
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import lmstudio
import pytest
from conftest import CODER, SMOL, Embedded

from langchain_lmswitch import ChatLMSwitch

pytestmark = pytest.mark.weights

ROUNDS = {SMOL: 20, CODER: 5}
MAX_TOKENS = 64
PROMPT = "Tell me in a few sentences what the sea is."


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    first_s: float
    total_s: float
    text: str


async def timed(pieces: AsyncIterator[str]) -> Run:
    started_s, first_s, text = time.perf_counter(), 0.0, ""
    async for piece in pieces:
        if piece and not text:
            first_s = time.perf_counter() - started_s
        text += piece
    return Run(first_s=first_s, total_s=time.perf_counter() - started_s, text=text)


class _Client(lmstudio.AsyncClient):
    """The SDK with a token, which its release 1.5.0 has no argument for."""

    token = ""

    def _create_auth_message(self, *_args: object) -> lmstudio.DictObject:
        identifier, passkey = self.token.removeprefix("sk-lm-").split(":")
        return self._format_auth_message(identifier, passkey)


async def by_sdk(client: lmstudio.AsyncClient, identifier: str) -> AsyncIterator[str]:
    model = await client.llm.model(identifier)
    config = lmstudio.LlmPredictionConfig(temperature=0, max_tokens=MAX_TOKENS)
    async for fragment in await model.respond_stream(PROMPT, config=config):
        yield fragment.content


async def by_router(llm: ChatLMSwitch) -> AsyncIterator[str]:
    async for chunk in llm.astream(PROMPT):
        yield chunk.text


@pytest.mark.parametrize("model", ROUNDS)
async def test_overhead_against_the_bare_sdk(
    embedded: Embedded, capsys: pytest.CaptureFixture[str], model: str
) -> None:
    """The same model says the same words; how much later is printed."""
    llm = embedded.chat(model=model, temperature=0, max_tokens=MAX_TOKENS)
    warm = await llm.ainvoke(PROMPT)
    identifier = warm.response_metadata["lmswitch"]["identifier"]
    bare: list[Run] = []
    routed: list[Run] = []
    _Client.token = embedded.token
    async with _Client(embedded.base_url) as client:
        for _ in range(ROUNDS[model]):
            bare.append(await timed(by_sdk(client, identifier)))
            routed.append(await timed(by_router(llm)))
    assert {run.text for run in routed} == {run.text for run in bare}
    with capsys.disabled():
        print(f"\n{model}: {report(bare, routed)}")  # noqa: T201 - a benchmark is there to be read


def report(bare: list[Run], routed: list[Run]) -> str:
    def median(runs: list[Run], of: Callable[[Run], float]) -> float:
        return statistics.median(of(run) for run in runs)

    first = median(routed, lambda run: run.first_s) / median(bare, lambda run: run.first_s)
    total = median(routed, lambda run: run.total_s) / median(bare, lambda run: run.total_s)
    added_s = statistics.median(
        one.first_s - other.first_s for one, other in zip(routed, bare, strict=True)
    )
    return (
        f"ChatLMSwitch against the bare SDK, {len(bare)} interleaved runs, medians: "
        f"time to first token x{first:.3f}, total x{total:.3f} (bar 1.05) of "
        f"{median(bare, lambda run: run.total_s) * 1000:.0f} ms, "
        f"added before the first token {added_s * 1000:.1f} ms (bar 15)"
    )

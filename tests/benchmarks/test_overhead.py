"""What the router adds to a bare call of the SDK, on the same loaded model.

Runs come in pairs, each one first in turn, since the noise from run to run is larger than what is
measured; what is printed are medians over the pairs. It asserts none: only that both said the same.
"""

import statistics
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import lmstudio
import pytest
from conftest import CODER, SMOL, Embedded

from langchain_lmswitch import ChatLMSwitch

pytestmark = [pytest.mark.weights, pytest.mark.alone]

PAIRS = {SMOL: 30, CODER: 7}
MAX_TOKENS = {SMOL: 64, CODER: 40}
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


async def by_sdk(
    client: lmstudio.AsyncClient, identifier: str, max_tokens: int
) -> AsyncIterator[str]:
    model = await client.llm.model(identifier)
    config = lmstudio.LlmPredictionConfig(temperature=0, max_tokens=max_tokens)
    async for fragment in await model.respond_stream(PROMPT, config=config):
        yield fragment.content


async def by_router(llm: ChatLMSwitch) -> AsyncIterator[str]:
    async for chunk in llm.astream(PROMPT):
        yield chunk.text


@pytest.mark.parametrize("model", PAIRS)
async def test_overhead_against_the_bare_sdk(
    embedded: Embedded, capsys: pytest.CaptureFixture[str], model: str
) -> None:
    """The same model says the same words; how much later is printed."""
    llm = embedded.chat(model=model, temperature=0, max_tokens=MAX_TOKENS[model])
    warm = await llm.ainvoke(PROMPT)
    identifier = warm.response_metadata["lmswitch"]["identifier"]
    pairs: list[tuple[Run, Run]] = []
    _Client.token = embedded.token
    async with _Client(embedded.base_url) as client:
        for number in range(PAIRS[model]):
            ways = [by_sdk(client, identifier, MAX_TOKENS[model]), by_router(llm)]
            order = (0, 1) if number % 2 == 0 else (1, 0)
            done = {one: await timed(ways[one]) for one in order}
            pairs.append((done[0], done[1]))
    assert len({run.text for pair in pairs for run in pair}) == 1
    with capsys.disabled():
        print(f"\n{model}: {report(pairs)}")  # noqa: T201 - a benchmark is there to be read


def report(pairs: Sequence[tuple[Run, Run]]) -> str:
    def median(of: Callable[[Run, Run], float]) -> float:
        return statistics.median(of(bare, routed) for bare, routed in pairs)

    return (
        f"ChatLMSwitch against the bare SDK, medians of {len(pairs)} pairs: "
        f"time to first token x{median(lambda bare, routed: routed.first_s / bare.first_s):.3f}, "
        f"total x{median(lambda bare, routed: routed.total_s / bare.total_s):.3f} (bar 1.05) of "
        f"{median(lambda bare, _: bare.total_s) * 1000:.0f} ms, added before the first token "
        f"{median(lambda bare, routed: routed.first_s - bare.first_s) * 1000:.1f} ms (bar 15)"
    )

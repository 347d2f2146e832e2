"""Sixteen threads and sixteen tasks on real weights, and room for one of their two models only.

Nobody's answer is cut, nothing is loaded twice, no request fails; what it takes is printed, and
what one request after the other would have taken. `LMSWITCH_BENCH_S=300` makes it five minutes.
"""

import asyncio
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from benchmarks import callers
from benchmarks.callers import MODELS, PROMPTS, wish_for
from conftest import Embedded

from langchain_lmswitch.hosts.finding import find_host

pytestmark = [pytest.mark.weights, pytest.mark.alone]

FOR_S = float(os.environ.get("LMSWITCH_BENCH_S", "4"))
BUDGET_BYTES = 740 * 2**20
"""For one of the two at a time, by the estimates and by what they really hold."""
ONE_BY_ONE = 12
"""Requests that are also made one after the other, each by the model that was drawn."""


class Residents:
    """Looks all the time at what is in the host's memory."""

    def __init__(self, embedded: Embedded) -> None:
        self._embedded = embedded
        self.most = 0
        self.twice: list[list[str]] = []

    async def watch(self) -> None:
        host = await find_host(self._embedded.client_settings)
        try:
            while True:
                keys = [one.key for one in await host.residents()]
                self.most = max(self.most, len(keys))
                if len(keys) != len(set(keys)):
                    self.twice.append(keys)
                await asyncio.sleep(0.1)
        finally:
            await host.aclose()


async def ask(embedded: Embedded, *, processes: int, threads: int, tasks: int) -> Any:
    """Let some processes ask at once; give what each of them says, and what was in memory."""
    environment = {
        **os.environ,
        "LMSWITCH_BASE_URL": embedded.base_url,
        "LMSWITCH_API_KEY": embedded.token,
        "LMSWITCH_HOME": str(embedded.settings.home),
        "LMSWITCH_BUDGET_BYTES": str(BUDGET_BYTES),
        "LMSWITCH_CONTEXT_TOKENS": "2048",
    }
    residents = Residents(embedded)
    watching = asyncio.create_task(residents.watch())
    script = str(Path(callers.__file__))
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            script,
            *map(str, (FOR_S, threads, tasks, seed)),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
        )
        for seed in range(processes)
    ]
    said = await asyncio.gather(*(one.communicate() for one in started))
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert [one.returncode for one in started] == [0] * processes
    return [json.loads(out) for out, _ in said], residents


async def one_by_one(embedded: Embedded) -> float:
    """Give the seconds for each request if there is one model at a time, in the order of asking."""
    llm = embedded.chat(max_tokens=callers.MAX_TOKENS, temperature=0)
    dice = random.Random(0)  # noqa: S311 - which model is no secret
    last = ""
    started_s = time.monotonic()
    for _ in range(ONE_BY_ONE):
        wish = wish_for(dice)
        model = wish.get("model", MODELS[1])
        if last not in {"", model}:
            await llm.aunload(last)
        await llm.ainvoke(dice.choice(PROMPTS), model=model)
        last = model
    return (time.monotonic() - started_s) / ONE_BY_ONE


@pytest.mark.usefixtures("unloaded")
@pytest.mark.parametrize(("processes", "threads", "tasks"), [(1, 16, 16), (2, 8, 8)])
async def test_two_models_and_room_for_one(
    embedded: Embedded,
    capsys: pytest.CaptureFixture[str],
    processes: int,
    threads: int,
    tasks: int,
) -> None:
    outcomes, residents = await ask(embedded, processes=processes, threads=threads, tasks=tasks)

    assert [one["failures"] for one in outcomes] == [[]] * processes
    assert [one["cut"] for one in outcomes] == [[]] * processes
    assert all(set(one["by_model"]) == set(MODELS) for one in outcomes)
    assert residents.twice == []
    assert residents.most == 1
    answers = sum(one["answers"] for one in outcomes)
    taken_s = max(one["total_s"] for one in outcomes)
    single_s = await one_by_one(embedded)
    with capsys.disabled():
        print(  # noqa: T201 - what a benchmark is for
            f"\n{processes} process(es), {threads} threads and {tasks} tasks each: {answers} "
            f"answers in {taken_s:.0f} s, {sum(one['loads'] for one in outcomes)} loads; "
            f"one by one {single_s:.2f} s for each, which makes {answers * single_s:.0f} s "
            f"(x{answers * single_s / taken_s:.1f})"
        )

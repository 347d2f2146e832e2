"""Threads and tasks that ask two models of a host which do not fit together, for some time.

Run as a script it prints what happened as JSON, so that several processes can ask at once. The
host, its token and the budget come with the environment (`LMSWITCH_*`).
"""

import asyncio
import json
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from langchain_core.messages import AIMessage

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.types.events import Loaded, SwitchEvent

MODELS = ("smollm2-135m-instruct", "qwen2.5-coder-0.5b-instruct")
MAX_TOKENS = 12
PROMPTS = (
    "Write a Python function that adds two numbers.",
    "Name three rivers.",
    "What is seven times eight?",
    "Write a line of a poem about the sea.",
    "Sum up in a few words: the cat sat on the mat and slept.",
)


@dataclass(slots=True)
class Outcome:
    """What happened to one process's requests."""

    answers: int = 0
    failures: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    """Answers that ended neither by themselves nor at their limit."""
    loads: int = 0
    total_s: float = 0.0
    by_model: dict[str, int] = field(default_factory=dict)


class Callers:
    """Asks for a model by name, or for whichever suits, until the time is over."""

    def __init__(self, *, for_s: float, seed: int) -> None:
        self.outcome = Outcome()
        self._llm = ChatLMSwitch(max_tokens=MAX_TOKENS, temperature=0, on_event=self._hear)
        self._ends_s = time.monotonic() + for_s
        self._seed = seed
        self._loaded: set[tuple[str, float]] = set()

    async def run(self, *, threads: int, tasks: int) -> Outcome:
        """Let threads ask with `invoke`, and as many tasks as are wanted with `ainvoke`."""
        started_s = time.monotonic()
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(threads) as pool:
            blocking = [loop.run_in_executor(pool, self._in_thread, one) for one in range(threads)]
            awaiting = [self._in_task(threads + one) for one in range(tasks)]
            await asyncio.gather(*blocking, *awaiting)
        self.outcome.total_s = time.monotonic() - started_s
        self.outcome.loads = len(self._loaded)
        return self.outcome

    def _in_thread(self, number: int) -> None:
        dice = random.Random(self._seed * 1000 + number)  # noqa: S311 - which model is no secret
        while time.monotonic() < self._ends_s:
            try:
                self._note(self._llm.invoke(dice.choice(PROMPTS), **wish_for(dice)))
            except Exception as error:  # noqa: BLE001 - each is a failure
                self.outcome.failures.append(repr(error))

    async def _in_task(self, number: int) -> None:
        dice = random.Random(self._seed * 1000 + number)  # noqa: S311 - as above
        while time.monotonic() < self._ends_s:
            try:
                self._note(await self._llm.ainvoke(dice.choice(PROMPTS), **wish_for(dice)))
            except Exception as error:  # noqa: BLE001 - as above
                self.outcome.failures.append(repr(error))

    def _note(self, answer: AIMessage) -> None:
        metadata = answer.response_metadata
        self.outcome.answers += 1
        model = metadata["lmswitch"]["model"]
        self.outcome.by_model[model] = self.outcome.by_model.get(model, 0) + 1
        tokens = (answer.usage_metadata or {"output_tokens": 0})["output_tokens"]
        if not answer.text or (metadata["finish_reason"] != "stop" and tokens < MAX_TOKENS):
            self.outcome.cut.append(f"{model}: {metadata['finish_reason']} after {tokens}")

    def _hear(self, event: SwitchEvent) -> None:
        if isinstance(event, Loaded):  # all that joined a load hear of it
            self._loaded.add((event.key, event.load_s))


def wish_for(dice: random.Random) -> dict[str, Any]:
    """Name a model, or a task and leave the choice."""
    return dice.choice([{"model": MODELS[0]}, {"model": MODELS[1]}, {"task": "code"}])


def main() -> None:
    """Ask for as long, and with as many, as the arguments say."""
    for_s, threads, tasks, seed = (float(one) for one in sys.argv[1:5])
    callers = Callers(for_s=for_s, seed=int(seed))
    outcome = asyncio.run(callers.run(threads=int(threads), tasks=int(tasks)))
    print(json.dumps(asdict(outcome)))  # noqa: T201 - its result


if __name__ == "__main__":
    main()

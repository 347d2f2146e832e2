"""Ten code and ten chat requests in mixed order, on real weights, with room for one model.

Each goes where its role says. What that takes in loads is printed: one request after the other, as
a router would that has no price for a switch, and all at once.
"""

import asyncio
import itertools
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import CODER, SMOL, Embedded

from langchain_lmswitch import ChatLMSwitch

if TYPE_CHECKING:
    from langchain_core.language_models import LanguageModelInput

pytestmark = pytest.mark.weights

BUDGET_BYTES = 740 * 2**20
"""For one of the two at a time."""
ROLES = {"coder": ["code"], "smollm2": ["chat", "creative", "facts", "knowledge"]}
WISHES = {
    CODER: [
        "Write a Python function that reverses a string.",
        "Why does this raise IndexError: list index out of range? print([1, 2][2])",
        "Write an SQL query that counts the orders of each customer.",
        "Refactor this: def f(x): return True if x > 0 else False",
        "Implement a stack in JavaScript.",
        "Write a unit test for a function that adds two numbers.",
        "Schreibe eine Funktion in Python, die eine Datei liest.",
        "用 Python 写一个快速排序函数。",
        "What does this regex match? ^[a-z]+\\d*$",
        "Convert this loop to a list comprehension: for x in xs: ys.append(x * 2)",
    ],
    SMOL: [
        "Hello! How are you today?",
        "Good morning, my friend.",
        "Tell me something nice.",
        "Thank you, that was kind of you.",
        "I feel a bit tired today.",
        "What should I cook for dinner?",
        "Guten Tag, wie geht es dir?",
        "你好，今天过得怎么样？",  # noqa: RUF001 - as above
        "Do you like the sea?",
        "Good night, and see you tomorrow.",
    ],
}


def mixed() -> list[tuple[str, str]]:
    """Give every request with the model it should go to, in mixed order."""
    asked = [(key, text) for key, texts in WISHES.items() for text in texts]
    random.Random(5).shuffle(asked)  # noqa: S311 - any order
    return asked


def changes() -> int:
    """Count how often another model is wanted than for the request before; the first counts."""
    keys = [key for key, _ in mixed()]
    return 1 + sum(one != other for one, other in itertools.pairwise(keys))


def main(way: str, quality: str) -> None:
    """Ask from a process of its own: who answered, loads, seconds."""
    events: list[Any] = []
    llm = ChatLMSwitch(
        roles=ROLES, quality=float(quality), max_tokens=2, temperature=0, on_event=events.append
    )
    texts: list[LanguageModelInput] = [text for _, text in mixed()]
    begun_s = time.monotonic()
    if way == "at once":
        answers = asyncio.run(llm.abatch(texts))
    else:
        answers = [llm.invoke(text) for text in texts]
    records = [one.response_metadata["lmswitch"] for one in answers]
    told = {
        "models": [one["model"] for one in records],
        "loads": sum(type(one).__name__ == "Loaded" for one in events),
        "took_s": time.monotonic() - begun_s,
    }
    llm.unload()
    sys.stdout.write(json.dumps(told))


def ask(embedded: Embedded, way: str, quality: float) -> Any:
    environ = os.environ | {
        "LMSWITCH_BASE_URL": embedded.base_url,
        "LMSWITCH_API_KEY": embedded.token,
        "LMSWITCH_HOME": str(embedded.settings.home),
        "LMSWITCH_BUDGET_BYTES": str(BUDGET_BYTES),
        "LMSWITCH_CONTEXT_TOKENS": "1024",
        "PYTHONPATH": os.pathsep.join(map(str, [Path(__file__).parent, Path(__file__).parents[1]])),
    }
    code = "import sys, test_two_tasks as t; t.main(*sys.argv[1:])"
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code, way, str(quality)],
        env=environ,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.usefixtures("unloaded")
def test_each_goes_where_it_should(embedded: Embedded, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = [key for key, _ in mixed()]
    ways = {
        "one after the other": ("one by one", 0.5),
        "without a price for switching": ("one by one", 1.0),
        "all at once": ("at once", 0.5),
    }
    told = {name: ask(embedded, *way) for name, way in ways.items()}

    with capsys.disabled():
        print(f"\n20 requests that change the model {changes()} times:")  # noqa: T201
        for name, one in told.items():
            print(f"  {name}: {one['loads']} loads, {one['took_s']:.1f} s")  # noqa: T201
    for one in told.values():
        assert one["models"] == wanted
        assert one["loads"] <= changes()
    assert told["all at once"]["loads"] < changes()

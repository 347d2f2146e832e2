"""Ten code and ten chat requests in mixed order, on real weights, with room for one model.

Each goes where its role says. What that takes in loads is printed: one request after the other, all
at once, and by a router that has no price for a switch.
"""

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
from langchain_lmswitch.switch.learning import HERE
from langchain_lmswitch.switch.portal import portal

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
    random.Random(4).shuffle(asked)  # noqa: S311 - any order
    return asked


def changes(keys: list[str]) -> int:
    """Count the loads where there is room for one model: each change, and the first."""
    return 1 + sum(one != other for one, other in itertools.pairwise(keys))


def main(way: str) -> None:
    """Ask from a process of its own: who answered, in how many loads and seconds."""
    llm = ChatLMSwitch(roles=ROLES, max_tokens=2, temperature=0)
    texts: list[LanguageModelInput] = [text for _, text in mixed()]
    # Without a price for switching, who is loaded makes no difference.
    free = [llm.router.decide(text, quality=1.0).model for text in texts]
    begun_s = time.monotonic()
    answers = llm.batch(texts) if way == "at once" else [llm.invoke(text) for text in texts]
    told = {
        "took_s": time.monotonic() - begun_s,
        "models": [one.response_metadata["lmswitch"]["model"] for one in answers],
        "loads": portal().call(_loads(llm)),
        "without a price": free,
    }
    llm.unload()
    sys.stdout.write(json.dumps(told))


async def _loads(llm: ChatLMSwitch) -> int:
    return len((await llm._open_board()).ledger.loads(HERE))


def ask(embedded: Embedded, way: str) -> Any:
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
        [sys.executable, "-c", code, way],
        env=environ,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.usefixtures("unloaded")
def test_each_goes_where_it_should(embedded: Embedded, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = [key for key, _ in mixed()]
    in_turn, at_once = ask(embedded, "one after the other"), ask(embedded, "at once")
    free = changes(in_turn["without a price"])

    with capsys.disabled():
        print(  # noqa: T201 - what it takes
            f"\n20 requests, room for one model: {in_turn['loads']} loads one after the other "
            f"({in_turn['took_s']:.0f} s), {at_once['loads']} all at once "
            f"({at_once['took_s']:.0f} s); without a price for switching {free}"
        )
    assert in_turn["models"] == at_once["models"] == wanted
    assert in_turn["without a price"] == wanted
    assert in_turn["loads"] <= free
    assert at_once["loads"] <= in_turn["loads"] // 2

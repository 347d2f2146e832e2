"""What it costs to tell the task of a request; nothing is asserted on seconds, it prints them."""

import statistics
import sys
import time

import pytest
from training.reading import exemplars

from langchain_lmswitch.policy.classify import classify
from langchain_lmswitch.types.tasks import Request

pytestmark = pytest.mark.alone


def cpu_ms(text: str) -> float:
    started = time.thread_time()
    classify(Request(user_text=text))
    return 1000 * (time.thread_time() - started)


def test_cost_of_a_task(capsys: pytest.CaptureFixture[str]) -> None:
    """Exemplars, alone and strung together to a few thousand characters; and what is very long."""
    short = [one.text for one in exemplars()]
    pasted = ["\n".join(short[at : at + 40])[:4000] for at in range(0, len(short), 10)]
    long = [short[n] * (100_000 // len(short[n]) + 1) for n in range(0, len(short), 100)]
    classify(Request(user_text="Hello"))

    lines = []
    for name, texts in (("exemplars", short), ("4k characters", pasted), ("100k characters", long)):
        times = sorted(cpu_ms(text) for text in texts)
        p50, p99 = statistics.median(times), times[int(len(times) * 0.99)]
        lines.append(f"{name}: p50 {p50:.2f} ms, p99 {p99:.2f} ms, {p99 / p50:.1f} times")

    with capsys.disabled():
        sys.stdout.write("\n".join(("", *lines, "")))
    assert len(lines) == 3

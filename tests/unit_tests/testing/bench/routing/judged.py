"""Judged answers whose right choice is known."""

import json
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from langchain_lmswitch.testing.bench.routing import Table

CODE = (
    "Write a Python function that sorts a list of {} numbers.",
    "Fix this script: ```def f{}(x): return x + y```",
    "Refactor the {} methods of this Java class, and add unit tests.",
)
MATH = (
    "Solve the equation x + {} = 12 for x.",
    "Compute {} * 17 + 4.",
    "What is the probability of drawing {} aces, as a fraction? Calculate it.",
)
CODER, MATHEMATICIAN = "ann-7b", "bob-7b"
STRONG = "carl-7b"
"""Names that tell nothing of what each can do."""


def prompts(count: int) -> list[tuple[str, str]]:
    """Give the task and the words of so many prompts, code and math by turns."""
    kinds = (("code", CODE), ("math", MATH))
    return [
        (task, texts[at // 2 % len(texts)].format(at + 2))
        for at, (task, texts) in enumerate(islice(cycle(kinds), count))
    ]


def split_table(count: int = 240) -> Table:
    """Make a table where one model is right in code, and the other one in math."""
    asked = prompts(count)
    code = [float(task == "code") for task, _ in asked]
    return table(asked, {CODER: code, MATHEMATICIAN: [1 - one for one in code]})


def shuffled_table(count: int = 240) -> Table:
    """Make a table where who is right has nothing to do with the prompt."""
    dice = np.random.default_rng(7)
    right = (dice.random(count) < 0.5).astype(float)
    return table(prompts(count), {CODER: list(right), MATHEMATICIAN: list(1 - right)})


def dominated_table(count: int = 240) -> Table:
    """Make a table where one model is right four times out of five, and the others less often."""
    dice = np.random.default_rng(7)
    chances = {STRONG: 0.8, CODER: 0.5, MATHEMATICIAN: 0.5}
    return table(
        prompts(count),
        {model: list((dice.random(count) < one) * 1.0) for model, one in chances.items()},
    )


def halves(made: Table) -> tuple[Table, Table]:
    """Give what the first half of the prompts is in, and the rest."""
    first = np.arange(len(made)) < len(made) // 2
    return made.where(first), made.where(~first)


def table(asked: Sequence[tuple[str, str]], scores: Mapping[str, Sequence[float]]) -> Table:
    tasks, texts = zip(*asked, strict=True)
    return Table(
        name="judged",
        models=tuple(scores),
        prompts=texts,
        tasks=tasks,
        parts=("",) * len(texts),
        scores=np.array(list(scores.values())).T,
    )


def write_lines(file: Path, made: Table) -> Path:
    """Write a table as JSON lines."""
    rows = [
        {"prompt": prompt, "task": task, "part": part}
        | {f"score:{model}": score for model, score in zip(made.models, scores, strict=True)}
        for prompt, task, part, scores in zip(
            made.prompts, made.tasks, made.parts, made.scores.tolist(), strict=True
        )
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    return file

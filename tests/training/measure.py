"""Measure how the head tells public prompts that it was not trained on, for the model card.

From the root of the checkout, in about a minute:

    OPENBLAS_NUM_THREADS=1 PYTHONPATH=tests python -m training.measure FOLDER

1. Trained on the exemplars and every other public prompt, asked for the rest; by file.
2. The shipped head, asked for every third prompt in other words: how often the task stays.
"""

import sys
from pathlib import Path
from unittest.mock import patch

from training.public import FILES, prompts
from training.reading import Exemplar, exemplars
from training.rewording import reworded
from training.train import both, lesson, trained

from langchain_lmswitch.policy import classify as classifying
from langchain_lmswitch.policy.classify import classify
from langchain_lmswitch.policy.head import Head
from langchain_lmswitch.types.tasks import Request, TaskKind


def told(text: str) -> TaskKind:
    """Give the likeliest task."""
    return classify(Request(user_text=text)).kind


def right(public: list[Exemplar]) -> float:
    """Give the share of prompts whose task is told right."""
    return sum(told(one.text) == one.kind for one in public) / len(public)


def halves(public: list[Exemplar], sizes: list[int]) -> None:
    """Train on one half and ask for the other, both ways; by file."""
    base = lesson(exemplars())
    for odd in (0, 1):
        weights = trained(both(base, lesson(public[1 - odd :: 2], wordings=1)))
        with patch.object(classifying, "head", lambda weights=weights: Head(weights=weights)):
            start = 0
            for name, size in zip(FILES, sizes, strict=True):
                asked = [public[at] for at in range(start, start + size) if at % 2 == odd]
                sys.stdout.write(f"{name}: {right(asked):.1%} of {len(asked)}\n")
                start += size


def kept(public: list[Exemplar]) -> None:
    """Say prompts in other words, and see whether the task stays."""
    stays = [
        told(other) == told(one.text)
        for number, one in enumerate(public[::3])
        for other in list(reworded(one.text, "en", number))[:-1]
    ]
    sys.stdout.write(f"reworded: {sum(stays) / len(stays):.1%} of {len(stays)} keep their task\n")


def main() -> None:
    """Print the figures."""
    folder = Path(sys.argv[1])
    sizes = [len(prompts(folder, [name])) for name in FILES]
    public = prompts(folder)
    halves(public, sizes)
    kept(public)


if __name__ == "__main__":
    main()

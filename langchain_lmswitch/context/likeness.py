"""Likeness: how close passages are to a question by their vectors."""

from collections.abc import Mapping, Sequence
from operator import mul

from langchain_lmswitch.context.segments import Passage


def likeness(
    text: str, passages: Sequence[Passage], vectors: Mapping[str, Sequence[float]] | None
) -> dict[int, float]:
    """Give the cosine of each passage with a question; only of those that are above zero.

    Args:
        text: The question.
        passages: Those without a vector, as not everything may be embedded yet, are left out.
        vectors: By text, normalized; `None` if there are none.
    """
    asked = vectors.get(text) if vectors else None
    if vectors is None or asked is None:
        return {}
    found = ((at, vectors.get(one.text)) for at, one in enumerate(passages))
    rows = [(at, row) for at, row in found if row is not None]
    cosines = _cosines(asked, [row for _, row in rows])
    return {at: cosine for (at, _), cosine in zip(rows, cosines, strict=True) if cosine > 0}


def _cosines(asked: Sequence[float], rows: Sequence[Sequence[float]]) -> list[float]:
    """Multiply by numpy if it is there, as it is wherever something was embedded here."""
    try:
        import numpy as np  # noqa: PLC0415 - slow to import, and not always installed
    except ImportError:
        return [sum(map(mul, asked, row)) for row in rows]
    if not rows:
        return []
    found: list[float] = (
        np.asarray(rows, dtype=np.float32) @ np.asarray(asked, np.float32)
    ).tolist()
    return found

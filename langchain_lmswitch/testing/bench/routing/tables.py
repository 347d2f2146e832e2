"""Tables of judged answers: which model was right for which prompt."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import compress
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.testing.bench.routing.columns import SCORE, Columns, read_columns

Scores = NDArray[np.float64]
Mask = NDArray[np.bool_]

_LAYOUT: Final = (
    "A table of judged answers has the columns `prompt` and `score:MODEL`, one for each model, "
    "with numbers from 0 to 1; `task` and `part` are optional."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Prompts, and how good each model's answer to each was."""

    name: str
    models: tuple[str, ...]
    prompts: tuple[str, ...]
    tasks: tuple[str, ...]
    """As the data names them; empty words if it names none."""
    parts: tuple[str, ...]
    scores: Scores
    """By prompt and model, from 0 to 1; NaN is unknown."""

    def __len__(self) -> int:
        return len(self.prompts)

    def where(self, chosen: Mask) -> Self:
        """Keep some of the prompts."""
        return replace(
            self,
            prompts=tuple(compress(self.prompts, chosen)),
            tasks=tuple(compress(self.tasks, chosen)),
            parts=tuple(compress(self.parts, chosen)),
            scores=self.scores[chosen],
        )

    def of(self, models: Sequence[str]) -> Self:
        """Keep some of the models, in this order; what the table does not have is unknown."""
        places = [self.models.index(one) if one in self.models else -1 for one in models]
        unknown = np.full((len(self), 1), np.nan)
        # The last column, at -1, is the one of nobody.
        scores = np.hstack([self.scores, unknown])[:, places]
        return replace(self, models=tuple(models), scores=scores)

    def complete(self) -> Self:
        """Keep the prompts that every model was judged for."""
        return self.where(np.logical_and.reduce(~np.isnan(self.scores), axis=1))


def read_table(file: Path) -> Table:
    """Read a table from Parquet, JSON lines or CSV, as the name ends.

    Raises:
        InvalidRequest: It cannot be read, or its columns are not those of judged answers.
        MissingExtra: It is Parquet, and the package that reads it is not installed.
    """
    columns = read_columns(file)
    models = tuple(name.removeprefix(SCORE) for name in columns if name.startswith(SCORE))
    prompts = columns.get("prompt")
    if not models or not prompts:
        raise InvalidRequest(
            f"{file} has no {'rows' if models and 'prompt' in columns else 'judged answers'}: "
            f"its columns are {', '.join(columns) or 'none'}. {_LAYOUT}"
        )
    blank = [""] * len(prompts)
    return Table(
        name=file.stem,
        models=models,
        prompts=tuple(map(_text, prompts)),
        tasks=tuple(map(_text, columns.get("task", blank))),
        parts=tuple(map(_text, columns.get("part", blank))),
        scores=_scores(file, columns, models),
    )


def stacked(tables: Sequence[Table]) -> Table:
    """Put tables of the same models below each other; the first one's name is kept."""
    first = tables[0]
    if len(tables) == 1:
        return first
    return replace(
        first,
        prompts=tuple(text for one in tables for text in one.prompts),
        tasks=tuple(text for one in tables for text in one.tasks),
        parts=tuple(text for one in tables for text in one.parts),
        scores=np.vstack([one.scores for one in tables]),
    )


def place(prompt: str) -> float:
    """Give a prompt its place between 0 and 1, the same on every machine and in every file.

    Example:
        >>> round(place("What is two and two?"), 3)
        0.599
    """
    digest = blake2b(prompt.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def places(table: Table) -> NDArray[np.float64]:
    """Give every prompt its place; equal prompts have the same."""
    return np.array([place(one) for one in table.prompts])


def _is_unknown(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _scores(file: Path, columns: Columns, models: Sequence[str]) -> Scores:
    scores = np.array([list(_numbers(file, model, columns)) for model in models]).T
    with np.errstate(invalid="ignore"):
        wrong = (scores < 0) | (scores > 1)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InvalidRequest(
            f"{file}, row {row + 1}: {SCORE}{models[column]} is {scores[row, column]:g}. {_LAYOUT}"
        )
    return scores


def _numbers(file: Path, model: str, columns: Columns) -> Iterator[float]:
    for row, value in enumerate(columns[SCORE + model], start=1):
        try:
            yield np.nan if _is_unknown(value) else float(value)
        except (TypeError, ValueError):
            raise InvalidRequest(
                f"{file}, row {row}: {SCORE}{model} is {str(value)[:40]!r}, no number. {_LAYOUT}"
            ) from None

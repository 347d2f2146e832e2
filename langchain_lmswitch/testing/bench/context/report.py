"""The whole bench of contexts, as plain values of JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import chain
from statistics import median
from typing import Any

from langchain_lmswitch.errors import ContextTooLong
from langchain_lmswitch.testing.bench.context.asking import OURS, Asked, Marked, asked
from langchain_lmswitch.testing.bench.context.chats import Chat
from langchain_lmswitch.testing.bench.context.driving import Driver
from langchain_lmswitch.testing.bench.context.marks import marked
from langchain_lmswitch.testing.bench.context.prefill import Prefill

Record = dict[str, Any]


def report(
    chats: Sequence[Chat],
    ratios: Sequence[float],
    driver: Driver,
    *,
    rivals: bool = False,
    prefill: bool = True,
) -> Record:
    """Measure conversations that are so many times longer than the budget.

    Args:
        chats: With their questions.
        ratios: Of which each makes a row; the first one's values stand on top.
        driver: Fits; who counts and who embeds is known to it.
        rivals: Whether others are measured, too.
        prefill: Whether the conversations are replayed turn by turn.
    """
    rows = [row_of(chats, ratio, driver, rivals=rivals, prefill=prefill) for ratio in ratios]
    return rows[0] | ({"rows": rows} if len(rows) > 1 else {})


def row_of(
    chats: Sequence[Chat], ratio: float, driver: Driver, *, rivals: bool, prefill: bool
) -> Record:
    """Measure one ratio."""
    asking = [asked(chat, ratio, driver) for chat in chats if chat.questions]
    already = len(driver.spent.fits_s)
    found = list(chain.from_iterable(one.marks(rivals=rivals) for one in asking))
    took_s = driver.spent.fits_s[already:]
    ours = asdict(marked([one[OURS] for one in found]))
    measured: Record = _cut(
        {
            "ratio": ratio,
            **ours,
            **(_prefilled(asking) if prefill else {"prefill_ratio": None}),
            "counter": driver.counter.name,
            "embedder": driver.embedder.name if driver.embedder else None,
            "priors": driver.priors,
            "fit_ms": 1e3 * median(took_s),
            "baselines": _baselines(found),
        }
    )
    return measured


def _baselines(found: Sequence[Marked]) -> dict[str, Record]:
    others = [who for who in found[0] if who != OURS]
    return {who: asdict(marked([one[who] for one in found])) for who in others}


def _prefilled(asking: Iterable[Asked]) -> Record:
    """Put replays together; a conversation that cannot be replayed in its budget is left out."""
    played = [one for one in map(_replay, asking) if one]
    turns = sum(one.turns for one in played)
    ours, dropping = (sum(one.ours for one in played), sum(one.dropping for one in played))
    return {
        "prefill_ratio": ours / dropping if dropping else None,
        "prefill_tokens": ours / turns if turns else None,
        "prefill_tokens_dropping": dropping / turns if turns else None,
        "turns": turns,
        "compactions": sum(one.compactions for one in played),
    }


def _replay(one: Asked) -> Prefill | None:
    try:
        return one.prefill()
    except ContextTooLong:
        return None


def _cut(value: Any) -> Any:
    match value:
        case float():
            return round(value, 5)
        case dict():
            return {name: _cut(one) for name, one in value.items()}
        case _:
            return value

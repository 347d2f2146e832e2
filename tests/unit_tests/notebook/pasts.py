"""Histories to be drawn."""

import random
from typing import Any

from langchain_lmswitch.types.history import (
    AnswerSpan,
    Departure,
    LoadSpan,
    MemorySample,
    Occupancy,
    Past,
    Share,
    WaitSpan,
)

GIB = 2**30
BEGUN_S = 1_700_000_000.0


def share(key: str, gib: float = 1.0, *, vram_gib: float = 0.0) -> Share:
    return Share(
        key=key,
        identifier=f"lmswitch/{key}",
        ram_bytes=int(gib * GIB),
        vram_bytes=int(vram_gib * GIB),
    )


def answer(key: str, start_s: float, end_s: float | None, **fields: Any) -> AnswerSpan:
    return AnswerSpan(
        key=key,
        identifier=f"lmswitch/{key}",
        started_s=BEGUN_S + start_s,
        ended_s=None if end_s is None else BEGUN_S + end_s,
        **{"task": "chat", **fields},
    )


def swap(**fields: Any) -> Past:
    """`coder` loads, answers and leaves for `talker`, which answers twice."""
    ram = {"ram_total_bytes": 8 * GIB, "budget_bytes": None, **fields}
    free = [(0, 6), (4, 5), (10, 6), (13, 5)]
    return Past(
        host="here",
        now_s=BEGUN_S + 20,
        samples=tuple(
            MemorySample(at_s=BEGUN_S + at_s, ram_free_bytes=gib * GIB, **ram) for at_s, gib in free
        ),
        occupancies=(
            Occupancy(at_s=BEGUN_S + 4, shares=(share("coder"),)),
            Occupancy(at_s=BEGUN_S + 10),
            Occupancy(at_s=BEGUN_S + 13, shares=(share("talker", 0.5),)),
        ),
        loads=(
            LoadSpan(key="coder", started_s=BEGUN_S, ended_s=BEGUN_S + 4, expected_bytes=GIB),
            LoadSpan(
                key="talker",
                started_s=BEGUN_S + 10,
                ended_s=BEGUN_S + 13,
                expected_bytes=GIB // 2,
                evicted=("coder",),
            ),
        ),
        departures=(
            Departure(
                at_s=BEGUN_S + 10, key="coder", identifier="lmswitch/coder", room_for="talker"
            ),
        ),
        waits=(WaitSpan(key="talker", reason="full", started_s=BEGUN_S + 8, ended_s=BEGUN_S + 10),),
        answers=(
            answer("coder", 4, 9.5, task="code"),
            answer("talker", 13, 15),
            answer("talker", 16, 19),
        ),
    )


def long_day(models: int, hours: float, *, seed: int = 1) -> Past:
    """Give what many models did in some hours, one after the other."""
    dice = random.Random(seed)  # noqa: S311 - the same each time
    keys = [f"publisher/a-model-with-a-long-name-{number}b-instruct" for number in range(models)]
    at_s, loads, answers, occupancies, departures = 0.0, [], [], [], []
    shares: tuple[Share, ...] = ()
    while at_s < hours * 3600:
        key = dice.choice(keys)
        if all(one.key != key for one in shares):
            if len(shares) > 2:
                gone, *rest = shares
                shares = tuple(rest)
                departures.append(
                    Departure(
                        at_s=BEGUN_S + at_s, key=gone.key, identifier=gone.identifier, room_for=key
                    )
                )
                occupancies.append(Occupancy(at_s=BEGUN_S + at_s, shares=shares))
            loads.append(LoadSpan(key=key, started_s=BEGUN_S + at_s, ended_s=BEGUN_S + at_s + 5))
            at_s, shares = at_s + 5, (*shares, share(key))
            occupancies.append(Occupancy(at_s=BEGUN_S + at_s, shares=shares))
        answers.append(answer(key, at_s, at_s + 20))
        at_s += 20 + dice.expovariate(1 / 60)
    return Past(
        host="here",
        now_s=BEGUN_S + at_s,
        loads=tuple(loads),
        answers=tuple(answers),
        occupancies=tuple(occupancies),
        departures=tuple(departures),
    )

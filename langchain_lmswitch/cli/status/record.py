"""`status --json`: what was seen, as JSON values; what is unknown is null."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from langchain_lmswitch.cli.status.seen import Choice, Held, Status

if TYPE_CHECKING:
    from langchain_lmswitch.types.answers import AnswerRecord


def record(now: Status) -> dict[str, Any]:
    """Write a status."""
    return {
        "at_s": now.at_s,
        "host": {"address": now.address, "kind": now.kind} if now.address else None,
        "trouble": now.trouble or None,
        "residents": [_held(one, now.at_s) for one in now.held],
        "memory": asdict(now.snapshot),
        "headroom_bytes": now.headroom_bytes,
        "bars": [{**asdict(one), "other_bytes": one.other_bytes} for one in now.bars],
        "remembered": not now.past.silence,
        "answers": [_answer(one) for one in now.past.answers],
        "decisions": [_choice(one) for one in now.past.choices],
    }


def _held(one: Held, now_s: float) -> dict[str, Any]:
    left_s = one.left_s(now_s)
    return {
        **asdict(one.resident),
        "state": one.doing,
        "status": one.state.status if one.state else None,
        "queued": one.state.queued if one.state else None,
        "ram_bytes": one.ram_bytes,
        "vram_bytes": one.vram_bytes,
        "ttl_left_s": None if left_s is None else round(left_s, 1),
        "used_by_pids": list(one.users),
        "pinned": one.pinned,
    }


def _answer(one: "AnswerRecord") -> dict[str, Any]:
    return {
        "at_s": one.at_s,
        "request": one.request,
        "model": one.key,
        "task": one.task,
        "node": one.node,
        "prompt_tokens": one.prompt_tokens,
        "answer_tokens": one.answer_tokens,
        "first_token_s": one.first_token_s,
        "tokens_per_second": one.tokens_per_second,
    }


def _choice(one: Choice) -> dict[str, Any]:
    return {**asdict(one), "model": one.model or None, "evicted": list(one.evicted)}

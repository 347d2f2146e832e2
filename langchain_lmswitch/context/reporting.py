"""What became of a conversation, for the caller to see."""

from collections.abc import Iterator

from langchain_lmswitch.context.boundaries import Window
from langchain_lmswitch.context.drafts import Draft
from langchain_lmswitch.context.transcripts import Transcript
from langchain_lmswitch.types.contexts import Clipped, ContextReport, Recalled


def report(
    draft: Draft | None,
    window: Window,
    transcript: Transcript,
    budget_tokens: int,
    tokens_before: int,
    tokens_after: int,
) -> ContextReport:
    """Tell what became of a conversation; `None` for a draft if it is sent as it is."""
    if draft is None:
        return ContextReport(
            tokens_before=tokens_before,
            tokens_after=tokens_after,
            budget_tokens=budget_tokens,
            reusable_tokens=_reusable(tokens_after, (), transcript),
        )
    here = {one.at for one in draft.pieces}
    evicted = (
        len(one.messages) for at, one in enumerate(transcript.parted.units) if at not in here
    )
    compacted = _compacted(window, transcript)
    return ContextReport(
        tokens_before=tokens_before,
        tokens_after=tokens_after,
        budget_tokens=budget_tokens,
        evicted_messages=sum(evicted),
        recalled=tuple(_recalled(draft)),
        summarized_messages=draft.summarized_messages,
        clipped=tuple(_clipped(draft)),
        orphans=transcript.parted.orphans,
        compacted=compacted,
    )


def _compacted(window: Window, transcript: Transcript) -> bool:
    """Tell whether something was evicted since the model was asked the last time."""
    units = transcript.parted.units
    answered = (at for at in reversed(range(len(units))) if not units[at].asks)
    last = next(answered, -1)
    return window.evicted_at >= max(last, 0)


def _recalled(draft: Draft) -> Iterator[Recalled]:
    for put in draft.puts:
        unit = draft.conversation[put.hit.unit]
        message = unit.messages[put.hit.message]
        yield Recalled(
            message=unit.first + put.hit.message,
            id=message.id or "",
            why=put.hit.why,
            tokens=put.tokens,
        )


def _clipped(draft: Draft) -> Iterator[Clipped]:
    for piece in draft.pieces:
        whole = draft.conversation[piece.at]
        for at, (now, before) in enumerate(zip(piece.unit.messages, whole.messages, strict=True)):
            if now is not before:
                yield Clipped(message=whole.first + at, left_out_tokens=0)


def _reusable(tokens: int, pieces: tuple[object, ...], transcript: Transcript) -> int:
    return 0

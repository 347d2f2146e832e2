"""What became of a conversation, for the caller to see."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from langchain_core.messages import BaseMessage

from langchain_lmswitch.context.boundaries import Window
from langchain_lmswitch.context.clipping import chars_of
from langchain_lmswitch.context.drafts import Draft
from langchain_lmswitch.context.transcripts import Transcript
from langchain_lmswitch.context.units import Unit
from langchain_lmswitch.types.contexts import Clipped, ContextReport, Recalled


@dataclass(frozen=True, slots=True)
class Telling:
    """Tells what became of one conversation."""

    transcript: Transcript
    costs: Sequence[int]
    """Tokens of each unit as it is."""
    budget_tokens: int
    fixed_tokens: int

    def whole(self, tokens: int) -> ContextReport:
        """Tell of a conversation that is sent as it is, but for orphans."""
        anew = self._rewritten()
        return ContextReport(
            tokens_before=self._before,
            tokens_after=tokens,
            budget_tokens=self.budget_tokens,
            orphans=self.transcript.parted.orphans,
            reusable_tokens=0 if anew else self._all_but_new(tokens),
            compacted=anew,
        )

    def fitted(
        self, draft: Draft, window: Window, tokens: int, *, begun_anew: bool
    ) -> ContextReport:
        """Tell of a conversation that was too long.

        Args:
            draft: What is sent.
            window: Which units were to stand in the prompt.
            tokens: Of the finished prompt.
            begun_anew: Whether more was given up than what is recalled.
        """
        here = sum(len(one.unit.messages) for one in draft.pieces)
        parts = self.transcript.parted
        apart = len(parts.system_at) + len(parts.orphans)
        anew = begun_anew or window.evicted_at >= self._answered or self._rewritten()
        return ContextReport(
            tokens_before=self._before,
            tokens_after=tokens,
            budget_tokens=self.budget_tokens,
            evicted_messages=len(self.transcript.messages) - apart - here,
            recalled=tuple(_recalled(draft)),
            summarized_messages=draft.summarized_messages,
            clipped=tuple(self._clipped(draft)),
            orphans=self.transcript.parted.orphans,
            reusable_tokens=0 if anew else self._reusable(draft, tokens),
            compacted=anew,
        )

    @property
    def _before(self) -> int:
        return self.fixed_tokens + sum(self.costs)

    @property
    def _answered(self) -> int:
        """Index of the first unit that came after the model was asked the last time.

        It was asked before its last answer, and after each step of a tool loop; but not after an
        answer without calls that another one follows.
        """
        units = self.transcript.parted.units
        at = len(units) - 1
        while at > 0 and units[at].asks:
            at -= 1
        while at > 0 and _is_plain(units[at - 1]):
            at -= 1
        return max(at, 0)

    def _rewritten(self) -> bool:
        """Tell whether a system message came after the model was asked the last time."""
        units, system = self.transcript.parted.units, self.transcript.parted.system_at
        answered = self._answered
        return bool(system and answered and system[-1] > units[answered].first)

    def _all_but_new(self, tokens: int) -> int:
        answered = self._answered
        new = sum(self.costs[answered:])
        return max(tokens - new, 0) if answered else 0

    def _reusable(self, draft: Draft, tokens: int) -> int:
        """Tell how much of the prompt's beginning is as it was.

        1. In a tool loop, all but the last step, while what is recalled is the same.
        2. Else what stands before the user message that the last answer was for: what was recalled
           in it has gone.
        """
        answered = self._answered
        if draft.asker is not None and draft.asker < answered and not draft.recalled_less:  # 1
            return self._all_but_new(tokens)
        units = self.transcript.parted.units
        asked = next((at for at in reversed(range(answered)) if units[at].asks), 0)  # 2
        before = sum(one.tokens for one in draft.pieces if one.at < asked)
        return min(
            self.fixed_tokens + draft.standing_tokens + draft.summary_tokens + before, tokens
        )

    def _clipped(self, draft: Draft) -> Iterator[Clipped]:
        for piece in draft.pieces:
            whole = draft.conversation[piece.at]
            per_char = self.costs[piece.at] / max(chars_of(whole), 1)
            pairs = zip(piece.unit.messages, whole.messages, strict=True)
            for at, (now, before) in enumerate(pairs):
                if now is not before:
                    gone = _chars(before) - _chars(now)
                    yield Clipped(
                        message=whole.first + at, left_out_tokens=max(int(gone * per_char), 0)
                    )


def _chars(message: BaseMessage) -> int:
    return chars_of(Unit(0, (message,), b"", asks=False))


def _is_plain(unit: Unit) -> bool:
    return not unit.asks and len(unit.messages) == 1


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

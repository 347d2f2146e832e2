"""Composing a draft: who stays, what is put back, what is told of the rest."""

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from langchain_lmswitch.context import blocks
from langchain_lmswitch.context.asking import Ask
from langchain_lmswitch.context.boundaries import Window
from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.contents import IMAGE_TOKENS, images_of
from langchain_lmswitch.context.counting import text_tokens
from langchain_lmswitch.context.drafts import Draft, Piece, Put, cut_to
from langchain_lmswitch.context.evicted import evicted
from langchain_lmswitch.context.packing import pack
from langchain_lmswitch.context.questions import wants_recall
from langchain_lmswitch.context.recall import Hit
from langchain_lmswitch.context.recalling import Asked, query_of, recalled
from langchain_lmswitch.context.shares import Shares
from langchain_lmswitch.context.summarized import block_told, texts_told
from langchain_lmswitch.context.transcripts import Transcript
from langchain_lmswitch.context.units import Unit

if TYPE_CHECKING:
    from langchain_lmswitch.context.fitting import FitOptions

_JOIN_TOKENS: Final = 4
"""What a tokenizer may make of the seams of a block."""
_LINE_TOKENS: Final = 6
"""Who says a recalled passage, and what a cut inside a word costs."""


class Composer:
    """Composes the draft of one prompt.

    Args:
        transcript: The conversation.
        window: What of it stands in the prompt.
        costs: Tokens of each unit as it is.
        parts: What each part of the prompt may take.
        options: How to fit.
        cache: What was worked out before.
    """

    def __init__(
        self,
        transcript: Transcript,
        window: Window,
        costs: Sequence[int],
        parts: Shares,
        *,
        options: "FitOptions",
        cache: ContextCache,
    ) -> None:
        self._transcript = transcript
        self._units = transcript.parted.units
        self._window = window
        self._costs = costs
        self._parts = parts
        self._options = options
        self._cache = cache
        self._asker = next(
            (at for at in reversed(range(len(self._units))) if self._units[at].asks), None
        )

    def draft(self) -> Generator[Ask, Any, Draft]:
        """Compose the draft.

        1. The units of the window, those that are too large cut to their place.
        2. Standing instructions of the user that were evicted, the newest first.
        3. The summary of what was evicted.
        4. Passages that the question needs, in what is left.
        """
        pieces = self._pieces()  # 1
        rules = yield from self._standing()  # 2
        summary = yield from self._summary()  # 3
        draft = Draft(
            system=self._transcript.parted.system,
            conversation=self._units,
            pieces=pieces,
            asker=self._asker,
            **rules,
            **summary,
        )
        if self._asker is None:
            return draft
        puts, less = yield from self._puts(draft)  # 4
        return replace(draft, puts=puts, recalled_less=less)

    def _pieces(self) -> tuple[Piece, ...]:
        here = (*self._window.units, *range(self._window.start, len(self._units)))
        return tuple(map(self._piece, here))

    def _piece(self, at: int) -> Piece:
        unit, tokens = self._units[at], self._costs[at]
        most = self._parts.most_of(unit)
        if self._window.evicted_at < 0 or tokens <= most:
            return Piece(at, unit, tokens)
        query = query_of(self._units[:at], at - 1, None).text
        images = at == self._asker or _pictures(unit) <= most
        return Piece(at, cut_to(unit, tokens, most, query=query, images=images), most)

    def _standing(self) -> Generator[Ask, Any, dict[str, Any]]:
        said = evicted(self._transcript, self._window.start, self._cache).rules
        rules: list[str] = []
        tokens = 0
        for rule in reversed(said if self._options.priors else ()):
            took = yield from text_tokens(rule, self._options.tokenizer, self._cache)
            if tokens + took + _LINE_TOKENS > self._parts.standing:
                break
            rules.insert(0, rule)
            tokens += took + _LINE_TOKENS
        return {"standing": tuple(rules), "standing_tokens": tokens}

    def _summary(self) -> Generator[Ask, Any, dict[str, Any]]:
        if not self._parts.summary:
            return {}
        chunks = [one for one in self._transcript.chunks if one.end <= self._window.start]
        tokens: dict[str, int] = {}
        for text in texts_told(chunks, self._units, self._cache):
            tokens[text] = yield from text_tokens(text, self._options.tokenizer, self._cache)
        block = block_told(
            chunks,
            self._units,
            self._cache,
            most_tokens=self._parts.summary,
            tokens_of=lambda text: tokens.get(text, self._parts.summary),
        )
        took = yield from text_tokens(block.text, self._options.tokenizer, self._cache)
        return {
            "summary": block.text,
            "summary_tokens": took,
            "summarized_messages": block.messages,
        }

    def _puts(self, draft: Draft) -> Generator[Ask, Any, tuple[tuple[Put, ...], bool]]:
        """Choose what is put back, and tell whether it is less than in the step before.

        In a tool loop it stays what it was when the loop began, or when something was evicted for
        the last time, so that the prompt only grows; when there is no room for so much any more,
        less of it.
        """
        query = query_of(self._units, self._asker, self._options.question)
        asked = Asked(
            query=query,
            embedder=self._options.embedder,
            priors=self._options.priors,
            again=self._asker is not None and self._asker < len(self._units) - 1,
        )
        since = max(self._asker or 0, self._window.evicted_at)
        early = [one for one in draft.pieces if one.at <= since]
        hits = yield from recalled(self._transcript, self._window, early, asked, self._cache)
        hits = [one for one in hits if one.text not in draft.standing]
        empty = blocks.recall_block((), self._units)
        frame = yield from text_tokens(empty, self._options.tokenizer, self._cache)
        told = draft.standing_tokens + draft.summary_tokens + frame + _JOIN_TOKENS
        then = self._parts.free - sum(one.tokens for one in early) - told
        now = self._parts.free - sum(one.tokens for one in draft.pieces) - told
        wanted = 1.0 if self._options.question else wants_recall(query.text)
        least_room = self._parts.free - self._parts.levels.high - told
        room = min(then, least_room) if self._options.tools else then
        most = min(self._amount(room, wanted), room)
        puts = yield from self._packed(hits, most, frame)
        all_of_it = sum(one.tokens for one in puts)
        if all_of_it <= now:
            return puts, False
        less = min(most, least_room)
        puts = yield from self._packed(hits, min(less, now), frame)
        as_before = less <= now and all_of_it > now + draft.pieces[-1].tokens
        return puts, not as_before

    def _amount(self, room: int, wanted: float) -> int:
        least = self._parts.least_recall
        return least + int(max(room - least, 0) * wanted)

    def _packed(
        self, hits: Sequence[Hit], budget_tokens: int, frame_tokens: int
    ) -> Generator[Ask, Any, tuple[Put, ...]]:
        """Take the best passages that fit.

        What a passage takes is told from its share of its message, and no tokenizer keeps to that:
        so the block is counted once, and packed anew by what it showed.
        """
        if budget_tokens <= 0 or not hits:
            return ()
        puts = self._chosen(hits, budget_tokens, 1.0)
        text = blocks.recall_block([one.hit for one in puts], self._units)
        counted = yield from text_tokens(text, self._options.tokenizer, self._cache)
        guessed = sum(one.tokens for one in puts)
        took = max(counted - frame_tokens, 1)
        return self._chosen(hits, budget_tokens, took / guessed if guessed else 1.0)

    def _chosen(self, hits: Sequence[Hit], budget_tokens: int, scale: float) -> tuple[Put, ...]:
        def tokens_of(hit: Hit) -> int:
            return max(int(self._tokens_of(hit) * scale), 1)

        chosen = pack(hits, budget_tokens=budget_tokens, tokens_of=tokens_of)
        return tuple(Put(one, tokens_of(one)) for one in chosen)

    def _tokens_of(self, hit: Hit) -> int:
        unit = self._units[hit.unit]
        share = len(hit.text) / max(len(unit.text), 1)
        return int(self._costs[hit.unit] * min(share, 1.0)) + _LINE_TOKENS


def _pictures(unit: Unit) -> int:
    return sum(map(images_of, unit.messages)) * IMAGE_TOKENS

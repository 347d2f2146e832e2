"""Segments: the index of one chunk, built once and never changed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage

from langchain_lmswitch.context.contents import calls_of, date_of, speaker_of, text_of
from langchain_lmswitch.context.passages import passages_of
from langchain_lmswitch.context.priors import is_bare, is_rule
from langchain_lmswitch.context.terms import terms_of
from langchain_lmswitch.context.units import Unit

FORMAT: Final = 1
"""Of what is kept of a segment; and of the terms, which an older index would not share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of a message, and what is known of it besides its words."""

    unit: int
    """Index of its unit in the chunk."""
    part: int
    """Which passage of the unit, from 0."""
    message: int
    """Index of its message in the unit."""
    start: int
    """Where it begins in the message, or in its tool calls."""
    speaker: str
    date: str
    asked: bool
    """Whether the user says it."""
    rule: bool
    """Whether it sounds like a standing instruction."""
    bare: bool
    """Whether it is a short question, which tells little itself."""
    call: bool
    """Whether it is of the message's tool calls, not of its text."""
    text: str
    """Word for word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The index of one chunk: postings of its passages. Never changed, so it can be kept."""

    digest: bytes
    units: int
    """How many it has, also without words."""
    people: bool
    """Whether all messages bear names: people talk, not a user with an assistant."""
    speakers: frozenset[str]
    """The names of who speaks; roles and tools are none."""
    rules: tuple[int, ...]
    """The passages that sound like standing instructions."""
    passages: tuple[Passage, ...]
    places: tuple[int, ...]
    """The unit of each passage."""
    lengths: tuple[int, ...]
    """The terms of each passage."""
    postings: Mapping[str, tuple[int, ...]]
    """Of each term: passage, times, passage, times, and so on."""

    def to_plain(self) -> dict[str, Any]:
        """Give plain JSON values, without any text: that stands in the messages."""
        return {
            "format": FORMAT,
            "digest": self.digest.hex(),
            "spans": [
                [one.unit, one.message, one.start, one.start + len(one.text), int(one.call)]
                for one in self.passages
            ],
            "lengths": list(self.lengths),
            "postings": {term: list(posting) for term, posting in self.postings.items()},
        }


def segment(digest: bytes, units: Sequence[Unit]) -> Segment:
    """Index the units of one chunk; results and arguments of tools too."""
    passages = tuple(one for at, unit in enumerate(units) for one in _passages(at, unit))
    counts = [Counter(terms_of(one.text)) for one in passages]
    postings: dict[str, list[int]] = {}
    for at, count in enumerate(counts):
        for term, times in count.items():
            postings.setdefault(term, []).extend((at, times))
    return _segment(
        digest,
        units,
        passages,
        lengths=tuple(count.total() for count in counts),
        postings={term: tuple(posting) for term, posting in postings.items()},
    )


def from_plain(plain: Mapping[str, Any], units: Sequence[Unit]) -> Segment | None:
    """Take up what was kept of a segment, with the units that it was made of.

    Returns:
        `None` if it was written by another version, or does not fit the units: index anew.
    """
    try:
        if plain["format"] != FORMAT:
            return None
        passages = tuple(_restored(plain["spans"], units))
        postings = {term: tuple(posting) for term, posting in plain["postings"].items()}
        lengths = tuple(plain["lengths"])
        digest = bytes.fromhex(plain["digest"])
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return None
    return _segment(digest, units, passages, lengths=lengths, postings=postings)


def _segment(
    digest: bytes,
    units: Sequence[Unit],
    passages: tuple[Passage, ...],
    *,
    lengths: tuple[int, ...],
    postings: Mapping[str, tuple[int, ...]],
) -> Segment:
    messages = [one for unit in units for one in unit.messages]
    return Segment(
        digest=digest,
        units=len(units),
        people=all(one.name for one in messages),
        speakers=frozenset(
            speaker_of(one) for one in messages if one.name and not isinstance(one, ToolMessage)
        ),
        rules=tuple(at for at, one in enumerate(passages) if one.rule),
        passages=passages,
        places=tuple(one.unit for one in passages),
        lengths=lengths,
        postings=postings,
    )


def _passages(at: int, unit: Unit) -> Iterator[Passage]:
    part = 0
    for number, message in enumerate(unit.messages):
        for call in (False, True):
            text = calls_of(message) if call else text_of(message)
            for start, end in passages_of(text):
                yield _passage(at, part, number, message, text[start:end], start=start, call=call)
                part += 1


def _restored(spans: Sequence[Sequence[int]], units: Sequence[Unit]) -> Iterator[Passage]:
    part, last = 0, -1
    for at, number, start, end, call in spans:
        message = units[at].messages[number]
        said = (calls_of(message) if call else text_of(message))[start:end]
        part, last = (part + 1 if at == last else 0), at
        yield _passage(at, part, number, message, said, start=start, call=bool(call))


def _passage(
    at: int, part: int, number: int, message: BaseMessage, said: str, *, start: int, call: bool
) -> Passage:
    asked = isinstance(message, HumanMessage)
    return Passage(
        unit=at,
        part=part,
        message=number,
        start=start,
        speaker=speaker_of(message),
        date=date_of(message),
        asked=asked,
        rule=asked and is_rule(said),
        bare=is_bare(said),
        call=call,
        text=said,
    )

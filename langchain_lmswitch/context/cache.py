"""What was worked out once, kept by content: counts, indexes, summaries, vectors."""

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Generic, TypeVar

from langchain_lmswitch.context.corpus import Corpus, Postings
from langchain_lmswitch.context.recall import Segment
from langchain_lmswitch.context.stores import ContextStore
from langchain_lmswitch.context.telling import SummaryBlock
from langchain_lmswitch.context.transcripts import Transcripts

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MOST_COUNTS: Final = 200_000
MOST_SEGMENTS: Final = 20_000
MOST_RULES: Final = 20_000
MOST_POSTINGS: Final = 1_000
MOST_EVICTED: Final = 16
MOST_SUMMARIES: Final = 20_000
MOST_BLOCKS: Final = 1_000
MOST_VECTORS: Final = 50_000
MOST_ASKED: Final = 1_000


class Bounded(Generic[K, V]):
    """A mapping that forgets what was not used for the longest time; any thread may use it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        """Give what is kept under a key, or `None`."""
        with self._lock:
            value = self._kept.get(key)
            if value is not None:
                self._kept.move_to_end(key)
            return value

    def get_many(self, keys: Iterable[K]) -> dict[K, V]:
        """Give what is kept under keys; others are left out."""
        found = ((key, self.get(key)) for key in keys)
        return {key: value for key, value in found if value is not None}

    def put(self, key: K, value: V) -> None:
        """Keep a value."""
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def put_many(self, items: Mapping[K, V]) -> None:
        """Keep values."""
        for key, value in items.items():
            self.put(key, value)


@dataclass(frozen=True, slots=True)
class Evicted:
    """What was worked out of all that was evicted."""

    corpus: Corpus
    rules: tuple[str, ...]
    """Standing instructions, in the order of time."""


@dataclass(frozen=True, slots=True)
class ContextCache:
    """All that is kept of conversations; without it everything comes out the same, only later."""

    counts: Bounded[tuple[str, bytes], int] = field(default_factory=lambda: Bounded(MOST_COUNTS))
    """By tokenizer and digest of what was counted."""
    segments: Bounded[bytes, Segment] = field(default_factory=lambda: Bounded(MOST_SEGMENTS))
    """By the digest of a chunk."""
    rules: Bounded[bytes, tuple[str, ...]] = field(default_factory=lambda: Bounded(MOST_RULES))
    """The standing instructions of a chunk, by its digest."""
    postings: Bounded[bytes, Postings] = field(default_factory=lambda: Bounded(MOST_POSTINGS))
    """Of many chunks together, by their digests."""
    evicted: Bounded[bytes, Evicted] = field(default_factory=lambda: Bounded(MOST_EVICTED))
    """By the digests of the chunks together: nothing changes until more is evicted."""
    summaries: Bounded[bytes, str] = field(default_factory=lambda: Bounded(MOST_SUMMARIES))
    """By the digest of a chunk, or of the summaries that one was merged from."""
    blocks: Bounded[tuple[bytes, int], SummaryBlock] = field(
        default_factory=lambda: Bounded(MOST_BLOCKS)
    )
    """What was told of evicted chunks, by their digest and the room it had."""
    vectors: Bounded[tuple[str, bytes], bytes] = field(
        default_factory=lambda: Bounded(MOST_VECTORS)
    )
    """By embedding model and digest of the text; see `context.similarity`."""
    rows: Bounded[tuple[str, bytes], bytes] = field(default_factory=lambda: Bounded(MOST_SEGMENTS))
    """The vectors of all passages of a chunk, by embedding model and digest of the chunk."""
    without: Bounded[tuple[str, bytes], bool] = field(default_factory=lambda: Bounded(MOST_ASKED))
    """Whether a question was answered without vectors, by embedding model and digest of what it
    was asked of."""
    transcripts: Transcripts = field(default_factory=Transcripts)
    store: ContextStore | None = None
    """Where indexes are kept beyond the process; summaries and vectors of such a cache are `Kept`
    there, see `keeping.kept_in`."""

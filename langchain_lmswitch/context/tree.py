"""The running summary as a tree: which part of a conversation each piece of it tells of."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from langchain_core.messages import AIMessage

from langchain_lmswitch.context.chunks import Chunk
from langchain_lmswitch.context.contents import date_of
from langchain_lmswitch.context.units import Unit

SIBLINGS: Final = 4
"""So many summaries are merged into one: a fact is rewritten log(n) times, not at every turn."""
LEAF_CHUNKS: Final = 3
"""A leaf has so many chunks at least, which are 1,200 tokens: about 14 turns of a chat."""
LEAF_ANSWERS: Final = 14
"""And so many answers at least. With a merge for every four leaves that makes one call for every
ten turns, whatever the length of a turn; of long messages, the summarizer reads both ends."""

Known = Callable[[bytes], str | None]
"""Gives the summary that is kept under a key, or `None`."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """Neighboring chunks that are summarized at once."""

    start: int
    """Index of its first unit."""
    end: int
    """Index after its last unit."""
    key: bytes
    """Of all that it says; its summary is kept by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of work for a summarizer."""

    key: bytes
    """What the summary is to be kept by."""
    units: tuple[Unit, ...] = ()
    """What a leaf tells of; empty for a merge."""
    texts: tuple[str, ...] = ()
    """The summaries that are to be merged, in the order of time; empty for a leaf."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A summary that there is, and what it tells of."""

    text: str
    level: int
    """0 for a leaf; the higher it is, the more of the conversation is in it."""
    messages: int
    when: str = ""
    """The dates of what it tells of, as the messages have them; empty if they do not."""


@dataclass(frozen=True, slots=True)
class _Node:
    level: int
    start: int
    """Index of its first leaf."""
    end: int
    key: bytes
    children: tuple["_Node", ...] = ()


def leaves_of(chunks: Sequence[Chunk], units: Sequence[Unit]) -> tuple[Leaf, ...]:
    """Group chunks into leaves; what is left over at the end belongs to none yet.

    Leaves depend on what was said before them and in them alone: those of the first chunks of a
    conversation are the first leaves of it.

    Args:
        chunks: The first chunks of a conversation, all of them closed.
        units: The units of the conversation.
    """
    leaves: list[Leaf] = []
    first, answers = 0, 0
    for at, chunk in enumerate(chunks):
        answers += sum(_answers(one) for one in units[chunk.start : chunk.end])
        if at + 1 - first >= LEAF_CHUNKS and answers >= LEAF_ANSWERS:
            key = _digest([one.digest for one in chunks[first : at + 1]])
            leaves.append(Leaf(chunks[first].start, chunk.end, key))
            first, answers = at + 1, 0
    return tuple(leaves)


def wanted(
    leaves: Sequence[Leaf],
    units: Sequence[Unit],
    known: Known,
    *,
    given_up: AbstractSet[bytes] = frozenset(),
) -> Iterator[Piece]:
    """List the summaries that could be written now, in the order of time.

    1. A leaf that has none.
    2. Four siblings that have one each; those that were given up are left out of the merge.

    Args:
        leaves: Of what was evicted, or will be next; see `leaves_of`.
        units: The units of the conversation.
        known: Gives the summaries that there are.
        given_up: Keys of what nobody could summarize.
    """
    for root in _roots(leaves):
        yield from _wanted(root, leaves, units, known, given_up)


def _wanted(
    node: _Node,
    leaves: Sequence[Leaf],
    units: Sequence[Unit],
    known: Known,
    given_up: AbstractSet[bytes],
) -> Iterator[Piece]:
    if _settled(node, known, given_up):
        return
    if not node.children:  # 1
        leaf = leaves[node.start]
        yield Piece(key=node.key, units=tuple(units[leaf.start : leaf.end]))
        return
    for child in node.children:
        yield from _wanted(child, leaves, units, known, given_up)
    if all(_settled(child, known, given_up) for child in node.children):  # 2
        yield Piece(key=node.key, texts=_below(node, known))


def told(leaves: Sequence[Leaf], units: Sequence[Unit], known: Known) -> tuple[Told, ...]:
    """List the summaries that tell of a beginning of a conversation, in the order of time.

    The highest ones that there are; a part of which there is none is left out.
    """
    return tuple(one for root in _roots(leaves) for one in _told(root, leaves, units, known))


def _told(
    node: _Node, leaves: Sequence[Leaf], units: Sequence[Unit], known: Known
) -> Iterator[Told]:
    text = known(node.key)
    if text is None:
        for child in node.children:
            yield from _told(child, leaves, units, known)
        return
    said = units[leaves[node.start].start : leaves[node.end - 1].end]
    messages = sum(len(one.messages) for one in said)
    yield Told(text=text, level=node.level, messages=messages, when=_when(said))


def _settled(node: _Node, known: Known, given_up: AbstractSet[bytes]) -> bool:
    """Tell whether nothing can be done for a node: it has its summary, or will never have one."""
    if node.key in given_up or known(node.key) is not None:
        return True
    if not node.children:
        return False
    done = all(_settled(child, known, given_up) for child in node.children)
    return done and len(_below(node, known)) <= 1


def _below(node: _Node, known: Known) -> tuple[str, ...]:
    """Give what there is to be merged: of a child without a summary, what is below it."""
    return tuple(text for child in node.children for text in _texts(child, known))


def _texts(node: _Node, known: Known) -> tuple[str, ...]:
    text = known(node.key)
    return _below(node, known) if text is None else (text,)


def _roots(leaves: Sequence[Leaf]) -> list[_Node]:
    """Build the tree, and give the nodes that have no parent yet."""
    level = [_Node(0, at, at + 1, leaf.key) for at, leaf in enumerate(leaves)]
    roots: list[_Node] = []
    while level:
        whole = len(level) - len(level) % SIBLINGS
        roots = [*level[whole:], *roots]
        level = [_parent(level[at : at + SIBLINGS]) for at in range(0, whole, SIBLINGS)]
    return roots


def _parent(nodes: Sequence[_Node]) -> _Node:
    key = _digest([one.key for one in nodes])
    return _Node(nodes[0].level + 1, nodes[0].start, nodes[-1].end, key, tuple(nodes))


def _answers(unit: Unit) -> bool:
    return isinstance(unit.messages[0], AIMessage)


def _when(units: Sequence[Unit]) -> str:
    dates = [date for unit in units for one in unit.messages if (date := date_of(one))]
    if not dates:
        return ""
    return dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"


def _digest(parts: Sequence[bytes]) -> bytes:
    return hashlib.blake2b(b"".join(parts), digest_size=16).digest()

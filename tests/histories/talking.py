"""Long conversations in words that differ, to measure with."""

from collections.abc import Iterator
from itertools import accumulate, product
from random import Random
from typing import Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

_BEGIN: Final = (
    "ba de fi go hu ka le mi no pu ra se ti vo wu za bri clo dra fle gri pla sto tru".split()
)
_MIDDLE: Final = "ba cor den fis gal hem lin mor nar pel rin sal tan ver".split()
_END: Final = "dock fen gar lop mint nell pond rust sack tall vern wick yarn zone".split()
WORDS: Final = ["".join(parts) for parts in product(_BEGIN, _MIDDLE, _END)]
"""Some 4,700 that look like words, and that no stemmer takes for each other."""
_SMALL: Final = "the of and to in is it that was for on with as at by from or an be this".split()


def sentences(seed: int) -> Iterator[str]:
    """Make sentences without end; as in any language, few words are frequent and many are rare."""
    random = Random(seed)  # noqa: S311 - nothing is secret here
    words = random.sample(WORDS, len(WORDS))
    weights = [*accumulate(1 / (rank + 8) for rank in range(len(words)))]
    while True:
        said = random.choices(words, cum_weights=weights, k=random.randint(4, 9))
        small = random.choices(_SMALL, k=len(said))
        pairs = (f"{one} {word}" for one, word in zip(small, said, strict=True))
        yield f"{' '.join(pairs).capitalize()}."


def talk(turns: int, *, seed: int = 0, per_message: int = 3) -> list[BaseMessage]:
    """Make a chat of so many turns, the user first."""
    said = sentences(seed)

    def some() -> str:
        return " ".join(next(said) for _ in range(per_message))

    return [
        one for _ in range(turns) for one in (HumanMessage(f"{some()} Why?"), AIMessage(some()))
    ]

"""Long conversations in words that differ, to measure with."""

from collections.abc import Iterator
from itertools import accumulate, product
from random import Random
from typing import Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

_BEGIN: Final = "ba|de|fi|go|hu|ka|le|mi|no|pu|ra|se|ti|vo|wu|za|bri|clo|dra|fle|gri|pla|sto|tru"
_MIDDLE: Final = "ba|cor|den|fis|gal|hem|lin|mor|nar|pel|rin|sal|tan|ver"
_END: Final = "dock|fen|gar|lop|mint|nell|pond|rust|sack|tall|vern|wick|yarn|zone"
WORDS: Final = [
    "".join(parts) for parts in product(*(one.split("|") for one in (_BEGIN, _MIDDLE, _END)))
]
"""Some 4,700 that look like words, and that no stemmer takes for each other."""
_SMALL: Final = "the|of|and|to|in|is|it|that|was|for|on|with|as|at|by|from|or|an|be|this"

_THINGS: Final = (
    "kettle|ladder|harbor|orchard|violin|tunnel|market|engine|garden|lantern|bridge|mirror|carpet"
    "|window|saddle|anchor|blanket|compass|pepper|cabinet|chimney|feather|hammer|island|jacket"
    "|kitchen|lemon|meadow|needle|oven|pillow|quilt|river|shovel|table|umbrella|valley|wagon"
)
_PEOPLE: Final = (
    "my sister|our neighbor|the baker|an old friend|the teacher|my uncle|a tall stranger"
)
_DID: Final = (
    "painted|forgot|borrowed|described|measured|sold|cleaned|admired|moved|photographed|ordered"
    "|returned|weighed|sketched|traded|repaired"
)
_HOW: Final = (
    "before lunch|without a word|near the old mill|for two days|at low tide|in the rain|by train"
    "|after the meeting|on a whim|with great care|next to the station|every other week"
)
_ASKED: Final = (
    "What do you make of it?|Does that sound right?|Tell me more about that.|Would you do the same?"
    "|Is that common?|How would you go on?"
)


def sentences(seed: int) -> Iterator[str]:
    """Make sentences without end; as in any language, few words are frequent and many are rare."""
    random = Random(seed)  # noqa: S311 - nothing is secret here
    words = random.sample(WORDS, len(WORDS))
    weights = [*accumulate(1 / (rank + 8) for rank in range(len(words)))]
    while True:
        said = random.choices(words, cum_weights=weights, k=random.randint(4, 9))
        small = random.choices(_SMALL.split("|"), k=len(said))
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


def small_talk(seed: int, *, chars: int) -> list[BaseMessage]:
    """Make a chat in plain English, without numbers, of about so many characters."""
    random = Random(seed)  # noqa: S311 - nothing is secret here

    def pick(words: str) -> str:
        return random.choice(words.split("|"))

    def sentence() -> str:
        who, did, thing, how = map(pick, (_PEOPLE, _DID, _THINGS, _HOW))
        return f"{who.capitalize()} {did} the {thing} {how}."

    said: list[BaseMessage] = []
    while sum(len(one.text) for one in said) < chars:
        told = " ".join(sentence() for _ in range(random.randint(1, 3)))
        heard = " ".join(sentence() for _ in range(random.randint(2, 6)))
        said += [HumanMessage(f"{told} {pick(_ASKED)}"), AIMessage(heard)]
    return said

"""Long conversations in words that differ, to measure with."""

from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

_THINGS: Final = (
    "kettle|ladder|harbor|orchard|violin|tunnel|market|engine|garden|lantern|bridge|mirror|carpet"
    "|window|saddle|anchor|blanket|compass|pepper|cabinet|chimney|feather|hammer|island|jacket"
    "|kitchen|lemon|meadow|needle|oven|pillow|quilt|river|shovel|table|umbrella|valley|wagon"
).split("|")
_DOES: Final = (
    "repairs|paints|forgets|borrows|describes|measures|hides|sells|cleans|admires|compares|moves"
    "|photographs|orders|returns|weighs|labels|sketches|counts|trades"
).split("|")
_PEOPLE: Final = (
    "Mira|Jonas|Priya|Tomas|Aiko|Lena|Omar|Ruth|Silas|Wanda|Yusuf|Carla|Dmitri|Elsa|Femi"
).split("|")
_HOW: Final = (
    "before lunch|without a word|near the old mill|for two days|at low tide|in the rain|by train"
    "|after the meeting|on a whim|with great care|next to the station|every other week"
).split("|")


def sentences(seed: int) -> Iterator[str]:
    """Make sentences without end."""
    random = Random(seed)  # noqa: S311 - nothing is secret here
    for number in count():
        who, does, thing, how = map(random.choice, (_PEOPLE, _DOES, _THINGS, _HOW))
        yield f"{who} {does} the {thing}{number % 97} {how}."


def talk(turns: int, *, seed: int = 0, per_message: int = 3) -> list[BaseMessage]:
    """Make a chat of so many turns, the user first."""
    said = sentences(seed)

    def some() -> str:
        return " ".join(next(said) for _ in range(per_message))

    return [
        one for _ in range(turns) for one in (HumanMessage(f"{some()} Why?"), AIMessage(some()))
    ]

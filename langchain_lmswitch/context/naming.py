"""Names for the functions that callers pass, so that what they told can be kept."""

from collections import OrderedDict
from collections.abc import Hashable
from functools import partial
from itertools import count
from threading import Lock
from types import FunctionType
from typing import Any, Final

_MOST_NAMES: Final = 256
_PASSING: Final = "~"


def is_passing(name: str) -> bool:
    """Tell whether a name means something else in another process."""
    return name.startswith(_PASSING)


class Names:
    """Gives equal names to what does the same, and no other; any thread may use it.

    1. Functions made anew on each call, such as a `lambda`, are the same if their code is and all
       that it refers to.
    2. So are bound methods of the same object, and equal partials of the same function.
    3. Anything else is the same as itself only.

    A name is never given twice: it goes with the thing, which is kept from being replaced by
    another in the same place.

    Args:
        prefix: What names begin with.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._numbers = count(1)
        self._kept: OrderedDict[Hashable, tuple[Any, str]] = OrderedDict()
        self._lock = Lock()

    def of(self, thing: Any) -> str:
        """Name a thing."""
        key = _identity(thing)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = (_held(thing), f"{_PASSING}{self._prefix}-{next(self._numbers)}")
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST_NAMES:
                self._kept.popitem(last=False)
            return self._kept[key][1]


def _identity(thing: Any) -> Hashable:
    match thing:
        case FunctionType():  # 1
            return (thing.__code__, id(thing.__globals__), *map(id, _referred(thing)))
        case partial():  # 2
            named = sorted(thing.keywords.items())
            values = [(name, id(value)) for name, value in named]
            return (_identity(thing.func), *map(id, thing.args), *values)
        case _ if hasattr(thing, "__func__"):
            return (_identity(thing.__func__), id(thing.__self__))
        case _:  # 3
            return id(thing)


def _held(thing: Any) -> Any:
    """Hold on to all that an identity is made of: cells may be given other contents later."""
    return (thing, _referred(thing)) if isinstance(thing, FunctionType) else thing


def _referred(function: FunctionType) -> list[Any]:
    cells = [cell.cell_contents for cell in function.__closure__ or () if _filled(cell)]
    named = (function.__kwdefaults__ or {}).items()
    return [*cells, *(function.__defaults__ or ()), *(value for _, value in sorted(named))]


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - it raises if there are none
    except ValueError:
        return False
    return True

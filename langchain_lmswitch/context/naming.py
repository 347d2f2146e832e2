"""Names for the functions that callers pass, so that what they told can be kept."""

from collections import OrderedDict
from collections.abc import Hashable
from functools import partial
from itertools import count
from threading import Lock
from types import CodeType, FunctionType, MethodType
from typing import Any, Final

_MOST_NAMES: Final = 256
_PASSING: Final = "~"


def is_passing(name: str) -> bool:
    """Tell whether a name means something else in another process."""
    return name.startswith(_PASSING)


class Names:
    """Gives equal names to what does the same, and no other; any thread may use it.

    1. Functions made anew on each call, such as a `lambda`, are the same if their code is, and the
       variables that it uses have the same values.
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
            return (thing.__code__, *map(id, _referred(thing)))
        case partial():  # 2
            named = [(name, id(value)) for name, value in sorted(thing.keywords.items())]
            return (_identity(thing.func), *map(id, thing.args), *named)
        case MethodType():
            return (_identity(thing.__func__), id(thing.__self__))
        case _:  # 3
            return id(thing)


def _held(thing: Any) -> Any:
    """Hold on to all that an identity is made of: variables may be given other values later."""
    match thing:
        case FunctionType():
            return thing, _referred(thing)
        case partial():
            return thing, _held(thing.func)
        case MethodType():
            return thing, _held(thing.__func__)
        case _:
            return thing


def _referred(function: FunctionType) -> list[Any]:
    """List the values that a function uses: of its own variables, and of its module's."""
    cells = [cell.cell_contents for cell in function.__closure__ or () if _filled(cell)]
    named = (function.__kwdefaults__ or {}).items()
    defaults = [*(function.__defaults__ or ()), *(value for _, value in sorted(named))]
    around = function.__globals__
    used = [around[name] for name in _names(function.__code__) if name in around]
    return [around, *cells, *defaults, *used]


def _names(code: CodeType) -> list[str]:
    """List the names that a function uses, and those within it."""
    within = (one for one in code.co_consts if isinstance(one, CodeType))
    return [*code.co_names, *(name for one in within for name in _names(one))]


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - it raises if there are none
    except ValueError:
        return False
    return True

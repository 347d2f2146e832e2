"""Whether a value follows a JSON schema, as far as the usual words go. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

_DEPTH: Final = 32
"""A schema may refer to itself: beyond this nothing is looked at."""

_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list | tuple),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
    ),
}


def follows(value: Any, schema: Any) -> bool:
    """Tell whether a value follows a schema; words that are not known here are let pass.

    A model is not to be blamed for what only looks wrong.

    1. References within the schema are followed.
    2. `enum`, `const` and `type`.
    3. `allOf`, `anyOf` and `oneOf`; of the last, more than one may fit.
    4. Of objects: `required`, `properties`, `additionalProperties`.
    5. Of arrays: `items` as one schema.
    """
    return _Checker(schema).follows(value, schema, _DEPTH)


class _Checker:
    def __init__(self, root: Any) -> None:
        self._root = root

    def follows(self, value: Any, schema: Any, depth: int) -> bool:
        if not isinstance(schema, Mapping) or not depth:
            return schema is not False
        if "$ref" in schema and not self.follows(value, self._at(schema["$ref"]), depth - 1):  # 1
            return False
        return (
            _plain(value, schema)  # 2
            and self._combined(value, schema, depth - 1)  # 3
            and self._members(value, schema, depth - 1)  # 4
            and self._items(value, schema, depth - 1)  # 5
        )

    def _combined(self, value: Any, schema: Mapping[str, Any], depth: int) -> bool:
        each = [self.follows(value, one, depth) for one in _listed(schema, "allOf")]
        choices = [_listed(schema, word) for word in ("anyOf", "oneOf") if _listed(schema, word)]
        return all(each) and all(
            any(self.follows(value, one, depth) for one in choice) for choice in choices
        )

    def _members(self, value: Any, schema: Mapping[str, Any], depth: int) -> bool:
        if not isinstance(value, Mapping):
            return True
        if any(name not in value for name in _listed(schema, "required")):
            return False
        known = schema.get("properties")
        known = known if isinstance(known, Mapping) else {}
        others = schema.get("additionalProperties", True)
        if "patternProperties" in schema:
            others = True
        return all(self.follows(one, known.get(name, others), depth) for name, one in value.items())

    def _items(self, value: Any, schema: Mapping[str, Any], depth: int) -> bool:
        if not isinstance(value, list | tuple) or not isinstance(schema.get("items"), Mapping):
            return True
        if "prefixItems" in schema:
            return True
        return all(self.follows(one, schema["items"], depth) for one in value)

    def _at(self, reference: Any) -> Any:
        """Find what a reference names; anything follows what is not there."""
        found = self._root
        if not isinstance(reference, str) or not reference.startswith("#"):
            return True
        for part in reference.removeprefix("#").strip("/").split("/") if reference != "#" else ():
            name = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or name not in found:
                return True
            found = found[name]
        return found


def _plain(value: Any, schema: Mapping[str, Any]) -> bool:
    if _listed(schema, "enum") and value not in _listed(schema, "enum"):
        return False
    if "const" in schema and value != schema["const"]:
        return False
    kinds = schema.get("type")
    named = [kinds] if isinstance(kinds, str) else _listed(schema, "type")
    known = [_TYPES[one] for one in named if isinstance(one, str) and one in _TYPES]
    return not known or len(known) < len(named) or any(is_one(value) for is_one in known)


def _listed(schema: Mapping[str, Any], word: str) -> Sequence[Any]:
    found = schema.get(word)
    return found if isinstance(found, list | tuple) else ()

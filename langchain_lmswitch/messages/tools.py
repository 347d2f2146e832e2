"""Tools as callers give them, in the form a host takes. Pure."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import PydanticUserError

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.types.requests import JsonObject

ToolLike = Mapping[str, Any] | type | Callable[..., Any] | BaseTool | Runnable[Any, Any]
Choice = Literal["none", "auto", "required"]

_WORDS: Final[Mapping[str, Choice]] = {
    "none": "none",
    "auto": "auto",
    "any": "required",
    "required": "required",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolWish:
    """What the model may call, and whether it must."""

    tools: tuple[JsonObject, ...] = ()
    choice: Choice | None = None
    """`None` leaves it to the host, which is `auto`."""


def tool_schema(tool: ToolLike, *, strict: bool | None = None) -> dict[str, Any]:
    """Describe a tool in OpenAI's form, complete enough for LM Studio.

    Its protocol wants an object of properties, also where there are no arguments. Everything else
    stays as its author wrote it: `$defs`, references, and the spelling of names.

    Raises:
        InvalidRequest: It cannot be described as a function.
    """
    try:
        bare = isinstance(tool, Runnable) and not isinstance(tool, BaseTool)
        given: Any = tool.as_tool() if bare else tool  # type: ignore[union-attr]  # a runnable
        described = convert_to_openai_tool(given, strict=strict)
        function = dict(described["function"])
    except (KeyError, TypeError, ValueError, PydanticUserError) as error:
        raise InvalidRequest(
            f"{_name_of(tool)} cannot be used as a tool. Give a function, a pydantic class, a "
            "TypedDict, a LangChain tool, or a JSON schema with `title` and `properties`."
        ) from error
    parameters = {"type": "object", "properties": {}, **(function.get("parameters") or {})}
    return {**described, "function": {**function, "parameters": parameters}}


def tool_wish(tools: Sequence[ToolLike] | None, tool_choice: Any) -> ToolWish:
    """Read a caller's tools and choice.

    1. `None` and `False` say nothing of whether to call.
    2. `auto` and `none` are LM Studio's own words; `any`, `required` and `True` ask for a call.
    3. A tool's name, or a mapping that holds one, asks for that tool: LM Studio has no such choice,
       so only that tool is sent, and a call is asked for.

    Raises:
        InvalidRequest: The choice is none of these, or there is no such tool.
    """
    schemas = tuple(tool_schema(tool) for tool in tools or ())
    if tool_choice is None or tool_choice is False:  # 1
        return ToolWish(tools=schemas)
    choice = _word(tool_choice)
    names = [schema["function"]["name"] for schema in schemas]
    if isinstance(choice, str) and choice in _WORDS and choice not in names:  # 2
        return ToolWish(tools=schemas, choice=_possible(_WORDS[choice], names))
    wanted = _named(choice)  # 3
    chosen = [schema for schema in schemas if schema["function"]["name"] == wanted]
    if not chosen:
        raise _unknown_choice(tool_choice, wanted, names)
    return ToolWish(tools=tuple(chosen), choice="required")


def _possible(choice: Choice, names: Sequence[str]) -> Choice:
    if choice == "required" and not names:
        raise InvalidRequest("A tool call is asked for, but there is no tool; give `tools`.")
    return choice


def _word(choice: Any) -> Any:
    match choice:
        case True:
            return "required"
        case {"type": str(word)} if word in _WORDS:
            return word
        case _:
            return choice


def _named(choice: Any) -> str | None:
    match choice:
        case str(name) | {"function": {"name": str(name)}} | {"name": str(name)}:
            return name
        case _:
            return None


def _unknown_choice(choice: Any, wanted: str | None, names: Sequence[str]) -> InvalidRequest:
    nearest = difflib.get_close_matches(wanted or "", names, n=1, cutoff=0.4)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    known = ", ".join(map(repr, names)) or "none"
    return InvalidRequest(
        f"{choice!r} is no choice of tool.{hint} Give 'auto', 'any', 'none', True, or the name of "
        f"one of the tools ({known})."
    )


def _name_of(tool: Any) -> str:
    return str(getattr(tool, "name", None) or getattr(tool, "__name__", None) or repr(tool)[:80])

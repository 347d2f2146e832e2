"""Values and JSON schemas."""

from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from langchain_lmswitch.policy.schemas import follows


class Part(BaseModel):
    name: str
    amount: float | None = None


class Order(BaseModel):
    parts: list[Part]
    paid: bool


class Node(BaseModel):
    below: "list[Node]" = []


ORDER = Order.model_json_schema()


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ({"parts": [{"name": "bolt", "amount": 2}], "paid": True}, True),
        ({"parts": [], "paid": False, "more": 1}, True),
        ({"parts": [{"name": "bolt", "amount": None}], "paid": True}, True),
        ({"parts": [{"name": 7}], "paid": True}, False),
        ({"parts": [{"name": "bolt", "amount": "two"}], "paid": True}, False),
        ({"parts": []}, False),
        ({"parts": {}, "paid": True}, False),
        ({"parts": [], "paid": 1}, False),
        ([], False),
    ],
)
def test_what_pydantic_writes_is_understood(value: Any, *, right: bool) -> None:
    assert follows(value, ORDER) is right


def test_a_schema_that_refers_to_itself_has_an_end() -> None:
    schema = Node.model_json_schema()
    deep: dict[str, Any] = {"below": 7}
    for _ in range(3):
        deep = {"below": [deep]}

    assert follows({"below": [{"below": []}]}, schema)
    assert not follows(deep, schema)
    assert follows({}, {"$ref": "#"})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "hyperobject"},
        {"$ref": "https://example.org/schema"},
        {"$ref": "#/$defs/nowhere"},
        {"format": "date", "minLength": 900},
        {"type": 7, "enum": "abc", "required": "x", "properties": [1], "anyOf": {}},
        True,
        None,
    ],
)
def test_what_is_not_understood_is_let_pass(schema: Any) -> None:
    assert follows({"x": 1}, schema)


leaves = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "b"])
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=6,
)
kinds = st.sampled_from(["object", "array", "string", "number", "integer", "boolean", "null"])
schemas = st.recursive(
    st.fixed_dictionaries({}, optional={"type": kinds, "enum": st.lists(leaves, min_size=1)}),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": kinds | st.lists(kinds, min_size=1, max_size=2, unique=True),
            "properties": st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
            "required": st.lists(st.sampled_from(["a", "b"]), unique=True, max_size=2),
            "additionalProperties": st.booleans() | inner,
            "items": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "allOf": st.lists(inner, min_size=1, max_size=2),
        },
    ),
    max_leaves=5,
)


@given(values, schemas)
def test_it_agrees_with_a_whole_validator(value: Any, schema: Any) -> None:
    """But for `True`, which Python takes for 1."""
    expected = jsonschema.Draft202012Validator(schema).is_valid(value)
    if "True" in repr((value, schema)) or "False" in repr((value, schema)):
        assert follows(value, schema) or not expected  # it is only more lenient
        return
    assert follows(value, schema) is expected

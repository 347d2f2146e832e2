"""What is public says its type, where checkers might infer different ones from the value.

`pyright --verifytypes langchain_lmswitch --ignoreexternal` asks for more, and takes a minute and a
program of its own. mypy, in strict mode, sees to functions; this sees to all else.
"""

import ast
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

import langchain_lmswitch

PACKAGE = Path(langchain_lmswitch.__file__).parent


def test_public_names_and_attributes_say_their_types() -> None:
    found = [f"{path.relative_to(PACKAGE)}:{told}" for path in modules() for told in untold(path)]
    assert found == []


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.name != "_version.py")


def untold(path: Path) -> Iterator[str]:
    """Name what has no type of its own: attributes of objects, and names of the module."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    for kind in (node for node in ast.walk(module) if isinstance(node, ast.ClassDef)):
        yield from _inferred(ast.walk(kind), {one for one in ast.walk(kind) if _of_self(one)})
    names = {one for node in module.body for one in _targets(node) if isinstance(one, ast.Name)}
    yield from _inferred(module.body, names)


def _of_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self"


def _inferred(nodes: Iterable[ast.AST], wanted: AbstractSet[ast.AST]) -> Iterator[str]:
    given = tuple(nodes)
    told = {_name(node.target) for node in given if isinstance(node, ast.AnnAssign)}
    for node in given:
        for target in _targets(node):
            if target in wanted and _name(target) not in told and not _plain(node):
                yield f"{target.lineno} {_name(target)}"


def _targets(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Assign(targets=targets):
            return [one for one in targets if not _name(one).startswith("_")]
        case ast.AugAssign(target=target):
            return [] if _name(target).startswith("_") else [target]
        case _:
            return []


def _name(node: ast.expr) -> str:
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return "_"


def _plain(node: ast.AST) -> bool:
    """Tell whether a value has one type for every checker: what is constant, a parameter, an alias.

    A name in capitals is constant, whatever its value.
    """
    match node:
        case ast.Assign(targets=[ast.Name(id=name)]) if name.isupper():
            return True
        case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar" | "ParamSpec"))):
            return True
        case ast.Assign(value=ast.Constant() | ast.Name() | ast.Subscript() | ast.BinOp()):
            return True
        case _:
            return False

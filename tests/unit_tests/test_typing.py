"""What is public says its type, where checkers might infer different ones from the value.

`pyright --verifytypes langchain_lmswitch --ignoreexternal` asks for more, and takes a minute and a
program of its own. mypy, in strict mode, sees to functions; this sees to all else.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import langchain_lmswitch

PACKAGE = Path(langchain_lmswitch.__file__).parent


def test_public_names_and_attributes_say_their_types() -> None:
    found = [f"{path.relative_to(PACKAGE)}:{told}" for path in modules() for told in untold(path)]
    assert found == []


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.name != "_version.py")


def untold(path: Path) -> Iterator[str]:
    module = ast.parse(path.read_text(encoding="utf-8"))
    for kind in (node for node in ast.walk(module) if isinstance(node, ast.ClassDef)):
        attributes = [node for node in ast.walk(kind) if isinstance(node, ast.Attribute)]
        own = {node for node in attributes if ast.unparse(node.value) == "self"}
        yield from _inferred(kind, own)
    names = {node for one in module.body for node in _targets(one) if isinstance(node, ast.Name)}
    yield from _inferred(ast.Module(module.body, []), names, deep=False)


def _inferred(
    block: ast.ClassDef | ast.Module, wanted: set[ast.Attribute] | set[ast.Name], *, deep: bool = True
) -> Iterator[str]:
    statements = [*(ast.walk(block) if deep else block.body)]
    told = {_name(node.target) for node in statements if isinstance(node, ast.AnnAssign)}
    for node in statements:
        for target in _targets(node):
            if target in wanted and _name(target) not in told and not _plain(node):
                yield f"{target.lineno} {_name(target)}"


def _targets(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Assign(targets=targets):
            return [one for one in targets if not _name(one).startswith("_")]
        case ast.AugAssign(target=target):
            return [target] if not _name(target).startswith("_") else []
    return []


def _name(node: ast.expr) -> str:
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return "_"


def _plain(node: ast.AST) -> bool:
    """Tell whether a value has one type for every checker: a constant, a parameter, an alias."""
    match node:
        case ast.Assign(value=ast.Constant() | ast.Name() | ast.Subscript() | ast.BinOp()):
            return True
        case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar" | "ParamSpec"))):
            return True
    return False

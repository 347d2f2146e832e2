"""Every example in a docstring runs and prints what it shows; every public name has one to read."""

import ast
import contextlib
import doctest
import importlib
import inspect
import io
import pydoc
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import Embedded
from docs.surface import Public, members, public
from points import alike

import langchain_lmswitch
from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.chat_models.legible import own_signature
from langchain_lmswitch.hosts.base import Host

PACKAGE = Path(langchain_lmswitch.__file__).parent
FENCED = re.compile(
    r"^```python\n(.*?)^```$(?:\n\n^```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL
)
REAL = re.compile(r"(?:ChatLMSwitch|LMSwitchEmbeddings)\((?!host=)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A block of Python in a docstring, and the block of text after it, if there is one."""

    place: str
    code: str
    output: str | None

    @property
    def needs_weights(self) -> bool:
        """Whether it asks a host that it does not script itself."""
        return bool(REAL.search(self.code))


def examples() -> Iterator[Example]:
    for path in sorted(PACKAGE.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if "```python" in source:
            for name, docstring in docstrings(ast.parse(source)):
                for code, output in FENCED.findall(unindented(docstring)):
                    place = f"{path.relative_to(PACKAGE)}::{name}"
                    yield Example(place=place, code=code, output=output or None)


def docstrings(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield getattr(node, "name", ""), ast.get_docstring(node) or ""


def unindented(docstring: str) -> str:
    """Take the indentation off what stands under `Example:`."""
    before, *sections = re.split(r"^Example:\n", docstring, flags=re.MULTILINE)
    return "\n".join((before, *map(textwrap.dedent, sections)))


def printed(example: Example) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(example.code, example.place, "exec"), {"__name__": "example"})  # noqa: S102 - our own
    return out.getvalue()


def check(example: Example) -> None:
    said = printed(example)
    assert example.output is None or alike(said.strip(), example.output.strip()), said


def of(*, weights: bool) -> pytest.MarkDecorator:
    found = [one for one in examples() if one.needs_weights is weights]
    return pytest.mark.parametrize("example", found, ids=lambda one: one.place)


@of(weights=False)
def test_an_example_without_a_model_runs(example: Example) -> None:
    check(example)


@pytest.mark.weights
@pytest.mark.filterwarnings("ignore:The middleware `ModelRouterMiddleware` is in beta")
@of(weights=True)
def test_an_example_with_real_models_runs(
    example: Example, embedded: Embedded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By copy and paste: only where the host is comes from elsewhere."""
    monkeypatch.chdir(tmp_path)  # some write a file
    monkeypatch.setenv("LMSWITCH_BASE_URL", embedded.base_url)
    monkeypatch.setenv("LM_API_TOKEN", embedded.token)
    check(example)


def prompted() -> list[str]:
    """Name the modules whose examples have a prompt; those of `testing` run beside its tests."""
    paths = [
        path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if ">>> " in path.read_text()
    ]
    return [
        ".".join(("langchain_lmswitch", *path.with_suffix("").parts))
        for path in sorted(paths)
        if path.parts[0] != "testing"
    ]


@pytest.mark.parametrize("module", prompted())
def test_an_example_with_a_prompt_does_what_it_shows(module: str) -> None:
    assert doctest.testmod(importlib.import_module(module)).failed == 0


@pytest.mark.parametrize("one", public(), ids=lambda one: one.name)
def test_a_public_name_has_something_to_read(one: Public) -> None:
    """Its first line is a sentence, and so is that of each method and property of ours."""
    for place, value in ((one.name, one.value), *members(one)):
        first = (inspect.getdoc(value) or "").partition("\n")[0]
        assert re.fullmatch(r"[A-Z`].{8,}\.", first), f"{place}: {first!r}"


@pytest.mark.parametrize("one", public(), ids=lambda one: one.name)
def test_what_can_be_given_is_described(one: Public) -> None:
    """Each parameter stands under `Args:` where there are two, or one that may be left out.

    Where the docstring sends its reader elsewhere (a twin, LangChain's own), it is there; so is
    what keeps a promise that a `Host` or a base class of somebody else's makes. What dataclasses
    and pydantic's models are made of stands under their fields.
    """
    for place, value in ((one.name, one.value), *members(one)):
        docstring = inspect.getdoc(value) or ""
        told = set(re.findall(r"^ {4}(\w+): ", docstring, re.MULTILINE))
        elsewhere = re.search(r"\bsee `|\bas `\w+` would", docstring)
        if not elsewhere and not promised(one, place.rpartition(".")[2]):
            assert parameters(value) <= told, place


def promised(one: Public, name: str) -> bool:
    kinds = inspect.getmro(one.value) if inspect.isclass(one.value) else ()
    others = [kind for kind in kinds if not kind.__module__.startswith("langchain_lmswitch")]
    return bool(kinds) and any(hasattr(kind, name) for kind in (Host, *others))


def parameters(value: Any) -> set[str]:
    """Name the parameters that a reader has to be told of."""
    if inspect.isclass(value) and "__init__" in vars(value) and not made_of_fields(value):
        value = value.__init__
    if not inspect.isfunction(value):
        return set()
    given = [
        one
        for one in inspect.signature(value).parameters.values()
        if one.name not in {"self", "cls"}
    ]
    obvious = len(given) == 1 and given[0].default is inspect.Parameter.empty
    return set() if obvious else {one.name for one in given}


def made_of_fields(value: type) -> bool:
    ours = issubclass(value, langchain_lmswitch.LMSwitchError)  # we raise them, nobody makes them
    return ours or any(hasattr(value, name) for name in ("model_fields", "__dataclass_fields__"))


def test_the_page_of_the_chat_model_has_every_argument_with_its_default() -> None:
    told = dict(re.findall(r"`(\w+)=(\S+?)`", page()))
    own = dict(own_signature(ChatLMSwitch).parameters)
    del own["langchain"]
    own["stop"] = own.pop("stop_sequences")
    table = {name: repr(one.default).replace("'", '"') for name, one in own.items()}
    assert {name: told.get(name) for name in table} == table


def page() -> str:
    return inspect.getdoc(ChatLMSwitch) or ""


def test_help_shows_ours_first_and_no_machinery() -> None:
    """The page, then our own methods; what LangChain and pydantic bring comes after them."""
    text = pydoc.plain(pydoc.render_doc(ChatLMSwitch))
    owners = re.findall(r"inherited from (\w+)\.", text)
    ours = owners.count("langchain_lmswitch")
    assert ours
    assert set(owners[:ours]) == {"langchain_lmswitch"}
    assert "pydantic_" not in text.partition("inherited from langchain_core")[0]
    assert max(map(len, text.partition("Method resolution order")[0].splitlines())) < 600

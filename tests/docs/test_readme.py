"""Every block of the README runs, and what it shows is what comes out."""

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Embedded
from points import alike

from langchain_lmswitch import router_graph
from langchain_lmswitch.settings import Settings

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    language: str
    text: str


def blocks() -> list[Block]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(language=language, text=body) for language, body in found]


def of(language: str) -> list[str]:
    return [block.text for block in blocks() if block.language == language]


def environment(embedded: Embedded) -> dict[str, str]:
    """As a user's shell, but with the tests' own host and its models."""
    return os.environ | {
        "LMSWITCH_BASE_URL": embedded.base_url,
        "LMSWITCH_API_KEY": embedded.token,
        "PYTHONWARNINGS": "error",
    }


def run(code: str, environ: Mapping[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - our own README
        [sys.executable, "-c", code],
        env=environ,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def python_blocks() -> list[tuple[str, str]]:
    """Each Python block with the text that is shown as its output."""
    return [
        (block.text, after.text)
        for block, after in itertools.pairwise(blocks())
        if (block.language, after.language) == ("python", "text")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a block prints: an agent's last words differ from one processor to the next."""

    facts: list[str]
    words: list[str]


def told_apart(text: str) -> Output:
    lines = text.splitlines()
    words = [line for line in lines if line.startswith("ai: ")]
    return Output(facts=[line for line in lines if line not in words], words=words)


@pytest.mark.weights
@pytest.mark.usefixtures("unloaded")
def test_the_python_blocks_run_and_print_what_is_shown(embedded: Embedded) -> None:
    """One after the other, as a reader would type them."""
    shown = python_blocks()
    assert len(shown) == len(of("python"))
    output = run("\n".join(code for code, _ in shown), environment(embedded))
    said, told = (told_apart(text) for text in (output, "".join(text for _, text in shown)))
    said_facts, told_facts = ("\n".join(one.facts) for one in (said, told))
    assert alike(said_facts, told_facts), said_facts
    assert [set(re.findall(r"\d+", line)) for line in said.words] == [
        set(re.findall(r"\d+", line)) for line in told.words
    ]


@pytest.mark.weights
def test_the_first_command_installs_pulls_and_answers(models_dir: Path, tmp_path: Path) -> None:
    """By copy and paste in a fresh clone, and with its true output."""
    command, shown = of("sh")[0], of("text")[0]
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)  # noqa: S603, S607
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("LMSWITCH_", "VIRTUAL"))}
    environ["LMSWITCH_REMEMBER"] = "false"  # what this machine has learnt is not to be shown
    environ["LMSWITCH_CONFIG"] = "off"  # nor what its user has set
    if models_dir != Settings().models_home:  # else `pull` would fetch them once more
        environ["LMSWITCH_MODEL_FOLDERS"] = str(models_dir)
    done = subprocess.run(  # noqa: S603 - our own README
        ["/bin/sh", "-c", f"exec 2>&1\n{command}"],
        env=environ,
        cwd=clone,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    said = done.stdout.splitlines()[-2:]
    expected = shown.splitlines()
    assert said[0].startswith("The capital of France")
    assert expected[0].startswith("The capital of France")
    assert said[1].startswith(expected[1])


def test_the_diagram_is_the_graph() -> None:
    [diagram] = of("mermaid")
    drawn = set(re.findall(r"^  (\w+)\S*.*?> (\w+)", diagram, re.MULTILINE))
    names = {"__start__": "START", "__end__": "END"}
    edges = {
        (names.get(edge.source, edge.source), names.get(edge.target, edge.target))
        for edge in router_graph().get_graph().edges
    }
    assert drawn == edges - {("refuse", "END")}


def test_the_test_command_is_what_ci_runs() -> None:
    """The other shell block is run by `.ci/run`, which takes it from the README itself."""
    [_, command] = of("sh")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "<!-- the test command -->" in script
    assert "pytest" in command


def test_the_settings_table_is_true() -> None:
    """Every variable named in the README is a setting, with the default it says."""
    table = re.findall(
        r"^\| `LMSWITCH_(\w+)` \| (.*?) \|", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert table
    for name, default in table:
        field = Settings.model_fields[name.lower()]
        if re.fullmatch(r"\d+|true|false", default):
            assert str(field.default).lower().removesuffix(".0") == default

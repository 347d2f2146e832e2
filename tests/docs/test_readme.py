"""Every block of the README runs, and what it shows is what comes out."""

import contextlib
import inspect
import itertools
import os
import re
import shlex
import subprocess
import sys
import termios
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from conftest import Embedded
from points import alike

from langchain_lmswitch import errors, router_graph
from langchain_lmswitch.cli.app import app
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.settings.documenting import settings_table

ROOT = Path(__file__).parents[2]
_POINTS = re.compile(r"[+-]?\d*\.\d+|(?<=quality )\d+|\d+(?=\s+points)")
"""Scores and seconds, and what follows from them: they are this machine's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    language: str
    text: str


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def blocks() -> list[Block]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", readme(), re.MULTILINE | re.DOTALL)
    return [Block(language=language, text=body) for language, body in found]


def of(language: str) -> list[str]:
    return [block.text for block in blocks() if block.language == language]


def section(heading: str) -> str:
    return readme().split(f"\n## {heading}\n")[1].split("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """The cells of all tables' rows; of a heading or a rule there are none."""
    found = re.findall(r"^\| (?!-)(.*) \|$(?!\n\| -)", text, re.MULTILINE)
    return [[cell.strip() for cell in row.split(" | ")] for row in found]


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
    without_seconds = expected[1].split("Loaded in")[0]
    assert said[1].startswith(without_seconds)


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


def test_the_settings_table_is_what_the_command_writes() -> None:
    """By `lmswitch config --markdown`."""
    [table] = re.findall(
        r"^<!-- settings -->\n(.*?)\n<!-- /settings -->$", readme(), re.MULTILINE | re.DOTALL
    )
    assert table == settings_table()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A command of a terminal, and what it printed there."""

    command: list[str]
    output: str


def shown_commands() -> list[Shown]:
    found = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", "".join(of("console")), re.MULTILINE)
    return [Shown(command=shlex.split(line), output=output) for line, output in found]


def words(text: str) -> Counter[str]:
    """Count the words: where a table breaks its lines is the terminal's affair.

    How fast this machine is may differ: of scores and seconds only that they are there counts.
    """
    text = re.sub(r"\x1b\[[\d;]*m", "", text)
    return Counter(_POINTS.sub("#", re.sub(r"[─━]+", "─", text)).split())


def on_a_terminal(code: str, environ: Mapping[str, str]) -> str:
    """Run it with a terminal to write to, as wide as a page of the README."""
    ours, its = os.openpty()
    termios.tcsetwinsize(its, (40, 104))
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, env=environ, cwd=ROOT, stdout=its, stderr=its) as process:  # noqa: S603 - our own README
        os.close(its)
        said = b""
        with contextlib.suppress(OSError):  # so it ends, when nobody can write any more
            while piece := os.read(ours, 4096):
                said += piece
    os.close(ours)
    assert process.returncode == 0, said.decode()
    return said.decode()


@pytest.mark.weights
@pytest.mark.usefixtures("unloaded")
def test_the_terminal_shows_what_comes_out(embedded: Embedded) -> None:
    environ = {**environment(embedded), "NO_COLOR": "1", "TERM": "xterm"}
    environ = {name: value for name, value in environ.items() if name != "COLUMNS"}
    assert shown_commands()
    for shown in shown_commands():
        program, *arguments = shown.command
        assert program == "lmswitch"
        code = f"from langchain_lmswitch.cli.app import app\napp({arguments!r})"
        said = on_a_terminal(code, environ)
        assert words(said) == words(shown.output), said


def test_the_file_of_settings_can_be_read() -> None:
    [told] = of("toml")
    settings = Settings(**tomllib.loads(told))
    assert settings.context_tokens != Settings().context_tokens
    [coder] = settings.models
    assert coder.models == "qwen2.5-coder"
    assert (coder.roles, coder.pin, coder.max_context) == (("code",), True, 8192)


def parted(kind: type[Exception]) -> bool:
    """Tell whether it only gathers others; an adapter's own kind of it is not one of them."""
    return any(one.__module__ == errors.__name__ for one in kind.__subclasses__())


def test_every_error_is_explained_and_none_is_invented() -> None:
    """Also whether it is worth a retry."""
    told = {cells[0].strip("`"): cells[1] for cells in rows(section("When something goes wrong"))}
    met = {
        name: "yes" if kind.is_retryable else "no"
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.LMSwitchError) and not parted(kind)
    }
    assert told == met


def test_the_feature_table_is_what_the_standard_tests_prove() -> None:
    from integration_tests.test_standard import TestChatLMSwitch  # noqa: PLC0415 - else collected
    from unit_tests.test_standard_served import Suite  # noqa: PLC0415

    def proven(name: str) -> bool:
        return any(getattr(object.__new__(suite), name) for suite in (TestChatLMSwitch, Suite))

    said = {cells[0]: cells[1] for cells in rows(section("Features")) if len(cells) == 3}
    assert said == {
        "Tool calling": "yes" if proven("has_tool_calling") else "no",
        "Structured output": "yes" if proven("has_structured_output") else "no",
        "JSON mode": "yes" if proven("supports_json_mode") else "no",
        "Image input": "yes" if proven("supports_image_inputs") else "no",
        "Audio input": "yes" if proven("supports_audio_inputs") else "no",
        "Video input": "yes" if proven("supports_video_inputs") else "no",
        "Token-level streaming": "yes",
        "Native async": "yes",
        "Token usage": "yes" if proven("returns_usage_metadata") else "no",
        "Logprobs": "no",
    }


def test_every_command_is_in_the_table() -> None:
    named = " ".join(cells[0] for cells in rows(section("The command line")))
    group: Any = typer.main.get_command(app)
    assert [name for name in group.commands if not re.search(rf"\b{name}\b", named)] == []


def test_every_notebook_is_in_the_table() -> None:
    linked = re.findall(r"\(notebooks/(\w+)\.ipynb\)", readme())
    assert sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb")) == sorted(linked)


def test_every_link_leads_somewhere() -> None:
    headings = re.findall(r"^## (.*)$", readme(), re.MULTILINE)
    anchors = {"#" + re.sub(r"\W+", "-", heading.lower()) for heading in headings}
    targets = re.findall(r"\]\(([^)\s]+)\)|src(?:set)?=\"([^\"]+)\"", readme())
    for target in itertools.chain.from_iterable(targets):
        if target.startswith("#"):
            assert target in anchors, target
        elif target and not target.startswith("https://"):
            assert (ROOT / target).exists(), target

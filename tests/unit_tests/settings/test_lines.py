"""Where the keys of a file stand."""

import pytest

from langchain_lmswitch.settings.lines import line_of

TEXT = '''\
# parallel = 2
context_tokens = 8192

deny = [
  "a",  # parallel = 3
  "b = 1",
]
text = """
threads = 4
"""
roles = { coder = ["code"] }
models.tiny.pin = true

[models."qwen2.5-coder"]
pin = true

[models."qwen2.5-coder".scores]
code = 0.9
[[list]]
name = "x"
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (["context_tokens"], 2),
        (["deny"], 4),
        (["text"], 8),
        (["roles"], 11),
        (["roles", "coder"], 11),
        (["models", "tiny", "pin"], 12),
        (["models", "qwen2.5-coder"], 14),
        (["models", "qwen2.5-coder", "pin"], 15),
        (["models", "qwen2.5-coder", "scores"], 17),
        (["models", "qwen2.5-coder", "scores", "code"], 18),
        (["list", "name"], 20),
    ],
)
def test_a_key_has_its_line(path: list[str], line: int) -> None:
    assert line_of(TEXT, path) == line


@pytest.mark.parametrize("name", ["parallel", "threads", "b"])
def test_what_only_looks_like_a_key_has_none(name: str) -> None:
    """In a comment, a list or a text."""
    assert line_of(TEXT, [name]) is None


def test_what_is_within_a_value_has_the_line_of_the_value() -> None:
    assert line_of(TEXT, ["models", "qwen2.5-coder", "pin", "deeper"]) == 15


def test_windows_ends_its_lines_otherwise() -> None:
    assert line_of(TEXT.replace("\n", "\r\n"), ["models", "tiny", "pin"]) == 12


def test_what_only_python_takes_for_the_end_of_a_line_is_none() -> None:
    """A separator of Unicode, in a text that somebody pasted."""
    assert line_of('text = "a\u2028b\x85c"\nthreads = 4\n', ["threads"]) == 2


def test_a_long_list_is_read_once_and_not_once_per_line() -> None:
    begun = [f'  "model-{number}",\n' for number in range(20_000)]

    assert line_of(f"deny = [\n{''.join(begun)}]\nthreads = 4\n", ["threads"]) == 20_003

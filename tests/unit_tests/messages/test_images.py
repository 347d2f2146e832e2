"""Images in every form that LangChain's users write."""

import base64
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.messages.images import (
    Inline,
    OnDisk,
    Remote,
    block_of,
    media_type,
    shown_url,
    source_of,
)
from langchain_lmswitch.messages.outgoing import has_images, history, text_of

PNG = "iVBORw0KGgo="
JPEG = "/9j/4AAQSkZJRg=="
URL = "https://example.com/a.png?key=secret"

INLINE: list[Any] = [
    {"type": "image", "base64": PNG, "mime_type": "image/png"},  # LangChain, v1
    {"type": "image", "base64": PNG, "url": None, "mime_type": "image/png"},
    {"type": "image", "base64": f"data:image/png;base64,{PNG}"},
    {"type": "image", "base64": f" {PNG[:4]}\n{PNG[4:]}\n"},
    {"type": "image", "source_type": "base64", "data": PNG, "mime_type": "image/png"},  # v0
    {"type": "image", "url": f"data:image/png;base64,{PNG}"},
    {"type": "image", "source_type": "url", "url": f"data:image/png;base64,{PNG}"},
    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
    {"type": "image_url", "image_url": f"data:image/png;base64,{PNG}"},  # Ollama
    {"type": "image_url", "image_url": f" DATA:image/PNG;charset=utf-8;base64,{PNG}"},
    {"type": "image_url", "image_url": PNG},
    {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},  # OpenAI, Responses
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
]
REMOTE: list[Any] = [
    {"type": "image", "url": URL},
    {"type": "image", "source_type": "url", "url": URL},
    {"type": "image_url", "image_url": {"url": URL}},
    {"type": "image_url", "image_url": URL},
    {"type": "input_image", "image_url": URL},
    {"type": "image", "source": {"type": "url", "url": URL}},
]
ON_DISK: list[Any] = [
    {"type": "image", "path": "/data/a b.png"},
    {"type": "image", "path": Path("/data/a b.png")},
    {"type": "image", "path": "file:///data/a%20b.png"},
    {"type": "image", "url": "file:///data/a%20b.png"},
    {"type": "image_url", "image_url": {"url": "FILE://localhost/data/a%20b.png"}},
    {"type": "image_url", "image_url": "file:/data/a%20b.png"},
]


@pytest.mark.parametrize("block", INLINE)
def test_inline_forms(block: dict[str, Any]) -> None:
    message = HumanMessage(content=[{"type": "text", "text": "What is this?"}, block])
    [entry] = history([message])

    assert source_of(block) == Inline(PNG, "image/png")
    assert entry["content"][1] == {"type": "image", "name": "image.png", "base64": PNG}
    assert text_of(message) == "What is this?"


@pytest.mark.parametrize("block", REMOTE)
def test_remote_forms(block: dict[str, Any]) -> None:
    assert source_of(block) == Remote(URL)
    with pytest.raises(InvalidRequest, match=r"'https://example.com/a.png' has not been read"):
        history([HumanMessage(content=[block])])


@pytest.mark.parametrize("block", ON_DISK)
def test_local_forms(block: dict[str, Any]) -> None:
    assert source_of(block) == OnDisk("/data/a b.png")
    with pytest.raises(InvalidRequest, match=r"'/data/a b.png' has not been read"):
        history([HumanMessage(content=[block])])


@pytest.mark.parametrize("block", [*INLINE, *REMOTE, *ON_DISK, {"type": "image"}])
def test_every_form_is_seen(block: dict[str, Any]) -> None:
    for message in (
        HumanMessage(content=[block]),
        AIMessage(content=["Here:", block]),
        ToolMessage(content=[block], tool_call_id="1"),
    ):
        assert has_images([HumanMessage(content="image"), message])
        assert text_of(message) in {"", "Here:"}


def test_no_image_is_seen_where_there_is_none() -> None:
    assert not has_images([])
    assert not has_images([HumanMessage(content=["image", {"type": "text", "text": "image_url"}])])


def test_paths_of_windows() -> None:
    assert source_of({"type": "image", "url": "file:///C:/a.png"}) == OnDisk("C:/a.png")
    path = PureWindowsPath("C:/a.png")
    assert source_of({"type": "image", "path": path}) == OnDisk("C:\\a.png")


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ({"type": "image_url", "image_url": "/data/a.png"}, '/data/a.png.*"path"'),
        ({"type": "image_url", "image_url": {"url": ""}}, "'' is no URL of an image"),
        ({"type": "image_url", "image_url": {"url": "ftp://example.com/a.png"}}, "ftp://"),
        ({"type": "image", "url": "data:text/plain;base64,AAAA"}, "'data:text/plain;base64'"),
        ({"type": "image", "url": "data:image/png,raw"}, "'data:image/png' cannot be sent"),
        ({"type": "image", "url": "file://server/a.png"}, "'file://server/a.png' names another"),
        ({"type": "image", "file_id": "file-1"}, "'image' has none .*`path`.*file ids"),
        ({"type": "input_image", "file_id": "file-1"}, "'input_image' has none"),
        ({"type": "image_url", "image_url": {}}, "'image_url' has none"),
        ({"type": "image", "source": {"type": "file", "file_id": "1"}}, "'image' has none"),
    ],
)
def test_what_is_no_source(block: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        history([HumanMessage(content=[block])])


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"BM\x46\x00\x00\x00\x00\x00\x00\x00\x36\x00", "image/bmp"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", None),
        (b"BMW is a maker of cars.", None),
        (b"<svg xmlns=", None),
        (b"%PDF-1.7", None),
        (b"", None),
    ],
)
def test_the_first_bytes_tell_the_format(head: bytes, kind: str | None) -> None:
    assert media_type(head) == kind


def test_the_first_bytes_outrank_what_is_said() -> None:
    assert source_of({"type": "image", "base64": JPEG, "mime_type": "image/png"}) == Inline(
        JPEG, "image/jpeg"
    )
    unknown = {"type": "image", "base64": "AAAA", "mime_type": "image/x-new"}
    assert source_of(unknown) == Inline("AAAA", "image/x-new")


@given(st.binary())
def test_a_block_is_what_it_was_made_of(content: bytes) -> None:
    source = source_of(block_of(content, "image/webp"))

    assert isinstance(source, Inline)
    assert base64.b64decode(source.base64) == content


@pytest.mark.parametrize(
    "url",
    ["https://ada:pass@example.com/a.png?key=secret#top", "https://example.com/a.png?key=secret"],
)
def test_a_url_is_shown_without_its_secrets(url: str) -> None:
    assert shown_url(url) == "https://example.com/a.png"


def test_even_a_broken_url_is_shown_without_its_query() -> None:
    assert shown_url("http://[::1/a.png?key=secret") == "http://[::1/a.png"

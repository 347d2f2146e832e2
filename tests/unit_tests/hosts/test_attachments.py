"""Images that a conversation points at: read from files."""

import base64
import os
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.hosts.attachments import with_attachments
from langchain_lmswitch.messages.outgoing import has_images, history

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))
GIF = b"GIF89a" + bytes(58)


def inline(content: bytes, kind: str = "image/png") -> dict[str, Any]:
    return {"type": "image", "base64": base64.b64encode(content).decode(), "mime_type": kind}


def user(*blocks: Any) -> HumanMessage:
    return HumanMessage(content=list(blocks))


async def read(block: Any, *, max_bytes: int = 1000) -> Any:
    [message] = await with_attachments([user(block)], allow_url_fetch=False, max_bytes=max_bytes)
    return message.content[0]


@pytest.fixture
def png(tmp_path: Path) -> Path:
    path = tmp_path / "a cat.jpg"  # what it is called tells nothing
    path.write_bytes(PNG)
    return path


async def test_every_form_of_a_path_is_read(png: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(png.parent)
    monkeypatch.setenv("HOME", str(png.parent))
    for path in (str(png), png, png.as_uri(), "a cat.jpg", "~/a cat.jpg"):
        assert await read({"type": "image", "path": path}) == inline(PNG)
    assert await read({"type": "image_url", "image_url": {"url": png.as_uri()}}) == inline(PNG)


async def test_messages_are_copied_only_where_they_change(png: Path) -> None:
    pointing = ToolMessage(
        content=["seen", {"type": "image", "path": png}],
        tool_call_id="1",
        artifact={"kept": True},
        id="m-1",
    )
    before = list(pointing.content)
    others: list[BaseMessage] = [
        HumanMessage(content="no image"),
        user({"type": "text", "text": "x"}, inline(GIF, "image/gif")),
        AIMessage.model_construct(content=None, tool_calls=[], invalid_tool_calls=[]),
    ]
    *same, read_in = await with_attachments([*others, pointing], allow_url_fetch=False)

    assert all(one is other for one, other in zip(same, others, strict=True))
    assert pointing.content == before
    assert read_in == pointing.model_copy(update={"content": ["seen", inline(PNG)]})
    assert has_images([read_in])
    assert len(history([read_in])) == 2


async def test_malformed_images_are_found_before_anything_is_read() -> None:
    with pytest.raises(InvalidRequest, match="file ids"):
        await with_attachments([user({"type": "image", "file_id": "1"})], allow_url_fetch=False)


async def test_files_that_are_no_image(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("<svg/>", encoding="utf-8")
    (tmp_path / "empty.png").touch()
    os.mkfifo(tmp_path / "pipe.png")
    for name, why in {
        "a.png": "is not a PNG, JPEG, GIF, WebP or BMP image, .*Convert",
        "empty.png": "is not a PNG",
        "pipe.png": "is a device or pipe",
        "none.png": "There is no image file .* Check the path",
        ".": "is a directory; give the path",
        "a\0b": "There is no image file|cannot be read",
    }.items():
        path = str(tmp_path / name)
        with pytest.raises(InvalidRequest, match=why) as caught:
            await read({"type": "image", "path": path})
        assert repr(path) in str(caught.value)


@pytest.mark.parametrize("path", ["~nobody-has-this-name/a.png", "/proc/self/mem"])
async def test_files_that_cannot_be_read(path: str) -> None:
    with pytest.raises(InvalidRequest, match=f"{path}' cannot be read.*Error. Check the path"):
        await read({"type": "image", "path": path})


async def test_a_file_may_have_the_limit_and_no_byte_more(png: Path) -> None:
    block = {"type": "image", "path": png}

    assert await read(block, max_bytes=len(PNG)) == inline(PNG)
    with pytest.raises(InvalidRequest, match=rf"{png.name}' is larger than 71 bytes"):
        await read(block, max_bytes=len(PNG) - 1)

"""Files that clients have sent."""

import base64

import pytest

from langchain_lmswitch.embedded.uploads import Uploads, file_type, with_images
from langchain_lmswitch.errors import InvalidRequest

PIXEL = base64.b64encode(b"pixel").decode()


def _message(identifier: str) -> dict[str, object]:
    part = {"type": "file", "identifier": identifier, "name": "x", "fileType": "image"}
    return {"role": "user", "content": [{"type": "text", "text": "look"}, part]}


def test_each_upload_has_a_new_identifier() -> None:
    uploads = Uploads()
    first, second = (uploads.add("me", name="a.png", content=PIXEL) for _ in range(2))
    assert first.identifier != second.identifier
    assert (first.size_bytes, first.file_type) == (5, "image")


def test_an_upload_is_seen_only_by_its_client() -> None:
    uploads = Uploads()
    upload = uploads.add("me", name="a.png", content=PIXEL)
    assert uploads.get("me", upload.identifier) == upload
    with pytest.raises(InvalidRequest):
        uploads.get("you", upload.identifier)
    uploads.forget("me")
    with pytest.raises(InvalidRequest):
        uploads.get("me", upload.identifier)


def test_the_oldest_go_when_there_is_no_room() -> None:
    uploads = Uploads(max_total_bytes=2 * len(PIXEL))
    first, second, third = (uploads.add("me", name="a.png", content=PIXEL) for _ in range(3))
    with pytest.raises(InvalidRequest):
        uploads.get("me", first.identifier)
    assert uploads.get("me", second.identifier) == second
    assert uploads.get("me", third.identifier) == third


@pytest.mark.parametrize("content", ["no base64!", "AAAA" * 100])
def test_what_cannot_be_kept_is_refused(content: str) -> None:
    with pytest.raises(InvalidRequest):
        Uploads(max_total_bytes=20).add("me", name="a.png", content=content)


def test_kinds_of_files_by_their_names() -> None:
    names = {
        "a.PNG": "image",
        "a.txt": "text/plain",
        "a.csv": "text/other",
        "a.pdf": "application/pdf",
        "a.docx": "application/word",
        "a": "unknown",
    }
    assert {name: file_type(name) for name in names} == names


def test_an_image_stands_where_the_conversation_refers_to_it() -> None:
    uploads = Uploads()
    upload = uploads.add("me", name="a.png", content=PIXEL)
    (message,) = with_images([_message(upload.identifier)], uploads, client="me", vision=True)
    assert message["content"][1] == {"type": "image", "name": "a.png", "base64": PIXEL}


def test_a_model_without_eyes_refuses_images() -> None:
    uploads = Uploads()
    upload = uploads.add("me", name="a.png", content=PIXEL)
    with pytest.raises(InvalidRequest, match="vision"):
        with_images([_message(upload.identifier)], uploads, client="me", vision=False)


def test_a_file_that_is_no_image_is_refused() -> None:
    uploads = Uploads()
    upload = uploads.add("me", name="a.txt", content=PIXEL)
    with pytest.raises(InvalidRequest, match="not an image"):
        with_images([_message(upload.identifier)], uploads, client="me", vision=True)


@pytest.mark.parametrize("message", [None, {}, {"role": "user"}, {"role": "user", "content": [1]}])
def test_a_malformed_message_is_refused(message: object) -> None:
    with pytest.raises(InvalidRequest):
        with_images([message], Uploads(), client="me", vision=True)

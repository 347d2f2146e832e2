"""The namespace `files`."""

from typing import Any

from langchain_lmswitch.embedded.endpoints.table import Namespace
from langchain_lmswitch.embedded.services import Request


async def upload_file(request: Request) -> dict[str, Any]:
    """Keep a file for the prompts to come."""
    upload = request.services.uploads.add(
        request.client, name=request.text("name"), content=request.text("contentBase64")
    )
    return {
        "identifier": upload.identifier,
        "fileType": upload.file_type,
        "sizeBytes": upload.size_bytes,
    }


FILES = Namespace(calls={"uploadFileBase64": upload_file})

"""The namespace `embedding`."""

from typing import Any

from langchain_lmswitch.embedded.endpoints import loading, residents
from langchain_lmswitch.embedded.endpoints.residents import find
from langchain_lmswitch.embedded.endpoints.table import Namespace
from langchain_lmswitch.embedded.services import Request


async def embed_string(request: Request) -> dict[str, Any]:
    """Embed one text."""
    text = request.text("inputString")
    instance = find("embedding", request, field="modelSpecifier")
    with request.services.instances.use(instance):
        (vector,) = await instance.worker.embed([text])
    return {"embedding": vector}


EMBEDDING = Namespace(
    calls={
        **residents.calls("embedding"),
        **loading.calls("embedding"),
        "embedString": embed_string,
    },
    channels=loading.channels("embedding"),
)

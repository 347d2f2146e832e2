"""The namespace `llm`."""

from typing import Any

from langchain_lmswitch.embedded.endpoints import loading, residents
from langchain_lmswitch.embedded.endpoints.prediction import history, predict
from langchain_lmswitch.embedded.endpoints.residents import find
from langchain_lmswitch.embedded.endpoints.table import Namespace
from langchain_lmswitch.embedded.protocol import kv
from langchain_lmswitch.embedded.services import Request


async def apply_prompt_template(request: Request) -> dict[str, Any]:
    """Put a conversation through the model's chat template."""
    instance = find("llm", request)
    messages = history(request, instance)
    options = request.get("opts") or {}
    tools = tuple(options.get("toolDefinitions") or ())
    with request.services.instances.use(instance):
        return {"formatted": await instance.worker.render(messages, tools=tools)}


async def get_base_prediction_config(request: Request) -> dict[str, Any]:
    """Give the settings an answer has unless the request says otherwise."""
    find("llm", request)
    return kv.config({"llm.prediction.contextOverflowPolicy": "stopAtLimit"})


LLM = Namespace(
    calls={
        **residents.calls("llm"),
        **loading.calls("llm"),
        "applyPromptTemplate": apply_prompt_template,
        "getBasePredictionConfig": get_base_prediction_config,
    },
    channels={**loading.channels("llm"), "predict": predict},
)

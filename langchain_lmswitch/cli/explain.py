"""`lmswitch explain`: which model would answer, and why; nothing is loaded or called."""

import typer

from langchain_lmswitch.cli.ask import Task
from langchain_lmswitch.cli.comparison import comparison, meanings, verdicts
from langchain_lmswitch.cli.options import BaseUrl, Json, Model, Quality, Question
from langchain_lmswitch.cli.screen import console, remark, show, show_json
from langchain_lmswitch.cli.session import conversation, session_of


def explain(
    ctx: typer.Context,
    text: Question,
    *,
    model: Model = None,
    task: Task = None,
    quality: Quality = None,
    json: Json = False,
    base_url: BaseUrl = None,
) -> None:
    """Say which model would answer, and why.

    Nothing is loaded or called. The table has every model's score and the parts it is made of;
    below, what was in the way of each, and what would make it the one.
    """
    llm = session_of(ctx, base_url).chat_model(model=model, task=task, quality=quality)
    decision = llm.explain(conversation(text))
    if json:
        show_json(decision.to_dict())
        return
    show(decision.reason)
    if decision.candidates:
        show("", comparison(decision, columns=console().width), "", *verdicts(decision))
        remark(meanings(decision))
    else:
        remark("Install one: `lmswitch pull starter`, or download a chat model in LM Studio.")

"""The choice for a request that is under way, from the router's state to a decision."""

from collections.abc import Sequence
from dataclasses import replace

from langchain_lmswitch.graph.choosing import AUTO, decide
from langchain_lmswitch.graph.fitting import mode_of, overflow_of
from langchain_lmswitch.graph.state import RouterState
from langchain_lmswitch.policy.deciding import ChoiceFacts, Outcome
from langchain_lmswitch.policy.naming import card_of
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.switch.boards import OpenBoard
from langchain_lmswitch.types.decisions import Decision
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.reviving import revive
from langchain_lmswitch.types.tasks import Task


async def decided(state: RouterState, open_board: OpenBoard) -> tuple[Outcome, ChoiceFacts]:
    """Choose a model for the request, and remember the choice; on the portal's loop only."""
    board = await open_board()
    task = revive(Task, state["task"])
    outcome, facts = await _decided(board, state, task)
    if (most_tokens := _if_cut(outcome, task)) and cuts(state, board.settings):
        needs = replace(task.needs, context_tokens=most_tokens)
        outcome, facts = await _decided(board, state, replace(task, needs=needs))
    board.surveyor.learning.note_choice(facts, outcome)
    return outcome, facts


def cuts(state: RouterState, settings: Settings) -> bool:
    """Tell whether a message that is too long for every model may be cut."""
    options = state.get("options", {})
    return mode_of(options, settings) == "on" and overflow_of(options, settings) == "clip"


def least_tokens(state: RouterState, key: str, cards: Sequence[ModelCard]) -> int:
    """Tell what context the request cannot do without, of a model that may not have as much."""
    wanted: int = state["task"]["needs"]["context_tokens"]
    trained = card_of(key, cards).max_context_tokens
    return min(wanted, trained) if trained else wanted


async def _decided(
    board: Switchboard, state: RouterState, task: Task
) -> tuple[Outcome, ChoiceFacts]:
    return await decide(
        board,
        task,
        model=named(state),
        failed=_excluded(state),
        tight={key for key, failure in state["failed"].items() if failure["for_memory"]},
    )


def _if_cut(outcome: Outcome, task: Task) -> int:
    """Tell the longest context of models that lack nothing else; 0 if somebody can answer."""
    if outcome.choice.key is not None or outcome.refusal is not None:
        return 0
    limits = (
        one.max_context_tokens
        for one in outcome.choice.candidates
        if len(one.lacks) == 1 and 0 < one.max_context_tokens < task.needs.context_tokens
    )
    return max(limits, default=0)


def named(state: RouterState) -> str:
    """Tell which model the caller names; `auto` if none."""
    return state.get("options", {}).get("model") or AUTO


def decision_of(state: RouterState, outcome: Outcome) -> Decision:
    """Write a choice as the decision that the caller gets to see."""
    choice = outcome.choice
    return Decision(
        model=choice.key or "",
        identifier="",
        task=state["task"]["kind"],
        reason=choice.reason,
        candidates=choice.candidates,
        tool_calling=choice.tool_calling,
        fallbacks=tuple(f"{key}: {reason}" for key, reason in _excluded(state).items()),
        request=state.get("call", ""),
        node=state["task"]["hints"]["node"],
    )


def _excluded(state: RouterState) -> dict[str, str]:
    return {key: failure["reason"] for key, failure in state["failed"].items()}

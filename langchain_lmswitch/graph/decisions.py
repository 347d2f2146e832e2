"""The choice for a request that is under way, from the router's state to a decision."""

from langchain_lmswitch.graph.choosing import AUTO, decide
from langchain_lmswitch.graph.state import RouterState, revive
from langchain_lmswitch.policy.deciding import ChoiceFacts, Outcome
from langchain_lmswitch.switch.boards import OpenBoard
from langchain_lmswitch.types.decisions import Decision
from langchain_lmswitch.types.tasks import Task


async def decided(state: RouterState, open_board: OpenBoard) -> tuple[Outcome, ChoiceFacts]:
    """Choose a model for the request, and remember the choice; on the portal's loop only."""
    board = await open_board()
    outcome, facts = await decide(
        board,
        revive(Task, state["task"]),
        model=named(state),
        failed=_excluded(state),
        tight={key for key, failure in state["failed"].items() if failure["for_memory"]},
    )
    board.surveyor.learning.note_choice(facts, outcome)
    return outcome, facts


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

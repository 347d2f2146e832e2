"""Having the summary of a conversation written, once its turn is over."""

from langchain_core.messages import AIMessage

from langchain_lmswitch.context.summarized import next_piece
from langchain_lmswitch.graph.state import RouterState
from langchain_lmswitch.policy.summarizers import OFF
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.switch.summarizers import Answered
from langchain_lmswitch.switch.summarizing import Job, Summarizer
from langchain_lmswitch.types.models import Resident
from langchain_lmswitch.types.options import RouterOptions
from langchain_lmswitch.types.reviving import revive


def summarizer_of(options: RouterOptions, settings: Settings) -> Summarizer:
    """Tell who summarizes what is evicted."""
    by: Summarizer = options.get("summarizer") or settings.summarizer
    return by


def summarize(board: Switchboard, state: RouterState, answer: AIMessage) -> None:
    """Tell the switchboard that a turn is over, and what of it should be summarized.

    On the portal's loop only.
    """
    by = summarizer_of(state.get("options", {}), board.settings)
    job = _job(board, state, answer, by) if state.get("summarizable") and by != OFF else None
    board.summarizing.start(job)


def _job(board: Switchboard, state: RouterState, answer: AIMessage, by: Summarizer) -> Job | None:
    transcript = board.contexts.transcripts.of(state["asked"])
    piece = next_piece(
        transcript.chunks[: state["summarizable"]],
        transcript.parted.units,
        board.contexts,
        given_up=board.summarizing.given_up,
    )
    if piece is None:
        return None
    answered = Answered(
        resident=revive(Resident, state["resident"]),
        said=(*state["fitted"], answer),
        options=state.get("options", {}),
    )
    return Job(piece=piece, cache=board.contexts, by=by, answered=answered)

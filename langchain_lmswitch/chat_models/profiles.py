"""LangChain's model profile, which here follows the models. Pure."""

from collections.abc import Iterable

from langchain_core.language_models import ModelProfile

from langchain_lmswitch.context.budget import budget
from langchain_lmswitch.types.decisions import Candidate, Decision


def first_profile(context_tokens: int) -> ModelProfile:
    """Say what holds before any host was asked.

    The longest input is what a prompt may take before old turns are left out: middleware that
    summarizes at a share of it has to come first.

    Args:
        context_tokens: The context that models are loaded with if they were trained for so much.
    """
    return ModelProfile(
        max_input_tokens=budget(context_tokens, max_tokens=None),
        text_inputs=True,
        text_outputs=True,
        image_inputs=False,
        tool_calling=True,
        tool_choice=True,
        tool_call_streaming=True,
    )


def profile_of(decision: Decision, context_tokens: int) -> ModelProfile:
    """Say what can be relied on now.

    1. Of a loaded model, what it can do and the context it was loaded with.
    2. Before a load, what every model can that could be chosen.

    Args:
        decision: The last one.
        context_tokens: As in `first_profile`.
    """
    able = [one for one in decision.candidates if not one.lacks]
    chosen = [one for one in able if decision.identifier and one.key == decision.model]
    known = chosen or able
    profile = first_profile(decision.context_tokens or _least(context_tokens, known))  # 1, 2
    profile["image_inputs"] = bool(known) and all("vision" in one.abilities for one in known)
    return profile


def _least(context_tokens: int, candidates: Iterable[Candidate]) -> int:
    trained = [one.max_context_tokens for one in candidates if one.max_context_tokens]
    return min([context_tokens, *trained])

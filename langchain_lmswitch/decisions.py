"""LangChain's decision model over our classifier: typed answers about a text, without a model.

Needs `langchain-core` 1.8 or later, which brought `langchain_core.decisions`.
"""

import logging
import math
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Protocol, assert_never, runtime_checkable

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import BaseMessage
from pydantic import ConfigDict, Field

from langchain_lmswitch.errors import InvalidRequest, LMSwitchError, TooOld
from langchain_lmswitch.graph.understanding import task_of
from langchain_lmswitch.messages.asking import facts
from langchain_lmswitch.messages.incoming import PROVIDER
from langchain_lmswitch.messages.states import as_conversation
from langchain_lmswitch.policy.labels import (
    Probabilities,
    certainty,
    label_of,
    levels,
    likelihood,
    probabilities,
)
from langchain_lmswitch.types.decisions import Decision
from langchain_lmswitch.types.tasks import Task

try:
    from langchain_core.decisions import BaseDecisionModel
    from langchain_core.decisions.types import (
        Answer,
        Box,
        Choice,
        ChoiceAnswer,
        ClassifierResponse,
        Noul,
        NoulAnswer,
        Question,
        Score,
        ScoreAnswer,
        State,
    )
except ImportError as _error:
    raise TooOld("langchain-core", needed="1.8", why="Decision models came with it") from _error

_log = logging.getLogger(__name__)

_UNROUTED: Final = "No model is chosen by the router, but by what the labels say: %s"
_SCALE: Final = 0.05
"""Five points of the router's score make a model `e` times as probable."""


@runtime_checkable  # pydantic asks
class Decides(Protocol):
    """What says which model should answer: `ChatLMSwitch.router`."""

    def decide(self, messages: LanguageModelInput, **options: Any) -> Decision:
        """Decide."""

    async def adecide(self, messages: LanguageModelInput, **options: Any) -> Decision:
        """Decide."""


class LMSwitchDecisionModel(BaseDecisionModel):
    """Answers questions about what a request wants, in about a millisecond and without a model.

    For LangChain's `ModelRouterMiddleware`, and wherever a decision model is taken:

    - A `Choice` goes to the label whose name and description fit the task and the difficulty of
      the request: they may name tasks, such as code, math, summaries or translation, what is
      simple or complex, and images. A label that names none is for all the rest. What a label is
      for can be said exactly: `{"tasks": ["code", "math"], "difficulty": 1.0}`.
    - With a `router`, a `Choice` among names of models goes to the one that the router would take,
      by what is installed, loaded and free.
    - A `Noul` tells how probably the request is of the task that the question names.
    - A `Score` tells how difficult the request is, if that is what is asked for.

    What is not understood is answered as uncertain: with a probability of one half, with equal
    ones, and with a confidence of 0. The confidence of a choice is how far its probability is above
    chance. No text makes it fail.

    Example:
        ```python
        from langchain.agents import create_agent
        from langchain.agents.middleware import ModelChoice, ModelRouterMiddleware
        from langchain_core.language_models import FakeListChatModel
        from langchain_lmswitch import ChatLMSwitch, LMSwitchDecisionModel

        llm, cloud_model = ChatLMSwitch(), FakeListChatModel(responses=["print('Hello')"])
        router = ModelRouterMiddleware(
            choices={
                "coder": ModelChoice(model=cloud_model, criteria="Code and debugging."),
                "local": ModelChoice(model=llm, criteria="Everything else."),
            },
            instructions="Choose the model that suits the request.",
            classifier=LMSwitchDecisionModel(),
        )
        agent = create_agent(llm, middleware=[router])
        asked = "Write a Python function that prints Hello."
        print(agent.invoke({"messages": asked})["messages"][-1].text)
        ```

        ```text
        print('Hello')
        ```
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(arbitrary_types_allowed=True)

    model: str = "lmswitch-task"
    """What its answers are said to be of."""
    router: Decides | None = Field(default=None, exclude=True, repr=False)
    """Chooses among names of models; `None` goes by the descriptions alone."""

    @property
    def _provider(self) -> str:
        return PROVIDER

    def _classify(self, state: State, questions: dict[str, Question]) -> ClassifierResponse:
        messages = as_conversation(state)
        decision = self._decided(messages) if self._needs_router(questions) else None
        return self._response(messages, questions, decision)

    async def _aclassify(self, state: State, questions: dict[str, Question]) -> ClassifierResponse:
        messages = as_conversation(state)
        decision = await self._adecided(messages) if self._needs_router(questions) else None
        return self._response(messages, questions, decision)

    def _needs_router(self, questions: Mapping[str, Question]) -> bool:
        return self.router is not None and any(isinstance(q, Choice) for q in questions.values())

    def _decided(self, messages: list[BaseMessage]) -> Decision | None:
        try:
            return self.router.decide(messages) if self.router else None
        except LMSwitchError as error:
            _log.warning(_UNROUTED, error)
            return None

    async def _adecided(self, messages: list[BaseMessage]) -> Decision | None:
        try:
            return await self.router.adecide(messages) if self.router else None
        except LMSwitchError as error:
            _log.warning(_UNROUTED, error)
            return None

    def _response(
        self,
        messages: list[BaseMessage],
        questions: Mapping[str, Question],
        decision: Decision | None,
    ) -> ClassifierResponse:
        task = task_of(facts(messages, {}))
        answers = {name: _answer(task, one, decision) for name, one in questions.items()}
        return ClassifierResponse(model=self.model, answers=answers)


def _answer(task: Task, question: Question, decision: Decision | None) -> Answer:
    match question:
        case Choice():
            return _chosen(task, question, decision)
        case Noul(instructions=asked, criteria=criteria):
            true = criteria.true if criteria else None
            return NoulAnswer(type="noul", noul=likelihood(task, label_of(true, asked)))
        case Score(instructions=asked, criteria=rubric):
            return _scored(rubric, levels(task, len(rubric), asked, *rubric))
        case Box():
            raise InvalidRequest(
                "LMSwitchDecisionModel reads text and cannot locate what is in an image; ask "
                "`Box` questions of a decision model that sees."
            )
        case never:
            assert_never(never)


def _chosen(task: Task, question: Choice, decision: Decision | None) -> ChoiceAnswer:
    shares = _by_router(question, decision) if decision else None
    if shares is None:
        labels = {name: label_of(said, name) for name, said in question.criteria.items()}
        shares = probabilities(task, labels)
    return ChoiceAnswer(
        type="choice",
        choice=max(shares, key=lambda name: shares[name]),
        probabilities=shares,
        confidence=certainty(list(shares.values())),
    )


def _by_router(question: Choice, decision: Decision) -> Probabilities | None:
    """Share the choice among names of models by the router's scores, or `None` if they are not.

    Who cannot answer, or does not fit, gets nothing.
    """
    able = {one.key: one for one in decision.candidates if not one.lacks and one.fits is not False}
    keys = {name: _key(name, said, decision) for name, said in question.criteria.items()}
    scores = {name: able[key].score for name, key in keys.items() if key in able}
    if not scores or not all(keys.values()):
        return None
    best = max(scores.values())
    odds = {name: math.exp((score - best) / _SCALE) for name, score in scores.items()}
    total = sum(odds.values())
    return {name: odds.get(name, 0.0) / total for name in keys}


def _key(name: str, said: Any, decision: Decision) -> str:
    """Give the key that a label means: its `model` if it has one, else its name."""
    wanted = said.get("model", name) if isinstance(said, Mapping) else name
    keys = [one.key for one in decision.candidates]
    if wanted in keys:
        return str(wanted)
    parts = [key for key in keys if str(wanted).lower() in key.lower()]
    return parts[0] if len(parts) == 1 else ""


def _scored(rubric: list[Any], shares: list[float]) -> ScoreAnswer:
    return ScoreAnswer(
        type="score",
        score=sum(level * share for level, share in enumerate(shares)),
        legend=dict(enumerate(rubric)),
        probabilities=dict(enumerate(shares)),
        confidence=certainty(shares),
    )

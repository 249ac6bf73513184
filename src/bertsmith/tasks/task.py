"""What a task is: how labels become targets, which head answers, how its numbers become answers and scores. No framework."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from bertsmith.records.page import Item
from bertsmith.records.scores import Score

Floats = NDArray[np.floating[Any]]
Targets = NDArray[np.int64]


@dataclass(frozen=True)
class Head:
    """The layer that a task puts on the encoder: its name in a checkpoint and how many numbers it gives an example."""

    name: str
    size: int


class Answer(Protocol):
    """What a task says of one example."""

    def cells(self) -> dict[str, str | float]:
        """The answer as columns of a table."""
        ...


class Result(Protocol):
    """How well a task was done on one split."""

    def scores(self, split: str) -> list[Score]:
        """Every number, the one that chooses first."""
        ...

    def items(self) -> tuple[Item, ...]:
        """What a report shows of it beside the scores."""
        ...


AnswerT = TypeVar("AnswerT", bound=Answer, covariant=True)
ResultT = TypeVar("ResultT", bound=Result, covariant=True)


class Task(Protocol[AnswerT, ResultT]):
    """One task; a new one is one file and one test file."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes in the order of the head's numbers."""
        ...

    @property
    def pairs(self) -> bool:
        """Whether an example is two texts."""
        ...

    @property
    def head(self) -> Head:
        """The layer that answers."""
        ...

    @property
    def selection(self) -> str:
        """The metric by which dev chooses."""
        ...

    def targets(self, names: Sequence[str], where: object = None) -> Targets:
        """What the head should answer, from the labels of the examples of the table `where`."""
        ...

    def decode(self, logits_BC: Floats) -> Sequence[AnswerT]:
        """The answers in the head's numbers."""
        ...

    def measure(self, logits_BC: Floats, targets_B: Targets) -> ResultT:
        """How good the head's numbers are."""
        ...

    def about(self) -> Mapping[str, Any]:
        """What the model folder's `bertsmith.json` says, from which the task can be made again."""
        ...

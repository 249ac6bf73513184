"""How many steps a run has and at which place of the schedule each one stands; with a budget of time both follow from the measured speed.

The schedule is written for a fixed number of steps. A run with a budget begins as if it had that many, and is planned anew each time that
another twentieth of the budget is spent, and behind 16, 32, 64 … steps from where it began or went on, so that a fast machine does not run
far on the guess: what is left of the schedule is laid over the steps that fit into what is left of the time. Each plan is a fact, written
into the log and into the training states: with its plans a run is a pure function of the step again, and without them it cannot be
repeated, because no machine is equally fast twice.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

from bertsmith.training.schedule import Schedule

_RECENT = (
    500  # steps over which the pace is taken: as many as lie between two evaluations by default, so that one is among them
)
_FIRST_STEPS = 16  # before so many a pace is mostly noise, and a plan for too few steps hurries through the warm-up; assumed
_PARTS = 20  # of the budget; with the last plan made at 95 %, a pace that is wrong by a fifth costs 1 % of the time


@dataclass(frozen=True)
class Leg:
    """From step `first`, which stands at `place` of the schedule, the rest of the schedule lies over the steps up to `end`."""

    first: int
    place: float
    end: int


class Course:
    """The plan of a run, and its clock.

    Args:
        schedule: the rates; its number of steps is that of the run, or with a budget the first guess.
        budget: seconds that the loop may take, or None for a fixed number of steps.
        facts: of a training state, empty at the beginning.
    """

    def __init__(self, schedule: Schedule, budget: float | None, facts: Mapping[str, Any]) -> None:
        self._schedule, self._budget = schedule, budget
        self._legs = [Leg(*leg) for leg in facts.get("plans", [])] or [Leg(0, 0.0, schedule.steps)]
        self.spent_before: float = facts.get("spent", 0.0)
        self._marks: deque[tuple[int, float]] = deque(maxlen=_RECENT)
        self._count = 0
        self.part = 0 if budget is None else int(self.spent_before / budget * _PARTS)  # twentieths of the time that are spent

    @property
    def steps(self) -> int:
        """Steps of the run, as it is planned now."""
        return self._legs[-1].end

    @property
    def open_ended(self) -> bool:
        """Whether the number of steps may still change."""
        return self._budget is not None

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        return self._schedule.rate(step if self._budget is None else self._place(step))

    def behind(self, step: int, spent: float) -> Leg | None:
        """Tell the clock behind a step, and get the new plan where one was made.

        Args:
            step: how many steps are done.
            spent: seconds of the loop so far, those before the run went on included.
        """
        if self._budget is None:
            return None
        self._marks.append((step, spent))
        self._count += 1
        part = int(spent / self._budget * _PARTS)
        another, self.part = part != self.part, part
        doubled = self._count >= _FIRST_STEPS and self._count & (self._count - 1) == 0
        if self._count < 2 or not (another or doubled):  # the first step is no measure: it fills memory for the first time
            return None
        (first, since), left = self._marks[0], self._budget - spent
        pace = (spent - since) / (step - first)
        leg = Leg(step, self._place(step), step + max(int(left / pace), 0))
        self._legs.append(leg)
        return leg

    def facts(self, spent: float) -> dict[str, Any]:
        """What a training state must hold; nothing where the number of steps is fixed."""
        return {} if self._budget is None else {"spent": spent, "plans": [list(astuple(leg)) for leg in self._legs]}

    def _place(self, step: int) -> float:
        leg = self._legs[-1]
        return leg.place + (step - leg.first) * (self._schedule.steps - leg.place) / max(leg.end - leg.first, 1)

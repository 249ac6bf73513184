"""One loop for every job: batches, losses, clipping, the update, evaluation, the log, training states.

A step is a pure function of the weights, the moments and the step's number: the data come from the workload by number, dropout is seeded
by (seed, step, process, micro-batch), the rate by the schedule. So a run that was killed and goes on ends with the same bits.
"""

import math
import time
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from bertsmith.data.batches import PackedBatch
from bertsmith.errors import Interrupted, UsageError
from bertsmith.models.bert.pack import Pack
from bertsmith.progress import Listener, Stage, note
from bertsmith.records.run import RunFolder
from bertsmith.seeds import bits
from bertsmith.training.course import Course
from bertsmith.training.interrupt import stop_requests
from bertsmith.training.optimizer import Optimizer, restore, state_of
from bertsmith.training.precision import Engine
from bertsmith.training.processes import ALONE, Processes
from bertsmith.training.rules import Rule, optimizer_of
from bertsmith.training.schedule import Schedule
from bertsmith.training.shares import Share, Whole, share_of
from bertsmith.training.shown import Shown
from bertsmith.training.training_state import TrainingState, newest_state, save_state

AHEAD = 2  # steps whose batches are made in advance, in a thread
_PROCESSES = "processes"
_TOLD = 0.1  # a person hears of a new plan that differs so much from the one before; assumed


class StepLoss(NamedTuple):
    """The loss of a micro-batch, and measures that add up over the micro-batches of a step to the step's own."""

    value: Tensor
    measures: Mapping[str, Tensor]


class Workload(Protocol):
    """What is trained: a network, its data by number of the step, its loss, its evaluation."""

    @property
    def name(self) -> str:
        """The stage as a reader sees it."""

    @property
    def model(self) -> nn.Module:
        """The network that is trained."""

    @property
    def measurable(self) -> bool:
        """Whether there is held-out data to evaluate on."""

    @property
    def micro_batch_tokens(self) -> int:
        """Most tokens of a micro-batch."""

    def batches(self, step: int) -> Sequence[PackedBatch]:
        """All sequences of a step, in one stretch or more: a pure function of the number, called in a thread."""

    def loss(self, pack: Pack, whole: Whole) -> StepLoss:
        """The loss of one micro-batch, weighted by what the whole step holds."""

    def evaluate(self, engine: Engine) -> Mapping[str, float]:
        """Measures on held-out data."""


@dataclass(frozen=True)
class Plan:
    """How a workload is trained; everything here was resolved before the first step.

    Args:
        schedule: the learning rates; with a budget its number of steps is the first guess.
        rule: how weights are updated.
        weight_decay: decay of everything but biases and norms.
        clip_norm: most of the gradient's norm, 0 for no limit.
        evaluate_every: steps between two evaluations.
        save_every: steps between two training states.
        seed: of dropout.
        engine: device, number format and threads.
        budget: seconds for the loop in place of a number of steps, or None.
        processes: those that train together.
    """

    schedule: Schedule
    rule: Rule
    weight_decay: float
    clip_norm: float
    evaluate_every: int
    save_every: int
    seed: int
    engine: Engine
    budget: float | None = None
    processes: Processes = ALONE


def train(workload: Workload, plan: Plan, folder: RunFolder, listen: Listener) -> None:
    """Train to the last step, from the newest training state where there is one.

    Raises:
        Interrupted: a stop was asked for; the state is saved.
        UsageError: the loss is no number any more.
        MachineError: a state could not be written, and the one before it is unharmed; or another process is gone.
    """
    workload.model.to(plan.engine.device)
    optimizer, journal = optimizer_of(plan.rule, workload.model, plan.weight_decay), _Journal(folder, plan.processes)
    done, facts = journal.restore(optimizer, listen)
    course = Course(plan.schedule, plan.budget, facts)
    listen(Stage(workload.name, None if course.open_ended else course.steps, "steps"))
    shown, began = Shown(listen), time.perf_counter() - course.spent_before
    with plan.engine.running(), stop_requests(plan.processes.count) as stopping, closing(_ahead(workload, plan, done)) as ahead:
        while done < course.steps:
            share = next(ahead)
            losses, norm = _update(workload, plan, optimizer, done, share, course.rate(done))
            done += 1
            spent, stop, measures = _agreed(plan.processes, time.perf_counter() - began, stopping(), losses)
            journal.log({"step": done, **measures, "gradient_norm": norm, "tokens": share.whole.tokens})
            another_part = _planned_anew(course, done, spent, journal, listen)
            last = done >= course.steps
            shown.step(done, measures, share.whole.tokens, last)
            if (done % plan.evaluate_every == 0 or last) and workload.measurable and plan.processes.leads:
                evaluated = evaluate(workload, plan.engine)
                journal.log({"step": done, "evaluation": True, **evaluated})
                shown.evaluated(evaluated)
            if done % plan.save_every == 0 or another_part or last or stop:
                journal.save(done, optimizer, course.facts(spent))
            if stop and not last:
                raise _interrupted(done, course.steps)


def evaluate(workload: Workload, engine: Engine) -> Mapping[str, float]:
    """The workload's evaluation with dropout off."""
    workload.model.eval()
    try:
        with torch.inference_mode():
            return workload.evaluate(engine)
    finally:
        workload.model.train()


def _update(
    workload: Workload, plan: Plan, optimizer: Optimizer, step: int, share: Share, rate: float
) -> tuple[dict[str, float], float]:
    """One optimizer step over this process's micro-batches: what it measured on them, and the norm of the whole gradient."""
    optimizer.rows.zero()
    total: dict[str, Tensor] = {}
    for number, batch in enumerate(share.parts):
        torch.manual_seed(int(bits(plan.seed, "dropout", step, plan.processes.rank, number) >> 1))
        pack = Pack.of(batch, plan.engine.device)
        with plan.engine.autocast():
            loss = workload.loss(pack, share.whole)
        loss.value.backward()  # type: ignore[no-untyped-call]
        for name, value in loss.measures.items():
            total[name] = total.get(name, 0.0) + value.detach()
    plan.processes.add_up(optimizer.rows.gradients)
    norm = optimizer.rows.clip(plan.clip_norm)
    if not math.isfinite(norm):
        raise UsageError(
            "diverged",
            "the gradient is no number any more at step {step}",
            do="lower --learning-rate or lengthen --warmup, in another run folder; the last training state is kept",
            step=step + 1,
        )
    optimizer.step(rate)
    return {name: float(value) for name, value in total.items()}, norm


def _agreed(
    processes: Processes, spent: float, stop: bool, measures: Mapping[str, float]
) -> tuple[float, bool, dict[str, float]]:
    """The first process's clock, whether any of them was asked to stop, and the measures of the whole step."""
    sums = torch.tensor([spent * processes.leads, stop, *measures.values()], dtype=torch.float64)
    processes.add_up([sums])
    clock, stops, *values = sums.tolist()
    return clock, stops > 0, dict(zip(measures, values, strict=True))


def _ahead(workload: Workload, plan: Plan, first: int) -> Generator[Share]:
    """The share that this process has of every step from `first`, the next ones made in a thread while one is computed."""
    who = plan.processes

    def make(step: int) -> Share:
        return share_of(workload.batches(step), workload.micro_batch_tokens, who.rank, who.count)

    with ThreadPoolExecutor(1, thread_name_prefix="batches") as thread:
        waiting: deque[Future[Share]] = deque()
        for step in range(first, plan.schedule.steps) if plan.budget is None else count(first):
            waiting.append(thread.submit(make, step))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _planned_anew(course: Course, done: int, spent: float, journal: "_Journal", listen: Listener) -> bool:
    """Let the clock plan where it is time to, write the plan down, and tell it where it differs; whether another part of the time is spent."""
    before, part = course.steps, course.part
    leg = course.behind(done, spent)
    if leg is None:
        return False
    journal.log({"step": done, "planned_steps": leg.end, "place": leg.place, "spent_seconds": spent})
    if abs(leg.end - before) > before * _TOLD:
        listen(note("budget-plan", "{steps} steps fit into the time; {done} are done", steps=f"{leg.end:,}", done=f"{done:,}"))
    return course.part != part


def _interrupted(step: int, steps: int) -> Interrupted:
    return Interrupted(
        "interrupted",
        "stopped behind step {step} of {steps}; the training state is saved",
        do="the same command goes on from there",
        step=step,
        steps=steps,
    )


class _Journal:
    """The log and the training states, which the first process alone writes."""

    def __init__(self, folder: RunFolder, processes: Processes) -> None:
        self._folder, self._processes = folder, processes

    def restore(self, optimizer: Optimizer, listen: Listener) -> tuple[int, Mapping[str, Any]]:
        """Go back to the newest state in every process and cut the log to it: the steps that are done, and the facts."""
        state = newest_state(self._folder.states, optimizer.rows.layout, listen) if self._processes.leads else None
        if self._processes.leads:
            self._folder.cut_log(0 if state is None else state.log_size)
        done, facts = self._processes.agreed((0, {}) if state is None else (state.step, state.facts))
        if state is not None:
            restore(optimizer, state.tensors)
            listen(note("going-on", "going on behind step {step}", step=done))
            if facts.get(_PROCESSES, 1) != self._processes.count:
                self.log({"step": done, _PROCESSES: self._processes.count})
        if done:
            self._processes.spread(list(state_of(optimizer).values()))
        return done, facts

    def log(self, values: Mapping[str, Any]) -> None:
        """Append one object to the log."""
        if self._processes.leads:
            self._folder.log(values)

    def save(self, done: int, optimizer: Optimizer, facts: dict[str, Any]) -> None:
        """Write a training state."""
        if self._processes.leads:
            facts = facts | {_PROCESSES: self._processes.count}
            state = TrainingState(done, self._folder.log_size(), optimizer.rows.layout, state_of(optimizer), facts)
            save_state(self._folder.states, state)

"""One loop for every job: batches, losses, clipping, the update, evaluation, the log, training states.

A step is a pure function of the weights, the moments and the step's number: the data come from the workload by number, dropout is seeded
by (seed, step, micro-batch), the rate by the schedule. So a run that was killed and goes on ends with the same bits.
"""

import math
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from bertsmith.data.batches import PackedBatch
from bertsmith.errors import Interrupted, UsageError
from bertsmith.models.bert.pack import Pack
from bertsmith.progress import Advance, Listener, Stage, note
from bertsmith.records.run import RunFolder
from bertsmith.seeds import bits
from bertsmith.training.interrupt import stop_requests
from bertsmith.training.optimizer import AdamW, Flavour
from bertsmith.training.precision import Engine
from bertsmith.training.schedule import Schedule
from bertsmith.training.training_state import TrainingState, newest_state, save_state

AHEAD = 2  # steps whose batches are made in advance, in a thread
_SHOWN_EVERY = 0.2  # seconds between two events of progress
_RECENT = 50  # steps over which shown values are averaged


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

    def batches(self, step: int) -> Sequence[PackedBatch]:
        """The micro-batches of a step: a pure function of the number, called in a thread."""

    def loss(self, pack: Pack, step_batches: Sequence[PackedBatch]) -> StepLoss:
        """The loss of one micro-batch, weighted by what the whole step holds."""

    def evaluate(self, engine: Engine) -> Mapping[str, float]:
        """Measures on held-out data."""


@dataclass(frozen=True)
class Plan:
    """How a workload is trained; everything here was resolved before the first step."""

    schedule: Schedule
    flavour: Flavour
    weight_decay: float
    clip_norm: float
    evaluate_every: int
    save_every: int
    seed: int
    engine: Engine


def train(workload: Workload, plan: Plan, folder: RunFolder, listen: Listener) -> None:
    """Train to the last step, from the newest training state where there is one.

    Raises:
        Interrupted: a stop was asked for; the state is saved.
        UsageError: the loss is no number any more.
        MachineError: a state could not be written; the one before it is unharmed.
    """
    workload.model.to(plan.engine.device)
    optimizer = AdamW(workload.model, plan.flavour, plan.weight_decay)
    done = _restore(optimizer, folder, listen)
    steps = plan.schedule.steps
    listen(Stage(workload.name, steps, "steps"))
    display = _Display(listen, steps)
    with plan.engine.running(), stop_requests() as stopping:
        for step, batches in _made_ahead(workload, done, steps):
            measures = _update(workload, plan, optimizer, step, batches)
            folder.log({"step": step + 1, **measures})
            display.show(step + 1, measures, sum(batch.tokens for batch in batches))
            behind = step + 1
            if (behind % plan.evaluate_every == 0 or behind == steps) and workload.measurable:
                evaluated = evaluate(workload, plan.engine)
                folder.log({"step": behind, "evaluation": True, **evaluated})
                display.evaluated(behind, evaluated)
            stop = stopping() and behind < steps
            if behind % plan.save_every == 0 or behind == steps or stop:
                save_state(folder.states, TrainingState(behind, folder.log_size(), optimizer.layout, optimizer.tensors()))
            if stop:
                raise _interrupted(behind, steps)


def evaluate(workload: Workload, engine: Engine) -> Mapping[str, float]:
    """The workload's evaluation with dropout off."""
    workload.model.eval()
    try:
        with torch.inference_mode():
            return workload.evaluate(engine)
    finally:
        workload.model.train()


def _update(workload: Workload, plan: Plan, optimizer: AdamW, step: int, batches: Sequence[PackedBatch]) -> dict[str, float]:
    """One optimizer step over its micro-batches: what it measured."""
    optimizer.zero()
    total: dict[str, Tensor] = {}
    for number, batch in enumerate(batches):
        torch.manual_seed(int(bits(plan.seed, "dropout", step, 0, number) >> 1))
        pack = Pack.of(batch, plan.engine.device)
        with plan.engine.autocast():
            loss = workload.loss(pack, batches)
        loss.value.backward()  # type: ignore[no-untyped-call]
        for name, value in loss.measures.items():
            total[name] = total.get(name, 0.0) + value.detach()
    norm = optimizer.clip(plan.clip_norm)
    if not math.isfinite(norm):
        raise UsageError(
            "diverged",
            "the gradient is no number any more at step {step}",
            do="lower --learning-rate or lengthen --warmup, in another run folder; the last training state is kept",
            step=step + 1,
        )
    optimizer.step(plan.schedule.rate(step))
    return {**{name: float(value) for name, value in total.items()}, "gradient_norm": norm}


def _restore(optimizer: AdamW, folder: RunFolder, listen: Listener) -> int:
    """Go back to the newest state, cut the log to it, and tell the steps that are done."""
    state = newest_state(folder.states, optimizer.layout, listen)
    folder.cut_log(0 if state is None else state.log_size)
    if state is None:
        return 0
    optimizer.restore(state.tensors)
    listen(note("going-on", "going on behind step {step}", step=state.step))
    return state.step


def _made_ahead(workload: Workload, first: int, steps: int) -> Iterator[tuple[int, Sequence[PackedBatch]]]:
    """The batches of every step from `first`, the next ones made in a thread while one is computed."""
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as thread:
        waiting: deque[Future[Sequence[PackedBatch]]] = deque()
        for step in range(first, steps):
            while len(waiting) <= AHEAD and step + len(waiting) < steps:
                waiting.append(thread.submit(workload.batches, step + len(waiting)))
            yield step, waiting.popleft().result()


def _interrupted(step: int, steps: int) -> Interrupted:
    return Interrupted(
        "interrupted",
        "stopped behind step {step} of {steps}; the training state is saved",
        do="the same command goes on from there",
        step=step,
        steps=steps,
    )


class _Display:
    """Progress events at a readable pace, with means over the last steps and the speed."""

    def __init__(self, listen: Listener, steps: int) -> None:
        self._listen, self._steps = listen, steps
        self._recent: deque[dict[str, float]] = deque(maxlen=_RECENT)
        self._tokens: deque[tuple[float, int]] = deque([(time.perf_counter(), 0)], maxlen=_RECENT)
        self._evaluated: dict[str, float] = {}
        self._last = 0.0

    def show(self, step: int, measures: dict[str, float], tokens: int) -> None:
        now = time.perf_counter()
        self._recent.append(measures)
        self._tokens.append((now, tokens))
        if now - self._last < _SHOWN_EVERY and step < self._steps:
            return
        self._last = now
        means = {
            name: sum(one[name] for one in self._recent) / len(self._recent) for name in measures if name != "gradient_norm"
        }
        span = now - self._tokens[0][0]
        speed = sum(count for _, count in list(self._tokens)[1:]) / span if span else 0.0
        self._listen(Advance(step, {**means, **self._evaluated, "tokens_per_second": round(speed)}))

    def evaluated(self, step: int, measures: Mapping[str, float]) -> None:
        self._evaluated = {f"held_out_{name}": value for name, value in measures.items()}
        self._last = 0.0

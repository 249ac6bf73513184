"""How fast our pretraining step runs on this machine, measured in seconds: a ceiling of products, then real steps of the real loop.

The network, the optimizer, the batches and the loop are those of `pretrain`; only the texts are made up. Where a whole step would take
too long, fewer or shorter sequences are measured and the rest is reckoned by operations; the optimizer, which does not depend on them,
is timed by itself.
"""

import contextlib
import dataclasses
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from bertsmith.config.bert import BertConfig
from bertsmith.config.estimate.flops import Pass, flops
from bertsmith.config.estimate.work import Work, typical_batch
from bertsmith.data.batches import PackedBatch, frame, pack
from bertsmith.data.instances import Instances
from bertsmith.data.masking import MaskRules, mask
from bertsmith.models.bert.heads import BertForPretraining
from bertsmith.progress import Listener, Stage, ignore
from bertsmith.records.run import RunFolder
from bertsmith.training.loop import Plan, train
from bertsmith.training.optimizer import AdamW, Flavour
from bertsmith.training.precision import Engine
from bertsmith.training.pretraining.objective import Pretraining
from bertsmith.training.rules import Rule
from bertsmith.training.schedule import Decay, Schedule

SECONDS = 20.0  # of a probe, at most
MOST_STEPS = 60  # more say no more
_CEILING_SECONDS = 1.5
_FIRST_STEPS = 8  # the first two steps take a quarter of the time, if the guess of their speed is right
_STEPS = 5  # that should fit in what is left behind them, the first of them not counted
_SHARE = 0.3  # of the ceiling that a step reaches; assumed for the first two steps, which then tell
_LEAST = 1e-4  # seconds of a step without its optimizer, so that noise makes no speed without bounds
_ORDINARY = 5  # the first id that is no special piece
_MASK = 4


@dataclass(frozen=True)
class Probe:
    """What was measured.

    Args:
        ceiling: operations a second of a large product.
        steps: how many steps were measured; 0 where not even a short one fits, and the ceiling alone has to do.
        tokens: tokens of a measured step.
        measured_seconds: median time of a measured step.
        optimizer_seconds: of which zeroing, norm and update take so much.
        step_seconds: predicted time of a whole step.
        reached: share of the ceiling that the products of a whole step reach.
    """

    ceiling: float
    steps: int
    tokens: int
    measured_seconds: float
    optimizer_seconds: float
    step_seconds: float
    reached: float


def probe(
    config: BertConfig,
    lengths: Sequence[int],
    *,
    batch_size: int,
    micro_batch_tokens: int,
    masked_share: float,
    engine: Engine,
    listen: Listener = ignore,
) -> Probe:
    """Measure this machine for at most 20 seconds.

    Args:
        config: the network as it is trained, with its dropout.
        lengths: lengths of the sequences, a sample of any size.
        batch_size: sequences of a step.
        micro_batch_tokens: most tokens of a micro-batch.
        masked_share: share of the tokens to predict.
        engine: device, number format and threads.
        listen: told the stage.
    """
    end = time.perf_counter() + SECONDS
    listen(Stage("measuring"))
    with engine.running():
        top = ceiling(engine)
        model = _network(config, engine)
        optimizer_seconds = _optimizer_seconds(model)
    whole = typical_batch(lengths, batch_size)

    def measured(sequences: list[int], most: int) -> list[float]:
        instances = cast(Instances, MadeInstances(sequences, config.vocab_size, masked_share))
        workload = Pretraining(model, instances, None, len(sequences), micro_batch_tokens, 1)
        return step_seconds(workload, engine, until=end, most=most)

    def fitting(speed: float, steps: int) -> list[int]:
        left = (end - time.perf_counter()) / steps - optimizer_seconds
        return affordable(config, whole, masked_share, speed * max(left, 0.0))

    first = fitting(top * _SHARE, _FIRST_STEPS)
    total = _operations(config, whole, masked_share)
    if _operations(config, first, masked_share) > top * (end - time.perf_counter()) / 2:
        return Probe(top, 0, 0, 0.0, optimizer_seconds, total / top + optimizer_seconds, 1.0)
    behind = measured(first, 2)[-1] - optimizer_seconds
    chosen = fitting(_operations(config, first, masked_share) / max(behind, _LEAST), _STEPS)
    seconds = measured(chosen, MOST_STEPS)
    median = statistics.median(seconds[1:] or seconds)
    part = _operations(config, chosen, masked_share)
    predicted = median if chosen == whole else max(median - optimizer_seconds, median / 2) * total / part + optimizer_seconds
    return Probe(top, len(seconds), sum(chosen), median, optimizer_seconds, predicted, total / predicted / top)


def ceiling(engine: Engine) -> float:
    """Operations a second of a product of two square matrices; the best of the tries that fit in a second and a half."""
    dtype = torch.bfloat16 if engine.precision == "bf16" else torch.float32
    best, end, size = 0.0, time.perf_counter() + _CEILING_SECONDS, 256
    while time.perf_counter() < end:
        a = torch.ones(size, size, dtype=dtype, device=engine.device)
        start = time.perf_counter()
        float((a @ a)[0, 0])  # reading a number waits for the product
        best = max(best, 2 * size**3 / (time.perf_counter() - start))
        size = min(2 * size, 1024) if 16 * size**3 / best < _CEILING_SECONDS / 8 else size
    return best


def step_seconds(workload: Pretraining, engine: Engine, *, until: float, most: int = MOST_STEPS) -> list[float]:
    """Seconds of each step of the real loop.

    Args:
        workload: what is trained; its weights change.
        engine: device, number format and threads.
        until: no step begins after this time of `time.perf_counter`.
        most: steps.
    """
    schedule = Schedule(1e-4, most + 1, 0.1, Decay.LINEAR)
    plan = Plan(schedule, Rule.ADAMW, 0.01, 1.0, most + 2, most + 2, 0, engine)
    with tempfile.TemporaryDirectory() as place:
        watch = _Stopwatch(Path(place), until, most)
        with contextlib.suppress(_Enough):
            train(workload, plan, watch, ignore)
    return watch.seconds


class _Enough(Exception):
    """The stopwatch has seen what it needs."""


class _Stopwatch(RunFolder):
    """A run folder that times the steps which are logged in it, and ends the loop."""

    def __init__(self, path: Path, until: float, most: int) -> None:
        super().__init__(path)
        self._until, self._most, self._last = until, most, 0.0
        self.seconds: list[float] = []

    def cut_log(self, size: int) -> None:
        """Called when the loop is ready to begin."""
        super().cut_log(size)
        self._last = time.perf_counter()

    def log(self, values: Mapping[str, Any]) -> None:
        """Called behind each step."""
        super().log(values)
        now = time.perf_counter()
        self.seconds.append(now - self._last)
        self._last = now
        if len(self.seconds) >= self._most or now + self.seconds[-1] > self._until:
            raise _Enough


class MadeInstances:
    """Made-up masked pairs of given lengths, in the place of `data.instances.Instances`.

    Args:
        lengths: of the sequences of a step; they come again in every step.
        vocab_size: pieces to draw from.
        masked_share: share of the tokens to predict.
    """

    def __init__(self, lengths: Sequence[int], vocab_size: int, masked_share: float) -> None:
        self._lengths = np.array(lengths, np.int64)
        self._rules = MaskRules(masked_share, vocab_size, min(_MASK, vocab_size - 1), 0)

    def count(self, epoch: int) -> int:
        """Instances of an epoch: without end."""
        return 2**40

    def batch(self, epoch: int, positions: range) -> PackedBatch:
        """The instances at some positions; a pure function of them."""
        random = np.random.default_rng([epoch, positions.start])
        index_B = np.arange(positions.start, positions.stop)
        framed = [self._pair(random, int(n)) for n in self._lengths[index_B % len(self._lengths)]]
        plain = pack([ids for ids, _ in framed], [segments for _, segments in framed], random.integers(0, 2, len(framed)))
        ordinary_T = plain.ids_T >= _ORDINARY
        shown_T, masked_M, labels_M = mask(plain.ids_T, ordinary_T, plain.cu_seqlens, epoch, index_B, self._rules)
        return dataclasses.replace(plain, ids_T=shown_T, masked_M=masked_M, labels_M=labels_M)

    def _pair(self, random: np.random.Generator, length: int) -> tuple[np.ndarray, np.ndarray]:
        words = random.integers(_ORDINARY, self._rules.vocab_size, max(length - 3, 2))
        return frame(words[: len(words) // 2], words[len(words) // 2 :], 2, 3)


def _network(config: BertConfig, engine: Engine) -> BertForPretraining:
    """The network with plain random weights: drawing the truncated ones takes longer than the probe may."""
    with torch.device("meta"):
        model = BertForPretraining(config)
    model.to_empty(device=engine.device)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                parameter.fill_(1.0 if "norm" in name and name.endswith("weight") else 0.0)
            else:
                parameter.normal_(0.0, config.initializer_range)
    return model


def _optimizer_seconds(model: BertForPretraining) -> float:
    """Zeroing, norm and update, the better of two; the first one makes the moments' pages."""
    optimizer = AdamW(model, Flavour.CORRECTED, 0.01)
    tries = []
    for _ in range(2):
        start = time.perf_counter()
        optimizer.rows.zero()
        optimizer.rows.clip(1.0)
        optimizer.step(0.0)
        tries.append(time.perf_counter() - start)
    return min(tries)


def _operations(config: BertConfig, lengths: Sequence[int], masked_share: float) -> float:
    return flops(config, Work.of(lengths, masked_share), Pass.TRAINING).total


def affordable(config: BertConfig, whole: list[int], masked_share: float, operations: float) -> list[int]:
    """The whole batch where its training step takes at most so many operations, else fewer sequences of the same kind, else one shorter one."""
    chosen = whole
    while len(chosen) > 1 and _operations(config, chosen, masked_share) > operations:
        chosen = typical_batch(whole, len(chosen) // 2)
    while chosen[0] > 2 * _ORDINARY and _operations(config, chosen, masked_share) > operations:
        chosen = [chosen[0] // 2]
    return chosen

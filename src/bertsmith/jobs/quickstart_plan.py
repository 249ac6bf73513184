"""How much the quickstart does on this machine: fixed steps, chosen once from a short measurement and written down."""

import time
from dataclasses import dataclass

import numpy as np
import torch

from bertsmith.config.bert import BertConfig
from bertsmith.data.batches import PackedBatch, frame, pack
from bertsmith.machine import keep_freed_pages
from bertsmith.models.bert.heads import BertForPretraining
from bertsmith.models.bert.initialize import initialize
from bertsmith.models.bert.pack import Pack
from bertsmith.progress import Listener, note

VOCABULARY = 8000  # pieces: the head's cost is in proportion, and a few million words fill no larger one
LENGTH, BATCH = 64, 32
INITIAL_DEVIATION = 0.035  # of the weights; measured, docs/decisions/0004
_TRIES = 10
_SEQUENCE = 50  # mean tokens of a documentation pair at length 64, measured


@dataclass(frozen=True)
class Plan:
    """Sizes and steps.

    Args:
        name: `full`, `half`, `quarter` or `smoke`.
        steps: of pretraining.
        examples: most training examples of the classifier.
        epochs: passes of each fine-tuning.
        probes: sentences of the word-swap probe.
    """

    name: str
    steps: int
    examples: int
    epochs: int
    probes: int


PLANS = {
    "full": Plan("full", 1800, 2000, 6, 150),
    "half": Plan("half", 900, 2000, 6, 100),
    "quarter": Plan("quarter", 450, 1000, 6, 50),
    "smoke": Plan("smoke", 20, 64, 1, 10),
}
# Tokens a second, as `tokens_per_second` measures them, below which a plan takes over eight minutes on two cores: `full` took 7.1 at
# 20,600, `half` does 307/430 of its work, and every part of it scales with the speed.
LEAST_SPEED = {"full": 18_300, "half": 13_000}


def network(vocab_size: int) -> BertConfig:
    """Two layers of width 128: the largest network that leaves the plateau of the first minutes in the time there is."""
    return BertConfig(
        vocab_size=vocab_size,
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=512,
        max_position_embeddings=128,
        initializer_range=INITIAL_DEVIATION,
    )


def plan_of(scale: str, threads: int, listen: Listener) -> Plan:
    """The plan of a scale; `auto` measures a few training steps."""
    if scale != "auto":
        return PLANS[scale]
    speed = tokens_per_second(threads)
    plan = fitting(speed)
    listen(
        note(
            "quickstart-plan",
            "this machine trains about {speed} tokens/s: the {plan} plan, {steps} steps of pretraining",
            speed=f"{speed:,.0f}",
            plan=plan.name,
            steps=f"{plan.steps:,}",
        )
    )
    return plan


def fitting(speed: float) -> Plan:
    """The largest plan that ends within eight minutes at a speed in tokens a second, or else the smallest one that is of use."""
    return next((PLANS[name] for name, least in LEAST_SPEED.items() if speed >= least), PLANS["quarter"])


def tokens_per_second(threads: int) -> float:
    """The speed of pretraining steps; the best of a few, because what disturbs a shared machine for a moment says nothing about it."""
    torch.set_num_threads(threads)
    keep_freed_pages()
    model = BertForPretraining(network(VOCABULARY))
    initialize(model, INITIAL_DEVIATION, 0)
    batch = _batch()
    speeds = []
    for _ in range(_TRIES):
        start = time.perf_counter()
        loss = model(Pack.of(batch), 1.0, 1.0)
        loss.masked_lm.value.backward()
        speeds.append(batch.tokens / (time.perf_counter() - start))
    return max(speeds)


def _batch() -> PackedBatch:
    words = np.arange(_SEQUENCE - 3) + 10
    framed = [frame(words[:20], words[20:], 2, 3) for _ in range(BATCH)]
    plain = pack([ids for ids, _ in framed], [segments for _, segments in framed], np.zeros(BATCH, np.int64))
    rows_M = np.arange(5, plain.tokens, 7)
    fields = (plain.segments_T, plain.positions_T, plain.cu_seqlens, plain.order_B)
    return PackedBatch(plain.ids_T, *fields, rows_M, plain.ids_T[rows_M], plain.targets_B)

"""Predicted memory against the measured peak of a training process."""

import json
import subprocess
import sys
from itertools import accumulate
from pathlib import Path

import pytest
import torch

from bertsmith.config.estimate.memory import Precision, training_memory
from bertsmith.config.estimate.memory_textbook import Attention, inference_memory, padded_layer, textbook_memory
from bertsmith.config.estimate.parameters import parameters
from bertsmith.config.estimate.work import Work
from bertsmith.config.presets import preset
from bertsmith.models.bert.heads import BertForPretraining
from bertsmith.models.bert.initialize import initialize
from bertsmith.models.bert.pack import Pack
from bertsmith.training.optimizer import AdamW, Flavour
from bertsmith.training.pretraining.probe import MadeInstances

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "estimate.py"
TOKENS = {"fp32": 1024, "bf16": 256}  # of a micro-batch, as in the benchmark
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="memory is read from /proc, which only Linux has"
)


def measured(model: str, precision: str, length: int, *, dropout: float = 0.1) -> float:
    """Peak bytes of a process of its own that trains for a few steps of the real loop, as the benchmark measures them."""
    variant = {"model": model, "precision": precision, "length": length, "dropout": dropout}
    run = subprocess.run([sys.executable, BENCHMARK, "--worker", json.dumps(variant)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return float(run.stdout)


def predicted(model: str, precision: str, length: int, *, dropout: float = 0.1) -> float:
    config = preset(model).replace(hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout)
    work = Work.of([length] * (TOKENS[precision] // length), 0.15)
    return training_memory(config, work, Precision[precision]).total


CASES = [
    *((name, "fp32", length) for name in ("tiny", "mini") for length in (64, 256)),
    *(("tiny", "bf16", length) for length in (64, 256)),
    ("mini", "bf16", 64),
    pytest.param("mini", "bf16", 256, marks=pytest.mark.slow),
    *(
        pytest.param(name, precision, length, marks=pytest.mark.slow)
        for name in ("small", "base")
        for precision in ("fp32", "bf16")
        for length in (64, 256)
    ),
]


@needs_proc
@pytest.mark.parametrize(("model", "precision", "length"), CASES)
def test_a_training_process_takes_what_was_predicted_within_a_tenth(model, precision, length):
    assert predicted(model, precision, length) == pytest.approx(measured(model, precision, length), rel=0.1)


@needs_proc
def test_without_dropout_there_are_no_masks_in_memory():
    expected = predicted("mini", "fp32", 256, dropout=0.0)
    assert expected == pytest.approx(measured("mini", "fp32", 256, dropout=0.0), rel=0.1)
    assert expected < predicted("mini", "fp32", 256)


def alive_at_most(config, lengths, precision) -> int:
    """The most bytes of tensors that are alive at once while a step's losses and gradients are computed, by torch's profiler."""
    model = BertForPretraining(config)
    initialize(model, 0.02, 0)
    AdamW(model, Flavour.CORRECTED, 0.01)
    batch = MadeInstances(lengths, config.vocab_size, 0.15).batch(0, range(len(lengths)))
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            loss = model(Pack.of(batch), 1 / len(batch.masked_M), 1 / batch.sequences)
        (loss.masked_lm.value + loss.next_sentence.value).backward()
    events = [event for event in profile.profiler.kineto_results.events() if event.name() == "[memory]"]
    return max(accumulate(event.nbytes() for event in sorted(events, key=lambda event: event.start_ns())))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize(
    ("pieces", "length"), [(20_000, 32), (300, 32), (300, 400)], ids=["the head", "feed-forward", "attention is fullest"]
)
def test_the_tensors_of_a_step_take_what_the_formulas_say_within_four_percent(precision, dropout, pieces, length):
    config = preset("tiny", vocab_size=pieces).replace(
        num_hidden_layers=1, hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout
    )
    lengths = [length] * (400 // length)
    memory = training_memory(config, Work.of(lengths, 0.15), Precision[precision])
    predicted_bytes = memory.casts + memory.layers + memory.head + memory.working
    assert predicted_bytes == pytest.approx(alive_at_most(config, lengths, precision), rel=0.04)


def test_states_are_sixteen_bytes_a_parameter():
    memory = training_memory(preset("small"), Work.of([64], 0.15), Precision.fp32)
    assert memory.weights + memory.gradients + memory.moments == 16 * parameters(preset("small")).pretraining


def test_the_parts_add_up_to_the_total():
    memory = training_memory(preset("tiny"), Work.of([64] * 4, 0.15), Precision.bf16)
    names = ("libraries", "weights", "gradients", "moments", "casts", "layers", "head", "working", "slack")
    assert memory.total == sum(getattr(memory, name) for name in names)


def test_a_padded_layer_in_half_precision_keeps_what_korthikanti_2022_counts():
    config, work = preset("base"), Work.padded(4, 128)
    s, b, h, a = 128, 4, 768, 12
    assert padded_layer(config, work, Precision.bf16, Attention.EAGER) == s * b * h * (34 + 5 * a * s / h)


def test_fused_attention_and_checkpointing_both_save_memory():
    config, work = preset("base"), Work.padded(8, 512)
    plain = textbook_memory(config, work, Precision.bf16, Attention.EAGER, recompute=False)
    fused = textbook_memory(config, work, Precision.bf16, Attention.FUSED, recompute=False)
    again = textbook_memory(config, work, Precision.bf16, Attention.EAGER, recompute=True)
    assert fused.layers < plain.layers
    assert again.layers < plain.layers / 5
    assert plain.states == fused.states == again.states == 18 * parameters(config).pretraining


def test_inference_keeps_nothing_from_layer_to_layer():
    work = Work.of([128] * 8, 0.15)
    deep, flat = (inference_memory(preset(name), work, Precision.fp32) for name in ("medium", "small"))
    assert deep.working == flat.working
    assert deep.weights > flat.weights

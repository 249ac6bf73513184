"""Time: the data sheets, and the probe. No test asserts how long anything takes."""

import dataclasses

import numpy as np
import pytest

from bertsmith.config.bert import BertConfig
from bertsmith.config.estimate.flops import Pass, flops
from bertsmith.config.estimate.gpus import GPUS, REACHED, gpu_step
from bertsmith.config.estimate.memory import Precision
from bertsmith.config.estimate.milestones import MILESTONES
from bertsmith.config.estimate.work import Work
from bertsmith.config.presets import preset
from bertsmith.training.precision import Engine
from bertsmith.training.pretraining.probe import MadeInstances, affordable, probe

SMALL = BertConfig(
    vocab_size=200,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    max_position_embeddings=64,
)
WORK = Work.of([128] * 256, 0.15)


@pytest.mark.parametrize("name", GPUS)
def test_a_gpu_never_computes_faster_than_its_data_sheet(name):
    config = preset("base")
    for precision, peak in ((Precision.fp32, GPUS[name].fp32), (Precision.bf16, GPUS[name].half)):
        step = gpu_step(config, WORK, GPUS[name], precision, Pass.TRAINING)
        assert flops(config, WORK, Pass.TRAINING).total / step.products == pytest.approx(REACHED[precision] * peak * 1e12)
        assert step.total >= step.products


def test_the_step_of_a_small_network_is_the_launching_of_its_kernels():
    step = gpu_step(preset("tiny"), Work.of([128] * 8, 0.15), GPUS["H100-SXM"], Precision.bf16, Pass.TRAINING)
    assert step.total == step.launches > step.products + step.traffic


def test_recomputation_takes_longer():
    times = [
        gpu_step(preset("base"), WORK, GPUS["T4"], Precision.bf16, which).total for which in (Pass.TRAINING, Pass.RECOMPUTED)
    ]
    assert times[0] < times[1]


def test_milestones_rise_and_have_a_source():
    assert [stone.tokens for stone in MILESTONES] == sorted(stone.tokens for stone in MILESTONES)
    assert all(stone.source.en and stone.source.zh for stone in MILESTONES)


def test_made_instances_are_a_function_of_their_positions_and_have_the_lengths_that_were_asked_for():
    made = MadeInstances([20, 50, 33], 200, 0.15)
    batch, again = made.batch(0, range(3)), made.batch(0, range(3))
    assert sorted(np.diff(batch.cu_seqlens).tolist()) == [20, 33, 50]
    assert all(np.array_equal(getattr(batch, f.name), getattr(again, f.name)) for f in dataclasses.fields(batch))
    assert len(batch.masked_M) == Work.of([20, 50, 33], 0.15).predicted
    assert not np.array_equal(batch.ids_T, made.batch(0, range(3, 6)).ids_T)


def test_a_probe_measures_real_steps_of_the_whole_batch_where_they_are_short():
    lengths = [12, 30, 22, 48]
    found = probe(SMALL, lengths, batch_size=4, micro_batch_tokens=60, masked_share=0.15, engine=Engine("cpu", "fp32", 1))
    assert found.tokens == sum(lengths)
    assert found.steps > 5
    assert found.step_seconds == found.measured_seconds > 0
    assert found.ceiling > 0 and 0 < found.reached < 1


def test_where_a_step_would_take_too_long_fewer_and_then_shorter_sequences_are_measured():
    config, whole = preset("base"), [128] * 32
    one = flops(config, Work.of([128], 0.15), Pass.TRAINING).total
    assert affordable(config, whole, 0.15, 100 * one) == whole
    assert affordable(config, whole, 0.15, 5 * one) == [128] * 4
    assert affordable(config, whole, 0.15, one / 3) == [32]

"""Phases: lengths that change within one run."""

import signal

import numpy as np
import pytest
from test_exact_resume import results_of
from tiny_pretraining import make_config, make_settings, make_store

from bertsmith.data.instance_settings import Objective
from bertsmith.errors import ConfigError, Interrupted
from bertsmith.jobs.pretrain import pretrain
from bertsmith.progress import ignore
from bertsmith.training import loop
from bertsmith.training.pretraining.phases import Phase, batch_sizes, first_steps, phases_of, seed_of
from bertsmith.training.pretraining.run import start_of, workload_of

PAPER = (Phase(128, 0.9), Phase(512, 0.1))
PHASES = "16:0.5,32:0.5"


@pytest.fixture
def store(tmp_path):
    make_config(tmp_path)
    return make_store(tmp_path)


def made(tmp_path, store, **changes):
    settings = make_settings(tmp_path, tmp_path / "run", **changes)
    return workload_of(settings, store, start_of(settings, store, ignore), Objective.MLM_NSP)


def test_phases_are_lengths_with_their_shares():
    assert phases_of("128:0.9,512:0.1") == PAPER
    assert phases_of("64:1") == (Phase(64, 1.0),)


@pytest.mark.parametrize(
    "text", ["", "128", "128:0.9", "128:0.9,512:0.2", "128:x,512:0.1", "4:0.5,8:0.5", "128:1,512:0", "128:0.9;512:0.1"]
)
def test_what_says_no_phases_is_none(text):
    assert phases_of(text) is None


def test_a_bad_text_is_refused_under_its_flag(tmp_path):
    with pytest.raises(ConfigError) as refused:
        make_settings(tmp_path, tmp_path / "run", phases="128:0.9")
    assert (refused.value.code, refused.value.values["field"]) == ("no-phases", "phases")


def test_borders_are_the_shares_of_the_steps():
    assert first_steps(PAPER, 1000) == [0, 900]
    assert first_steps(phases_of("8:0.333333,16:0.333333,32:0.333334"), 90) == [0, 30, 60]


def test_the_steps_of_later_phases_hold_about_as_many_tokens():
    assert batch_sizes(PAPER, 256) == [256, 64]
    assert batch_sizes(PAPER, 1) == [1, 1]


def test_the_first_phase_has_the_seed_of_the_run_and_each_other_one_of_its_own():
    seeds = [seed_of(7, number) for number in range(4)]
    assert seeds[0] == 7
    assert len(set(seeds)) == 4


def test_the_border_changes_length_and_number_of_sequences(tmp_path, store):
    workload = made(tmp_path, store, phases=PHASES, steps=8, batch_size=6)
    before, after = workload.batches(3), workload.batches(4)
    assert max(np.diff(batch.cu_seqlens).max() for batch in before) <= 16
    assert max(np.diff(batch.cu_seqlens).max() for batch in after) > 16
    assert (sum(batch.sequences for batch in before), sum(batch.sequences for batch in after)) == (6, 3)


def test_a_phase_begins_with_its_own_first_instance_whatever_came_before(tmp_path, store):
    short, long = (made(tmp_path, store, phases=PHASES, steps=steps, batch_size=6) for steps in (8, 40))
    assert np.array_equal(short.batches(4)[0].ids_T, long.batches(20)[0].ids_T)


def test_one_phase_is_a_run_without_phases(tmp_path, store):
    with_one, without = made(tmp_path, store, phases="32:1"), made(tmp_path, store, max_seq_length=32)
    for step in (0, 5):
        for ours, theirs in zip(with_one.batches(step), without.batches(step), strict=True):
            assert np.array_equal(ours.ids_T, theirs.ids_T)


def test_the_longest_phase_is_what_is_evaluated_and_what_positions_must_hold(tmp_path, store):
    workload = made(tmp_path, store, phases=PHASES)
    assert workload.held_out.pair_rules.max_seq_length == 32
    with pytest.raises(ConfigError) as refused:
        made(tmp_path, store, phases="16:0.5,64:0.5")
    assert refused.value.code == "too-few-positions"


@pytest.mark.parametrize("stop_behind", [5, 6, 7])
def test_a_run_that_stops_at_the_border_and_goes_on_ends_with_the_same_bits(tmp_path, store, monkeypatch, stop_behind):
    pretrain(make_settings(tmp_path, tmp_path / "whole", steps=12, phases=PHASES), given={})
    settings = make_settings(tmp_path, tmp_path / "stopped", steps=12, phases=PHASES, save_every=100)
    original, calls = loop._update, []

    def stopping(*arguments):
        calls.append(1)
        if len(calls) == stop_behind:
            signal.raise_signal(signal.SIGINT)
        return original(*arguments)

    monkeypatch.setattr(loop, "_update", stopping)
    with pytest.raises(Interrupted):
        pretrain(settings, given={})
    monkeypatch.undo()
    pretrain(settings, given={})
    assert results_of(tmp_path / "stopped") == results_of(tmp_path / "whole")

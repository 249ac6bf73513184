"""Several processes train one network: the same instances and masks as one, the same gradients, one message."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_pretraining import make_config, make_store

from bertsmith.errors import UsageError
from bertsmith.training.processes import Processes, _leave_word

DRIVER = Path(__file__).with_name("many_processes.py")
STEPS = 30


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """All runs, done once: their folder, and what each process told."""
    folder = tmp_path_factory.mktemp("processes")
    make_store(folder)
    make_config(folder, dropout=0.0)
    done = subprocess.run([sys.executable, DRIVER, folder], env=environment(), capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout.splitlines()[-1])


def environment():
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}


def data_of(folder, name):
    """Every sequence that any process of a run computed, each once."""
    return {line for path in folder.glob(f"{name}.*.data") for line in path.read_text().splitlines()}


def steps_of(folder, name):
    lines = (json.loads(line) for line in (folder / name / "log.jsonl").read_text().splitlines())
    return [line for line in lines if "gradient_norm" in line]


def weights_of(folder, name):
    return (folder / name / "model" / "model.safetensors").read_bytes()


def test_the_first_process_alone_has_a_result(runs):
    _, told = runs
    leader, *others = told["three"]
    assert leader["steps"] == STEPS
    assert others == [None, None]


@pytest.mark.parametrize("name", ["two", "three", "changing"])
def test_instances_and_masks_do_not_depend_on_the_number_of_processes(runs, name):
    folder, _ = runs
    assert data_of(folder, name) == data_of(folder, "one")
    assert len(data_of(folder, "one")) > 100


@pytest.mark.parametrize("name", ["two", "three", "changing"])
def test_losses_of_the_first_20_steps_agree_within_1e_5(runs, name):
    folder, _ = runs
    for ours, alone in zip(steps_of(folder, name)[:20], steps_of(folder, "one")[:20], strict=True):
        for measure in ("mlm_loss", "nsp_loss"):
            assert ours[measure] == pytest.approx(alone[measure], rel=1e-5)


def test_another_number_of_processes_is_not_exact_must_be_allowed_and_is_written_down(runs):
    folder, told = runs
    stopped, refused, again, finished = told["changing"]
    assert stopped == [{"stopped": 10}]
    assert refused[0]["error"] == "inexact"
    assert refused[0]["values"]["differences"] == "processes 1 → 2"
    assert again == [{"stopped": 20}, {"stopped": 20}]
    assert finished[0]["steps"] == STEPS
    lines = (folder / "changing" / "log.jsonl").read_text().splitlines()
    assert [line for line in map(json.loads, lines) if "processes" in line] == [
        {"step": 10, "processes": 2},
        {"step": 20, "processes": 1},
    ]


def test_a_stop_in_any_process_stops_all_behind_the_same_step_and_going_on_gives_the_same_bits(runs):
    folder, told = runs
    stopped, finished = told["resumed"]
    assert stopped == [{"stopped": 15}, {"stopped": 15}]
    assert finished[0]["steps"] == STEPS
    assert weights_of(folder, "resumed") == weights_of(folder, "two")


def test_a_fault_of_another_process_is_told_by_the_first(runs):
    _, told = runs
    leader, _ = told["failed"]
    assert leader["error"] == "process-failed"
    assert leader["values"] == {"rank": "1", "count": "2", "reason": "RuntimeError: out of memory, made up"}


def test_a_process_that_is_gone_without_a_word_is_told_as_such(runs):
    _, told = runs
    leader, gone = told["killed"]
    assert leader["error"] == "process-lost"
    assert gone is None


def test_fewer_sequences_than_processes_are_refused(runs):
    _, told = runs
    assert [one["error"] for one in told["too many"]] == ["fewer-sequences-than-processes"] * 3


class Gone:
    """The store of a first process that has ended."""

    def check(self, keys):
        raise torch.distributed.DistNetworkError("Connection was likely closed.")


def test_a_fault_stays_what_it_is_where_the_first_process_took_the_store_along():
    fault = UsageError("some-fault", "something is wrong", do="mend it")
    alone = Processes(1, 2, Gone())
    _leave_word(alone, fault)  # nobody is left to tell, and that is no error of its own
    assert alone._fault().code == "process-lost"


def test_micro_batches_on_one_and_on_two_processes_give_the_gradient_of_the_whole_batch(runs):
    """Unequal numbers of masked tokens and of pairs weigh by their whole sums: equal within 1e-6 in double precision."""
    _, told = runs
    whole, cut, dealt = (torch.load(path) for path in told["gradients"])
    for gradients in (cut, dealt):
        for ours, theirs in zip(gradients, whole, strict=True):
            assert ours.dtype == torch.float64
            assert float((ours - theirs).norm() / theirs.norm()) < 1e-6


def test_torchrun_starts_the_command_line_and_one_process_speaks(tmp_path):
    make_store(tmp_path)
    make_config(tmp_path)
    flags = "--batch-size 6 --max-seq-length 32 --device cpu --precision fp32 --steps 4 --evaluate-every 4 --save-every 4"
    words = ["pretrain", tmp_path / "store", "--model", tmp_path / "config.json", "--output", tmp_path / "run", *flags.split()]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--rdzv-backend", "c10d"]
    launcher += ["--rdzv-endpoint", "localhost:0", "-m", "bertsmith", *words]
    done = subprocess.run(launcher, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("masked LM loss") == 1
    assert json.loads((tmp_path / "run" / "run.json").read_text())["machine"]["processes"] == 2

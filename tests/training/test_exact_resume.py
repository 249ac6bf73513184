"""A run that was killed or stopped ends with the same bits as one that was not."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_pretraining import make_config, make_settings, make_store

from bertsmith.errors import Interrupted
from bertsmith.jobs.pretrain import pretrain
from bertsmith.training.interrupt import stop_requests
from bertsmith.training.pretraining.objective import Pretraining

DRIVER = Path(__file__).with_name("killed_run.py")


def results_of(output):
    return [(output / name).read_bytes() for name in ("model/model.safetensors", "log.jsonl")]


def data_of(path):
    """The digests that every step had, in whatever process."""
    found = {}
    for line in path.read_text().splitlines():
        step, digest = line.split()
        found.setdefault(int(step), set()).add(digest)
    return found


@pytest.mark.parametrize(("steps", "kills"), [(100, 10), pytest.param(400, 55, marks=pytest.mark.slow)])
def test_a_run_that_is_killed_again_and_again_ends_with_the_same_bits(tmp_path, steps, kills):
    make_store(tmp_path)
    make_config(tmp_path)
    done = subprocess.run(
        [sys.executable, DRIVER, tmp_path, "1", str(steps), str(kills)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=30 * kills,
    )
    assert done.returncode == 0, done.stderr
    killed = json.loads(done.stdout.splitlines()[-1])
    assert len(killed) >= min(kills, 50)
    assert {"update", "half a state", "before the rename", "behind the rename", "half a line", "model", "result"} <= set(killed)
    assert results_of(tmp_path / "killed") == results_of(tmp_path / "whole")
    whole = data_of(tmp_path / "whole.data")
    assert sorted(whole) == list(range(steps))
    assert data_of(tmp_path / "killed.data") == whole
    assert not list((tmp_path / "killed").rglob(".aside*"))


def test_ctrl_c_saves_the_state_and_going_on_gives_the_same_bits(tmp_path, monkeypatch):
    make_store(tmp_path)
    make_config(tmp_path)
    pretrain(make_settings(tmp_path, tmp_path / "whole", steps=12), given={})
    original, calls = Pretraining.loss, []

    def interrupting(self, pack, whole):
        calls.append(1)
        if len(calls) == 9:
            signal.raise_signal(signal.SIGINT)
        return original(self, pack, whole)

    settings, before = make_settings(tmp_path, tmp_path / "stopped", steps=12, save_every=100), signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(Pretraining, "loss", interrupting)
    with pytest.raises(Interrupted) as stopped:
        pretrain(settings, given={})
    monkeypatch.undo()
    assert signal.getsignal(signal.SIGINT) is before
    at = stopped.value.values["step"]
    assert 0 < at < 12
    assert [path.name for path in (tmp_path / "stopped" / "states").iterdir()] == [f"step-{at:08d}"]
    pretrain(settings, given={})
    assert results_of(tmp_path / "stopped") == results_of(tmp_path / "whole")


def test_a_second_ctrl_c_ends_at_once():
    with pytest.raises(KeyboardInterrupt), stop_requests() as stopping:
        signal.raise_signal(signal.SIGINT)
        assert stopping()
        signal.raise_signal(signal.SIGINT)


def test_a_finished_run_is_told_again_and_not_repeated(tmp_path, monkeypatch):
    make_store(tmp_path)
    make_config(tmp_path)
    settings = make_settings(tmp_path, tmp_path / "run", steps=4)
    first = pretrain(settings, given={})
    monkeypatch.setattr(Pretraining, "loss", None)
    assert pretrain(settings, given={}).numbers == first.numbers
    assert not (tmp_path / "run" / "states").exists()

"""On an embedded cluster of two workers: the same bytes as without it, also where a worker is killed in the middle."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from made_corpus import flags_of, make_config, make_corpus, prepare_settings, pretrain_settings

from bertsmith.data import preparation
from bertsmith.errors import DataError, MachineError
from bertsmith.jobs import cluster
from bertsmith.jobs.prepare import prepare
from bertsmith.jobs.pretrain import pretrain
from bertsmith.progress import Advance

pytestmark = pytest.mark.cluster


@pytest.fixture
def place(tmp_path, monkeypatch):
    pytest.importorskip("ray", reason="Ray is not installed")
    monkeypatch.setattr(preparation, "BATCH", 2000)
    make_corpus(tmp_path)
    prepare(prepare_settings(tmp_path, "store"), given={})
    monkeypatch.setattr(preparation, "_SMALL", 0)
    return tmp_path


def bytes_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def left_over(folder):
    return [path for path in folder.rglob(".aside*") if "lock" not in path.name]


def test_a_killed_encoder_loses_nothing_and_the_store_is_the_same_as_without_a_cluster(place, monkeypatch):
    encode, marks = cluster._encode_there, place / "marks"
    marks.mkdir()

    def dying_once(batch, options, files):
        answer = encode(batch, options, files)
        (marks / f"{os.getpid()}-{time.monotonic_ns()}").touch()
        if len(list(marks.iterdir())) > 8 and not (marks / "dead").exists():
            (marks / "dead").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    monkeypatch.setattr(cluster, "_encode_there", dying_once)
    prepare(prepare_settings(place, "on-ray", "local"), given={})
    assert (marks / "dead").exists()
    assert len({path.name.split("-")[0] for path in marks.iterdir()} - {"dead"}) > 1
    assert bytes_of(place / "on-ray") == bytes_of(place / "store")


def test_an_error_of_an_encoder_keeps_its_words(place, monkeypatch):
    def failing(batch, options, files):
        return cluster._Fault.of(DataError("no-vocabulary", "no vocabulary {name}", do="look", where="there", name="here"))

    monkeypatch.setattr(cluster, "_encode_there", failing)
    with pytest.raises(DataError) as told:
        prepare(prepare_settings(place, "on-ray", "local"), given={})
    assert str(told.value) == "there: no vocabulary here [no-vocabulary]\n  → look"


def training_workers():
    """Ray's processes that train, among those that this one started."""
    parents, found = {}, []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if (path / "cmdline").read_bytes().startswith(b"ray::RayTrainWorker"):
                found.append(int(path.name))
        except OSError:
            continue

    def ours(process):
        return process == os.getpid() or (process in parents and ours(parents[process]))

    return [process for process in sorted(found) if ours(process)]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the processes in /proc")
@pytest.mark.parametrize("victim", [0, -1], ids=["the first worker", "the last worker"])
def test_a_killed_worker_loses_nothing_and_the_weights_are_those_of_torchrun(place, victim):
    make_config(place)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "bertsmith"]
    done = subprocess.run(
        [*torchrun, "pretrain", *flags_of(pretrain_settings(place, "torchrun"))], capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    killed, notes = [], []

    def listen(event):
        notes.append(getattr(event, "code", ""))
        if isinstance(event, Advance) and event.done > 20 and not killed:
            killed.append(training_workers()[victim])
            os.kill(killed[0], signal.SIGKILL)

    outcome = pretrain(pretrain_settings(place, "on-ray", "local", 2), given={}, listen=listen)
    assert killed
    assert notes.count("going-on") == 1
    assert outcome.numbers["steps"] == 120
    for name in ("model/model.safetensors", "log.jsonl"):
        assert (place / "on-ray" / name).read_bytes() == (place / "torchrun" / name).read_bytes()
    assert left_over(place) == []


def test_a_fault_of_the_job_is_told_once_and_not_tried_again(place):
    with pytest.raises(DataError) as told:
        pretrain(pretrain_settings(place / "nowhere", "run", "local", 2), given={})
    assert told.value.exit_code == 3


def test_more_processes_than_cores_are_refused(place):
    with pytest.raises(MachineError) as told:
        pretrain(pretrain_settings(place, "run", "local", 10_000), given={})
    assert told.value.code == "cluster-too-small"


def test_ctrl_c_ends_a_training_with_a_sentence_and_leaves_no_process(place):
    make_config(place)
    words = [sys.executable, "-m", "bertsmith", "pretrain", *flags_of(pretrain_settings(place, "run", "local", 2))]
    words = [word.replace("--steps=120", "--steps=100000") for word in words]
    started = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    states, deadline = place / "run" / "states", time.monotonic() + 120
    while not states.exists() and time.monotonic() < deadline and started.poll() is None:
        time.sleep(0.2)
    started.send_signal(signal.SIGINT)
    _, errors = started.communicate(timeout=60)
    assert started.returncode == 130, errors
    assert "[cluster-stopped]" in errors
    assert "Traceback" not in errors
    assert list(states.glob("step-*"))
    assert left_over(place) == []

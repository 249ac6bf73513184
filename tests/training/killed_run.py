"""Started by a test: the same run, once never killed and once killed again and again; every attempt is a process of its own.

The processes are forked from this one, which has imported everything (what the first optimizer imports, too) and computed nothing.
"""

import hashlib
import importlib
import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
from tiny_pretraining import make_settings

from bertsmith import files
from bertsmith.jobs import pretrain as job
from bertsmith.records.run import RunFolder
from bertsmith.training import training_state
from bertsmith.training.optimizer import AdamW
from bertsmith.training.pretraining.objective import Pretraining

importlib.import_module("torch._dynamo")  # the first optimizer of a process imports it: seconds for each attempt

IN_THE_LOOP = ("update", "half a state", "before the rename", "behind the rename", "half a line", "clock")
AT_THE_END = ("model", "result")


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def write_down_the_data(path):
    """Append a digest of every step's batches to a file."""
    made = Pretraining.batches

    def batches(self, step):
        found = made(self, step)
        digest = hashlib.sha256()
        for batch in found:
            for name in ("ids_T", "segments_T", "cu_seqlens", "order_B", "masked_M", "labels_M", "targets_B"):
                digest.update(getattr(batch, name).tobytes())
        with open(path, "a") as file:
            file.write(f"{step} {digest.hexdigest()}\n")
        return found

    Pretraining.batches = batches


def at_call(number, owner, name, act):
    """Let the given call of a function do something else."""
    original, calls = getattr(owner, name), 0

    def counted(*args, **named):
        nonlocal calls
        calls += 1
        return act(original, *args, **named) if calls == number else original(*args, **named)

    setattr(owner, name, counted)


def half_a_state(write, file, arrays):
    write(file, arrays)
    os.truncate(file, file.stat().st_size // 2)
    kill()


def behind(original, *args):
    original(*args)
    kill()


def half_a_line(log, folder, values):
    with open(folder.path / "log.jsonl", "a") as file:
        file.write('{"step": 12, "mlm')
    kill()


def prepare_to_die(place, random):
    steps, saves = int(random.integers(2, 9)), int(random.integers(1, 3))
    if place == "update":
        at_call(steps, AdamW, "step", behind)
    elif place == "half a state":
        at_call(saves, training_state, "write_arrays", half_a_state)
    elif place == "before the rename":
        at_call(saves, files, "replace_folder", lambda *_: kill())
    elif place == "behind the rename":
        at_call(saves, files, "replace_folder", behind)
    elif place == "half a line":
        at_call(steps, RunFolder, "log", half_a_line)
    elif place == "model":
        at_call(1, job, "write_model_folder", lambda *_, **named: kill())
    elif place == "result":
        at_call(1, RunFolder, "finish", lambda *_: kill())


def attempt(folder, output, place, random, steps):
    """Run in a new process; whether it was killed."""
    pause = float(random.uniform(0.02, 0.1))
    child = os.fork()
    if child == 0:
        try:
            write_down_the_data(folder / f"{output.name}.data")
            prepare_to_die(place, random)
            job.pretrain(make_settings(folder, output, steps=steps), given={})
        except BaseException as error:
            print(repr(error), error, file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    if place == "clock":
        time.sleep(pause)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status):
        sys.exit("an attempt failed")
    return os.WIFSIGNALED(status)


def main(folder, seed, steps, kills):
    """Kills in the loop, and one at each place behind it; prints where the run was killed."""
    random = np.random.default_rng(seed)
    attempt(folder, folder / "whole", "", random, steps)
    places = random.permutation(np.resize(IN_THE_LOOP, kills)).tolist() + list(AT_THE_END)
    killed = [place for place in places if attempt(folder, folder / "killed", place, random, steps)]
    attempt(folder, folder / "killed", "", random, steps)
    print(json.dumps(killed))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))

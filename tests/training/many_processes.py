"""Started by a test: training runs in one and in several processes, forked from this one, which has imported everything and computed nothing."""

import hashlib
import importlib
import json
import os
import signal
import socket
import sys
from pathlib import Path

import torch
from tiny_pretraining import make_settings

from bertsmith.errors import BertsmithError, Interrupted
from bertsmith.jobs import pretrain as job
from bertsmith.training import loop
from bertsmith.training.flat_rows import FlatRows
from bertsmith.training.pretraining import run as pretraining
from bertsmith.training.pretraining.objective import Pretraining

importlib.import_module("torch._dynamo")  # the first optimizer of a process imports it: seconds for each attempt

PLAIN = {
    "recipe": "lean",
    "batch_size": 8,
    "max_seq_length": 32,
    "micro_batch_tokens": 96,
    "evaluate_every": 20,
    "save_every": 100,
}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def together(count, act):
    """Run `act(rank)` in processes that find each other as torchrun's do; what each returned, or the code of its error."""
    port, results = free_port(), []
    for rank in range(count):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            torch.set_num_threads(1)
            os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), RANK=str(rank), LOCAL_RANK=str(rank))
            os.environ.update(WORLD_SIZE=str(count), LOCAL_WORLD_SIZE=str(count))
            try:
                told = act(rank)
            except BertsmithError as error:
                told = {"error": error.code, "values": {name: str(value) for name, value in error.values.items()}}
            except BaseException as error:
                told = {"error": repr(error)}
            os.write(writing, json.dumps(told).encode())
            os._exit(0)
        os.close(writing)
        results.append((child, reading))
    told = []
    for child, reading in results:
        with open(reading) as file:
            told.append(json.loads(file.read() or "null"))
        os.waitpid(child, 0)
    return told


def write_down_the_data(folder, rank):
    """Append a digest of every sequence that this process computes, with its step and its number."""
    made = loop.share_of

    def share_of(stretches, budget, who=0, count=1):
        share = made(stretches, budget, who, count)
        lines = []
        for part in share.parts:
            for b in range(part.sequences):
                start, end = part.cu_seqlens[b], part.cu_seqlens[b + 1]
                masked = (part.masked_M >= start) & (part.masked_M < end)
                fields = (
                    part.ids_T[start:end],
                    part.segments_T[start:end],
                    part.masked_M[masked] - start,
                    part.labels_M[masked],
                )
                digest = hashlib.sha256(b"".join(field.tobytes() for field in fields)).hexdigest()
                lines.append(f"{part.order_B[b]} {part.targets_B[b]} {digest}")
        with open(folder / f"{share_of.name}.{rank}.data", "a") as file:
            file.writelines(f"{line}\n" for line in lines)
        return share

    share_of.name = ""
    loop.share_of = share_of
    return share_of


def run(folder, name, count, stop_behind=None, stopped_by=0, **changes):
    """One run, or the going on with it; in process `stopped_by` a signal asks for a stop in the given step."""

    def act(rank):
        write_down_the_data(folder, rank).name = name
        if stop_behind is not None and rank == stopped_by:
            updated, calls = loop._update, []

            def update(*arguments):
                calls.append(1)
                if len(calls) == stop_behind:
                    signal.raise_signal(signal.SIGTERM)
                return updated(*arguments)

            loop._update = update
        settings = make_settings(folder, folder / name, **{**PLAIN, **changes})
        try:
            return dict(job.pretrain(settings, given={}).numbers) or None
        except Interrupted as stopped:
            return {"stopped": stopped.values["step"]}

    return together(count, act)


def failing(folder, name, count, rank_of_fault, die):
    """A run in which one process fails in its third step."""

    def act(rank):
        losses = []
        loss = Pretraining.loss

        def faulty(self, pack, whole):
            losses.append(1)
            if rank == rank_of_fault and len(losses) == 6:
                die()
            return loss(self, pack, whole)

        Pretraining.loss = faulty
        job.pretrain(make_settings(folder, folder / name, **PLAIN, steps=30), given={})

    return together(count, act)


def first_gradient(folder, count, micro_batch_tokens):
    """The gradient of step 1 in double precision, dropout off, as the first process sees it behind the sum."""
    place = folder / f"gradient-{count}-{micro_batch_tokens}.pt"

    def act(rank):
        made = pretraining.workload_of

        def doubled(*arguments):
            workload = made(*arguments)
            workload.model.double()
            return workload

        def noted(self, limit):
            if rank == 0:
                torch.save([gradient.clone() for gradient in self.gradients], place)
            raise KeyboardInterrupt

        pretraining.workload_of, FlatRows.clip = doubled, noted
        changes = {**PLAIN, "micro_batch_tokens": micro_batch_tokens}
        name = f"gradient-{count}-{micro_batch_tokens}"
        job.pretrain(make_settings(folder, folder / name, **changes, steps=2), given={})

    together(count, act)
    return place


def main(folder):
    out_of_memory = lambda: (_ for _ in ()).throw(RuntimeError("out of memory, made up"))  # noqa: E731
    told = {"one": run(folder, "one", 1, steps=30), "two": run(folder, "two", 2, steps=30)}
    told["three"] = run(folder, "three", 3, steps=30)
    told["changing"] = [
        run(folder, "changing", 1, 10, steps=30),
        run(folder, "changing", 2, steps=30),
        run(folder, "changing", 2, 10, 1, steps=30, allow_inexact=True),
        run(folder, "changing", 1, steps=30, allow_inexact=True),
    ]
    told["resumed"] = [run(folder, "resumed", 2, 15, 1, steps=30), run(folder, "resumed", 2, steps=30)]
    told["failed"] = failing(folder, "failed", 2, 1, out_of_memory)
    told["killed"] = failing(folder, "killed", 2, 1, lambda: os.kill(os.getpid(), signal.SIGKILL))
    told["too many"] = run(folder, "too-many", 3, steps=30, batch_size=2)
    told["gradients"] = [str(first_gradient(folder, count, budget)) for count, budget in ((1, 10_000), (1, 60), (2, 60))]
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

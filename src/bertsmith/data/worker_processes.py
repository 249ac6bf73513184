"""Batches encoded by other processes, answers in the order of the batches.

Each worker is a new Python that reads batches from its standard input and writes answers to its standard output. Unlike a fork it is safe
beside threads, unlike the spawning of `multiprocessing` it runs nothing of the caller's main program again, and in a process group of
its own it never sees the Ctrl-C of a terminal. It ends when its standard input does, so none is left behind when the caller is killed.
"""

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from traceback import format_exc
from typing import Any, TypeVar

import bertsmith
from bertsmith.data.corpus import RawDocument
from bertsmith.data.encoding import EncodedBatch, EncodingOptions, encode_batch
from bertsmith.errors import MachineError

_P = TypeVar("_P")
_WAITING = 2  # batches for each worker: one under way, one ready
_SECONDS_TO_END = 5  # of a process that has closed its pipes; assumed
_PROGRAM = "from bertsmith.data.worker_processes import serve; serve()"
Batch = tuple[RawDocument, ...]


def encoded(batches: Iterable[tuple[Batch, _P]], options: EncodingOptions, workers: int) -> Generator[tuple[EncodedBatch, _P]]:
    """Encode batches, each handed on with what stood beside it.

    Args:
        batches: the batches; only a few for each worker are asked for ahead.
        options: how they are encoded.
        workers: number of processes; 1 starts none.

    Raises:
        MachineError: a worker ended before its work.
    """
    if workers == 1:
        for batch, beside in batches:
            yield encode_batch(batch, options), beside
        return
    with _started(workers) as pool:
        waiting: deque[tuple[Future[EncodedBatch], _P]] = deque()
        for batch, beside in batches:
            waiting.append((pool.submit(batch, options), beside))
            if len(waiting) >= _WAITING * workers:
                answer, behind = waiting.popleft()
                yield answer.result(), behind
        while waiting:
            answer, behind = waiting.popleft()
            yield answer.result(), behind


class _Pool:
    """Processes, and a thread for each that waits for its answers."""

    def __init__(self, workers: int) -> None:
        self._processes = [_start() for _ in range(workers)]
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        for process in self._processes:
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(workers, "encode")

    def submit(self, batch: Batch, options: EncodingOptions) -> "Future[EncodedBatch]":
        return self._threads.submit(self._ask, batch, options)

    def close(self) -> None:
        for process in self._processes:
            process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):  # of what could not be written any more
                    assert pipe is not None
                    pipe.close()

    def _ask(self, batch: Batch, options: EncodingOptions) -> EncodedBatch:
        process = self._idle.get()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            pickle.dump((batch, options), process.stdin, pickle.HIGHEST_PROTOCOL)
            process.stdin.flush()
            answer = pickle.load(process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise _died(process) from error
        finally:
            self._idle.put(process)
        if isinstance(answer, Exception):
            raise answer
        found: EncodedBatch = answer
        return found


@contextmanager
def _started(workers: int) -> Iterator[_Pool]:
    pool = _Pool(workers)
    try:
        yield pool
    finally:
        pool.close()


def _start() -> "subprocess.Popen[bytes]":
    package = str(Path(bertsmith.__file__).parent.parent)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH")))),
        "OMP_NUM_THREADS": "1",  # the cores are taken by the other workers
        "TOKENIZERS_PARALLELISM": "false",
    }
    group: dict[str, Any] = {"creationflags": 0x200} if os.name == "nt" else {"process_group": 0}  # CREATE_NEW_PROCESS_GROUP
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, **group
    )


def _died(process: "subprocess.Popen[bytes]") -> MachineError:
    with suppress(subprocess.TimeoutExpired):
        process.wait(_SECONDS_TO_END)
    process.kill()
    return MachineError(
        "worker-died",
        "a worker process ended before its work, with exit code {exit_code}",
        do="if memory ran out (exit code -9), use fewer --workers; run the same command again, and it goes on behind what is written",
        exit_code=process.wait(),
    )


def serve() -> None:
    """The program of a worker: answer batches until there are no more."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # so that nothing that a package prints gets among the answers
    # a main process that is killed leaves the end of a batch unsent, or an answer unread
    with os.fdopen(0, "rb") as batches, answers, suppress(EOFError, pickle.UnpicklingError, BrokenPipeError):
        while True:
            batch, options = pickle.load(batches)
            try:
                answer: EncodedBatch | Exception = encode_batch(batch, options)
            except Exception:  # told where the answer is awaited; as a text, because not every error can be sent
                answer = RuntimeError(format_exc())
            pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()

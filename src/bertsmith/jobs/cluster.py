"""`--cluster`: the same work on Ray, on several machines or embedded on this one. The only place that knows Ray.

What is computed is decided elsewhere, by pure functions of batches and steps; Ray decides where, and does again what a lost
worker left undone.

Preparing takes Ray's tasks and not Ray Data: Data reads on its workers and has no source that the caller feeds a batch at a
time, but documents are cut, numbered and sieved in the order of one reader. A window of tasks keeps that order and bounds the
memory. Training takes Ray Train: where a worker is lost it starts all of them again, and the run goes on from its newest
training state.
"""

import logging
import os
import shutil
import socket
import tempfile
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from bertsmith.data.encoding import EncodedBatch, EncodingOptions, encode_batch
from bertsmith.data.preparation import Encode
from bertsmith.data.worker_processes import Batch, encoded
from bertsmith.errors import BertsmithError, Interrupted, MachineError, UsageError
from bertsmith.files import ASIDE, disk_errors
from bertsmith.jobs.cluster_shares import Shares, shares_of
from bertsmith.machine import cores
from bertsmith.progress import Listener
from bertsmith.text.vocabulary import TOKENIZER_CONFIG, TOKENIZER_JSON, VOCAB_TXT
from bertsmith.training.interrupt import stop_requests

T = TypeVar("T")
_P = TypeVar("_P")
LOCAL = "local"
# Ray says nothing to its makers, lets a job stay in its folder, and leaves what a program prints alone
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_TRAIN_ENABLE_PRINT_PATCH": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
_OBJECTS = (100 * 2**20, 2**23)  # bytes of shared memory, and for each core: two batches of 1 MB with their answers, twice
_WAITING = 2  # batches for each worker: one under way, one ready
_RETRIES = 3  # of a batch whose worker is lost; Ray's own default
_RESTARTS = 10  # of a training; a worker that is lost so often will be lost again; assumed
_PAUSE = 0.2  # seconds between two looks at what the workers tell, as often as they tell it


@dataclass(frozen=True)
class Encoders:
    """Who encodes.

    Args:
        encode: hands batches to them.
        cores: how many can work at once.
    """

    encode: Encode
    cores: int


@contextmanager
def encoders(address: str) -> Iterator[Encoders]:
    """Processes of this machine, or those of a cluster, for the duration of a job.

    Args:
        address: of the cluster, `local` for one on this machine, `auto` for the one that this machine is part of; empty for none.

    Raises:
        MachineError: Ray is not installed, or no cluster answers.
    """
    if not address:
        yield Encoders(encoded, cores())
        return
    with _cluster(address) as ray:
        yield Encoders(encoded_there, int(ray.cluster_resources().get("CPU", 1)))


def encoded_there(
    batches: Iterable[tuple[Batch, _P]], options: EncodingOptions, workers: int
) -> Generator[tuple[EncodedBatch, _P]]:
    """Encode batches on the cluster, each handed on in order with what stood beside it.

    Args:
        batches: the batches; only a few for each worker are asked for ahead.
        options: how they are encoded; the files that it names are sent along.
        workers: how many batches are encoded at once.

    Raises:
        MachineError: a batch lost its worker again and again.
    """
    import ray

    encode = ray.remote(_encode_there).options(num_cpus=1, max_retries=_RETRIES)
    files = ray.put(_files(options))
    waiting: deque[tuple[Any, _P]] = deque()
    for batch, beside in batches:
        waiting.append((encode.remote(batch, options, files), beside))
        if len(waiting) >= _WAITING * workers:
            answer, behind = waiting.popleft()
            yield _answer(ray, answer), behind
    while waiting:
        answer, behind = waiting.popleft()
        yield _answer(ray, answer), behind


def train_together(address: str, count: int, job: Callable[[Listener], T], *, output: Path, device: str, listen: Listener) -> T:
    """Do a training job in several processes of a cluster; where one is lost all start again, and the job goes on.

    Args:
        address: of the cluster, as for `encoders`.
        count: processes; 0: one for each GPU, or for each machine of a cluster without.
        job: what each process does, with the listener that it tells; relative paths in it mean the same as here.
        output: the run folder, in a folder that all machines see.
        device: `auto`, `cpu` or `cuda`.
        listen: told what the first process tells.

    Returns:
        What the job returned in the first process.

    Raises:
        MachineError: Ray is not installed, no cluster answers, it is too small, a machine does not see the place of the run folder,
            or workers are lost all the time.
        BertsmithError: what the job raised.
        Interrupted: Ctrl-C; the newest training state is kept.
    """
    if "WORLD_SIZE" in os.environ:
        raise UsageError(
            "cluster-in-torchrun",
            "--cluster starts the processes itself, and torchrun has started some already",
            do="leave out torchrun, or leave out --cluster",
        )
    with _cluster(address) as ray, _folder_beside(output) as place:
        from ray.util.queue import Queue

        told = Queue(actor_options={"num_cpus": 0})
        trainer = _trainer(shares_of(ray.nodes(), count, device), _Part(job, told, Path.cwd(), place), place)
        running = _in_a_thread(trainer.fit)
        with stop_requests() as stopping:
            while not wait([running], _PAUSE).done:
                _hear(told, listen)
                if stopping():
                    raise _stopped()
        _hear(told, listen)
        result = _result_of(running)
    if isinstance(result, _Fault):
        raise result.error()
    found: T = result
    return found


@contextmanager
def _cluster(address: str) -> Iterator[Any]:
    """Ray, joined; what was started for this job ends with it."""
    if find_spec("ray") is None:
        raise MachineError(
            "no-ray",
            "--cluster needs the package ray, which is not installed",
            do="run `pip install 'bertsmith[cluster]'`, or leave out --cluster",
        )
    os.environ.update(_QUIET)
    import ray

    try:
        if address == LOCAL:
            ray.init(
                LOCAL,
                num_cpus=cores(),
                object_store_memory=_OBJECTS[0] + _OBJECTS[1] * cores(),
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        else:
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError) as error:
        raise MachineError(
            "no-cluster",
            "no Ray cluster answers at {address}: {reason}",
            do="give the address that `ray start --head` showed, or --cluster local for one on this machine",
            address=address,
            reason=(str(error) or type(error).__name__).splitlines()[0],
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _files(options: EncodingOptions) -> dict[str, bytes]:
    """The files that the options name, for machines that do not see them."""
    paths = [options.vocabulary / name for name in (TOKENIZER_JSON, VOCAB_TXT, TOKENIZER_CONFIG)]
    paths += [options.excluded] if options.excluded else []
    return {path.name: path.read_bytes() for path in paths if path.is_file()}


def _encode_there(batch: Batch, options: EncodingOptions, files: Mapping[str, bytes]) -> "EncodedBatch | _Fault":
    """What a worker does with a batch."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the cores are taken by the other workers
    try:
        return encode_batch(batch, _here(options, tuple(sorted(files.items()))))
    except Exception as error:
        return _Fault.of(error)


@lru_cache(maxsize=1)
def _here(options: EncodingOptions, files: tuple[tuple[str, bytes], ...]) -> EncodingOptions:
    """The options of a process whose first batch, an empty one, has read the files, which lie here only as long as that takes."""
    with tempfile.TemporaryDirectory(prefix="bertsmith-") as place:
        for name, content in files:
            (Path(place) / name).write_bytes(content)
        excluded = Path(place) / options.excluded.name if options.excluded else None
        here = replace(options, vocabulary=Path(place), excluded=excluded)
        encode_batch((), here)
    return here


def _answer(ray: Any, reference: Any) -> EncodedBatch:
    try:
        answer = ray.get(reference)
    except ray.exceptions.RayError as error:
        raise _lost(error) from error
    if isinstance(answer, _Fault):
        raise answer.error()
    found: EncodedBatch = answer
    return found


def _lost(error: Exception) -> MachineError:
    return MachineError(
        "cluster-lost",
        "the cluster lost its workers again and again: {reason}",
        do="look whether their memory ran out; run the same command again, and it goes on from what is saved",
        reason=(str(error) or type(error).__name__).splitlines()[0],
    )


def _trainer(shares: Shares, part: "_Part", place: Path) -> Any:
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    return TorchTrainer(
        part.take,
        torch_config=TorchConfig("gloo"),
        scaling_config=ScalingConfig(
            num_workers=shares.count,
            use_gpu=shares.gpu,
            resources_per_worker={"CPU": shares.cores} | ({"GPU": 1} if shares.gpu else {}),
        ),
        run_config=RunConfig(
            name="ray", storage_path=str(place.absolute()), failure_config=FailureConfig(max_failures=_RESTARTS)
        ),
    )


@dataclass(frozen=True)
class _Part:
    """What each process of a training does.

    Args:
        job: the job.
        told: takes its events to whoever started it.
        folder: the working folder.
        place: a folder that every machine must see.
    """

    job: Callable[[Listener], Any]
    told: Any
    folder: Path
    place: Path

    def take(self) -> Any:
        """Do the job with the others: its result, or its fault. An error is raised only where starting again may help."""
        if (blind := _met_anew(self.place)) is not None:
            return _Fault.of(blind)
        os.chdir(self.folder)
        try:
            return self.job(self.told.put)
        except Exception as error:
            if isinstance(error, MachineError) and error.code == "process-lost":
                raise RuntimeError(error.what) from None
            return _Fault.of(error)


def _met_anew(place: Path) -> MachineError | None:
    """Leave the group that Ray made: the job makes its own as under torchrun, and the first process listens at a free port.

    Ray's knows gloo or NCCL, and a job on GPUs wants both.

    Returns:
        An error where a machine does not see the place.
    """
    import torch.distributed as dist

    with socket.socket() as found:
        found.bind(("", 0))
        mine = (found.getsockname()[1], socket.gethostname(), place.is_dir())
        told: list[tuple[int, str, bool]] = [mine] * dist.get_world_size()
        dist.all_gather_object(told, mine)
    dist.destroy_process_group()
    os.environ["MASTER_PORT"] = str(told[0][0])
    blind = sorted({host for _, host, sees in told if not sees})
    if not blind:
        return None
    return MachineError(
        "folder-not-shared",
        "not every machine of the cluster sees this folder: {hosts}",
        where=place.parent,
        do="choose an --output in a folder that all machines share",
        hosts=", ".join(blind),
    )


@contextmanager
def _folder_beside(output: Path) -> Iterator[Path]:
    """A folder beside the run folder for what Ray writes down for itself."""
    with disk_errors(output):
        output.absolute().parent.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=f"{ASIDE}ray-", dir=output.absolute().parent))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _in_a_thread(act: Callable[[], Any]) -> "Future[Any]":
    """Run a function in a thread that nobody waits for: in the main thread Ray Train would take Ctrl-C for itself."""
    running: Future[Any] = Future()

    def run() -> None:
        try:
            running.set_result(act())
        except BaseException as error:
            running.set_exception(error)

    Thread(target=run, name="ray", daemon=True).start()
    return running


def _stopped() -> Interrupted:
    return Interrupted(
        "cluster-stopped",
        "stopped; the steps behind the newest training state will be done again",
        do="the same command goes on from there",
    )


def _hear(told: Any, listen: Listener) -> None:
    for event in told.get_nowait_batch(told.qsize()):
        listen(event)


def _result_of(running: "Future[Any]") -> Any:
    from ray.train import TrainingFailedError

    try:
        return running.result().return_value
    except TrainingFailedError as error:
        raise _lost(error) from error


@dataclass(frozen=True)
class _Fault:
    """An error on its way from another process, where an exception with arguments of its own would be lost."""

    kind: type[BertsmithError]
    code: str
    what: str
    do: str
    where: str | None
    values: Mapping[str, object]

    @classmethod
    def of(cls, error: Exception) -> "_Fault":
        """Of any error; one that is a fault of the program keeps its trace as a text."""
        if not isinstance(error, BertsmithError):
            error = MachineError(
                "cluster-fault",
                "a process on the cluster failed: {reason}",
                do="this may be a fault of bertsmith; run it without --cluster, which tells more",
                where=socket.gethostname(),
                reason="".join(traceback.format_exception(error)).strip(),
            )
        return cls(type(error), error.code, error.what, error.do, error.where, error.values)

    def error(self) -> BertsmithError:
        """The error again."""
        return self.kind(self.code, self.what, do=self.do, where=self.where, **self.values)

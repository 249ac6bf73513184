"""Several processes that train one network together, as torchrun starts them: gloo on processors, NCCL on GPUs.

Gradients lie in two or three flat rows, so that one call a row adds them up. torch's DistributedDataParallel is not used: it waits for the
gradient of each parameter to arrive through autograd, and ours of the large tables are added straight into the row.

The first process alone writes, evaluates and speaks. Where another one fails, it leaves its error in the store that all share, and the
first one tells it.
"""

import os
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch._C._distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from bertsmith.errors import BertsmithError, Interrupted, MachineError

T = TypeVar("T")
_PATIENCE = timedelta(
    hours=2
)  # of a process for the others, who may wait for an evaluation; one that died is noticed at once; assumed
_FAULT = "bertsmith/fault"


@dataclass(frozen=True)
class Processes:
    """One process among those that train together.

    Args:
        rank: its number; the first one, 0, leads.
        count: how many there are.
        store: where they leave words for one another; None for one alone.
    """

    rank: int = 0
    count: int = 1
    store: Store | None = field(default=None, compare=False)

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes, evaluates and speaks."""
        return self.rank == 0

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over the processes, the same bits in all of them."""
        with self._together():
            for tensor in tensors if self.count > 1 else ():
                dist.all_reduce(tensor)

    def spread(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by that of the first process."""
        with self._together():
            for tensor in tensors if self.count > 1 else ():
                dist.broadcast(tensor, 0)

    def agreed(self, value: T) -> T:
        """The first process's value, in all of them."""
        if self.count == 1:
            return value
        box: list[Any] = [value]
        with self._together():
            dist.broadcast_object_list(box, 0, device=torch.device("cpu"))
        found: T = box[0]
        return found

    @contextmanager
    def _together(self) -> Iterator[None]:
        """Tell what another process died of, where one is gone: its end of the line is closed."""
        try:
            yield
        except RuntimeError as error:
            raise self._fault() from error

    def _fault(self) -> BertsmithError:
        with suppress(RuntimeError):  # of the store, which goes with the first process
            if self.store is not None and self.store.check([_FAULT]):
                kind, values, named = pickle.loads(bytes.fromhex(self.store.get(_FAULT).decode()))
                found: BertsmithError = kind(*values[:2], do=values[2], where=values[3], **named)
                return found
        return MachineError(
            "process-lost",
            "one of {count} processes is gone without a word; the newest training state is unharmed",
            do="look whether the machine ran out of memory; the same command goes on from there",
            count=self.count,
        )


ALONE = Processes()


def processes_started() -> int:
    """How many processes torchrun started, 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def processes_here() -> int:
    """How many of them are on this machine and share its cores."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


@contextmanager
def joined(device: str) -> Iterator[Processes]:
    """Meet the other processes for the duration of a job; without torchrun nothing happens.

    Args:
        device: `cpu`, `cuda`, or `auto` for a GPU where there is one; on GPUs each process takes the one with its local number.
    """
    if processes_started() == 1:
        yield ALONE
        return
    backend = "gloo"
    if device != "cpu" and torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        backend = "cpu:gloo,cuda:nccl"
    store, rank, count = next(rendezvous("env://", timeout=_PATIENCE))
    dist.init_process_group(backend, store=store, rank=rank, world_size=count, timeout=_PATIENCE)
    processes = Processes(rank, count, PrefixStore("bertsmith", store))
    try:
        yield processes
    except BaseException as error:
        _leave_word(processes, error)
        if backend == "gloo":  # so that whoever waits for this process sees it go; NCCL would itself wait
            dist.destroy_process_group()
        raise
    dist.destroy_process_group()


def _leave_word(processes: Processes, error: BaseException) -> None:
    """Leave an error for the first process, which may be waiting for this one."""
    if processes.leads or processes.store is None or isinstance(error, Interrupted):
        return
    if not isinstance(error, BertsmithError):
        error = MachineError(
            "process-failed",
            "process {rank} of {count} ended: {reason}",
            do="this may be a fault of bertsmith; run it in one process, which tells more",
            rank=processes.rank,
            count=processes.count,
            reason=f"{type(error).__name__}: {error}",
        )
    told = (type(error), (error.code, error.what, error.do, error.where), error.values)
    with suppress(RuntimeError):  # the first process, which holds the store, may be gone already: then there is nobody to tell
        if error.code != "process-lost" and not processes.store.check([_FAULT]):
            processes.store.set(_FAULT, pickle.dumps(told).hex())

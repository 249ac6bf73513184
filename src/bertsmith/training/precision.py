"""Where and in which number format a step is computed, measured on this machine where it is not said."""

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from bertsmith.errors import MachineError
from bertsmith.machine import cores, keep_freed_pages
from bertsmith.progress import Listener, note
from bertsmith.records.run import Origin, RunRecord
from bertsmith.training.settings import EngineSettings

WORTHWHILE = 1.3  # bf16 products must be this much faster than fp32 ones; below it, casts eat the gain; assumed


@dataclass(frozen=True)
class Engine:
    """What was resolved at the start of a run and is used again when it goes on."""

    device: str
    precision: str
    threads: int

    def autocast(self) -> AbstractContextManager[None]:
        """Products in the chosen format; weights, losses, softmax and norms stay in fp32."""
        return torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bf16", cache_enabled=True)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Set threads, determinism and denormals for the duration of a job, and set them back."""
        threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
        memory: Any = torch.utils.deterministic  # its property is set on the module, which has no types
        fill = memory.fill_uninitialized_memory
        torch.set_num_threads(self.threads)
        # a confident model's softmax gradient is full of denormals, on which fp32 products run 25 times slower
        torch.set_flush_denormal(True)
        torch.use_deterministic_algorithms(True)
        memory.fill_uninitialized_memory = False
        keep_freed_pages()
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.set_flush_denormal(False)
            torch.use_deterministic_algorithms(deterministic)
            memory.fill_uninitialized_memory = fill


def resolve(settings: EngineSettings, record: RunRecord | None, listen: Listener, processes: int = 1) -> Engine:
    """Decide device, number format and threads, and write them into the record with their origin.

    Args:
        settings: what is asked for.
        record: where it is written.
        listen: told what was measured.
        processes: how many processes share the cores.

    Raises:
        MachineError: a GPU is asked for and there is none.
    """
    device, device_origin = _device(settings.device)
    if device == "cuda":
        # read when the first product is computed: without it deterministic products are an error
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    threads: int = settings.threads or max(cores() // processes, 1)
    precision, precision_origin = settings.precision, _given(settings.precision)
    if settings.precision == "auto":
        gain = bf16_gain(device)
        precision, precision_origin = ("bf16" if gain >= WORTHWHILE else "fp32"), "measured"
        listen(
            note(
                "precision-measured",
                "bf16 products run at {gain}× the speed of fp32 here: this run computes in {precision}",
                gain=f"{gain:.2g}",
                precision=precision,
            )
        )
    if record is not None:
        record.resolve("device", device, device_origin)
        record.resolve("precision", precision, precision_origin)
        record.resolve("threads", threads, "flag" if settings.threads else "inferred")
    return Engine(device, precision, threads)


def bf16_gain(device: str) -> float:
    """How much faster a bf16 product is than an fp32 one on this machine; the best of a few short tries."""
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        a = torch.ones(512, 512, dtype=dtype, device=device)
        a @ a
        tries = []
        for _ in range(3):
            start = time.perf_counter()
            (a @ a).sum().item()
            tries.append(time.perf_counter() - start)
        seconds[dtype] = min(tries)
    return seconds[torch.float32] / seconds[torch.bfloat16]


def _device(wanted: str) -> tuple[str, Origin]:
    there = torch.cuda.is_available()
    if wanted == "auto":
        return ("cuda" if there else "cpu"), "inferred"
    if wanted == "cuda" and not there:
        raise MachineError(
            "no-gpu", "no CUDA GPU can be used here", do="leave out `--device`, or install a PyTorch build with CUDA"
        )
    return wanted, "flag"


def _given(value: str) -> Origin:
    return "inferred" if value == "auto" else "flag"

"""What this machine is: cores and quota, memory, processor, instruction sets. Nothing here imports a framework."""

import ctypes
import os
import platform
from functools import lru_cache
from pathlib import Path

_NEEDED = (
    "PATH",
    "HOME",
    "USERPROFILE",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "VIRTUAL_ENV",
)


def bare_environment() -> dict[str, str]:
    """The variables that a process of its own needs to start; no token, key or address for one that opens the files of others."""
    return {name: value for name, value in os.environ.items() if name in _NEEDED}


def cores() -> int:
    """Processors that this process may use: the smaller of its affinity and its control group's quota, at least 1."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    quota = _quota()
    return max(1, min(usable, quota)) if quota else usable


def _quota() -> int | None:
    """Whole processors of the control group's quota (version 2), None where there is none."""
    try:
        limit, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, int(limit) // int(period)) if limit != "max" else None
    except (OSError, ValueError):
        return None


def memory_bytes() -> int | None:
    """Memory that this process may use in bytes, None where the system does not say."""
    found = []
    try:
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
        found.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError, AttributeError):
        pass
    return min(found) if found else None


@lru_cache(maxsize=1)
def processor() -> str:
    """The processor's name."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


@lru_cache(maxsize=1)
def instruction_sets() -> tuple[str, ...]:
    """Those instruction sets of the processor that decide which number formats are fast."""
    wanted = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16", "amx_int8", "bf16")
    try:
        flags = Path("/proc/cpuinfo").read_text().split("flags", 1)[-1].split("\n", 1)[0].split()
    except OSError:
        return ()
    return tuple(name for name in wanted if name in flags)


def describe() -> dict[str, str | int | float]:
    """The machine as it is written into records."""
    memory = memory_bytes()
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": processor(),
        "instruction_sets": " ".join(instruction_sets()),
        "cores": cores(),
        "memory_gib": round(memory / 2**30, 1) if memory else 0,
        "python": platform.python_version(),
    }


def keep_freed_pages() -> None:
    """Let the C library keep freed memory mapped, for the rest of the process; nothing happens where it is not glibc.

    By default every freed buffer of some megabytes goes back to the system, and the next one costs a page fault per 4 KiB: for a
    training step on a processor that is worth as much as a number format.
    """
    mmap_max, trim_threshold, top_pad = -4, -1, -2  # parameters of mallopt(3)
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    mallopt(mmap_max, 0)
    mallopt(trim_threshold, 2**31 - 1)
    mallopt(top_pad, 2**26)
